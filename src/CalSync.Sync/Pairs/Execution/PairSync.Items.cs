using CalSync.Sync.Pairs.Planning;

namespace CalSync.Sync.Pairs.Execution;

/// <content>Does what was planned, event by event.</content>
public sealed partial class PairSync
{
    /// <summary>Groups of events under way at once: what a run that is cut off leaves to be looked at
    /// again.</summary>
    private const int GroupCount = 16;

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
        foreach (var batch in quiet.Chunk(RunScope.ChangeCountMax))
        {
            if (scope.IsStopped)
                break;
            scope.IsLeaseLost |= !await store.RecordAsync(
                scope.Lease, [.. batch.Select(item => new ItemRun(scope, item).Change())],
                clock.GetUtcNow(), cancellation);
        }

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

    /// <summary>Begins one group after another as there is room for them.</summary>
    private async Task<IEnumerable<(string Uid, ItemEnd End)>> RunGroupsAsync(
        RunScope scope, List<ItemPlan> loud, Action<int> tell, CancellationToken cancellation)
    {
        using var places = new SemaphoreSlim(GroupCount);
        List<Task<List<(string, ItemEnd)>>> groups = [];
        List<(string, ItemEnd)>[] ended;
        try
        {
            foreach (var group in loud.Chunk(RunScope.ChangeCountMax))
            {
                await places.WaitAsync(cancellation);
                if (scope.IsStopped || groups.Exists(each => each.IsFaulted))
                    break;
                groups.Add(RunGroupAsync(scope, group, places, tell, cancellation));
            }
        }
        finally
        {
            ended = await Task.WhenAll(groups);
        }

        return ended.SelectMany(each => each);
    }

    private async Task<List<(string Uid, ItemEnd End)>> RunGroupAsync(
        RunScope scope, ItemPlan[] group, SemaphoreSlim places, Action<int> tell,
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
            places.Release();
        }
    }
}
