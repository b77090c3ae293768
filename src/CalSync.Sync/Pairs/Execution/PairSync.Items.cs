using CalSync.Sync.Pairs.Planning;

namespace CalSync.Sync.Pairs.Execution;

/// <content>Does what was planned, event by event.</content>
public sealed partial class PairSync
{
    /// <summary>Events under way at once: what a run that is cut off leaves to be looked at again.</summary>
    private const int UnderWayCountMax = 512;

    /// <summary>Events whose writes are begun in one transaction, at most: the smaller a group, the sooner
    /// the next one begins.</summary>
    private const int GroupSizeMax = 128;

    /// <summary>Events of a place: a group takes as many places as it needs.</summary>
    private const int PlaceSize = 16;

    private async Task<Dictionary<string, ItemEnd>> RunItemsAsync(
        RunScope scope, Work work, IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        var ends = new Dictionary<string, ItemEnd>(StringComparer.Ordinal);
        var troubles = work.Troubles.Select(Waiting).ToList();
        if (troubles.Count > 0)
        {
            scope.IsLeaseLost |= !await store.SetAsideAsync(
                scope.Lease, troubles, clock.GetUtcNow(), cancellation);
        }

        var quiet = work.Items.Where(item => !item.IsLoud).ToList();
        await RecordAsync(scope, quiet, cancellation);

        // Deletions last: should the run be cut off, there is rather too much than too little.
        var loud = work.Items.Where(item => item.IsLoud)
            .OrderBy(item => item.Left is SideAct.Delete || item.Right is SideAct.Delete).ToList();
        var count = 0;
        void Tell(int more) =>
            progress?.Report(new RunProgress(Interlocked.Add(ref count, more), loud.Count));
        foreach (var (uid, end) in await RunGroupsAsync(scope, loud, Tell, cancellation))
            ends[uid] = end;
        return ends;
    }

    /// <summary>Records what needs no write; the next transaction is put together while one is
    /// kept.</summary>
    private static async Task RecordAsync(
        RunScope scope, List<ItemPlan> quiet, CancellationToken cancellation)
    {
        var keeping = Task.FromResult(true);
        try
        {
            for (var at = 0; at < quiet.Count && !scope.IsStopped;)
            {
                var items = quiet.GetRange(at, Math.Min(scope.Store.PartCountMax, quiet.Count - at));
                at += items.Count;
                var parts = items.Select(item => Prepare(scope, item)).ToArray();
                await keeping;
                if (!scope.IsStopped)
                    keeping = scope.KeepAsync(parts, cancellation);
            }
        }
        finally
        {
            await keeping;
        }
    }

    private static LedgerPart Prepare(RunScope scope, ItemPlan item)
    {
        var part = scope.Prepare(new ItemRun(scope, item).Change());
        item.Base?.Rest();
        return part;
    }

    /// <summary>Begins one group after another as there is room for them.</summary>
    private async Task<IEnumerable<(string Uid, ItemEnd End)>> RunGroupsAsync(
        RunScope scope, List<ItemPlan> loud, Action<int> tell, CancellationToken cancellation)
    {
        using var places = new SemaphoreSlim(UnderWayCountMax / PlaceSize);
        List<Task<List<(string, ItemEnd)>>> groups = [];
        List<(string, ItemEnd)>[] ended;
        try
        {
            for (var at = 0; at < loud.Count;)
            {
                var size = Math.Min(Math.Min(store.PartCountMax, GroupSizeMax), loud.Count - at);
                for (var place = 0; place < PlacesOf(size); place++)
                    await places.WaitAsync(cancellation);
                if (scope.IsStopped || groups.Exists(each => each.IsFaulted))
                    break;
                groups.Add(RunGroupAsync(scope, loud.GetRange(at, size), places, tell, cancellation));
                at += size;
            }
        }
        finally
        {
            ended = await Task.WhenAll(groups);
        }

        return ended.SelectMany(each => each);
    }

    private async Task<List<(string Uid, ItemEnd End)>> RunGroupAsync(
        RunScope scope, List<ItemPlan> group, SemaphoreSlim places, Action<int> tell,
        CancellationToken cancellation)
    {
        try
        {
            var runs = group.Select(item => (Item: item, Run: new ItemRun(scope, item))).ToList();
            var writes = runs.Where(each => each.Item.IsWrite).SelectMany(each => each.Run.Begin()).ToList();
            if (writes.Count > 0 && !await scope.BeginAsync(writes, cancellation))
                return [];

            tell(0);
            scope.Expect(runs.Count);
            var ends = await Task.WhenAll(runs.Select(async each =>
            {
                var end = await scope.RunAsync(each.Run, cancellation);
                each.Item.Base?.Rest();
                tell(1);
                return (each.Item.Uid, end);
            }));
            var untried = runs.SelectMany(each => each.Run.UntriedIds).ToList();
            if (untried.Count > 0 && !scope.IsLeaseLost)
            {
                scope.IsLeaseLost |= !await store.VoidAsync(
                    scope.Lease, untried, clock.GetUtcNow(), cancellation);
            }

            return [.. ends];
        }
        finally
        {
            places.Release(PlacesOf(group.Count));
        }
    }

    private static int PlacesOf(int count) => (count + PlaceSize - 1) / PlaceSize;
}
