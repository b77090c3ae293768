using System.CommandLine;
using CalSync.Calendar.Comparison;
using CalSync.Storage.Pairs;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;

namespace CalSync.App.Commands;

/// <summary><c>calsync conflicts</c>: fields both sides changed, and who won or is to win.</summary>
internal static class ConflictsCommand
{
    private static readonly Column<ConflictView>[] Columns =
    [
        new("PAIR", row => row.Pair),
        new("STATE", row => row.State),
        new("UID", row => row.Uid),
        new("FIELD", row => row.Field),
        new("LEFT", row => row.Left),
        new("RIGHT", row => row.Right),
        new("WON", row => row.Chosen),
        new("BY", row => row.Rule),
        new("AT", row => row.At),
    ];

    /// <summary>A conflict, open or decided.</summary>
    internal sealed record ConflictView(
        string Pair, string State, string? Uid, string? Field, string? Left, string? Right, string? Chosen,
        string? Rule, DateTimeOffset At);

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new(
            "conflicts", "Shows fields both sides changed, and decides those that wait for a person.",
            "calsync conflicts list", isAboutPairs: true)
        {
            MakeList(globals, around),
            MakeResolve(globals, around),
        };

    private static Verb MakeList(GlobalOptions globals, Surroundings around)
    {
        var pair = Words.Option<string?>("--pair", "PAIR", "Only this pair's.");
        var verb = new Verb(
            "list",
            "Lists conflicts: those that wait, and those decided within pair.conflict_kept; exit code 1 "
                + "when one waits.",
            "calsync conflicts list")
        {
            pair,
        };
        return verb.DoesSync(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var id = call.Get(pair) is { } word
                ? (await PairWords.FindAsync(product, word, cancellation)).Id
                : null;
            var open = (await product.Pairs.WaitingAsync(id, cancellation))
                .Where(item => item.Kind == "Conflict")
                .Select(item => new ConflictView(
                    item.Pair, "waits", item.EventUid, item.Reason, null, null, null, null, item.Since))
                .ToList();
            var since = product.Place.Clock.GetUtcNow()
                - product.Settings.Options<PairOptions>().ConflictKept;
            var decided = (await product.Pairs.ConflictsAsync(id, since, cancellation)).Select(Decided);
            call.Output.Table([.. open, .. decided], "There is no conflict.", Columns);
            return open.Count == 0 ? SyncExit.Equal : SyncExit.Differences;
        });
    }

    private static Verb MakeResolve(GlobalOptions globals, Surroundings around)
    {
        var pair = PairWords.Argument();
        var uid = new Argument<string>("UID")
        {
            Description = "The event, from 'calsync conflicts list'.",
        };
        var keep = Words.Option<MergeSide>("--keep", "SIDE", "left or right: who wins.", required: true);
        keep.AcceptOnlyFromAmong("left", "right");
        var verb = new Verb(
            "resolve", "Decides a conflict that waits, and makes both sides equal.",
            "calsync conflicts resolve home UID --keep left")
        {
            pair, uid, keep,
        };
        return verb.DoesSync(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var found = await PairWords.FindAsync(product, call.Get(pair)!, cancellation);
            var waits = (await product.Pairs.WaitingAsync(found.Id, cancellation))
                .Any(item => item.Kind == "Conflict" && item.EventUid == call.Get(uid));
            if (!waits)
            {
                throw new CommandException(
                    ExitCode.Failed, "No conflict of this event waits.", call.Get(uid),
                    "calsync conflicts list");
            }

            var request = new RunRequest
            {
                Actor = Workplace.ActorName,
                IsRetry = true,
                Choices = new Dictionary<string, MergeSide> { [call.Get(uid)!] = call.Get(keep) },
            };
            return await SyncCommand.RunAsync(call, product, [found], request, cancellation);
        });
    }

    private static ConflictView Decided(ConflictListing row) => new(
        row.Pair, "decided", row.EventUid, row.Property ?? "an occurrence", row.LeftValue, row.RightValue,
        row.Chosen, row.Rule, row.CreatedAt);
}
