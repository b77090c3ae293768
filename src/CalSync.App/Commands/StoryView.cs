using CalSync.Calendar.Comparison;
using CalSync.Storage.Pairs;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.History;

namespace CalSync.App.Commands;

/// <summary>What happened to an event, as programs read it.</summary>
/// <param name="Pair">Name of the pair.</param>
/// <param name="PairId">Its id.</param>
/// <param name="Detached">Whether the pair was detached.</param>
/// <param name="Uid">The event's common UID.</param>
/// <param name="Title">What it is called.</param>
/// <param name="Status">How it stands.</param>
/// <param name="Versions">The oldest first.</param>
internal sealed record StoryView(
    string Pair, string PairId, bool Detached, string Uid, string Title, MappingStatus Status,
    IReadOnlyList<StoryView.VersionView> Versions)
{
    /// <summary>Puts a story together.</summary>
    public static StoryView Of(EventListing found, IEnumerable<EventChapter> chapters) => new(
        found.Pair, found.PairId, found.IsDetached, found.EventUid, found.Title, found.Status,
        [.. chapters.Select(chapter => Of(chapter, [], []))]);

    /// <summary>Puts one version together.</summary>
    public static VersionView Of(
        EventChapter chapter, IReadOnlyList<DiscardedView> discarded,
        IReadOnlyList<string> notCarried) => new(
        chapter.Version.At, chapter.Version.RunId, chapter.Version.Actor, chapter.Title,
        $"{chapter.Version.Rule}", StoryWords.Decided(chapter.Version.Rule),
        [.. chapter.Seen.Select(Of)], [.. chapter.Written.Select(Of)], discarded, notCarried);

    private static SideView Of(SideChange change) => new(
        change.Side.Word(), Output.Cell(change.Kind),
        [.. change.Changes.Select(each => new FieldView(StoryWords.Field(each), each.Before, each.After))]);

    /// <summary>One version.</summary>
    internal sealed record VersionView(
        DateTimeOffset At, string Run, string By, string Title, string Rule, string Because,
        IReadOnlyList<SideView> Seen, IReadOnlyList<SideView> Written, IReadOnlyList<DiscardedView> Discarded,
        IReadOnlyList<string> NotCarried);

    /// <summary>What happened on one side.</summary>
    internal sealed record SideView(string Side, string What, IReadOnlyList<FieldView> Fields);

    /// <summary>One field before and after.</summary>
    internal sealed record FieldView(string Field, string? Before, string? After);

    /// <summary>A value that lost.</summary>
    internal sealed record DiscardedView(string Field, MergeSide Side, string? Value);
}
