using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using CalSync.Calendar.Comparison;
using CalSync.Sync;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;

namespace CalSync.Lab.Simulation;

/// <summary>
/// Lives one pair's life: people edit both sides while calls fail, answers get lost, tokens die and the
/// process is killed; now and then all is quiet and everything that was promised is looked at.
/// </summary>
public sealed partial class PairSimulation
{
    private const string PairId = "par_1";
    private const int BrokenCountMax = 5;
    private static readonly MergeSide[] Sides = [MergeSide.Left, MergeSide.Right];
    private readonly PairLife _life;
    private readonly ManualTimeProvider _clock = new();
    private readonly MemoryPairStore _store = new();
    private readonly Dictionary<MergeSide, SimulatedCalendar> _calendars = [];
    private readonly Dictionary<MergeSide, SimulatedPerson> _people = [];
    private readonly PairSync _sync;
    private readonly PairPromises _promises;
    private readonly List<string> _trace = [];
    private readonly List<LifeBoundary> _passed = [];
    private Queue<LifeTrouble> _troubles = [];
    private int _boundary;
    private bool _isDead;
    private bool _isMisled;
    private bool _isPassing;

    private PairSimulation(PairLife life)
    {
        _life = life;
        foreach (var side in Sides)
        {
            var habits = side == MergeSide.Left ? life.Left : life.Right;
            var calendar = new SimulatedCalendar(side.ToString().ToLowerInvariant(), habits);
            _calendars[side] = calendar;
            _people[side] = new SimulatedPerson(side, calendar, _clock)
            {
                OnAct = Trace,
                Voice = life.Busy is null ? "" : side == life.Busy ? PairPromises.Busy : PairPromises.Full,
            };
            Trace($"{side} {habits}");
            calendar.OnCall = call => Trouble(side, call);
            calendar.OnWritten = _ =>
            {
                _promises!.RequireUnsaid(side);
                Face(side, "written", habits.IsEchoSure);
            };
        }

        _promises = new PairPromises(_store, _calendars, _people, life.Busy);
        foreach (var side in Sides)
        {
            _calendars[side].OnOverwrite = content => _promises.RequireRecorded(side, content);
            _calendars[side].OnDelete = content =>
            {
                if (!_isTakingBack)
                    _promises.RequireGone(side, content);
            };
            _people[side].OnEdited = (uid, field, value) => _promises.Edited(side, uid, field, value);
            _people[side].OnDeleted = uid => _promises.Deleted(side, uid);
        }

        _store.OnStep = () => Face(null, "the ledger", mayEdit: false);
        _sync = new PairSync(
            _store, new PairOptions { BrakeCountMin = 1000, ProvenWriteCountMin = 1 }, _clock,
            new IdSource(_clock, new Random(1)));
    }

    /// <summary>Runs seeds one after the other, on all processors, until several broke.</summary>
    /// <param name="first">The first seed.</param>
    /// <param name="count">How many.</param>
    /// <param name="hasDamage">Whether servers may damage what they are sent.</param>
    /// <param name="isBusy">Whether one side shows only busy.</param>
    /// <returns>What broke; empty when every promise was kept in every life.</returns>
    public static async Task<IReadOnlyCollection<string>> RunAsync(
        int first, int count, bool hasDamage, bool isBusy = false)
    {
        var broken = new ConcurrentQueue<string>();
        await Parallel.ForEachAsync(Enumerable.Range(first, count), async (seed, _) =>
        {
            if (broken.Count < BrokenCountMax && await RunAsync(seed, hasDamage, isBusy) is { } what)
                broken.Enqueue(what);
        });
        return broken;
    }

    /// <summary>Runs one seed.</summary>
    /// <param name="seed">The seed of everything random.</param>
    /// <param name="hasDamage">Whether servers may damage what they are sent.</param>
    /// <param name="isBusy">Whether one side shows only busy.</param>
    /// <returns>Null when every promise was kept; else what broke, and the shortest life that breaks it, with
    /// all that happened in it.</returns>
    public static async Task<string?> RunAsync(int seed, bool hasDamage, bool isBusy = false)
    {
        var life = PairLife.OfSeed(seed, hasDamage, isBusy);
        if (await new PairSimulation(life).LiveAsync() is not { } first)
            return null;
        var shortest = await LifeShrinking.ShrinkAsync(
            life, async shorter => await new PairSimulation(shorter).LiveAsync() is not null);
        var simulation = new PairSimulation(shortest);
        var broken = await simulation.LiveAsync();
        return string.Create(
                CultureInfo.InvariantCulture,
                $"seed {seed}{(isBusy ? " --busy" : "")}{(hasDamage ? " --damage" : "")}: {first}\n")
            + $"shortest: {broken}\n" + string.Join('\n', simulation._trace);
    }

    /// <summary>Lives one life.</summary>
    /// <param name="life">The life.</param>
    /// <returns>What broke, null for nothing; what happened; the boundaries its last run passed that was not
    /// to settle.</returns>
    internal static async
        Task<(string? Broken, IReadOnlyList<string> Trace, IReadOnlyList<LifeBoundary> Passed)> LiveAsync(
            PairLife life)
    {
        var simulation = new PairSimulation(life);
        return (await simulation.LiveAsync(), simulation._trace, simulation._passed);
    }

    private async Task<string?> LiveAsync()
    {
        try
        {
            await _store.AddAsync(
                new Pair(PairId, "ten_1", "home", "left", "right", _life.Policy) { Busy = _life.Busy },
                _clock.GetUtcNow(), CancellationToken.None);
            for (var index = 0; index < _life.Steps.Length; index++)
                await StepAsync(_life.Steps[index], isLast: index == _life.Steps.Length - 1);
            return null;
        }
        catch (BrokenPromiseException broken)
        {
            return broken.Message;
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            // The engine may not fault on anything: that is a promise too.
            return $"{fault.GetType().Name}: {fault.Message}\n{fault.StackTrace}";
        }
    }

    private async Task StepAsync(LifeStep step, bool isLast)
    {
        switch (step)
        {
            case LifeStep.Act act:
                _people[act.Side].Act(act);
                break;
            case LifeStep.Twins twins:
                foreach (var side in Sides)
                {
                    var uid = twins.IsSameUid
                        ? $"same{twins.Value}"
                        : $"{side.ToString()[0]}own{twins.Value}";
                    _people[side].Create(
                        uid, $"both {twins.Value}",
                        SimulatedPerson.RuleOf(twins.IsSeries ? Deed.CreateSeries : Deed.CreateOnce));
                }

                break;
            case LifeStep.KillTokens kill:
                Trace($"{kill.Side} tokens die");
                _calendars[kill.Side].KillTokens();
                break;
            case LifeStep.Run run:
                _clock.Advance(TimeSpan.FromMinutes(3));
                _promises.WasTroubled |= run.Troubles.Length > 0;
                _promises.IsTroubled |= run.Troubles.Length > 0;
                _troubles = new Queue<LifeTrouble>(run.Troubles);
                _passed.Clear();
                _isPassing = true;
                await RunOnceAsync(new RunRequest { IsFullRead = run.IsFull });
                _isPassing = false;
                break;
            case LifeStep.Settle settle:
                await SettleAsync(settle, isLast);
                break;
            case LifeStep.TakeBack back:
                await TakeBackAsync(back);
                break;
        }
    }

    private async Task<RunReport?> RunOnceAsync(RunRequest request)
    {
        (_boundary, _isDead) = (0, false);
        _promises.BeginRun();
        try
        {
            var report = await _sync.RunAsync(
                PairId, _calendars[MergeSide.Left], _calendars[MergeSide.Right], request,
                CancellationToken.None);
            _promises.EndRun();
            Trace($"run {report.Outcome} +{report.Created} ~{report.Updated} -{report.Deleted} "
                + $"={report.Linked} waiting {report.Waiting} deferred {report.Deferred}");
            return report;
        }
        catch (SimulatedCrashException)
        {
            Trace("crash");
            return null;
        }
        catch (SimulatedLedgerException)
        {
            Trace("the ledger failed");
            return null;
        }
        finally
        {
            _troubles.Clear();
            _isDead = false;
            _promises.PassRun();
            foreach (var calendar in _calendars.Values)
            {
                calendar.Arrive();
                calendar.Age();
            }
        }
    }

    /// <summary>Without troubles one run must be enough, and then everything must be as promised.</summary>
    private async Task SettleAsync(LifeStep.Settle settle, bool isLast)
    {
        // A provider that called an empty listing complete is believed until everything is read again.
        await QuietAsync(new RunRequest { IsRetry = true, IsFullRead = _isMisled });
        _isMisled = false;
        var writes = _calendars.Values.Sum(calendar => calendar.WriteCount);
        for (var idle = 0; idle <= settle.IdleCount; idle++)
        {
            var report = await QuietAsync(new RunRequest { IsRetry = idle == 0 });
            PairPromises.Require(report is { Written: 0 }, "After a quiet run the next one writes nothing.");
        }

        PairPromises.Require(
            writes == _calendars.Values.Sum(calendar => calendar.WriteCount),
            "After a quiet run no provider is written to.");
        _promises.Check(isLast);
        _moments.Add((_clock.GetUtcNow(), Look()));
        Trace("settled");
    }

    private Task<RunReport?> QuietAsync(RunRequest request)
    {
        _clock.Advance(TimeSpan.FromMinutes(30));
        return RunOnceAsync(request);
    }

    /// <summary>What goes wrong with a call.</summary>
    private SimulatedFault Trouble(MergeSide side, string call)
    {
        // What is read just after a write may be ours or somebody's, and what is overwritten may be what was
        // decided on or not: only versions tell.
        var habits = _calendars[side].Habits;
        var fault = Face(
            side, call, mayEdit: habits.IsEchoSure || call is "changes" or "create"
                || (habits.HasVersions && call is "update" or "delete"));
        var faults = FaultsAt(call);
        var chosen = fault is { } value && !faults.IsEmpty
            ? faults[value % faults.Length]
            : SimulatedFault.None;
        _isMisled |= chosen == SimulatedFault.EmptyListing;
        Trace($"  {side} {call} {(chosen == SimulatedFault.None ? "" : chosen.ToString())}");
        return chosen;
    }

    /// <summary>What may go wrong with a call; nothing at what is no call.</summary>
    internal static ImmutableArray<SimulatedFault> FaultsAt(string call) => call switch
    {
        "changes" =>
        [
            SimulatedFault.TokenDead, SimulatedFault.PartialRead, SimulatedFault.ReadFails,
            SimulatedFault.StaleRead, SimulatedFault.EmptyListing,
        ],
        "read" or "find" => [SimulatedFault.StaleRead, SimulatedFault.ReadFails],
        "create" or "update" or "delete" =>
        [
            SimulatedFault.FailBefore, SimulatedFault.FailAfter, SimulatedFault.TimesOut,
            SimulatedFault.Late, SimulatedFault.Refused,
        ],
        _ => [],
    };

    /// <summary>Passes a boundary; the number of a fault, or null.</summary>
    private int? Face(MergeSide? side, string where, bool mayEdit)
    {
        if (_isDead)
            throw new SimulatedCrashException();
        int? fault = null;
        if (_isPassing)
            _passed.Add(new LifeBoundary(side, where, mayEdit));
        for (_boundary++; _troubles.TryPeek(out var trouble) && trouble.At < _boundary; _troubles.Dequeue())
        {
            switch (trouble.Kind)
            {
                case LifeTroubleKind.Crash:
                    Trace($"  killed at {side} {where}");
                    _isDead = true;
                    throw new SimulatedCrashException();
                case LifeTroubleKind.Edit when side is { } edited && mayEdit:
                    Trace($"  somebody edits at {where}");
                    _people[edited].Act(new LifeStep.Act(
                        edited, Deed.Edit, trouble.Value, trouble.Value / 7, 1000 + trouble.Value));
                    break;
                case LifeTroubleKind.LedgerFails when side is null:
                    Trace("  the ledger fails");
                    throw new SimulatedLedgerException();
                case LifeTroubleKind.TokensDie:
                    Trace($"  all tokens die at {side} {where}");
                    foreach (var calendar in _calendars.Values)
                        calendar.KillTokens();
                    break;
                default:
                    fault = trouble.Value;
                    break;
            }
        }

        return fault;
    }

    private void Trace(string line) => _trace.Add(line);
}
