using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Sync.Pairs.History;

/// <summary>Something that happened to an event on one side.</summary>
/// <param name="Side">Where.</param>
/// <param name="Kind">What.</param>
/// <param name="Changes">Field by field; empty when it was made or deleted.</param>
public sealed record SideChange(MergeSide Side, StepKind Kind, ImmutableArray<CalendarChange> Changes);

/// <summary>One version of an event as a story: what a run was the first to see, and what it did.</summary>
/// <param name="Version">The version.</param>
/// <param name="Title">What the event was called.</param>
/// <param name="Seen">What others had done since the version before.</param>
/// <param name="Written">What the run did.</param>
public sealed record EventChapter(
    EventVersion Version, string Title, ImmutableArray<SideChange> Seen, ImmutableArray<SideChange> Written);

/// <summary>Tells what happened to an event. Pure.</summary>
public static class EventStory
{
    private static readonly MergeSide[] Sides = [MergeSide.Left, MergeSide.Right];

    /// <summary>Tells.</summary>
    /// <param name="versions">The oldest first.</param>
    public static ImmutableArray<EventChapter> Of(IEnumerable<EventVersion> versions)
    {
        var chapters = ImmutableArray.CreateBuilder<EventChapter>();
        EventVersion? before = null;
        var title = "";
        foreach (var version in versions)
        {
            if (Title(version) is { Length: > 0 } named)
                title = named;
            chapters.Add(new EventChapter(
                version, title,
                [
                    .. Sides.Select(side => Change(
                        side, before?.On(side).Held, version.On(side).Found)).OfType<SideChange>(),
                ],
                [
                    .. Sides.Select(side => Change(
                        side, version.On(side).Found, version.On(side).Held)).OfType<SideChange>(),
                ]));
            before = version;
        }

        return chapters.ToImmutable();
    }

    /// <summary>What it was called, not by a copy that shows only busy.</summary>
    private static string Title(EventVersion version) => ResourceContent.Title(
        new[]
        {
            version.Left.Held, version.Right.Held, version.Left.Found, version.Right.Found, version.Base,
        }.FirstOrDefault(content => content is not null && BusyView.CopyOf(content) is null));

    private static SideChange? Change(MergeSide side, CalendarDocument? before, CalendarDocument? after)
    {
        switch (before, after)
        {
            case (null, null):
                return null;
            case (null, _):
                return new SideChange(side, StepKind.Create, []);
            case (_, null):
                return new SideChange(side, StepKind.Delete, []);
            default:
                var changes = CalendarDiff.Compare(before, after, ResourceContent.Noise);
                return changes.IsEmpty ? null : new SideChange(side, StepKind.Update, changes);
        }
    }
}
