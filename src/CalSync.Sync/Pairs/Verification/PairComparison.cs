using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Sync.Pairs.Verification;

/// <summary>How one event stands when both sides are compared. A closed list.</summary>
public enum DifferenceClass
{
    /// <summary>Only the left has it.</summary>
    OnlyLeft = 1,

    /// <summary>Only the right has it.</summary>
    OnlyRight = 2,

    /// <summary>Both have it, and a side was edited since the last run.</summary>
    Edited = 3,

    /// <summary>It waits for a person, a change or a provider.</summary>
    Waiting = 4,

    /// <summary>What a side holds cannot be read as an event.</summary>
    Unreadable = 5,

    /// <summary>
    /// Both have it as the last run left it; what differs is what one provider cannot carry, or what was
    /// taken back on one side. No difference to act on.
    /// </summary>
    NotCarried = 6,

    /// <summary>Only one side has it, because it was taken back on the other. No difference to act
    /// on.</summary>
    KeptApart = 7,
}

/// <summary>One event that is not the same on both sides.</summary>
/// <param name="Uid">Its common UID, or where it lies when it has none.</param>
/// <param name="Title">What it is called.</param>
/// <param name="Class">How it differs.</param>
/// <param name="Changes">From left to right, field by field; empty when a side does not have it.</param>
/// <param name="Why">Why it waits or cannot be read; null otherwise.</param>
public sealed record Difference(
    string Uid, string Title, DifferenceClass Class, ImmutableArray<CalendarChange> Changes, string? Why);

/// <summary>What comparing both sides gave.</summary>
/// <param name="Left">Events read on the left.</param>
/// <param name="Right">Events read on the right.</param>
/// <param name="Equal">Events that say the same on both.</param>
/// <param name="Differences">The others, by UID.</param>
public sealed record PairComparison(
    int Left, int Right, int Equal, ImmutableArray<Difference> Differences)
{
    /// <summary>Whether nothing differs that could agree.</summary>
    public bool IsEqual => Differences.All(each =>
        each.Class is DifferenceClass.NotCarried or DifferenceClass.KeptApart);

    /// <summary>Compares two complete reads by meaning. Pure.</summary>
    /// <param name="left">Everything the left holds.</param>
    /// <param name="right">Everything the right holds.</param>
    /// <param name="mappings">What the ledger knows of every event.</param>
    /// <param name="waiting">What waits.</param>
    /// <param name="busy">The side that shows only busy: compared is what may be said there; null when both
    /// show all.</param>
    public static PairComparison Of(
        ImmutableArray<RemoteResource> left, ImmutableArray<RemoteResource> right,
        ImmutableArray<EventMapping> mappings, ImmutableArray<WaitingItem> waiting, MergeSide? busy = null)
    {
        (left, right) = (Canary.Without(left), Canary.Without(right));
        var known = mappings.Where(mapping => mapping.Status != MappingStatus.Deleted).ToList();
        var differences = new List<Difference>();
        var lefts = Contents(left, known, MergeSide.Left, differences);
        var rights = Contents(right, known, MergeSide.Right, differences);
        var byUid = known.ToDictionary(mapping => mapping.Uid, StringComparer.Ordinal);
        var waits = waiting.Where(item => item.Uid is not null)
            .GroupBy(item => item.Uid!, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.First().Trouble.Why, StringComparer.Ordinal);
        var equal = 0;
        foreach (var uid in lefts.Keys.Union(rights.Keys, StringComparer.Ordinal))
        {
            var (one, other) = (lefts.GetValueOrDefault(uid), rights.GetValueOrDefault(uid));
            if (one is not null && other is not null && IsSame(one, other, busy))
                equal++;
            else
                differences.Add(Differ(uid, one, other, byUid.GetValueOrDefault(uid), waits, busy));
        }

        return new PairComparison(
            left.Length, right.Length, equal,
            [.. differences.OrderBy(each => each.Uid, StringComparer.Ordinal)]);
    }

    private static bool IsSame(CalendarDocument one, CalendarDocument other, MergeSide? busy) =>
        ResourceContent.IsSame(Seen(one, busy), Seen(other, busy));

    private static CalendarDocument Seen(CalendarDocument content, MergeSide? busy) =>
        busy is null ? content : BusyView.Of(content);

    private static Difference Differ(
        string uid, CalendarDocument? left, CalendarDocument? right, EventMapping? mapping,
        Dictionary<string, string> waits, MergeSide? busy)
    {
        var changes = left is null || right is null
            ? []
            : CalendarDiff.Compare(Seen(left, busy), Seen(right, busy), ResourceContent.Noise);
        var isAsLeft = left is not null && right is not null
            && mapping is { Left: { } seenLeft, Right: { } seenRight }
            && ResourceContent.IsSame(seenLeft.Seen, left) && ResourceContent.IsSame(seenRight.Seen, right);
        var isApart = mapping is { Status: MappingStatus.Orphaned }
            && (left is null
                ? mapping.Right is { } there && ResourceContent.IsSame(there.Seen, right!)
                : right is null && mapping.Left is { } here && ResourceContent.IsSame(here.Seen, left));
        var kind = waits.ContainsKey(uid) ? DifferenceClass.Waiting
            : isApart ? DifferenceClass.KeptApart
            : right is null ? DifferenceClass.OnlyLeft
            : left is null ? DifferenceClass.OnlyRight
            : isAsLeft ? DifferenceClass.NotCarried
            : DifferenceClass.Edited;
        return new Difference(
            uid, ResourceContent.Title(busy == MergeSide.Left ? right ?? left : left ?? right), kind, changes,
            waits.GetValueOrDefault(uid));
    }

    /// <summary>What a side holds, by common UID; what cannot be read is a difference of its own.</summary>
    private static Dictionary<string, CalendarDocument> Contents(
        ImmutableArray<RemoteResource> resources, List<EventMapping> mappings, MergeSide side,
        List<Difference> differences)
    {
        var common = mappings.Where(mapping => mapping.On(side) is not null)
            .DistinctBy(mapping => mapping.On(side)!.Uid)
            .ToDictionary(mapping => mapping.On(side)!.Uid, mapping => mapping.Uid, StringComparer.Ordinal);
        var contents = new Dictionary<string, CalendarDocument>(StringComparer.Ordinal);
        foreach (var resource in resources)
        {
            var problem = resource.Problem;
            var uid = resource.Content is null ? null : ResourceContent.Uid(resource.Content, out problem);
            if (uid is null || resource.Problem is not null)
            {
                differences.Add(new Difference(
                    resource.Address.Value, "", DifferenceClass.Unreadable, [],
                    resource.Problem ?? problem ?? "It cannot be read."));
                continue;
            }

            var named = common.GetValueOrDefault(uid, uid);
            var content = named == uid
                ? resource.Content!
                : ResourceContent.WithUid(resource.Content!, named);
            if (!contents.TryAdd(named, content))
            {
                differences.Add(new Difference(
                    named, ResourceContent.Title(content), DifferenceClass.Waiting, [],
                    $"The {side.Word()} has this UID twice."));
            }
        }

        return contents;
    }
}
