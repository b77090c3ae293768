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

    /// <summary>The events of the ledger that the reads, or a write that was cut off while it took something
    /// back, may be about.</summary>
    private async Task<ImmutableArray<MappingEntry>> EntriesAsync(
        PairLease lease, PairReading reading, PairRead.Done read, ImmutableArray<OpenWrite> opened,
        CancellationToken cancellation)
    {
        var entries = await reading.EntriesAsync(read.Left, read.Right, cancellation);
        var uids = opened.Where(write => write.IsTakeBack).Select(write => write.Uid).Distinct().ToArray();
        return uids.Length == 0
            ? entries
            :
            [
                .. entries.UnionBy(
                    await store.EntriesAsync(
                        lease.Pair.Id, new LedgerFilter([], [], uids), cancellation),
                    entry => entry.Id, StringComparer.Ordinal),
            ];
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
        var opened = await store.OpenWritesAsync(pairId, cancellation);
        var entries = (await EntriesAsync(lease, reading, read, opened, cancellation))
            .UnionBy(known, entry => entry.Id, StringComparer.Ordinal).ToArray();
        var plans = TakeBackPlanning.Plan(
            new TakeBackInputs(
                items, new ChangeMatch(MergeSide.Left, entries, read.Left, opened),
                new ChangeMatch(MergeSide.Right, entries, read.Right, opened),
                mappings.ToDictionary(mapping => mapping.Uid, StringComparer.Ordinal), opened,
                waiting.Select(item => item.Key).ToHashSet(StringComparer.Ordinal), read.Unknown)
            { Busy = lease.Pair.Busy },
            out var untouched);
        return new Work(plans, [], opened) { Untouched = untouched };
    }
}
