using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs.History;

namespace CalSync.Sync.Pairs.Planning;

/// <summary>Which rule decided an event. A closed list, stored by name.</summary>
public enum SyncRule
{
    /// <summary>Nothing is to be done.</summary>
    Equal = 1,

    /// <summary>It is new on one side and is copied to the other.</summary>
    CopiedNew = 2,

    /// <summary>Both sides have its UID: linked, nothing copied.</summary>
    LinkedByUid = 3,

    /// <summary>Both sides have one event with this start and title: linked, nothing copied.</summary>
    LinkedByContent = 4,

    /// <summary>One side was edited.</summary>
    Edited = 5,

    /// <summary>Both sides were edited in different fields; both edits stay.</summary>
    MergedEdits = 6,

    /// <summary>Both sides made the same edit.</summary>
    SameEdit = 7,

    /// <summary>Both edited one field; the side that raised SEQUENCE more won.</summary>
    HigherSequence = 8,

    /// <summary>Both edited one field; the later LAST-MODIFIED won.</summary>
    LaterModified = 9,

    /// <summary>Both edited one field and nothing says who was later; the left won.</summary>
    LeftByDefault = 10,

    /// <summary>Both edited one field; the pair's policy or a person named the winner.</summary>
    Chosen = 11,

    /// <summary>It was deleted on one side and not edited on the other.</summary>
    Deleted = 12,

    /// <summary>It was deleted on both sides.</summary>
    DeletedOnBoth = 13,

    /// <summary>It was deleted on one side and edited on the other: the edit stays.</summary>
    EditBeatsDelete = 14,

    /// <summary>A restore brings back what was there at a time.</summary>
    Restored = 15,

    /// <summary>An undo takes back what a run wrote.</summary>
    Undone = 16,

    /// <summary>Words were written on the side that shows only busy: put back, not carried over.</summary>
    PutBack = 17,
}

/// <summary>What is to be done on one side.</summary>
public abstract record SideAct
{
    private SideAct()
    {
    }

    /// <summary>It is not there and nothing is written.</summary>
    public sealed record None : SideAct;

    /// <summary>It stays; the ledger will know it so.</summary>
    public sealed record Keep(SidePlace Place) : SideAct;

    /// <summary>It is created.</summary>
    public sealed record Create(CalendarDocument Content, string Uid) : SideAct;

    /// <summary>It is changed from what it holds to something else.</summary>
    public sealed record Update(SidePlace Held, CalendarDocument Content) : SideAct;

    /// <summary>It is deleted.</summary>
    /// <param name="Held">What it holds.</param>
    /// <param name="Proof">Why it counts as deleted on the other side.</param>
    public sealed record Delete(SidePlace Held, DeletionProof Proof) : SideAct;

    /// <summary>Whether a provider is written to.</summary>
    public bool IsWrite => this is Create or Update or Delete;
}

/// <summary>Why an event waits for something. A closed list, stored by name.</summary>
public enum TroubleKind
{
    /// <summary>Its content cannot be read as an event.</summary>
    Unreadable = 1,

    /// <summary>One side has its UID twice.</summary>
    DuplicateUid = 2,

    /// <summary>Several events could be its counterpart; a person must say.</summary>
    Ambiguous = 3,

    /// <summary>Both sides edited one field and the pair asks a person.</summary>
    Conflict = 4,

    /// <summary>A provider refuses the content for good.</summary>
    Refused = 5,

    /// <summary>Writing it failed in several runs.</summary>
    Failing = 6,
}

/// <summary>Why an event waits, in words.</summary>
/// <param name="Kind">Which of the closed list.</param>
/// <param name="Why">One sentence for a person.</param>
/// <param name="Raw">The provider's own text; null when the content says it all.</param>
public sealed record Trouble(TroubleKind Kind, string Why, string? Raw = null);

/// <summary>What is to be done about one event.</summary>
/// <param name="Facts">What it was decided on.</param>
/// <param name="Rule">Which rule decided.</param>
/// <param name="Base">What both sides will have agreed on.</param>
/// <param name="Left">On the left.</param>
/// <param name="Right">On the right.</param>
/// <param name="Conflicts">Fields both sides edited, with who won: the other's value is discarded.</param>
public sealed record ItemPlan(
    ItemFacts Facts, SyncRule Rule, CalendarDocument? Base, SideAct Left, SideAct Right,
    ImmutableArray<MergeConflict> Conflicts)
{
    /// <summary>Why nothing may be written now; null when it may.</summary>
    public Trouble? Trouble { get; init; }

    /// <summary>What is taken back by it; null for what keeps both sides equal.</summary>
    public ItemTakeBack? TakeBack { get; init; }

    /// <summary>What was to be taken back and stays as it is.</summary>
    public ImmutableArray<Untouched> Untouched { get; init; } = [];

    /// <summary>Words that were written on the side that shows only busy, and are put back.</summary>
    public ImmutableArray<CarryLoss> NotCarried { get; init; } = [];

    /// <summary>What the side that shows only busy would hold without those words; null when there are
    /// none.</summary>
    public CalendarDocument? Unworded { get; init; }

    /// <summary>How the event stands once this is done.</summary>
    public MappingStatus Status { get; init; } = MappingStatus.Active;

    /// <summary>What the left said in full, with what it cannot carry; null when it was not
    /// asked.</summary>
    public CalendarDocument? LeftFull { get; init; }

    /// <summary>What the right said in full.</summary>
    public CalendarDocument? RightFull { get; init; }

    /// <summary>The common UID.</summary>
    public string Uid => Facts.Uid;

    /// <summary>One side.</summary>
    public SideAct On(MergeSide side) => side == MergeSide.Left ? Left : Right;

    /// <summary>The content a write to one side is called after: on the side that shows only busy the full
    /// event's.</summary>
    public CalendarDocument? Named(MergeSide side, CalendarDocument? written) =>
        Facts.Busy == side && Base is { } full && ResourceContent.Entries(full).Any() ? full : written;

    /// <summary>Whether a provider is written to.</summary>
    public bool IsWrite => Trouble is null && (Left.IsWrite || Right.IsWrite);

    /// <summary>Whether it rests on a listing alone that an event is gone: only a direct read proves
    /// that.</summary>
    public bool NeedsProof => (IsWrite || Status == MappingStatus.Deleted)
        && (Facts.Left is SideFact.Gone { Proof: DeletionProof.AbsentFromListing }
            || Facts.Right is SideFact.Gone { Proof: DeletionProof.AbsentFromListing });

    /// <summary>Whether a provider is asked, or the event waits: not only recorded.</summary>
    public bool IsLoud => Trouble is not null || IsWrite || NeedsProof;

    /// <summary>Whether the ledger has anything to record.</summary>
    public bool IsNews => IsWrite || Facts.IsUnrecorded || Facts.Mapping is not { } known
        || Status != known.Status
        || Place(Left) is var left && left != known.Left
        || Place(Right) is var right && right != known.Right
        || !ReferenceEquals(Base, known.Base);

    private static SidePlace? Place(SideAct act) => (act as SideAct.Keep)?.Place;
}
