using System.CommandLine;
using CalSync.Calendar.Comparison;
using CalSync.Storage.Pairs;
using CalSync.Sync.Connections;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.History;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.App.Commands;

/// <summary><c>calsync explain</c>: why an event is as it is.</summary>
internal static class ExplainCommand
{
    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var subject = new Argument<string>("EVENT") { Description = "An event by its UID or its title." };
        var run = Words.Option<string?>(
            "--run", "RUN", "What this run did to it. Default: the last one that changed anything.");
        var pair = EventWords.Pair();
        var verb = new Verb(
            "explain",
            "Says in plain words who changed an event where, which run saw it first, which rule decided, "
                + "what was written and what was discarded.",
            "calsync explain Yoga", isAboutPairs: true)
        {
            subject, run, pair,
        };
        return verb.DoesSync(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var pairId = await EventWords.PairIdAsync(product, call.Get(pair), cancellation);
            var told = new List<object>();
            foreach (var found in await EventWords.FindAsync(
                product, call.Get(subject)!, pairId, cancellation))
            {
                var tale = await TellAsync(product, found, call.Get(run), cancellation);
                told.Add(tale.View);
                if (!call.Output.IsJson)
                    Print(call.Around.Out, tale);
            }

            if (call.Output.IsJson)
                call.Output.Value(told);
            return SyncExit.Equal;
        });
    }

    private static async Task<Tale> TellAsync(
        ProductParts product, EventListing found, string? run, CancellationToken cancellation)
    {
        var chapters = EventStory.Of(await product.Ledger.VersionsAsync(
            found.PairId, found.EventUid, cancellation));
        var chapter = (run is null ? chapters : chapters.Where(each => each.Version.RunId == run))
            .LastOrDefault() ?? throw new CommandException(
                ExitCode.Failed,
                run is null
                    ? "Nothing is known of it any more: the history is forgotten after pair.history_kept."
                    : "That run changed nothing about this event.",
                run ?? found.EventUid, "calsync history EVENT");
        var discarded = (await product.Pairs.ConflictsAsync(
                found.PairId, chapter.Version.At.AddMinutes(-1), cancellation))
            .Where(each => each.EventUid == found.EventUid && each.RunId == chapter.Version.RunId)
            .Select(each => new StoryView.DiscardedView(
                each.Property is { } property
                    ? string.Join(" and ", property.Split(',').Select(StoryWords.Field))
                    : "the whole occurrence",
                each.Chosen == "left" ? MergeSide.Right : MergeSide.Left,
                each.Chosen == "left" ? each.RightValue : each.LeftValue)).ToList();
        var lost = (await product.Ledger.EventWritesAsync(found.PairId, found.EventUid, cancellation))
            .Where(write => write.RunId == chapter.Version.RunId)
            .SelectMany(write => write.Lost.Select(each =>
                $"{StoryWords.Field(each.What)} on the {write.Side.Word()}: {each.Why}"))
            .Distinct(StringComparer.Ordinal).ToList();
        var waits = (await product.Pairs.WaitingAsync(found.PairId, cancellation))
            .FirstOrDefault(each => each.EventUid == found.EventUid)?.Reason;
        var places = (await product.Connections.PlacesAsync(cancellation))
            .ToDictionary(place => place.Id, StringComparer.Ordinal);
        return new Tale(
            found, chapter, discarded, lost, waits, Name(places, found.GoogleCalendar),
            Name(places, found.IcloudCalendar));
    }

    private static string Name(Dictionary<string, CalendarPlace> places, string id) =>
        places.TryGetValue(id, out var place) ? PairWords.Of(place) : id;

    private static void Print(TextWriter output, Tale tale)
    {
        var (found, chapter) = (tale.Found, tale.Chapter);
        output.WriteLine($"{found.Title} (UID {found.EventUid})");
        output.WriteLine($"  pair:        {found.Pair}{(found.IsDetached ? ", which was detached" : "")}");
        output.WriteLine($"  left:        {tale.Left}");
        output.WriteLine($"  right:       {tale.Right}");
        output.WriteLine($"  now:         {StoryWords.Stands(found.Status)}");
        if (tale.Waits is { } waits)
            output.WriteLine($"  waits:       {waits}");
        if (chapter.Version.RunId.Length == 0)
        {
            output.WriteLine(
                $"  since:       before {StoryWords.At(chapter.Version.At)}, when the history begins");
            return;
        }

        Tell(
            output, "happened:    ", chapter.Seen, each => $"{Deed(each)} in {tale.Name(each.Side)}",
            "nothing new");
        output.WriteLine(
            $"  first seen:  {StoryWords.At(chapter.Version.At)} by {chapter.Version.RunId}, started by "
                + (chapter.Version.Actor.Length > 0 ? chapter.Version.Actor : "somebody"));
        output.WriteLine($"  decided:     {StoryWords.Decided(chapter.Version.Rule)}");
        Tell(output, "written:     ", chapter.Written, Written, "nothing");
        output.WriteLine("  discarded:   " + (tale.Discarded.Count == 0
            ? "nothing"
            : string.Join("; ", tale.Discarded.Select(each =>
                $"{each.Field} of the {each.Side.Word()}: {StoryWords.Value(each.Value)}"))));
        foreach (var lost in tale.NotCarried)
            output.WriteLine($"  not carried: {lost}");
        if (!chapter.Written.IsEmpty)
            output.WriteLine($"  take it back: calsync undo {chapter.Version.RunId}");
    }

    private static void Tell(
        TextWriter output, string label, IReadOnlyCollection<SideChange> changes,
        Func<SideChange, string> sentence, string none)
    {
        if (changes.Count == 0)
            output.WriteLine($"  {label}{none}");
        foreach (var change in changes)
        {
            output.WriteLine($"  {label}{sentence(change)}");
            foreach (var line in StoryWords.Lines(change))
                output.WriteLine($"                 {line}");
        }
    }

    private static string Deed(SideChange change) => change.Kind switch
    {
        StepKind.Create => "somebody made it, or it was there before,",
        StepKind.Update => $"somebody changed {StoryWords.Fields(change)}",
        StepKind.Delete => "somebody deleted it",
    };

    private static string Written(SideChange change) => change.Kind switch
    {
        StepKind.Create => $"made on the {change.Side.Word()}",
        StepKind.Update => $"{StoryWords.Fields(change)} on the {change.Side.Word()}",
        StepKind.Delete => $"deleted on the {change.Side.Word()}",
    };

    /// <summary>One event, and what one run did to it.</summary>
    private sealed record Tale(
        EventListing Found, EventChapter Chapter, IReadOnlyList<StoryView.DiscardedView> Discarded,
        IReadOnlyList<string> NotCarried, string? Waits, string Left, string Right)
    {
        public string Name(MergeSide side) => side == MergeSide.Left ? $"{Left} (left)" : $"{Right} (right)";

        public object View => new
        {
            Found.Pair,
            Found.PairId,
            Detached = Found.IsDetached,
            Uid = Found.EventUid,
            Found.Title,
            Found.Status,
            Left,
            Right,
            Waits,
            Version = StoryView.Of(Chapter, Discarded, NotCarried),
        };
    }
}
