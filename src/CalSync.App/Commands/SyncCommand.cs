using System.Globalization;
using CalSync.App.Pairs;
using CalSync.Storage.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.App.Commands;

/// <summary><c>calsync sync</c>: runs pairs now.</summary>
internal static class SyncCommand
{
    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var pairs = PairWords.Arguments();
        var dryRun = Words.Option<bool>(
            "--dry-run", "", "Prints what would be done, writes nothing; exit code 1 when there is work.");
        var full = Words.Option<bool>(
            "--force-full-sync", "",
            "Reads everything again although the sync tokens work; nothing else is different.");
        var deletions = Words.Option<string?>(
            "--max-delete", "N|P%",
            "Deletions on one side that this run may make unasked. Default: pair.brake_share and "
                + "pair.brake_count.");
        var plan = Words.Option<string?>(
            "--apply-plan", "PLAN", "Does exactly this plan although the run was held; only with one pair.");
        var verb = new Verb(
            "sync", "Makes both calendars of pairs equal.", "calsync sync home --dry-run", isAboutPairs: true)
        {
            pairs, dryRun, full, deletions, plan,
        };
        return verb.DoesSync(globals, around, async (call, cancellation) =>
        {
            if (call.Get(plan) is not null && (call.Get(dryRun) || call.Get(pairs)?.Length != 1))
            {
                throw CommandException.Usage(
                    "--apply-plan goes with one pair and without --dry-run.",
                    "calsync sync PAIR --apply-plan PLAN");
            }

            var request = new RunRequest
            {
                Actor = Workplace.ActorName,
                IsDryRun = call.Get(dryRun),
                IsFullRead = call.Get(full),
                PlanId = call.Get(plan),
                Deletions = call.Get(deletions) is { } text ? Limit(text) : null,
            };
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var found = await PairWords.FindAsync(product, call.Get(pairs), cancellation);
            return await RunAsync(call, product, found, request, cancellation);
        });
    }

    /// <summary>Runs pairs one after the other and prints what became of each.</summary>
    /// <param name="call">The call.</param>
    /// <param name="product">The product.</param>
    /// <param name="pairs">Which.</param>
    /// <param name="request">What is asked of each.</param>
    /// <param name="cancellation">Ends the run under way; its lease is given back.</param>
    public static async Task<SyncExit> RunAsync(
        Invocation call, ProductParts product, IReadOnlyList<PairListing> pairs, RunRequest request,
        CancellationToken cancellation)
    {
        var runs = new List<PairRun>();
        foreach (var pair in pairs)
        {
            var progress = new RunBar(call.Around, call.Output.IsJson, pair.Name);
            var run = await progress.WatchAsync(
                product.Runner.RunAsync(pair, request with { Progress = progress }, cancellation),
                cancellation);
            runs.Add(run);
            if (!call.Output.IsJson)
                RunPrinting.Print(call, run);
        }

        if (call.Output.IsJson)
            call.Output.Value(runs.ConvertAll(RunPrinting.View));
        return SyncExits.Worst(runs.Select(PairWords.ExitOf));
    }

    private static DeletionLimit Limit(string text)
    {
        var isShare = text.EndsWith('%');
        var digits = isShare ? text[..^1] : text;
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || (isShare && number > 100))
        {
            throw CommandException.Usage(
                $"--max-delete {text} is neither a number nor a share.",
                "--max-delete 20 or --max-delete 10%");
        }

        return isShare ? new DeletionLimit(null, number) : new DeletionLimit(number, null);
    }
}
