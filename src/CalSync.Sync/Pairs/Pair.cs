using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;

namespace CalSync.Sync.Pairs;

/// <summary>Two remote calendars kept equal.</summary>
/// <param name="Id">Prefixed id.</param>
/// <param name="TenantId">Whose it is.</param>
/// <param name="Name">What its owner calls it.</param>
/// <param name="Left">The left calendar, as App names it to open it; a Google calendar stands left.</param>
/// <param name="Right">The right calendar.</param>
/// <param name="Policy">Who wins where both sides changed the same thing.</param>
public sealed record Pair(
    string Id, string TenantId, string Name, string Left, string Right, ConflictPolicy Policy)
{
    /// <summary>The side that shows of the other's events only when somebody is busy; null when both show
    /// all.</summary>
    public MergeSide? Busy { get; init; }

    /// <summary>Whether deletions wait where the <see cref="Canary"/> is not seen on both sides.</summary>
    public bool HasCanary { get; init; }
}

/// <summary>Who wins where both sides changed the same field. A closed list, stored by name.</summary>
public enum ConflictPolicy
{
    /// <summary>
    /// The side that raised SEQUENCE more since both agreed, then the later LAST-MODIFIED, then the left.
    /// </summary>
    Newest = 1,

    /// <summary>Always the left side.</summary>
    Left = 2,

    /// <summary>Always the right side.</summary>
    Right = 3,

    /// <summary>Nobody: the event waits, unchanged on both sides, until a person chooses.</summary>
    Ask = 4,
}

/// <summary>How one event stands in the ledger. A closed list, stored by name.</summary>
public enum MappingStatus
{
    /// <summary>On both sides.</summary>
    Active = 1,

    /// <summary>Deleted on both sides; kept for its history.</summary>
    Deleted = 2,

    /// <summary>
    /// On one side only because a person wanted it so, by an undo; an edit of that side brings it back.
    /// </summary>
    Orphaned = 3,
}

/// <summary>One event resource of a pair, as the ledger last recorded it.</summary>
/// <remarks>
/// All content carries <paramref name="Uid"/>, whatever UID a side has it under. What a side cannot carry, or
/// its server damaged when it was written, is in the base and missing from that side's
/// <see cref="SidePlace.Seen"/>: so it is never taken for an edit.
/// </remarks>
/// <param name="Id">Prefixed id.</param>
/// <param name="Uid">The UID both sides' content is compared under.</param>
/// <param name="Status">How it stands.</param>
/// <param name="Base">The full content both last agreed on; null when that is not known.</param>
/// <param name="Left">Its place on the left; null when it is not there.</param>
/// <param name="Right">Its place on the right; null when it is not there.</param>
public sealed record EventMapping(
    string Id, string Uid, MappingStatus Status, CalendarDocument? Base, SidePlace? Left, SidePlace? Right)
{
    /// <summary>Its place on one side.</summary>
    public SidePlace? On(MergeSide side) => side == MergeSide.Left ? Left : Right;

    /// <summary>The same with another place on one side.</summary>
    public EventMapping With(MergeSide side, SidePlace? place) =>
        side == MergeSide.Left ? this with { Left = place } : this with { Right = place };
}

/// <summary>Where one side holds an event, and what it held when both sides last agreed.</summary>
/// <param name="Address">Where.</param>
/// <param name="Version">The version of what was seen; null when the provider gives none.</param>
/// <param name="Uid">The UID the event has on this side.</param>
/// <param name="Seen">What the side held, as read, under the mapping's UID.</param>
public sealed record SidePlace(ResourceAddress Address, string? Version, string Uid, CalendarDocument Seen);

/// <summary>The other of two sides.</summary>
public static class MergeSides
{
    /// <summary>The other side.</summary>
    public static MergeSide Other(this MergeSide side) =>
        side == MergeSide.Left ? MergeSide.Right : MergeSide.Left;

    /// <summary>The side of a word; null for no word.</summary>
    public static MergeSide? Of(string? word) => word switch
    {
        null => null,
        "left" => MergeSide.Left,
        "right" => MergeSide.Right,
        _ => throw new ArgumentException($"'{word}' is no side.", nameof(word)),
    };

    /// <summary>Lower case, for a person and for the journal.</summary>
    public static string Word(this MergeSide side) => side == MergeSide.Left ? "left" : "right";
}
