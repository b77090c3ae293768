using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs.History;
using CalSync.Sync.Pairs.Planning;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Pairs.Execution;

/// <content>Runs that take something back: the same reads, plan, brake, writes and records.</content>
public sealed partial class PairSync
{
    /// <summary>A read that breaks off says too little of what is there now.</summary>
    private static PairRead Complete(PairRead.Done read)
    {
        foreach (var side in new[] { MergeSide.Left, MergeSide.Right })
        {
            if ((side == MergeSide.Left ? read.Left : read.Right).Certificate is Certificate.Partial partial)
            {
                return new PairRead.Failed(side, new ProviderFault(
                    ProviderReason.OutsideProtocol, null, null,
                    $"The listing is not complete, so nothing is taken back: {partial.Why}"));
            }
        }

        return read;
    }

    private async Task<Work> TakeBackAsync(
        PairLease lease, PairReading reading, PairRead.Done read, TakeBack takeBack,
        ImmutableArray<WaitingItem> waiting, CancellationToken cancellation)
    {
        var pairId = lease.Pair.Id;
        var items = await new TakeBackReading(store).ReadAsync(pairId, takeBack, cancellation);
        var uids = items.Select(item => item.Uid).ToHashSet(StringComparer.Ordinal);
        var known = uids.Count == 0
            ? []
            : (await store.EntriesAsync(pairId, new LedgerFilter([], [], uids), cancellation))
                .Where(entry => uids.Contains(entry.Uid)).ToArray();
        var mappings = known.Length == 0
            ? []
            : await store.LoadAsync(pairId, [.. known.Select(entry => entry.Id)], cancellation);
        var entries = (await reading.EntriesAsync(read.Left, read.Right, cancellation))
            .UnionBy(known, entry => entry.Id, StringComparer.Ordinal).ToArray();
        var opened = await store.OpenWritesAsync(pairId, cancellation);
        var plans = TakeBackPlanning.Plan(
            new TakeBackInputs(
                items, new ChangeMatch(MergeSide.Left, entries, read.Left),
                new ChangeMatch(MergeSide.Right, entries, read.Right),
                mappings.ToDictionary(mapping => mapping.Uid, StringComparer.Ordinal), opened,
                waiting.Select(item => item.Key).ToHashSet(StringComparer.Ordinal), read.Unknown),
            out var untouched);
        return new Work(plans, [], opened) { Untouched = untouched };
    }
}
