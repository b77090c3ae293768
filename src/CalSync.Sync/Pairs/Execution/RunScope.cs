using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs.History;
using CalSync.Sync.Pairs.Planning;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Pairs.Execution;

/// <summary>What all events of one run share.</summary>
internal sealed class RunScope : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _ledger = new(1, 1);
    private readonly Dictionary<StepKind, int> _written = [];
    private readonly Gathering<LedgerPart, bool> _changes;
    private readonly List<Untouched> _untouched = [];
    private readonly List<RunLoss> _losses = [];
    private int _streak;
    private int _underWay;
    private int _recording;

    public RunScope() => _changes = new(
        KeepAllAsync, () => Store!.PartCountMax,
        () => Volatile.Read(ref _underWay) > Volatile.Read(ref _recording));

    /// <summary>The ledger.</summary>
    public required IPairStore Store { get; init; }

    /// <summary>The pair held.</summary>
    public required PairLease Lease { get; init; }

    /// <summary>The limits.</summary>
    public required PairOptions Options { get; init; }

    /// <summary>Dates what is recorded.</summary>
    public required TimeProvider Clock { get; init; }

    /// <summary>Names writes and events.</summary>
    public required IdSource Ids { get; init; }

    /// <summary>Both sides.</summary>
    public required IReadOnlyDictionary<MergeSide, SideWriting> Sides { get; init; }

    /// <summary>Writes of earlier runs whose end is not known.</summary>
    public required ImmutableArray<OpenWrite> OpenWrites { get; init; }

    /// <summary>Whether a side's read was a delta from a token.</summary>
    public required IReadOnlyDictionary<MergeSide, bool> IsToken { get; init; }

    /// <summary>What waits, by key, as it was when the run began.</summary>
    public required IReadOnlyDictionary<string, WaitingItem> Waiting { get; init; }

    /// <summary>Why the run goes no further; null while it does.</summary>
    public ProviderFault? StopFault { get; private set; }

    /// <summary>The side that stopped it.</summary>
    public MergeSide StopSide { get; private set; }

    /// <summary>Whether the lease was lost.</summary>
    public bool IsLeaseLost { get; set; }

    /// <summary>Whether no further write may begin.</summary>
    public bool IsStopped => StopFault is not null || IsLeaseLost;

    /// <summary>Records writes that are about to be made.</summary>
    /// <returns>False when the lease was lost.</returns>
    public async Task<bool> BeginAsync(IReadOnlyList<WriteRecord> writes, CancellationToken cancellation) =>
        await KeepAsync([.. writes.Select(write => Store.Prepare(Lease, write))], cancellation);

    /// <summary>Tells of events that will be run at once.</summary>
    public void Expect(int count) => Interlocked.Add(ref _underWay, count);

    /// <summary>Runs one of the expected events.</summary>
    public async Task<ItemEnd> RunAsync(ItemRun run, CancellationToken cancellation)
    {
        try
        {
            return await run.RunAsync(cancellation);
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
            _changes.GoWhenDue(cancellation);
        }
    }

    /// <summary>Records how an event ended, together with others that are under way: the fewer
    /// transactions, the less is written of the ledger.</summary>
    /// <returns>False when the lease was lost.</returns>
    public async Task<bool> RecordAsync(LedgerChange change, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _recording);
        try
        {
            return await _changes.AskAsync(Prepare(change), cancellation);
        }
        finally
        {
            Interlocked.Decrement(ref _recording);
        }
    }

    /// <summary>Puts what was done to an event into the ledger's words.</summary>
    public LedgerPart Prepare(LedgerChange change) => Store.Prepare(Lease, change, Clock.GetUtcNow());

    /// <summary>Keeps parts of the ledger in one transaction. One of a run at a time: whoever else writes
    /// never waits for more than one of them.</summary>
    /// <returns>False when the lease was lost.</returns>
    public async Task<bool> KeepAsync(IReadOnlyList<LedgerPart> parts, CancellationToken cancellation)
    {
        await _ledger.WaitAsync(cancellation);
        try
        {
            var isKept = await Store.KeepAsync(Lease, parts, Clock.GetUtcNow(), cancellation);
            IsLeaseLost |= !isKept;
            return isKept;
        }
        finally
        {
            _ledger.Release();
        }
    }

    /// <summary>How many writes of a kind were made.</summary>
    public int Written(StepKind kind)
    {
        lock (_gate)
            return _written.GetValueOrDefault(kind);
    }

    /// <summary>What the sides did not keep of the writes made, in the order of UIDs.</summary>
    public ImmutableArray<RunLoss> Losses
    {
        get
        {
            lock (_gate)
                return [.. _losses.OrderBy(loss => loss.Uid, StringComparer.Ordinal)];
        }
    }

    /// <summary>What was to be taken back and turned out not to be, in the order it was found out.</summary>
    public ImmutableArray<Untouched> Untouched
    {
        get
        {
            lock (_gate)
                return [.. _untouched];
        }
    }

    /// <summary>Remembers that something stays as it is.</summary>
    public void Leave(params IEnumerable<Untouched> what)
    {
        lock (_gate)
            _untouched.AddRange(what);
    }

    /// <summary>Counts a write that was made, and what its side did not keep of it.</summary>
    public void CountWrite(WriteRecord write)
    {
        lock (_gate)
        {
            _streak = 0;
            var kind = write.Kind!.Value;
            _written[kind] = _written.GetValueOrDefault(kind) + 1;
            _losses.AddRange(
                write.Lost.Select(loss => new RunLoss(write.Side, write.Uid, write.Title, loss)));
        }
    }

    /// <summary>
    /// Counts a failure: one that is about the whole side ends the run, as do several in a row.
    /// </summary>
    public void CountFailure(MergeSide side, ProviderFault fault)
    {
        lock (_gate)
        {
            _streak++;
            if (StopFault is null && (IsOfSide(fault.Reason) || _streak >= Options.FailureStreakMax))
                (StopFault, StopSide) = (fault, side);
        }
    }

    private async Task<IReadOnlyList<bool>> KeepAllAsync(
        IReadOnlyList<LedgerPart> parts, CancellationToken cancellation)
    {
        var isKept = await KeepAsync(parts, cancellation);
        return [.. parts.Select(_ => isKept)];
    }

    /// <inheritdoc/>
    public void Dispose() => _ledger.Dispose();

    /// <summary>Whether a failure tells of the account or the line, not of one event.</summary>
    public static bool IsOfSide(ProviderReason reason) => reason is ProviderReason.CredentialsRejected
        or ProviderReason.InsufficientScope or ProviderReason.AccessNotConfigured
        or ProviderReason.BreakerOpen or ProviderReason.QuotaExceeded or ProviderReason.QuotaWait
        or ProviderReason.Unreachable;
}
