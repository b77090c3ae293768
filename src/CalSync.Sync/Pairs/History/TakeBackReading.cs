using System.Collections.Immutable;
using System.Diagnostics;
using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Sync.Pairs.History;

/// <summary>Reads from the history what is to be taken back.</summary>
/// <param name="store">The ledger.</param>
internal sealed class TakeBackReading(IPairStore store)
{
    /// <summary>Reads.</summary>
    /// <param name="pairId">Of which pair.</param>
    /// <param name="takeBack">What a person wants.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    /// <returns>One for each event; none when the run wrote nothing, or nothing was there then.</returns>
    public async Task<ImmutableArray<ItemTakeBack>> ReadAsync(
        string pairId, TakeBack takeBack, CancellationToken cancellation) => takeBack switch
        {
            TakeBack.Run run => await WritesAsync(pairId, run, cancellation),
            TakeBack.Since since => Versions(
                await store.StateAsync(pairId, since.Uid, since.At, cancellation), since),
            _ => throw new UnreachableException("Unknown kind of taking back."),
        };

    private async Task<ImmutableArray<ItemTakeBack>> WritesAsync(
        string pairId, TakeBack.Run run, CancellationToken cancellation)
    {
        var writes = (await store.RunWritesAsync(pairId, run.RunId, cancellation))
            .Where(write => write is { State: "done", Kind: not null }).ToList();
        // A run that took something back changed what both sides agree on too. No other run of the pair was
        // under way: what is older than its first write was before it.
        var before = writes.Any(write => write.Rule is SyncRule.Undone or SyncRule.Restored)
            ? (await store.StateAsync(
                    pairId, null, writes.Min(write => write.At) - TimeSpan.FromMilliseconds(1), cancellation))
                .ToDictionary(version => version.Uid, StringComparer.Ordinal)
            : [];
        return
        [
            .. writes.GroupBy(write => write.Uid, StringComparer.Ordinal)
                .Select(group => new ItemTakeBack(
                    group.Key, run.Rule, Write(group, MergeSide.Left), Write(group, MergeSide.Right),
                    before.TryGetValue(group.Key, out var version)
                        ? new SideTakeBack.Write(version.Base, group.Last().Base, null)
                        : null)),
        ];
    }

    /// <summary>What a run did to one side in all: it may have written to it twice.</summary>
    private static SideTakeBack.Write? Write(IEnumerable<WriteRecord> writes, MergeSide side)
    {
        var ours = writes.Where(write => write.Side == side).ToList();
        return ours.Count == 0
            ? null
            : new SideTakeBack.Write(
                ours[0].Before, ours[^1].Kind == StepKind.Delete ? null : ours[^1].After ?? ours[^1].Sent,
                ours[0].UidThere);
    }

    private static ImmutableArray<ItemTakeBack> Versions(
        ImmutableArray<EventVersion> versions, TakeBack.Since since)
    {
        SideTakeBack? Then(EventVersion version, MergeSide side) => since.Side is { } only && only != side
            ? null
            : new SideTakeBack.ToThen(version.On(side).Held, version.On(side).Uid);
        return
        [
            .. versions.Where(version => (version.Left.Held ?? version.Right.Held) is not null)
                .Select(version => new ItemTakeBack(
                    version.Uid, since.Rule, Then(version, MergeSide.Left), Then(version, MergeSide.Right),
                    new SideTakeBack.ToThen(version.Base, null))),
        ];
    }
}
