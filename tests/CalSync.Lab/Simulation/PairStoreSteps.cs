using CalSync.Sync.Pairs;

namespace CalSync.Lab.Simulation;

/// <summary>The ledger's two kinds of parts, each in a transaction of its kind.</summary>
public static class PairStoreSteps
{
    /// <summary>Keeps writes before they are made.</summary>
    public static Task<bool> BeginAsync(
        this IPairStore store, PairLease lease, IReadOnlyList<WriteRecord> writes, DateTimeOffset now,
        CancellationToken cancellation) => store.KeepAsync(
        lease, [.. writes.Select(write => store.Prepare(lease, write))], now, cancellation);

    /// <summary>Keeps what was done to events.</summary>
    public static Task<bool> RecordAsync(
        this IPairStore store, PairLease lease, IReadOnlyList<LedgerChange> changes, DateTimeOffset now,
        CancellationToken cancellation) => store.KeepAsync(
        lease, [.. changes.Select(change => store.Prepare(lease, change, now))], now, cancellation);
}
