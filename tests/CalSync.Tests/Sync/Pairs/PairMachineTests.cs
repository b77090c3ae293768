using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Lab.Simulation;
using CalSync.Sync.Pairs;
using FsCheck;
using FsCheck.Fluent;
using Xunit;
using Xunit.Abstractions;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>
/// The pair as a state machine of FsCheck: commands on it and on both calendars in any order, what people did
/// as the model, every promise as what must hold after a command. Other lives than those of
/// <see cref="PairSimulationTests"/>: no rhythm of edits and runs, and both commands and providers grow with
/// FsCheck's size. What fails is shrunk, and printed with the seed that replays it.
/// </summary>
[Trait("Category", "Slow")]
public sealed class PairMachineTests(ITestOutputHelper output)
{
    private const int LifeCount = 800;

    [Theory]
    [InlineData(20260101, false)]
    [InlineData(20260102, true)]
    [Trait("Requirement", "R-SYNC-T-3")]
    public void AnyCommands_InAnyOrder_KeepEveryPromise(ulong seed, bool hasDamage)
    {
        output.WriteLine($"FsCheck seed {seed}, {LifeCount} lives");
        var config = Config.QuickThrowOnFailure.WithMaxTest(LifeCount).WithEndSize(40)
            .WithReplay(seed, gamma: 1);
        Prop.ForAll(
            Arb.From(Lives(hasDamage), LifeShrinking.Shorter),
            life =>
            {
                var (broken, trace, _) = PairSimulation.LiveAsync(life).GetAwaiter().GetResult();
                return (broken is null).Label($"{broken}\n{string.Join('\n', trace)}");
            }).Check(config);
    }

    private static Gen<PairLife> Lives(bool hasDamage) =>
        from left in Habits(hasDamage)
        from right in Habits(hasDamage)
        from policy in Gen.Elements(ConflictPolicy.Newest, ConflictPolicy.Left, ConflictPolicy.Right)
        from twins in Twins.ListOf()
        from steps in Steps.ListOf()
        select new PairLife(left, right, policy, Numbered([.. twins.Take(3), .. steps]));

    // The last command looks at everything; what people write is told apart by its number.
    private static ImmutableArray<LifeStep> Numbered(IReadOnlyList<LifeStep> steps) =>
    [
        .. steps.Select((step, index) => step switch
        {
            LifeStep.Act act => act with { Value = 101 + index },
            LifeStep.Twins twins => twins with { Value = 101 + index },
            _ => step,
        }),
        new LifeStep.Settle(1),
    ];

    private static Gen<LifeStep> Twins =>
        from isSameUid in Bool
        from isSeries in Bool
        select (LifeStep)new LifeStep.Twins(isSameUid, isSeries, 0);

    private static Gen<LifeStep> Steps => Gen.Frequency(
        (12, from side in Side
             from deed in Gen.Frequency(
                 (8, Gen.Constant(Deed.Edit)), (4, Gen.Elements(Enum.GetValues<Deed>())))
             from pick in Gen.Choose(0, 99)
             from part in Gen.Choose(0, 99)
             select (LifeStep)new LifeStep.Act(side, deed, pick, part, 0)),
        (5, from isFull in Gen.Frequency((9, Gen.Constant(false)), (1, Gen.Constant(true)))
            from troubles in Troubles(Enum.GetValues<LifeTroubleKind>())
            select (LifeStep)new LifeStep.Run(isFull, troubles)),
        (1, from side in Side
            select (LifeStep)new LifeStep.KillTokens(side)),
        (1, from pick in Gen.Choose(0, 999)
            from troubles in Troubles(
                LifeTroubleKind.Fault, LifeTroubleKind.Crash, LifeTroubleKind.LedgerFails,
                LifeTroubleKind.TokensDie)
            select (LifeStep)new LifeStep.TakeBack(pick, troubles)),
        (2, Gen.Constant((LifeStep)new LifeStep.Settle(1))));

    private static Gen<ImmutableArray<LifeTrouble>> Troubles(params LifeTroubleKind[] kinds) =>
        from count in Gen.Frequency((2, Gen.Constant(0)), (3, Gen.Constant(1)), (1, Gen.Constant(3)))
        from troubles in Gen.ListOf(
            from at in Gen.Choose(0, 50)
            from kind in Gen.Elements(kinds)
            from value in Gen.Choose(0, 999)
            select new LifeTrouble(at, kind, value),
            count)
        select troubles.OrderBy(trouble => trouble.At).ToImmutableArray();

    private static Gen<SimulatedHabits> Habits(bool hasDamage) =>
        from hasTokens in Bool
        from hasVersions in Bool
        from answersVersion in Bool
        from isFlapping in Gen.Frequency((5, Gen.Constant(false)), (1, Gen.Constant(true)))
        from isDamaging in hasDamage ? Bool : Gen.Constant(false)
        from isLossy in Bool
        from parallel in Gen.Elements(1, 4)
        select new SimulatedHabits
        {
            HasTokens = hasTokens,
            HasVersions = hasVersions,
            AnswersVersion = answersVersion,
            IsFlapping = isFlapping,
            IsDamaging = isDamaging,
            IsLossy = isLossy,
            ParallelWritesMax = parallel,
        };

    private static Gen<bool> Bool => Gen.Elements(false, true);

    private static Gen<MergeSide> Side => Gen.Elements(MergeSide.Left, MergeSide.Right);
}
