using System.Collections.Immutable;

namespace CalSync.Lab.Simulation;

/// <summary>Finds a shorter life that breaks a promise as well.</summary>
internal static class LifeShrinking
{
    private const int TryCountMax = 3000;

    /// <summary>Shrinks.</summary>
    /// <param name="life">A life that breaks a promise.</param>
    /// <param name="isBrokenAsync">Whether another one breaks any.</param>
    public static async Task<PairLife> ShrinkAsync(PairLife life, Func<PairLife, Task<bool>> isBrokenAsync)
    {
        var tries = 0;
        for (var isShorter = true; isShorter;)
        {
            isShorter = false;
            foreach (var shorter in Shorter(life))
            {
                if (tries++ > TryCountMax)
                    return life;
                if (!await isBrokenAsync(shorter))
                    continue;
                (life, isShorter) = (shorter, true);
                break;
            }
        }

        return life;
    }

    /// <summary>Every life that is a little shorter, the shortest first.</summary>
    internal static IEnumerable<PairLife> Shorter(PairLife life)
    {
        for (var size = Math.Max(1, life.Steps.Length / 2); size > 0; size /= 2)
        {
            for (var at = life.Steps.Length - size; at >= 0; at -= size)
                yield return life with { Steps = life.Steps.RemoveRange(at, size) };
        }

        if (life.Steps.Length > 0 && life.Steps[^1] is not LifeStep.Settle)
            yield return life with { Steps = life.Steps.Add(new LifeStep.Settle(1)) };
        for (var index = 0; index < life.Steps.Length; index++)
        {
            foreach (var step in Simpler(life.Steps[index]))
                yield return life with { Steps = life.Steps.SetItem(index, step) };
        }

        foreach (var habits in Simpler(life.Left))
            yield return life with { Left = habits };
        foreach (var habits in Simpler(life.Right))
            yield return life with { Right = habits };
    }

    private static IEnumerable<LifeStep> Simpler(LifeStep step)
    {
        if (step is LifeStep.Settle { IdleCount: > 1 })
            yield return new LifeStep.Settle(1);
        if (step is LifeStep.TakeBack back)
        {
            if (back.Troubles.Length > 1)
                yield return back with { Troubles = [] };
            foreach (var trouble in back.Troubles)
                yield return back with { Troubles = back.Troubles.Remove(trouble) };
        }

        if (step is not LifeStep.Run run)
            yield break;
        if (run.IsFull)
            yield return run with { IsFull = false };
        if (run.Troubles.Length > 1)
            yield return run with { Troubles = [] };
        foreach (var trouble in run.Troubles)
            yield return run with { Troubles = run.Troubles.Remove(trouble) };
    }

    private static IEnumerable<SimulatedHabits> Simpler(SimulatedHabits habits)
    {
        ImmutableArray<SimulatedHabits> simpler =
        [
            habits with { HasTokens = true },
            habits with { HasVersions = true },
            habits with { AnswersVersion = true },
            habits with { TellsVersions = false },
            habits with { IsFlapping = false },
            habits with { IsDamaging = false },
            habits with { IsLossy = false },
        ];
        return simpler.Where(each => each != habits);
    }
}
