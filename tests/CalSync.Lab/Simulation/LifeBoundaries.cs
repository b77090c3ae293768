using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs;

namespace CalSync.Lab.Simulation;

/// <summary>A boundary that a run passed.</summary>
/// <param name="Side">Whose call; null for the ledger.</param>
/// <param name="Where">Which call, <c>written</c> between a write and its answer, or the ledger.</param>
/// <param name="MayEdit">Whether somebody may edit there.</param>
internal sealed record LifeBoundary(MergeSide? Side, string Where, bool MayEdit);

/// <summary>What trying every boundary gave.</summary>
/// <param name="Lives">How many lives were lived.</param>
/// <param name="Boundaries">How many boundaries their runs passed.</param>
/// <param name="Broken">What broke, with all that happened; empty when every promise was kept.</param>
public sealed record BoundaryReport(int Lives, int Boundaries, IReadOnlyCollection<string> Broken);

/// <summary>
/// Small lives whose last run is in trouble exactly once: each is lived again for every boundary of that run
/// and every kind of trouble there can be at it. Nothing here is random.
/// </summary>
public static partial class LifeBoundaries
{
    private const int BrokenCountMax = 5;

    /// <summary>What people do before the run that is in trouble, and before that, if anything.</summary>
    private static readonly ImmutableArray<Scene> Scenes =
    [
        new("copied", [], [Act(Left, Deed.CreateOnce), Act(Right, Deed.CreateSeries)]),
        new("linked", [], [new LifeStep.Twins(true, true, 1), new LifeStep.Twins(false, false, 2)]),
        new("edited here", [Act(Left, Deed.CreateSeries)], [Edit(Left, Summary)]),
        new("merged", [Act(Left, Deed.CreateSeries)], [Edit(Left, Summary), Edit(Right, Location)]),
        new("conflict", [Act(Left, Deed.CreateOnce)], [Edit(Left, Summary), Edit(Right, Summary)]),
        new("instances", [Act(Left, Deed.CreateSeries)],
            [Edit(Left, OverThree), Edit(Right, WithoutFive), Edit(Left, OffSeven)]),
        new("deleted", [Act(Left, Deed.CreateOnce), Act(Right, Deed.CreateSeries)],
            [Act(Left, Deed.Delete)]),
        new("deleted on both", [Act(Left, Deed.CreateOnce), Act(Right, Deed.CreateSeries)],
            [Act(Left, Deed.Delete), Act(Right, Deed.Delete)]),
        new("edit beats delete", [Act(Left, Deed.CreateOnce)],
            [Act(Left, Deed.Delete), Edit(Right, Location)]),
        new("moved", [Act(Left, Deed.CreateOnce)], [Act(Left, Deed.Move), Edit(Right, Location)]),
        new("replaced", [Act(Left, Deed.CreateOnce)], [Act(Left, Deed.Replace)]),
        new("split", [Act(Left, Deed.CreateSeries)], [Act(Right, Deed.Split)]),
        new("lost by a server", [Act(Left, Deed.CreateOnce)],
            [Edit(Left, Contact), Edit(Left, Location, 41), Edit(Right, Summary)]),
    ];

    /// <summary>Pairs of providers that differ in what the engine can rely on.</summary>
    private static readonly ImmutableArray<(SimulatedHabits Left, SimulatedHabits Right)> Providers =
    [
        (new() { TellsVersions = true }, new()),
        (new(), new() { HasTokens = false, AnswersVersion = false }),
        (new() { HasTokens = false, HasVersions = false }, new() { IsFlapping = true }),
        (new() { IsLossy = true }, new() { IsDamaging = true, IsLossy = true }),
    ];

    private const int Summary = 0;
    private const int Location = 1;
    private const int Contact = 4;
    private const int OverThree = 6;
    private const int WithoutFive = 8;
    private const int OffSeven = 10;

    private static MergeSide Left => MergeSide.Left;

    private static MergeSide Right => MergeSide.Right;

    /// <summary>Tries every trouble at every boundary of every scene, on all processors.</summary>
    /// <param name="isTwice">Instead, kills the run at every boundary, and the run after it at every
    /// boundary too.</param>
    /// <param name="busy">The side that shows only busy, <c>left</c> or <c>right</c>; null for none.</param>
    public static async Task<BoundaryReport> RunAsync(bool isTwice = false, string? busy = null)
    {
        var broken = new ConcurrentQueue<string>();
        var (lives, boundaries) = (0, 0);
        var calm = Scenes.SelectMany(scene => Providers.SelectMany(each => new[] { false, true }
            .Select(isEditedAfter => (
                scene.Name,
                Life: Life(scene, each.Left, each.Right, isEditedAfter) with
                {
                    Busy = MergeSides.Of(busy),
                }))));
        await Parallel.ForEachAsync(calm, async (scene, _) =>
        {
            foreach (var passed in await LiveAsync(scene.Name, "without trouble", scene.Life))
            {
                Interlocked.Increment(ref boundaries);
                var (boundary, index) = passed;
                foreach (var trouble in isTwice ? [Crash(index)] : Troubles(boundary, index))
                {
                    if (broken.Count >= BrokenCountMax)
                        return;
                    await TroubleAsync(scene.Name, scene.Life, trouble);
                }
            }
        });
        return new BoundaryReport(lives, boundaries, broken);

        async Task TroubleAsync(string name, PairLife life, LifeTrouble trouble)
        {
            var troubled = With(life, trouble);
            if (isTwice)
                troubled = troubled with { Steps = troubled.Steps.Insert(troubled.Steps.Length - 1, Run()) };
            var second = await LiveAsync(name, trouble.ToString(), troubled);
            foreach (var again in isTwice ? second : [])
                await LiveAsync(name, $"{trouble}, {again}", With(troubled, Crash(again.Index)));
        }

        async Task<IEnumerable<(LifeBoundary Boundary, int Index)>> LiveAsync(
            string name, string trouble, PairLife life)
        {
            Interlocked.Increment(ref lives);
            var (what, trace, passed) = await PairSimulation.LiveAsync(life);
            if (what is not null)
                broken.Enqueue(Tell(name, trouble, what, trace));
            return [.. passed.Select((boundary, index) => (boundary, index))];
        }
    }

    private static LifeStep.Run Run(params LifeTrouble[] troubles) => new(false, [.. troubles]);

    private static LifeTrouble Crash(int index) => new(index, LifeTroubleKind.Crash, 0);

    /// <summary>Everything that can happen at a boundary.</summary>
    private static IEnumerable<LifeTrouble> Troubles(LifeBoundary boundary, int index)
    {
        yield return Crash(index);
        yield return new LifeTrouble(index, LifeTroubleKind.TokensDie, 0);
        if (boundary.Side is null)
            yield return new LifeTrouble(index, LifeTroubleKind.LedgerFails, 0);
        for (var fault = 0; fault < PairSimulation.FaultsAt(boundary.Where).Length; fault++)
            yield return new LifeTrouble(index, LifeTroubleKind.Fault, fault);
        if (boundary is { Side: not null, MayEdit: true })
        {
            yield return new LifeTrouble(index, LifeTroubleKind.Edit, 7 * Summary);
            yield return new LifeTrouble(index, LifeTroubleKind.Edit, 7 * Location);
        }
    }

    private static PairLife Life(
        Scene scene, SimulatedHabits left, SimulatedHabits right, bool isEditedAfter)
    {
        var value = 200;
        LifeStep New(LifeStep step) => step is LifeStep.Act { Value: 0 } act ? act with { Value = ++value }
            : step;
        ImmutableArray<LifeStep> before = scene.Before.IsEmpty
            ? []
            : [.. scene.Before.Select(New), Run(), new LifeStep.Settle(1)];
        ImmutableArray<LifeStep> after = isEditedAfter ? [Edit(Right, Location), Edit(Left, Summary)] : [];
        return new PairLife(
            left, right, ConflictPolicy.Newest,
            [
                .. before,
                .. scene.Acts.Select(New),
                Run(),
                // What a run left half done meets an edit of the same event.
                .. after.Select(New),
                new LifeStep.Settle(1),
            ]);
    }

    private static PairLife With(PairLife life, LifeTrouble trouble)
    {
        var last = Enumerable.Range(0, life.Steps.Length).Last(index => life.Steps[index] is LifeStep.Run);
        return life with { Steps = life.Steps.SetItem(last, Run(trouble)) };
    }

    private static LifeStep.Act Act(MergeSide side, Deed deed) => new(side, deed, 0, 0, 0);

    private static LifeStep.Act Edit(MergeSide side, int field, int value = 0) =>
        new(side, Deed.Edit, 0, field, value);

    private static string Tell(string scene, string trouble, string what, IReadOnlyList<string> trace) =>
        string.Create(CultureInfo.InvariantCulture, $"{scene}, {trouble}: {what}\n")
        + string.Join('\n', trace);

    private sealed record Scene(string Name, ImmutableArray<LifeStep> Before, ImmutableArray<LifeStep> Acts);
}
