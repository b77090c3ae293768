using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs.History;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Sync.Pairs;

/// <summary>The ledger of pairs: what both sides agreed on, what was written, what waits.</summary>
/// <remarks>
/// A run holds its pair by a lease with a fence. Every change names the fence and answers false when the
/// lease was lost; nothing was changed then. One call is one transaction, with its journal entries.
/// </remarks>
public interface IPairStore : IPairHistory
{
    /// <summary>Enters a pair that does not exist yet.</summary>
    Task AddAsync(Pair pair, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Takes a pair for one run.</summary>
    /// <param name="pairId">Which.</param>
    /// <param name="runId">A new id; also the holder.</param>
    /// <param name="actor">Who started the run, for the journal.</param>
    /// <param name="now">UTC.</param>
    /// <param name="until">When the lease ends unless it is renewed.</param>
    /// <param name="evenPaused">Take it although it is paused: to take back what it did.</param>
    /// <param name="cancellation">A cancelled call may have taken it, until it ends.</param>
    /// <returns>Null when another run holds it, or when it is paused or unknown.</returns>
    Task<PairLease?> AcquireAsync(
        string pairId, string runId, string actor, DateTimeOffset now, DateTimeOffset until,
        bool evenPaused, CancellationToken cancellation);

    /// <summary>Holds the pair for longer; every change of the ledger does so too.</summary>
    /// <returns>False when the lease was lost.</returns>
    Task<bool> RenewAsync(PairLease lease, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Gives the pair back without an end of the run.</summary>
    Task ReleaseAsync(PairLease lease, CancellationToken cancellation);

    /// <summary>Events of the ledger without content.</summary>
    /// <param name="pairId">Of which pair.</param>
    /// <param name="filter">Which; null for all.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    Task<ImmutableArray<MappingEntry>> EntriesAsync(
        string pairId, LedgerFilter? filter, CancellationToken cancellation);

    /// <summary>How many events are on both sides.</summary>
    Task<int> CountAsync(string pairId, CancellationToken cancellation);

    /// <summary>Events with their content.</summary>
    Task<ImmutableArray<EventMapping>> LoadAsync(
        string pairId, IReadOnlyCollection<string> mappingIds, CancellationToken cancellation);

    /// <summary>Writes begun whose end was not recorded.</summary>
    Task<ImmutableArray<OpenWrite>> OpenWritesAsync(string pairId, CancellationToken cancellation);

    /// <summary>Events that wait for something.</summary>
    Task<ImmutableArray<WaitingItem>> WaitingAsync(string pairId, CancellationToken cancellation);

    /// <summary>How many parts one transaction may have now: fewer while others write too, who wait for
    /// it.</summary>
    int PartCountMax { get; }

    /// <summary>Puts a write into the ledger's words, which is to be kept before it is made, with what it
    /// will overwrite. Nothing is kept yet; so for a change. Thread-safe.</summary>
    LedgerPart Prepare(PairLease lease, WriteRecord write);

    /// <summary>Puts what was done to an event into the ledger's words.</summary>
    LedgerPart Prepare(PairLease lease, LedgerChange change, DateTimeOffset now);

    /// <summary>Keeps parts, all or none. Begun writes are on disk when it returns; how events ended is when
    /// the run's end is, or the next begun write: who goes on after the loss of a machine finds that
    /// out.</summary>
    /// <param name="lease">That of the parts.</param>
    /// <param name="parts">What this store prepared; of one event at most one change.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind, unless all is kept already.</param>
    Task<bool> KeepAsync(
        PairLease lease, IReadOnlyList<LedgerPart> parts, DateTimeOffset now,
        CancellationToken cancellation);

    /// <summary>Records that writes were not made: refused, or somebody wrote first.</summary>
    Task<bool> VoidAsync(
        PairLease lease, IReadOnlyList<string> writeIds, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Records events that wait, each in place of what was known of it.</summary>
    Task<bool> SetAsideAsync(
        PairLease lease, IReadOnlyList<WaitingItem> items, DateTimeOffset now,
        CancellationToken cancellation);

    /// <summary>Ends a run: cursors, what waits no longer, the run's record; gives the pair back.</summary>
    Task<bool> FinishAsync(PairLease lease, RunEnd end, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Keeps a plan for approval; one that is kept already stays.</summary>
    Task SavePlanAsync(
        SyncPlan plan, string runId, DateTimeOffset expiresAt, CancellationToken cancellation);

    /// <summary>A run's writes, in the order they were begun.</summary>
    Task<ImmutableArray<WriteRecord>> RunWritesAsync(
        string pairId, string runId, CancellationToken cancellation);

    /// <summary>All that was written of one event, in the order it was begun.</summary>
    Task<ImmutableArray<WriteRecord>> EventWritesAsync(
        string pairId, string uid, CancellationToken cancellation);
}

/// <summary>What one write or one event is in a transaction, in the words of the store that prepared
/// it.</summary>
public abstract record LedgerPart;

/// <summary>A pair held for one run.</summary>
/// <param name="Pair">The pair.</param>
/// <param name="RunId">The run that holds it.</param>
/// <param name="Actor">Who started it.</param>
/// <param name="Fence">Raised by every taking; changes of an earlier holder are refused.</param>
/// <param name="Left">Where reading the left goes on; null for everything.</param>
/// <param name="Right">Where reading the right goes on.</param>
/// <param name="FullReadAt">When both were last read completely; null for never.</param>
/// <param name="IsFirst">True until a run ended with its cursors kept.</param>
/// <param name="ExpectsEcho">True when the last run wrote, so that its writes will be read back.</param>
public sealed record PairLease(
    Pair Pair, string RunId, string Actor, long Fence, SyncCursor? Left, SyncCursor? Right,
    DateTimeOffset? FullReadAt, bool IsFirst, bool ExpectsEcho)
{
    /// <summary>The cursor of one side.</summary>
    public SyncCursor? Cursor(MergeSide side) => side == MergeSide.Left ? Left : Right;
}

/// <summary>Which events of the ledger: those at one of the addresses or with one of the UIDs.</summary>
/// <param name="Left">Addresses on the left.</param>
/// <param name="Right">Addresses on the right.</param>
/// <param name="Uids">UIDs on any side.</param>
public sealed record LedgerFilter(
    IReadOnlyCollection<string> Left, IReadOnlyCollection<string> Right, IReadOnlyCollection<string> Uids);

/// <summary>One write to one side: begun, then done or void.</summary>
/// <param name="Id">Prefixed id.</param>
/// <param name="Uid">The event's common UID.</param>
/// <param name="Title">What it was called.</param>
/// <param name="Kind">What was done; null for a link, which writes nothing and had a record once.</param>
/// <param name="Side">To which side.</param>
/// <param name="Rule">Which rule decided.</param>
/// <param name="At">When it was begun, UTC.</param>
public sealed record WriteRecord(
    string Id, string Uid, string Title, StepKind? Kind, MergeSide Side, SyncRule Rule, DateTimeOffset At)
{
    /// <summary>The run it belongs to; filled in by the store.</summary>
    public string RunId { get; init; } = "";

    /// <summary>The UID the event has on the side written to; null when that was not recorded.</summary>
    public string? UidThere { get; init; }

    /// <summary>For a deletion, why.</summary>
    public DeletionProof? Proof { get; init; }

    /// <summary>Whether the other side's change came by a sync token.</summary>
    public bool IsTokenUsed { get; init; }

    /// <summary>What the side held before; null for a create.</summary>
    public CalendarDocument? Before { get; init; }

    /// <summary>What was sent; null for a deletion.</summary>
    public CalendarDocument? Sent { get; init; }

    /// <summary>What was read back; null until then.</summary>
    public CalendarDocument? After { get; init; }

    /// <summary>What the other side said in full: its edits are what was written.</summary>
    public CalendarDocument? Base { get; init; }

    /// <summary>The other side's place when it was decided.</summary>
    public SidePlace? Other { get; init; }

    /// <summary>Where the event lies on the side written to; null until a create is done.</summary>
    public ResourceAddress? Address { get; init; }

    /// <summary>What the provider cannot carry.</summary>
    public ImmutableArray<CarryLoss> Lost { get; init; } = [];

    /// <summary><c>open</c>, <c>done</c> or <c>void</c>.</summary>
    public string State { get; init; } = "open";
}

/// <summary>What one decision changes in the ledger.</summary>
/// <param name="Mapping">The event as it stands now.</param>
/// <param name="Rule">Which rule decided.</param>
/// <param name="Done">Writes that were made.</param>
/// <param name="Conflicts">Fields both sides edited; the loser is kept.</param>
/// <param name="Left">What the left held when it was decided; null when nothing.</param>
/// <param name="Right">What the right held.</param>
public sealed record LedgerChange(
    EventMapping Mapping, SyncRule Rule, ImmutableArray<WriteRecord> Done,
    ImmutableArray<MergeConflict> Conflicts, CalendarDocument? Left, CalendarDocument? Right)
{
    /// <summary>Writes of earlier runs that turned out to have been made.</summary>
    public ImmutableArray<ArrivedWrite> Arrived { get; init; } = [];

    /// <summary>Whether a side says something else than the ledger knew, so that it is a version of its
    /// own.</summary>
    public bool IsVersion { get; init; } = true;
}

/// <summary>An event that waits: for a person, for a change, or for a provider.</summary>
/// <param name="Key">The event, or its place when it has no UID of its own.</param>
/// <param name="Uid">Its UID; null when it has none.</param>
/// <param name="Left">Where it lies on the left; null when it is not there.</param>
/// <param name="Right">Where it lies on the right.</param>
/// <param name="Trouble">Why it waits.</param>
/// <param name="Attempts">Runs in which it failed.</param>
/// <param name="NextAttemptAt">When it is tried by itself; null for a change or a person only.</param>
/// <param name="IsSettled">False while every run tries it, so that no cursor may pass it.</param>
public sealed record WaitingItem(
    string Key, string? Uid, ResourceAddress? Left, ResourceAddress? Right, Trouble Trouble, int Attempts,
    DateTimeOffset? NextAttemptAt, bool IsSettled)
{
    /// <summary>Where it lies on one side.</summary>
    public ResourceAddress? On(MergeSide side) => side == MergeSide.Left ? Left : Right;
}

/// <summary>How a run ended, for the ledger.</summary>
/// <param name="Outcome">The closed list's word.</param>
/// <param name="Left">The left cursor to go on from; null keeps the one there is.</param>
/// <param name="Right">The right cursor.</param>
/// <param name="IsComplete">Every event read was applied or set aside: cursors move, open writes end.</param>
/// <param name="IsFullRead">Both sides were read completely.</param>
/// <param name="Written">How many writes were made.</param>
/// <param name="Cleared">Keys of what waits no longer.</param>
/// <param name="Detail">Counts as JSON.</param>
public sealed record RunEnd(
    string Outcome, SyncCursor? Left, SyncCursor? Right, bool IsComplete, bool IsFullRead, int Written,
    IReadOnlyList<string> Cleared, string Detail);
