using System.Collections.Immutable;
using System.Globalization;
using CalSync.Calendar;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Lab.Simulation;

/// <summary>
/// One seed's life of a pair: people edit both sides while calls fail, answers get lost, tokens die and the
/// process is killed; now and then all is quiet and everything that was promised is looked at.
/// </summary>
public sealed class PairSimulation
{
    private const string PairId = "par_1";
    private static readonly MergeSide[] Sides = [MergeSide.Left, MergeSide.Right];
    private static readonly CalendarNoise Noise = ResourceContent.Noise with
    {
        PropertyPrefixes = [.. ResourceContent.Noise.PropertyPrefixes, "X-SERVER"],
    };

    private readonly Random _random;
    private readonly ManualTimeProvider _clock = new();
    private readonly MemoryPairStore _store = new();
    private readonly Dictionary<MergeSide, SimulatedCalendar> _calendars = [];
    private readonly Dictionary<MergeSide, SimulatedPerson> _people = [];
    private readonly PairSync _sync;
    private readonly bool _hasDamage;
    private readonly double _faultShare;
    private readonly double _crashShare;
    private readonly List<string> _trace = [];
    private Dictionary<string, Dictionary<string, string?>> _agreed = new(StringComparer.Ordinal);
    private bool _isRough;

    private PairSimulation(int seed, bool hasDamage)
    {
        _hasDamage = hasDamage;
        _random = new Random(seed);
        _faultShare = _random.Next(4) * 0.06;
        _crashShare = _random.Next(4) * 0.01;
        foreach (var side in Sides)
        {
            var calendar = new SimulatedCalendar(side.ToString().ToLowerInvariant(), NewHabits());
            _calendars[side] = calendar;
            _people[side] = new SimulatedPerson(side, calendar, _random, _clock) { OnAct = Trace };
            Trace($"{side} {calendar.Habits}");
            calendar.OnCall = call => Trouble(side, call);
            calendar.OnOverwrite = content => RequireRecorded(side, content);
            calendar.OnWritten = address => Interfere(side, address);
        }

        _store.OnStep = () => Crash("the ledger");
        _sync = new PairSync(
            _store, new PairOptions { BrakeCountMin = 1000 }, _clock, new IdSource(_clock, _random));
    }

    /// <summary>Runs one seed.</summary>
    /// <param name="seed">The seed of everything random.</param>
    /// <param name="hasDamage">Whether servers may damage what they are sent. Where the answer of such a
    /// write is lost, nothing tells damage from an edit for sure, and a few lives end with a value cut
    /// short.</param>
    /// <returns>Null when every promise was kept; else what broke, with what led to it.</returns>
    public static async Task<string?> RunAsync(int seed, bool hasDamage)
    {
        var simulation = new PairSimulation(seed, hasDamage);
        try
        {
            await simulation.RunAsync();
            return null;
        }
        catch (BrokenPromiseException broken)
        {
            var trace = simulation._trace;
            return string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {broken.Message}\n")
                + string.Join('\n', trace.Take(2).Concat(trace.Skip(2).TakeLast(160)));
        }
    }

    private SimulatedHabits NewHabits()
    {
        var habits = new SimulatedHabits
        {
            HasTokens = _random.Next(3) > 0,
            HasVersions = _random.Next(5) > 0,
            AnswersVersion = _random.Next(3) > 0,
            IsFlapping = _random.Next(6) == 0,
            IsDamaging = _random.Next(3) == 0 && _hasDamage,
            IsLossy = _random.Next(3) == 0,
        };
        return habits with
        {
            IsTrusted = habits is { HasVersions: true, AnswersVersion: true, IsFlapping: false }
                && !habits.IsDamaging && !habits.IsLossy && _random.Next(2) == 0,
        };
    }

    private async Task RunAsync()
    {
        await _store.AddAsync(
            new Pair(
                PairId, "ten_1", "home", "left", "right", (ConflictPolicy)_random.Next(1, 4)),
            _clock.GetUtcNow(), CancellationToken.None);
        for (var index = _random.Next(4); index > 0; index--)
            BeginWithOneOnBothSides(index);
        for (var index = _random.Next(6); index > 0; index--)
            _people[Sides[_random.Next(2)]].Act();
        for (var round = 0; round < 12; round++)
        {
            for (var edits = _random.Next(4); edits > 0; edits--)
                _people[Sides[_random.Next(2)]].Act();
            if (_random.Next(10) == 0)
                _calendars[Sides[_random.Next(2)]].KillTokens();
            await RunOnceAsync(isRough: true);
            if (_random.Next(3) == 0)
                await SettleAsync();
        }

        await SettleAsync();
    }

    private void BeginWithOneOnBothSides(int index)
    {
        var title = string.Create(CultureInfo.InvariantCulture, $"both {index}");
        var isSeries = _random.Next(2) == 0;
        var isSameUid = _random.Next(2) == 0;
        foreach (var side in Sides)
        {
            _people[side].Create(
                isSameUid ? $"same{index}" : $"{side.ToString()[0]}-own{index}", isSeries, title);
        }
    }

    private async Task<RunReport?> RunOnceAsync(bool isRough, bool isRetry = false)
    {
        _isRough = isRough;
        _clock.Advance(TimeSpan.FromMinutes(isRough ? 3 : 30));
        try
        {
            var report = await _sync.RunAsync(
                PairId, _calendars[MergeSide.Left], _calendars[MergeSide.Right],
                new RunRequest { IsRetry = isRetry, IsFullRead = isRough && _random.Next(10) == 0 },
                CancellationToken.None);
            Trace($"run {report.Outcome} +{report.Created} ~{report.Updated} -{report.Deleted} "
                + $"={report.Linked} waiting {report.Waiting} deferred {report.Deferred}");
            return report;
        }
        catch (SimulatedCrashException)
        {
            Trace("crash");
            return null;
        }
        finally
        {
            _isRough = false;
        }
    }

    /// <summary>Without faults two runs must be enough, and then everything must be as promised.</summary>
    private async Task SettleAsync()
    {
        await RunOnceAsync(isRough: false, isRetry: true);
        await RunOnceAsync(isRough: false, isRetry: true);
        var writes = _calendars.Values.Sum(calendar => calendar.WriteCount);
        for (var idle = 0; idle < 2; idle++)
        {
            var report = await RunOnceAsync(isRough: false);
            Require(report is { Written: 0 }, "After two quiet runs the next one writes nothing.");
        }

        Require(
            writes == _calendars.Values.Sum(calendar => calendar.WriteCount),
            "After two quiet runs no provider is written to.");
        Check();
        foreach (var person in _people.Values)
            person.Forget();
        Trace("settled");
    }

    private void Check()
    {
        var active = _store.Mappings.Where(each => each.Status == MappingStatus.Active).ToList();
        foreach (var side in Sides)
        {
            var events = _calendars[side].Events;
            foreach (var mapping in active)
            {
                Require(
                    events.ContainsKey(mapping.On(side)!.Address.Value),
                    $"{mapping.Uid} is on the {side} side.");
            }

            Require(
                events.Count == active.Count,
                $"The {side} side holds {events.Count} events, the ledger {active.Count}: "
                + string.Join(' ', events.Keys));
        }

        var agreed = new Dictionary<string, Dictionary<string, string?>>(StringComparer.Ordinal);
        foreach (var mapping in active)
        {
            CheckEqual(mapping);
            agreed[mapping.Uid] = CheckFields(mapping);
        }

        CheckGone(active);
        _agreed = agreed;
    }

    private void CheckEqual(EventMapping mapping)
    {
        var (left, right) = (Content(mapping, MergeSide.Left), Content(mapping, MergeSide.Right));
        var changes = CalendarDiff.Compare(Carried(left), Carried(right), Noise);
        Require(
            changes.IsEmpty,
            $"{mapping.Uid} is equal on both sides: " + string.Join("; ", changes.Select(each =>
                $"{each.Component} {each.Property}: {each.Before} / {each.After}")));
        Require(
            Expanded(left).SequenceEqual(Expanded(right)), $"{mapping.Uid} expands equally on both sides.");
    }

    /// <summary>Every field is what somebody last set it to, or as it was agreed on before.</summary>
    private Dictionary<string, string?> CheckFields(EventMapping mapping)
    {
        var agreed = new Dictionary<string, string?>(StringComparer.Ordinal);
        // Made again after a deletion it has the common UID on both sides.
        var isDeleted = Sides.Any(side => _people[side].Deleted.Any(uid =>
            uid.EndsWith(mapping.Uid[1..], StringComparison.Ordinal)));
        foreach (var field in SimulatedPerson.AllFields)
        {
            List<string?> allowed =
            [
                .. Sides.Where(side => _people[side].Edits.ContainsKey((mapping.On(side)!.Uid, field)))
                    .Select(side => _people[side].Edits[(mapping.On(side)!.Uid, field)]),
            ];
            if (allowed.Count == 0)
                allowed.Add(_agreed.GetValueOrDefault(mapping.Uid)?.GetValueOrDefault(field));
            foreach (var side in Sides)
            {
                var value = SimulatedPerson.Value(Content(mapping, side), field);
                Require(
                    isDeleted || IsMaybeUnlinked(mapping)
                        || allowed.Any(each => Kept(side, field, each) == value)
                        || (field == "CONTACT" && _calendars.Values.Any(each => each.Habits.IsLossy)),
                    $"{mapping.Uid} {field} on the {side} side is '{value}', of "
                    + $"'{string.Join("', '", allowed)}'.");
            }

            var full = Sides.Select(side => SimulatedPerson.Value(Content(mapping, side), field));
            agreed[field] = allowed.FirstOrDefault(each => full.Any(value => value == each))
                ?? full.MaxBy(value => value?.Length ?? 0);
        }

        return agreed;
    }

    /// <summary>
    /// Two events with one title, one of which was renamed before a run that was cut off could link them, are
    /// two events; what was written to one of them before stays there.
    /// </summary>
    private bool IsMaybeUnlinked(EventMapping mapping) =>
        _faultShare + _crashShare > 0 && mapping.Uid.Contains("-own", StringComparison.Ordinal);

    /// <summary>What is gone was deleted by somebody, and not edited on the other side.</summary>
    private void CheckGone(List<EventMapping> active)
    {
        var present = active.Select(each => each.Uid).ToHashSet(StringComparer.Ordinal);
        foreach (var mapping in _store.Mappings.Where(each => !present.Contains(each.Uid)))
        {
            if (!_agreed.ContainsKey(mapping.Uid))
                continue;
            Require(
                Sides.Any(side => _people[side].Deleted.Contains(mapping.Uid)
                    || _people[side].Deleted.Any(uid =>
                        uid.EndsWith(mapping.Uid[1..], StringComparison.Ordinal))),
                $"{mapping.Uid} is gone although nobody deleted it.");
        }

        foreach (var mapping in active)
        {
            foreach (var side in Sides)
            {
                var isEdited = Sides.Any(each =>
                    _people[each].Edits.Keys.Any(edit => edit.Uid == mapping.On(each)!.Uid));
                Require(
                    !_people[side].Deleted.Contains(mapping.On(side)!.Uid) || isEdited
                        || !_agreed.ContainsKey(mapping.Uid),
                    $"{mapping.Uid} was deleted on the {side} side, edited nowhere, and is still there.");
            }
        }
    }

    private CalendarDocument Content(EventMapping mapping, MergeSide side) => ResourceContent.WithUid(
        _calendars[side].Events[mapping.On(side)!.Address.Value], mapping.Uid);

    private CalendarDocument Carried(CalendarDocument content) =>
        _calendars[MergeSide.Left].Carried(_calendars[MergeSide.Right].Carried(content));

    private string? Kept(MergeSide side, string field, string? value) =>
        field == "LOCATION" && _calendars[side].Habits.IsDamaging ? value?.Split("\\,")[0] : value;

    private static IEnumerable<string> Expanded(CalendarDocument content) =>
        CalendarExpansion.Read(content, CalendarZone.Utc).Occurrences().OfType<ExpansionStep.Found>()
            .Select(step => $"{step.Value.Start} {step.Value.End} {step.Value.IsCancelled} "
                + step.Value.Component.Property("SUMMARY"u8)?.RawValue);

    private SimulatedFault Trouble(MergeSide side, string call)
    {
        Crash($"{side} {call}");
        var fault = !_isRough || _random.NextDouble() >= _faultShare ? SimulatedFault.None
            : call switch
            {
                "changes" => (SimulatedFault)_random.Next(4, 7),
                "read" => _random.Next(2) == 0 ? SimulatedFault.StaleRead : SimulatedFault.ReadFails,
                "find" => SimulatedFault.ReadFails,
                _ => (SimulatedFault)_random.Next(1, 3),
            };
        Trace($"  {side} {call} {(fault == SimulatedFault.None ? "" : fault.ToString())}");
        return fault;
    }

    private void Crash(string where)
    {
        if (!_isRough || _random.NextDouble() >= _crashShare)
            return;
        Trace($"  killed at {where}");
        throw new SimulatedCrashException();
    }

    /// <summary>Somebody edits just between our write and our reading it back.</summary>
    private void Interfere(MergeSide side, string address)
    {
        var habits = _calendars[side].Habits;
        if (_isRough && habits is { HasVersions: true, AnswersVersion: true, IsFlapping: false }
            && _random.Next(30) == 0)
        {
            _people[side].EditAt(address);
            Trace($"  {side} edited meanwhile");
        }

        Crash($"{side} written");
    }

    /// <summary>What the engine overwrites must be in the ledger before.</summary>
    private void RequireRecorded(MergeSide side, CalendarDocument content)
    {
        var any = ResourceContent.WithUid(content, "any");
        Require(
            _store.Contents.Contains(any.ToString())
                || _store.Contents.Any(each => ResourceContent.IsSame(CalendarDocument.Parse(each), any)),
            $"A version of {ResourceContent.Uid(content, out _)} on the {side} side was overwritten "
            + "without a record.");
    }

    private static void Require(bool isKept, string promise)
    {
        if (!isKept)
            throw new BrokenPromiseException(promise);
    }

    private void Trace(string line) => _trace.Add(line);

    private sealed class BrokenPromiseException(string message) : Exception(message);
}
