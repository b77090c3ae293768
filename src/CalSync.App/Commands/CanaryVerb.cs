using System.CommandLine;
using CalSync.App.Pairs;
using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs;

namespace CalSync.App.Commands;

/// <summary><c>calsync pairs canary</c>: the event that must be seen before deletions are carried
/// over.</summary>
internal static class CanaryVerb
{
    private static readonly MergeSide[] Sides = [MergeSide.Left, MergeSide.Right];

    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var pair = PairWords.Argument();
        var state = new Argument<string>("STATE")
        {
            Description = "on puts the event into both calendars, also where it was lost; off takes it out.",
        };
        state.AcceptOnlyFromAmong("on", "off");
        var verb = new Verb(
            "canary",
            "Keeps a marker event in both calendars; where a run does not see it, deletions are held.",
            "calsync pairs canary home on")
        {
            pair, state,
        };
        return verb.DoesSync(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var found = await PairWords.FindAsync(product, call.Get(pair)!, cancellation);
            var isOn = call.Get(state) == "on";
            var opening = await product.Calendars.OpenAsync(found.ToPair(), cancellation);
            if (opening is PairOpening.Blocked { Reason: var reason })
                throw new CommandException(ExitCode.Failed, reason.Why, found.Name, reason.Advice);
            var opened = (PairOpening.Opened)opening;
            var now = product.Place.Clock.GetUtcNow();
            // Asked for only once both have it; and asked for no more before the first is taken away.
            if (!isOn)
                await product.Pairs.SetCanaryAsync(found, false, now, cancellation);
            foreach (var side in Sides)
            {
                var calendar = opened.On(side).Calendar;
                var fault = isOn
                    ? await PutAsync(calendar, Canary.Draft(found.Id, side, now), cancellation)
                    : await TakeAsync(calendar, Canary.Uid(found.Id, side), cancellation);
                if (fault is not null)
                {
                    throw new CommandException(
                        ExitCode.Failed, $"{PairWords.Of(opened.On(side).Place)}: {fault}", found.Name,
                        $"calsync pairs canary {PairRunner.Quoted(found.Name)} {(isOn ? "on" : "off")}");
                }
            }

            if (isOn)
                await product.Pairs.SetCanaryAsync(found, true, now, cancellation);
            call.Output.Value(
                new { found.Id, found.Name, Canary = isOn },
                isOn
                    ? $"Both calendars of {found.Name} have the event \"{Canary.Title}\"; without it "
                        + "deletions wait."
                    : $"{found.Name} has no marker event any more.");
            return SyncExit.Equal;
        });
    }

    /// <summary>Puts the event there; why not, or null when it is there.</summary>
    private static async Task<string?> PutAsync(
        IRemoteCalendar calendar, ResourceDraft draft, CancellationToken cancellation)
    {
        switch (await calendar.FindAsync(draft.Uid, cancellation))
        {
            case ResourceRead.Found:
                return null;
            case ResourceRead.Failed unknown:
                return unknown.Fault.Message;
            default:
                return await calendar.CreateAsync(draft, cancellation) switch
                {
                    ResourceWrite.Stored or ResourceWrite.Exists => null,
                    ResourceWrite.Refused refused => refused.Fault.Message,
                    ResourceWrite.Failed failed => failed.Fault.Message,
                    _ => "It changed while it was written.",
                };
        }
    }

    /// <summary>Takes the event out; why not, or null when it is not there.</summary>
    private static async Task<string?> TakeAsync(
        IRemoteCalendar calendar, string uid, CancellationToken cancellation)
    {
        switch (await calendar.FindAsync(uid, cancellation))
        {
            case ResourceRead.Gone:
                return null;
            case ResourceRead.Failed unknown:
                return unknown.Fault.Message;
            case ResourceRead.Found { Resource: var found }:
                return await calendar.DeleteAsync(found.Address, found.Version, cancellation) switch
                {
                    ResourceDelete.Failed failed => failed.Fault.Message,
                    ResourceDelete.Changed => "It changed while it was deleted.",
                    _ => null,
                };
            default:
                throw new System.Diagnostics.UnreachableException("Unknown kind of read.");
        }
    }
}
