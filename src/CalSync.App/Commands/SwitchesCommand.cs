using System.CommandLine;
using CalSync.App.Configuration;
using CalSync.Storage.Running;

namespace CalSync.App.Commands;

/// <summary><c>calsync switches</c>: the kill switches, for a while and with a reason.</summary>
internal static class SwitchesCommand
{
    private static readonly Column<SwitchState>[] Columns =
    [
        new("SWITCH", state => state.Name),
        new("VALUE", state => state.Value),
        new("UNTIL", state => state.ExpiresAt),
        new("BY", state => state.Actor),
        new("REASON", state => state.Reason),
    ];

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new("switches", "Shows and sets the kill switches.", "calsync switches list")
        {
            new Verb("list", "Lists the switches; one that nobody set stands at its normal value.",
                "calsync switches list").Does(globals, around, ListAsync),
            MakeSet(globals, around),
            MakeClear(globals, around),
        };

    private static async Task<ExitCode> ListAsync(Invocation call, CancellationToken cancellation)
    {
        await using var place = await call.OpenAsync(cancellation);
        call.Output.Table(await place.Switches.ReadAsync(cancellation), "", Columns);
        return ExitCode.Ok;
    }

    private static Verb MakeSet(GlobalOptions globals, Surroundings around)
    {
        var (name, value) =
            (NameArgument(), new Argument<string>("VALUE")
            {
                Description = string.Join(' ', SwitchDefinition.All.Select(Describe)),
            });
        var ttl = Words.Option<string>(
            "--ttl", "TIME", "How long, at most 7 days; then it is normal again.", required: true);
        var reason = Words.Option<string>("--reason", "TEXT", "Why; kept in the journal.", required: true);
        var verb = new Verb(
            "set",
            "Sets a switch for a while.",
            "calsync switches set verification off --ttl 2h --reason \"provider reads are stale\"")
        {
            name, value, ttl, reason,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            var term = SettingText.Duration(call.Get(ttl)!, Keys.BreakerProbeLease)
                ?? throw CommandException.Usage($"{call.Get(ttl)} is not a length of time.", "--ttl 2h");
            await using var place = await call.OpenAsync(cancellation);
            var change = await place.Switches.SetAsync(
                call.Get(name)!, call.Get(
                    value)!, term, call.Get(reason)!, Workplace.ActorName, place.CorrelationId,
                cancellation);
            return Report(call, change);
        });
    }

    private static Verb MakeClear(GlobalOptions globals, Surroundings around)
    {
        var name = NameArgument();
        var verb = new Verb(
            "clear", "Puts a switch back to normal.", "calsync switches clear verification") { name };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var place = await call.OpenAsync(cancellation);
            return Report(call, await place.Switches.ClearAsync(
                call.Get(name)!, Workplace.ActorName, place.CorrelationId, cancellation));
        });
    }

    private static ExitCode Report(Invocation call, SwitchChange change)
    {
        var state = change switch
        {
            SwitchChange.Done done => done.State,
            SwitchChange.UnknownName => throw CommandException.Usage(
                "There is no such switch.", string.Join(", ", SwitchDefinition.All.Select(known =>
                    known.Name))),
            SwitchChange.BadValue { Definition: var known } => throw CommandException.Usage(
                $"{known.Name} cannot have that value.",
                known.Values.IsEmpty ? "1 to 30 seconds" : string.Join(", ", known.Values)),
            SwitchChange.NeedsReasonAndTerm => throw CommandException.Usage(
                "A switch is set for a reason and for at most 7 days.", "--ttl 2h --reason TEXT"),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        call.Output.Table([state], "", Columns);
        return ExitCode.Ok;
    }

    private static Argument<string> NameArgument() => new("SWITCH") { Description = "Which." };

    private static string Describe(SwitchDefinition known) => $"{known.Name}: {known.Meaning}";
}
