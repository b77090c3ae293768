using System.Globalization;
using CalSync.App.Pairs;
using CalSync.Calendar.Comparison;
using CalSync.Storage.Pairs;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.History;

namespace CalSync.App.Commands;

/// <summary><c>calsync restore</c>: brings back what an event or a calendar was at a moment.</summary>
internal static class RestoreCommand
{
    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var subject = Words.Option<string?>("--event", "EVENT", "An event by its UID, or by its title.");
        var calendar = Words.Option<string?>(
            "--calendar", "CALENDAR", "All events of a pair, named by itself or by one of its calendars.");
        var at = Words.Option<string>(
            "--at", "TIME",
            "The moment: 2027-03-01T18:00Z, '2027-03-01 18:00' (UTC), or 2h for two hours ago.",
            required: true);
        var side = Words.Option<MergeSide?>(
            "--side", "SIDE", "left or right: only there. Default: both, so that they stay equal.");
        side.AcceptOnlyFromAmong("left", "right");
        var pair = EventWords.Pair();
        var dryRun = Words.Option<bool>(
            "--dry-run", "",
            "Prints what would be brought back, writes nothing; exit code 1 when there is any.");
        var plan = Words.Option<string?>(
            "--apply-plan", "PLAN", "Does exactly this plan although the restore was held.");
        var verb = new Verb(
            "restore",
            "Brings back what an event or a whole calendar was at a moment. Deletes nothing, mails nobody; "
                + "can be undone.",
            "calsync restore --calendar home --at 2h --dry-run", isAboutPairs: true)
        {
            subject, calendar, at, side, pair, dryRun, plan,
        };
        return verb.DoesSync(globals, around, async (call, cancellation) =>
        {
            if (call.Get(subject) is null == call.Get(calendar) is null)
            {
                throw CommandException.Usage(
                    "Either --event or --calendar is to be named.",
                    "calsync restore --event EVENT --at TIME");
            }

            if (call.Get(plan) is not null && call.Get(dryRun))
                throw CommandException.Usage("--apply-plan goes without --dry-run.", "calsync restore");
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var moment = EventWords.Moment(
                call.Get(at)!, product.Place.Clock.GetUtcNow(), product.Settings.Options<PairOptions>());
            var (found, uid) = call.Get(subject) is { } word
                ? await EventAsync(product, word, call.Get(pair), moment, cancellation)
                : (await EventWords.PairOfAsync(
                    product, call.Get(calendar)!, call.Get(pair), cancellation), null);
            var request = new RunRequest
            {
                Actor = Workplace.ActorName,
                TakeBack = new TakeBack.Since(moment, uid, call.Get(side)),
                Command = Command(found, uid, moment, call.Get(side)),
                IsDryRun = call.Get(dryRun),
                PlanId = call.Get(plan),
            };
            return await SyncCommand.RunAsync(call, product, [found], request, cancellation);
        });
    }

    private static async Task<(PairListing Pair, string Uid)> EventAsync(
        ProductParts product, string word, string? pair, DateTimeOffset at, CancellationToken cancellation)
    {
        var only = await EventWords.PairIdAsync(product, pair, cancellation);
        var found = (await EventWords.FindAsync(product, word, only, cancellation))
            .Where(each => !each.IsDetached).ToList();
        if (found.Count != 1)
        {
            throw new CommandException(
                ExitCode.Failed,
                found.Count == 0
                    ? "The pair of this event was detached, so nothing of it is written any more."
                    : $"This event is in {found.Count} pairs.",
                word,
                found.Count == 0
                    ? "calsync history EVENT tells what it was"
                    : string.Join(" or ", found.Select(each => $"--pair {PairRunner.Quoted(each.Pair)}")));
        }

        var state = await product.Ledger.StateAsync(found[0].PairId, found[0].EventUid, at, cancellation);
        if (state.All(version => (version.Left.Held ?? version.Right.Held) is null))
        {
            throw new CommandException(
                ExitCode.Failed, "It was not there at that time; a restore deletes nothing.", word,
                $"calsync history {PairRunner.Quoted(found[0].EventUid)}");
        }

        return ((await product.Pairs.FindAsync(found[0].PairId, cancellation))!, found[0].EventUid);
    }

    private static string Command(PairListing pair, string? uid, DateTimeOffset at, MergeSide? side) =>
        "calsync restore "
        + (uid is null
            ? $"--calendar {PairRunner.Quoted(pair.Name)}"
            : $"--event {PairRunner.Quoted(uid)} --pair {PairRunner.Quoted(pair.Name)}")
        + " --at " + at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture)
        + (side is { } one ? $" --side {one.Word()}" : "");
}
