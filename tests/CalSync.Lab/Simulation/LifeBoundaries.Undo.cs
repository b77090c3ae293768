using System.Collections.Concurrent;

namespace CalSync.Lab.Simulation;

/// <content>The same for a run that takes something back.</content>
public static partial class LifeBoundaries
{
    // Which of the runs, or which moment.
    private static readonly int[] Picks = [1, 2, 3];

    /// <summary>Takes back the last run of every scene, or restores what was before it, and tries every
    /// trouble at every boundary of that.</summary>
    public static async Task<BoundaryReport> RunTakingBackAsync()
    {
        var broken = new ConcurrentQueue<string>();
        var (lives, boundaries) = (0, 0);
        var calm = Scenes.SelectMany(scene => Providers.SelectMany(each => Picks.Select(pick => (
            scene.Name, Life: TakenBack(Life(scene, each.Left, each.Right, isEditedAfter: false), pick)))));
        await Parallel.ForEachAsync(calm, async (scene, _) =>
        {
            var (first, trace, passed) = await PairSimulation.LiveAsync(scene.Life);
            if (first is not null)
                broken.Enqueue(Tell(scene.Name, "without trouble", first, trace));
            Interlocked.Add(ref boundaries, passed.Count);
            foreach (var trouble in passed.SelectMany(Troubles).Where(each =>
                each.Kind != LifeTroubleKind.Edit))
            {
                if (broken.Count >= BrokenCountMax)
                    return;
                Interlocked.Increment(ref lives);
                var (what, happened, _) = await PairSimulation.LiveAsync(Troubled(scene.Life, trouble));
                if (what is not null)
                    broken.Enqueue(Tell(scene.Name, trouble.ToString(), what, happened));
            }
        });
        return new BoundaryReport(lives, boundaries, broken);
    }

    private static PairLife TakenBack(PairLife life, int pick) => life with
    {
        Steps = life.Steps.Insert(life.Steps.Length - 1, new LifeStep.TakeBack(pick, [])),
    };

    private static PairLife Troubled(PairLife life, LifeTrouble trouble)
    {
        var at = life.Steps.Length - 2;
        return life with
        {
            Steps = life.Steps.SetItem(at, (LifeStep.TakeBack)life.Steps[at] with { Troubles = [trouble] }),
        };
    }
}
