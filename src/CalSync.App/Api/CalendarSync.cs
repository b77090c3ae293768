using System.Collections.Immutable;
using CalSync.App.Api.Problems;
using CalSync.Storage.Mirroring;
using CalSync.Sync.Connections;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Providers;

namespace CalSync.App.Api;

/// <summary>What looking at the caller's calendar gave.</summary>
internal abstract record CalendarSyncOutcome
{
    private CalendarSyncOutcome()
    {
    }

    /// <summary>At least one connection works.</summary>
    /// <param name="Standing">Of the events of all connections.</param>
    /// <param name="IsLook">Whether nothing was started.</param>
    public sealed record Looked(SyncStanding Standing, bool IsLook) : CalendarSyncOutcome;

    /// <summary>None works.</summary>
    public sealed record Refused(Problem Problem) : CalendarSyncOutcome;
}

/// <summary>Looks at the connections, wakes what waits, and waits for it.</summary>
internal sealed class CalendarSync(
    IConnectionStore connections, ProviderSet providers, ConnectionProbe probe,
    SyncStandingStore standings, MirrorSignal mirrors, ApiOptions options, TimeProvider clock)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    // What is left of a request's time is for the answer.
    private readonly TimeSpan _checkMax = options.RequestBudget * 0.8;

    /// <summary>Runs it.</summary>
    /// <param name="scope">The request.</param>
    /// <param name="isLook">True: nothing is woken and nothing waited for.</param>
    /// <param name="cancellation">Cancelled, what was woken goes on.</param>
    public async Task<CalendarSyncOutcome> RunAsync(
        RequestScope scope, bool isLook, CancellationToken cancellation)
    {
        var mine = (await connections.ListAsync(scope.Who.UserId, cancellation))
            .Where(connection => ProviderNames.IsGoogle(connection.Provider)
                && providers.Has(connection.Provider)
                && connection.State != ConnectionHealth.Disconnected).ToImmutableArray();
        if (mine.IsEmpty)
            return new CalendarSyncOutcome.Refused(ProviderProblems.NotConnected(scope.Now));
        var probed = await ProbeAsync(mine, scope, cancellation);
        var working = mine.Where((_, index) => probed[index] is ProbeOutcome.Works)
            .Select(connection => connection.Id).ToArray();
        if (working.Length == 0)
            return new CalendarSyncOutcome.Refused(Gravest(probed, scope.Now));
        var all = mine.Select(connection => connection.Id).ToArray();
        var woken = clock.GetUtcNow();
        if (!isLook && await standings.WakeAsync(working, woken, cancellation) > 0)
            mirrors.Due.Set();
        var standing = await standings.ReadAsync(all, woken, cancellation);
        var until = isLook || scope.RespondsAsync ? woken : scope.Now + options.VerificationWait;
        while (standing.UnderWayCount > 0 && clock.GetUtcNow() + Look < until)
        {
            await Task.Delay(Look, clock, cancellation);
            standing = await standings.ReadAsync(all, woken, cancellation);
        }

        return new CalendarSyncOutcome.Looked(standing, isLook);
    }

    private async Task<ProbeOutcome[]> ProbeAsync(
        ImmutableArray<ConnectionListing> mine, RequestScope scope, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(_checkMax, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        return await Task.WhenAll(mine.Select(async connection =>
        {
            try
            {
                return await probe.AskAsync(
                    connection.Id, connection.Provider, scope.CorrelationId, either.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                return new ProbeOutcome.Refused(new ProviderFault(
                    ProviderReason.TimedOut, null, null, "The provider takes longer than a request may."));
            }
        }));
    }

    // What a person can mend comes first; waiting helps with the rest.
    private Problem Gravest(ProbeOutcome[] probed, DateTimeOffset now) => probed
        .Select(outcome => ProviderProblems.Of(outcome, options, now))
        .OrderByDescending(problem => problem.Type.Retry == RetryAdvice.AfterAPerson).First();
}
