using System.CommandLine;
using System.Text.Json;
using CalSync.Storage.Pairs;
using CalSync.Sync.Pairs.History;

namespace CalSync.App.Commands;

/// <summary><c>calsync history</c>: what runs did, and what an event was over time.</summary>
internal static class HistoryCommand
{
    private const int RunCountMax = 30;

    private static readonly Column<RunView>[] Columns =
    [
        new("AT", row => row.At),
        new("RUN", row => row.Run),
        new("PAIR", row => row.Pair),
        new("BY", row => row.By),
        new("WHAT", row => row.What),
        new("CREATED", row => row.Created),
        new("CHANGED", row => row.Updated),
        new("DELETED", row => row.Deleted),
        new("ENDED", row => row.Outcome),
    ];

    /// <summary>A run as it is listed.</summary>
    internal sealed record RunView(
        DateTimeOffset At, string Run, string Pair, string By, string What, int Created, int Updated,
        int Deleted, string Outcome);

    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var subject = new Argument<string?>("EVENT")
        {
            Description = "An event by its UID or its title. Default: the latest runs that wrote something.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var pair = EventWords.Pair();
        var verb = new Verb(
            "history", "Tells what an event was on both sides over time, or which runs wrote something.",
            "calsync history Yoga", isAboutPairs: true)
        {
            subject, pair,
        };
        return verb.DoesSync(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var pairId = await EventWords.PairIdAsync(product, call.Get(pair), cancellation);
            if (call.Get(subject) is not { } word)
            {
                var runs = await product.Pairs.RunsAsync(pairId, RunCountMax, cancellation);
                call.Output.Table([.. runs.Select(View)], "No run has written anything yet.", Columns);
                return SyncExit.Equal;
            }

            var told = new List<object>();
            foreach (var found in await EventWords.FindAsync(product, word, pairId, cancellation))
            {
                var chapters = EventStory.Of(await product.Ledger.VersionsAsync(
                    found.PairId, found.EventUid, cancellation));
                told.Add(StoryView.Of(found, chapters));
                if (!call.Output.IsJson)
                    Print(call.Around.Out, found, chapters);
            }

            if (call.Output.IsJson)
                call.Output.Value(told);
            return SyncExit.Equal;
        });
    }

    private static void Print(
        TextWriter output, EventListing found, IReadOnlyCollection<EventChapter> chapters)
    {
        output.WriteLine(
            $"{found.Title} (UID {found.EventUid}), pair {found.Pair}"
                + (found.IsDetached ? ", which was detached" : ""));
        foreach (var chapter in chapters)
        {
            var parts = chapter.Seen.Select(each => StoryWords.Short(each, "found"))
                .Concat(chapter.Written.Select(each => "written: " + StoryWords.Short(each, "made")));
            output.WriteLine(
                $"  {StoryWords.At(chapter.Version.At)}  "
                + (chapter.Version.RunId.Length == 0
                    ? "the history begins here"
                    : $"{chapter.Version.RunId}  {string.Join("; ", parts)}"));
        }

        output.WriteLine($"  {StoryWords.Stands(found.Status)}");
        output.WriteLine(
            "  why: calsync explain EVENT; "
            + "back: calsync undo RUN, or calsync restore --event EVENT --at TIME");
    }

    private static RunView View(RunListing run) => new(
        run.StartedAt, run.Id, run.Pair, run.Actor, What(run), run.Created, run.Updated, run.Deleted,
        run.Outcome is { } outcome ? JsonNamingPolicy.SnakeCaseLower.ConvertName(outcome) : "cut off");

    private static string What(RunListing run)
    {
        using var detail = JsonDocument.Parse(run.Detail ?? "{}");
        return detail.RootElement.TryGetProperty("takeBack", out var words) && words.GetString() is { } text
            ? text
            : "sync";
    }
}
