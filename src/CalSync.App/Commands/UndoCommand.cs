using System.CommandLine;
using CalSync.Storage.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.History;

namespace CalSync.App.Commands;

/// <summary><c>calsync undo</c>: takes back what one run of a pair wrote.</summary>
internal static class UndoCommand
{
    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var run = new Argument<string>("RUN")
        {
            Description = "The run, from 'calsync history'.",
        };
        var dryRun = Words.Option<bool>(
            "--dry-run", "",
            "Prints what would be taken back, writes nothing; exit code 1 when there is any.");
        var plan = Words.Option<string?>(
            "--apply-plan", "PLAN", "Does exactly this plan although the undo was held.");
        var verb = new Verb(
            "undo",
            "Takes back what one run wrote; later edits stay and are named. Nobody is mailed; an undo is a "
                + "run too and can be undone.",
            "calsync undo RUN --dry-run", isAboutPairs: true)
        {
            run, dryRun, plan,
        };
        return verb.DoesSync(globals, around, async (call, cancellation) =>
        {
            if (call.Get(plan) is not null && call.Get(dryRun))
                throw CommandException.Usage("--apply-plan goes without --dry-run.", "calsync undo RUN");
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var id = call.Get(run)!;
            var found = await product.Pairs.FindRunAsync(id, cancellation) ?? throw new CommandException(
                ExitCode.Failed, "There is no such run, or it is forgotten.", id, "calsync history");
            var request = new RunRequest
            {
                Actor = Workplace.ActorName,
                TakeBack = new TakeBack.Run(found.Id),
                Command = $"calsync undo {found.Id}",
                IsDryRun = call.Get(dryRun),
                PlanId = call.Get(plan),
            };
            return await SyncCommand.RunAsync(
                call, product, [await PairAsync(product, found, cancellation)], request, cancellation);
        });
    }

    private static async Task<PairListing> PairAsync(
        ProductParts product, RunListing run, CancellationToken cancellation) =>
        await product.Pairs.FindAsync(run.PairId, cancellation) ?? throw new CommandException(
            ExitCode.Failed, "The pair of this run was detached, so nothing of it is written any more.",
            run.Pair, "calsync history EVENT tells what each of its events was");
}
