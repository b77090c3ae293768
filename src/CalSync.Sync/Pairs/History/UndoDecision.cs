using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Sync.Pairs.History;

/// <summary>Decides how one write of a run is taken back. Pure.</summary>
/// <remarks>
/// Only what still is as the run left it is taken back, field by field: a later edit stays and is named. So
/// taking back twice does nothing the second time.
/// </remarks>
internal static class UndoDecision
{
    /// <summary>Decides.</summary>
    /// <param name="facts">What is known.</param>
    /// <param name="side">The side written to.</param>
    /// <param name="write">What the run found and left there.</param>
    public static SidePlan Decide(ItemFacts facts, MergeSide side, SideTakeBack.Write write)
    {
        var now = SidePlan.Now(facts, side);
        return (write.Found, write.Written, now) switch
        {
            (null, null, _) or (null, _, null) => SidePlan.Stay(facts, side),
            (null, { } written, { } held) => ResourceContent.IsSame(written, held.Seen)
                ? new SidePlan(new SideAct.Delete(held, DeletionProof.Undone))
                : SidePlan.Stay(
                    facts, side,
                    $"The run made it there, and {Fields(written, held.Seen)} was edited since: it stays."),
            ({ } found, null, null) => new SidePlan(new SideAct.Create(found, write.Uid ?? facts.Uid)),
            ({ } found, null, { } held) => SidePlan.Stay(
                facts, side,
                ResourceContent.IsSame(found, held.Seen)
                    ? null
                    : "The run deleted it there, and somebody has put it back otherwise: theirs stays."),
            (_, _, null) => SidePlan.Stay(
                facts, side, "The run changed it there, and it was deleted since: it stays deleted."),
            ({ } found, { } written, { } held) => Field(facts, side, found, written, held),
        };
    }

    /// <summary>The run's change the other way round, under every later edit.</summary>
    private static SidePlan Field(
        ItemFacts facts, MergeSide side, CalendarDocument found, CalendarDocument written, SidePlace held)
    {
        var merged = CalendarMerge.Merge(
            written, held.Seen, found, MergePreference.Left, ResourceContent.Noise);
        var why = merged.Conflicts.IsEmpty || WriteEcho.IsDropped(found, held.Seen)
            ? null
            : $"{Names(merged.Conflicts.Select(each => each.Property))} was edited since: that edit stays.";
        return ResourceContent.IsSame(held.Seen, merged.Document)
            ? SidePlan.Stay(facts, side, why)
            : new SidePlan(
                new SideAct.Update(held, ResourceContent.Following(merged.Document, held.Seen)), why);
    }

    private static string Fields(CalendarDocument before, CalendarDocument after) => Names(
        CalendarDiff.Compare(before, after, ResourceContent.Noise).Select(change => change.Property));

    private static string Names(IEnumerable<string?> properties) => string.Join(
        ", ", properties.Select(each => each ?? "an occurrence").Distinct().ToImmutableSortedSet(
            StringComparer.Ordinal));
}
