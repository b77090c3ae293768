using CalSync.Storage.Pairs;
using CalSync.Sync.Pairs.Execution;

namespace CalSync.App.Commands;

/// <summary><c>calsync quarantine</c>: events that wait apart while the others go on.</summary>
internal static class QuarantineCommand
{
    private static readonly Column<WaitingListing>[] Columns =
    [
        new("PAIR", row => row.Pair),
        new("KIND", row => row.Kind),
        new("EVENT", row => row.EventUid ?? row.LeftAddress ?? row.RightAddress),
        new("WHY", row => row.Reason),
        new("FAILED RUNS", row => row.Attempts),
        new("NEXT", row => row.NextAttemptAt),
        new("SINCE", row => row.Since),
    ];

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new(
            "quarantine", "Shows events that wait while the others go on, and tries them again.",
            "calsync quarantine list", isAboutPairs: true)
        {
            MakeList(globals, around),
            MakeRetry(globals, around),
        };

    private static Verb MakeList(GlobalOptions globals, Surroundings around)
    {
        var pair = Words.Option<string?>("--pair", "PAIR", "Only this pair's.");
        var verb = new Verb(
            "list", "Lists what waits and why; exit code 1 when something does. --json has the raw content.",
            "calsync quarantine list")
        {
            pair,
        };
        return verb.DoesSync(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var id = call.Get(pair) is { } word
                ? (await PairWords.FindAsync(product, word, cancellation)).Id
                : null;
            var rows = await product.Pairs.WaitingAsync(id, cancellation);
            call.Output.Table(rows, "Nothing waits.", Columns);
            return rows.Count == 0 ? SyncExit.Equal : SyncExit.Differences;
        });
    }

    private static Verb MakeRetry(GlobalOptions globals, Surroundings around)
    {
        var pairs = PairWords.Arguments();
        var verb = new Verb(
            "retry", "Runs pairs and tries everything that waits again.", "calsync quarantine retry home")
        {
            pairs,
        };
        return verb.DoesSync(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var found = await PairWords.FindAsync(product, call.Get(pairs), cancellation);
            return await SyncCommand.RunAsync(
                call, product, found, new RunRequest { Actor = Workplace.ActorName, IsRetry = true },
                cancellation);
        });
    }
}
