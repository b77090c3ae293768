using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs;

namespace CalSync.Lab.Simulation;

/// <summary>What a person does to a calendar. A closed list.</summary>
internal enum Deed
{
    /// <summary>Makes an event that happens once.</summary>
    CreateOnce,

    /// <summary>Makes a series that ends.</summary>
    CreateSeries,

    /// <summary>Makes a series without an end.</summary>
    CreateEndless,

    /// <summary>Deletes an event.</summary>
    Delete,

    /// <summary>Puts an event at another address.</summary>
    Move,

    /// <summary>Puts another event at an event's address.</summary>
    Replace,

    /// <summary>Changes one field of an event, of one instance, or cancels one.</summary>
    Edit,

    /// <summary>Ends a series early and goes on with a new one: this and all following.</summary>
    Split,
}

/// <summary>One thing that goes wrong, or that somebody does, in the middle of a run.</summary>
/// <param name="At">At which boundary of the run: each call, each write and each change of the ledger has
/// one before and one after.</param>
/// <param name="Kind">What.</param>
/// <param name="Value">Which of several, at random.</param>
internal sealed record LifeTrouble(int At, LifeTroubleKind Kind, int Value);

/// <summary>What can happen at a boundary. A closed list.</summary>
internal enum LifeTroubleKind
{
    /// <summary>A call fails in one of the ways it can.</summary>
    Fault,

    /// <summary>The process dies.</summary>
    Crash,

    /// <summary>Somebody edits the side that is called.</summary>
    Edit,

    /// <summary>The ledger fails, before or after it has kept a change; the process lives.</summary>
    LedgerFails,

    /// <summary>All tokens of both sides die.</summary>
    TokensDie,
}

/// <summary>One step of a pair's life.</summary>
internal abstract record LifeStep
{
    private LifeStep()
    {
    }

    /// <summary>Somebody does something.</summary>
    /// <param name="Side">Where.</param>
    /// <param name="Deed">What.</param>
    /// <param name="Pick">To which event, modulo how many there are.</param>
    /// <param name="Field">To which field, modulo how many there are.</param>
    /// <param name="Value">A number that no other step has.</param>
    public sealed record Act(MergeSide Side, Deed Deed, int Pick, int Field, int Value) : LifeStep;

    /// <summary>The same event stands on both sides before the first run.</summary>
    /// <param name="IsSameUid">Whether it has the same UID there.</param>
    /// <param name="IsSeries">Whether it repeats.</param>
    /// <param name="Value">A number that no other step has.</param>
    public sealed record Twins(bool IsSameUid, bool IsSeries, int Value) : LifeStep;

    /// <summary>All tokens of one side die.</summary>
    public sealed record KillTokens(MergeSide Side) : LifeStep;

    /// <summary>The pair is run.</summary>
    /// <param name="IsFull">Everything is read.</param>
    /// <param name="Troubles">In the order of their boundaries.</param>
    public sealed record Run(bool IsFull, ImmutableArray<LifeTrouble> Troubles) : LifeStep;

    /// <summary>All is quiet, and everything that was promised is looked at.</summary>
    /// <param name="IdleCount">Runs that must do nothing.</param>
    public sealed record Settle(int IdleCount) : LifeStep;

    /// <summary>A run is taken back, or all since a moment; and then that too.</summary>
    /// <param name="Pick">Which, modulo how many there are; a moment when three divides it.</param>
    /// <param name="Troubles">Of the first try, in the order of their boundaries.</param>
    public sealed record TakeBack(int Pick, ImmutableArray<LifeTrouble> Troubles) : LifeStep;
}

/// <summary>A pair's life as data: a step less is a life too.</summary>
/// <param name="Left">How the left provider behaves.</param>
/// <param name="Right">How the right one does.</param>
/// <param name="Policy">Who wins conflicts.</param>
/// <param name="Steps">What happens.</param>
internal sealed record PairLife(
    SimulatedHabits Left, SimulatedHabits Right, ConflictPolicy Policy, ImmutableArray<LifeStep> Steps)
{
    /// <summary>The side that shows only busy; null for none.</summary>
    public MergeSide? Busy { get; init; }

    private const int RunCount = 9;
    private const int IdleCountMax = 100;

    /// <summary>One seed's life.</summary>
    /// <param name="seed">The seed of everything random.</param>
    /// <param name="hasDamage">Whether servers may damage what they are sent.</param>
    /// <param name="isBusy">Whether one side shows only busy.</param>
    public static PairLife OfSeed(int seed, bool hasDamage, bool isBusy = false)
    {
        var random = new Random(seed);
        var (faultGap, crashGap) = (Gap(random, 10, 200), Gap(random, 40, 400));
        var editGap = random.Next(2) == 0 ? 0 : 60;
        // Drawn apart, so that a seed's people do the same with them and without.
        var more = new Random(seed ^ 0x5bd1e995);
        var (ledgerGap, tokenGap) = (Gap(more, 60, 600), Gap(more, 100, 1000));
        var (left, right) = (Habits(random, hasDamage), Habits(random, hasDamage));
        var policy = (ConflictPolicy)random.Next(1, 4);
        var steps = ImmutableArray.CreateBuilder<LifeStep>();
        var back = new Random(seed ^ 0x2c1b3c6d);
        var value = 100;
        LifeStep NewAct() => new LifeStep.Act(
            (MergeSide)random.Next(2), NewDeed(random), random.Next(100), random.Next(100), ++value);
        for (var count = random.Next(4); count > 0; count--)
            steps.Add(new LifeStep.Twins(random.Next(2) == 0, random.Next(2) == 0, ++value));
        for (var count = random.Next(6); count > 0; count--)
            steps.Add(NewAct());
        for (var run = 0; run < RunCount; run++)
        {
            for (var count = random.Next(4); count > 0; count--)
                steps.Add(NewAct());
            if (random.Next(10) == 0)
                steps.Add(new LifeStep.KillTokens((MergeSide)random.Next(2)));
            steps.Add(new LifeStep.Run(
                random.Next(10) == 0,
                [
                    .. Troubles(random, LifeTroubleKind.Fault, faultGap)
                        .Concat(Troubles(random, LifeTroubleKind.Crash, crashGap))
                        .Concat(Troubles(random, LifeTroubleKind.Edit, editGap))
                        .Concat(Troubles(more, LifeTroubleKind.LedgerFails, ledgerGap))
                        .Concat(Troubles(more, LifeTroubleKind.TokensDie, tokenGap))
                        .OrderBy(each => each.At),
                ]));
            if (back.Next(4) == 0)
            {
                steps.Add(new LifeStep.TakeBack(
                    back.Next(1000),
                    [
                        .. Troubles(back, LifeTroubleKind.Fault, faultGap)
                            .Concat(Troubles(back, LifeTroubleKind.Crash, crashGap))
                            .Concat(Troubles(back, LifeTroubleKind.LedgerFails, ledgerGap))
                            .Concat(Troubles(back, LifeTroubleKind.TokensDie, tokenGap))
                            .OrderBy(each => each.At),
                    ]));
            }

            if (random.Next(4) == 0 || run == RunCount - 1)
                steps.Add(new LifeStep.Settle(random.Next(40) == 0 ? IdleCountMax : 1));
        }

        return new PairLife(left, right, policy, steps.ToImmutable())
        {
            Busy = isBusy ? (MergeSide)(seed % 2) : null,
        };
    }

    /// <summary>Mean distance of troubles; 0 in one life of four, which has none.</summary>
    private static int Gap(Random random, int min, int max) =>
        random.Next(4) == 0 ? 0 : random.Next(min, max);

    private static IEnumerable<LifeTrouble> Troubles(Random random, LifeTroubleKind kind, int gap)
    {
        if (gap == 0)
            yield break;
        for (var at = random.Next(2 * gap); at < 200; at += 1 + random.Next(2 * gap))
            yield return new LifeTrouble(at, kind, random.Next(1000));
    }

    private static Deed NewDeed(Random random) => random.Next(20) switch
    {
        0 => Deed.CreateOnce,
        1 or 2 => Deed.CreateSeries,
        3 => Deed.CreateEndless,
        4 or 5 => Deed.Delete,
        6 => Deed.Move,
        7 => Deed.Replace,
        8 => Deed.Split,
        _ => Deed.Edit,
    };

    private static SimulatedHabits Habits(Random random, bool hasDamage)
    {
        var habits = new SimulatedHabits
        {
            HasTokens = random.Next(3) > 0,
            HasVersions = random.Next(5) > 0,
            AnswersVersion = random.Next(3) > 0,
            IsFlapping = random.Next(6) == 0,
            IsDamaging = random.Next(3) == 0 && hasDamage,
            IsLossy = random.Next(3) == 0,
        };
        return habits with
        {
            TellsVersions = random.Next(2) == 0,
        };
    }
}
