using System.Collections.Immutable;
using System.CommandLine;
using CalSync.App.Configuration;
using CalSync.Storage.Mirroring;
using CalSync.Storage.Running;
using CalSync.Sync.Providers;

namespace CalSync.App.Commands;

/// <summary><c>calsync breakers</c>: which connections are left alone for a while, and doing so by
/// hand.</summary>
internal static class BreakersCommand
{
    private static readonly Column<SeenBreaker>[] Columns =
    [
        new("CONNECTION", row => row.ConnectionId),
        new("PROVIDER", row => row.Provider),
        new("ACCOUNT", row => row.Account),
        new("PHASE", row => row.Phase),
        new("FAILURES", row => row.ConsecutiveFailures),
        new("UNTIL", row => row.OpenUntil),
        new("REASON", row => row.Reason),
    ];

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new(
            "breakers", "Shows and drives the breakers of connections, which all processes share.",
            "calsync breakers list")
        {
            new Verb(
                "list",
                "Lists connections whose breaker is open or has counted failures; exit code 3 when one is "
                    + "open.",
                "calsync breakers list").Does(globals, around, ListAsync),
            MakeOpen(globals, around),
            MakeClose(globals, around),
        };

    private static async Task<ExitCode> ListAsync(Invocation call, CancellationToken cancellation)
    {
        await using var place = await call.OpenAsync(cancellation);
        var now = place.Clock.GetUtcNow();
        var rows = (await new BreakerDesk(place.Database).ListAsync(null, cancellation))
            .Select(row => SeenBreaker.Of(row, now)).ToList();
        call.Output.Table(rows, "Every breaker is closed.", Columns);
        return rows.Exists(row => row.Phase == "open") ? ExitCode.Unhealthy : ExitCode.Ok;
    }

    private static Verb MakeOpen(GlobalOptions globals, Surroundings around)
    {
        var (target, reason) = (TargetArgument(), ReasonOption());
        var time = Words.Option<string>(
            "--for", "TIME", "How long, at most 7 days; then one call probes.", required: true);
        var verb = new Verb(
            "open", "Lets no call pass for a while; work waits and goes on by itself.",
            "calsync breakers open google --for 30min --reason \"Google asked us to stop\"")
        {
            target, time, reason,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            var term = SettingText.Duration(call.Get(time)!, Keys.BreakerProbeLease);
            if (term is not { } length || length <= TimeSpan.Zero || length > BreakerDesk.OpenMax)
            {
                throw CommandException.Usage(
                    $"{call.Get(time)} is not a length of time of at most 7 days.", "--for 30min");
            }

            await using var place = await call.OpenAsync(cancellation);
            var cause = CauseOf(place, call.Get(reason));
            return Report(call, call.Get(target)!, "Paused", await new BreakerDesk(place.Database).OpenAsync(
                call.Get(target)!, cause.At + length, cause, cancellation));
        });
    }

    private static Verb MakeClose(GlobalOptions globals, Surroundings around)
    {
        var (target, reason) = (TargetArgument(), ReasonOption());
        var verb = new Verb(
            "close", "Forgets the failures: calls pass at once, and what waits for them is tried now.",
            "calsync breakers close google --reason \"Google is back\"")
        {
            target, reason,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var place = await call.OpenAsync(cancellation);
            var cause = CauseOf(place, call.Get(reason));
            var closed = await new BreakerDesk(place.Database).CloseAsync(
                call.Get(target)!, cause, cancellation);
            await new SyncStandingStore(place.Database).WakeAsync(closed, cause.At, cancellation);
            return Report(call, call.Get(target)!, "Closed", closed);
        });
    }

    private static BreakerCause CauseOf(Workplace place, string? reason) =>
        string.IsNullOrWhiteSpace(reason)
            ? throw CommandException.Usage("A breaker is driven for a reason.", "--reason TEXT")
            : new BreakerCause(
                Workplace.ActorName, reason, place.CorrelationId, place.Clock.GetUtcNow());

    private static ExitCode Report(
        Invocation call, string target, string word, ImmutableArray<string> connections)
    {
        if (connections.IsEmpty)
        {
            throw new CommandException(
                ExitCode.Failed, "There is no such connection, and none of such a provider.", target,
                "calsync connections list");
        }

        call.Output.Value(
            new { Connections = connections },
            connections.Select(connection => $"{word} {connection}."));
        return ExitCode.Ok;
    }

    private static Argument<string> TargetArgument() => new("TARGET")
    {
        Description = "Id of a connection, or a provider for all of its connections.",
    };

    private static Option<string> ReasonOption() =>
        Words.Option<string>("--reason", "TEXT", "Why; kept in the journal.", required: true);

    /// <summary>A breaker as listed.</summary>
    private sealed record SeenBreaker(
        string ConnectionId, string Provider, string Account, string Phase, int ConsecutiveFailures,
        DateTimeOffset? OpenUntil, string? Reason)
    {
        public static SeenBreaker Of(BreakerRow row, DateTimeOffset now)
        {
            var phase = new ConnectionBreaker(row.ConsecutiveFailures, row.OpenUntil).PhaseAt(now) switch
            {
                BreakerPhase.Closed => "closed",
                BreakerPhase.Open => "open",
                BreakerPhase.HalfOpen => "half_open",
            };
            return new(
                row.ConnectionId, row.Provider, row.AccountEmail, phase, row.ConsecutiveFailures,
                row.OpenUntil, row.Reason);
        }
    }
}
