using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;

namespace CalSync.Sync.Pairs.Planning;

/// <summary>Why an event counts as deleted on a side. A closed list, stored by name.</summary>
public enum DeletionProof
{
    /// <summary>The provider named it as deleted.</summary>
    Tombstone = 1,

    /// <summary>A complete listing does not have it; to be confirmed by a direct read before anything is
    /// deleted.</summary>
    AbsentFromListing = 2,

    /// <summary>A direct read says that nothing is there.</summary>
    ReadGone = 3,

    /// <summary>Nobody deleted it: an undo takes back what a run created.</summary>
    Undone = 4,
}

/// <summary>What is known of one side of one event when it is decided.</summary>
public abstract record SideFact
{
    private SideFact()
    {
    }

    /// <summary>The side holds what the ledger says it held.</summary>
    public sealed record Unchanged : SideFact;

    /// <summary>The side was read.</summary>
    /// <param name="Place">Where it lies and what it holds, under the event's common UID.</param>
    /// <param name="Meant">
    /// What it would hold had its server carried all of a write of ours that the ledger does not know yet;
    /// else the same as what it holds.
    /// </param>
    public sealed record Present(SidePlace Place, CalendarDocument Meant) : SideFact
    {
        /// <summary>A side that holds what was meant.</summary>
        public Present(SidePlace place)
            : this(place, place.Seen)
        {
        }
    }

    /// <summary>It was deleted there.</summary>
    public sealed record Gone(DeletionProof Proof) : SideFact;

    /// <summary>As far as is known it never was there.</summary>
    public sealed record Nothing : SideFact;
}

/// <summary>A write that is known to have arrived although the ledger does not know it yet.</summary>
/// <param name="Write">The write.</param>
/// <param name="Place">Where the event lies since, and what the side then held; null after a
/// deletion.</param>
public sealed record ArrivedWrite(OpenWrite Write, SidePlace? Place);

/// <summary>All that decides one event: what both agreed on and what both hold now.</summary>
/// <param name="Uid">The common UID.</param>
/// <param name="Mapping">The ledger's record; null for an event new to it.</param>
/// <param name="Left">The left side.</param>
/// <param name="Right">The right side.</param>
public sealed record ItemFacts(string Uid, EventMapping? Mapping, SideFact Left, SideFact Right)
{
    /// <summary>How two new events were found to be one; null where the UID says so.</summary>
    public SyncRule? LinkedBy { get; init; }

    /// <summary>A person's choice for this event's conflicts; null asks the policy.</summary>
    public MergeSide? Choice { get; init; }

    /// <summary>The side that shows only busy; null when both show all.</summary>
    public MergeSide? Busy { get; init; }

    /// <summary>True when <see cref="Mapping"/> was put together from a write the ledger does not know the
    /// end of.</summary>
    public bool IsUnrecorded { get; init; }

    /// <summary>Writes that <see cref="Mapping"/> takes into account, with what the side held after
    /// each.</summary>
    public ImmutableArray<ArrivedWrite> Arrived { get; init; } = [];

    /// <summary>One side.</summary>
    public SideFact On(MergeSide side) => side == MergeSide.Left ? Left : Right;

    /// <summary>The same with something else known of one side.</summary>
    public ItemFacts With(MergeSide side, SideFact fact) =>
        side == MergeSide.Left ? this with { Left = fact } : this with { Right = fact };
}
