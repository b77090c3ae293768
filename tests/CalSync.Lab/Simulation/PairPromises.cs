using CalSync.Calendar;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Lab.Simulation;

/// <summary>A promise was broken.</summary>
internal sealed class BrokenPromiseException(string message) : Exception(message);

/// <summary>What must be true of a pair, whatever happened to it.</summary>
/// <param name="store">The ledger.</param>
/// <param name="calendars">Both sides.</param>
/// <param name="people">Who edits them.</param>
/// <param name="busy">The side that shows only busy; null for none.</param>
internal sealed partial class PairPromises(
    MemoryPairStore store, IReadOnlyDictionary<MergeSide, SimulatedCalendar> calendars,
    IReadOnlyDictionary<MergeSide, SimulatedPerson> people, MergeSide? busy)
{
    private static readonly MergeSide[] Sides = [MergeSide.Left, MergeSide.Right];
    private static readonly TimeSpan Expanded = TimeSpan.FromDays(3 * 366);
    private static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly CalendarNoise Noise = ResourceContent.Noise with
    {
        PropertyPrefixes = [.. ResourceContent.Noise.PropertyPrefixes, "X-SERVER"],
    };

    private Dictionary<string, Dictionary<string, string?>> _agreed = new(StringComparer.Ordinal);

    private readonly HashSet<(MergeSide Side, string Uid)> _edited = [];
    private readonly HashSet<(MergeSide Side, string Uid)> _deleted = [];
    private readonly HashSet<(MergeSide Side, string Uid)> _staying = [];
    private readonly Dictionary<(MergeSide Side, string Uid, string Field), string?> _set = [];
    private List<(string Uid, string Field, string?[] Values)> _contested = [];

    /// <summary>Whether anything went wrong yet.</summary>
    public bool WasTroubled { get; set; }

    /// <summary>Whether anything went wrong since all was last quiet.</summary>
    public bool IsTroubled { get; set; }

    /// <summary>Whether two contents say the same, whatever servers added.</summary>
    public static bool IsSame(CalendarDocument one, CalendarDocument other) =>
        CalendarDiff.Compare(one, other, Noise).IsEmpty;

    /// <summary>Breaks off unless a promise is kept.</summary>
    public static void Require(bool isKept, string promise)
    {
        if (!isKept)
            throw new BrokenPromiseException(promise);
    }

    /// <summary>A run begins: it can know what people did before.</summary>
    public void BeginRun()
    {
        PassRun();
        var contested =
            from mapping in store.Mappings
            where mapping is { Status: MappingStatus.Active, Left: not null, Right: not null }
            from field in new[] { "SUMMARY", "DESCRIPTION" }
            let values = Sides.Where(side => _set.ContainsKey((side, mapping.On(side)!.Uid, field)))
                .Select(side => _set[(side, mapping.On(side)!.Uid, field)]).ToArray()
            where busy is null && values.Length == 2 && values[0] != values[1]
                && Sides.All(side => calendars[side].Events.TryGetValue(
                    mapping.On(side)!.Address.Value, out var held)
                    && SimulatedPerson.Value(held, field) == values[side == MergeSide.Left ? 0 : 1])
            select (mapping.Uid, field, values);
        _contested = [.. contested];
        _set.Clear();
    }

    /// <summary>A run has ended by itself: where both sides had set one field, the one that lost is
    /// listed.</summary>
    public void EndRun()
    {
        PassRun();
        foreach (var (uid, field, values) in IsTroubled ? [] : _contested)
        {
            Require(
                store.Conflicts.Any(each => each.Property == field && each.Left == values[0]
                    && each.Right == values[1]),
                $"{uid} {field} was set to '{values[0]}' and '{values[1]}', and no conflict is listed.");
        }
    }

    /// <summary>A run begins or ends: it can know what people did before, and may know what they did
    /// meanwhile.</summary>
    public void PassRun()
    {
        _edited.Clear();
        _deleted.Clear();
    }

    /// <summary>Somebody edited an event: it stays, although it was just deleted on the other side.</summary>
    public void Edited(MergeSide side, string uid, string field, string? value)
    {
        // Words of the full side are never written to the other one, so no run notices there that it is gone.
        if (busy is not null && IsText(field))
            return;
        _set[(side, uid, field)] = value;
        _edited.Add((side, uid));
        if (Counterpart(side, uid) is { } other && _deleted.Contains(other) && !_edited.Contains(other))
            _staying.Add((side, uid));
    }

    /// <summary>Somebody deleted an event: it stays if it was just edited on the other side.</summary>
    public void Deleted(MergeSide side, string uid)
    {
        _deleted.Add((side, uid));
        _staying.Remove((side, uid));
        if (Counterpart(side, uid) is not { } other)
            return;
        // Who edited it too and then deleted it may have won a conflict before the deletion was seen.
        if (_edited.Contains(other) && !_deleted.Contains(other) && !_edited.Contains((side, uid)))
            _staying.Add(other);
        else
            _staying.Remove(other);
    }

    private (MergeSide Side, string Uid)? Counterpart(MergeSide side, string uid) =>
        store.Mappings.FirstOrDefault(each =>
                each.Status == MappingStatus.Active && each.On(side)?.Uid == uid)
            ?.On(side.Other()) is { } place
            ? (side.Other(), place.Uid)
            : null;

    /// <summary>What the engine overwrites must be in the record of a write before.</summary>
    public void RequireRecorded(MergeSide side, CalendarDocument content) => Require(
        store.IsRecorded(content),
        $"A version of {ResourceContent.Uid(content, out _)} on the {side} side was overwritten without a "
        + "record.");

    /// <summary>What the engine deletes is not on the other side.</summary>
    public void RequireGone(MergeSide side, CalendarDocument content)
    {
        var uid = ResourceContent.Uid(content, out _)!;
        var mapping = store.Mappings.FirstOrDefault(each => each.Uid == uid || each.On(side)?.Uid == uid);
        Require(
            mapping is not null,
            $"{uid} on the {side} side is deleted although the ledger does not know it.");
        var there = mapping!.On(side.Other())?.Uid ?? mapping.Uid;
        Require(
            calendars[side.Other()].Events.Values.All(each => ResourceContent.Uid(each, out _) != there),
            $"{uid} is deleted on the {side} side although the other side has it.");
    }

    /// <summary>Everything, when all is quiet.</summary>
    /// <param name="isLast">Whether to look at every occurrence too.</param>
    public void Check(bool isLast)
    {
        var active = store.Mappings.Where(each => each.Status == MappingStatus.Active).ToList();
        foreach (var side in Sides)
        {
            var events = calendars[side].Events;
            foreach (var mapping in active)
            {
                Require(
                    events.ContainsKey(mapping.On(side)!.Address.Value),
                    $"{mapping.Uid} is on the {side} side.");
            }

            Require(
                events.Count - (WasTroubled ? Stray(side) : 0) == active.Count,
                $"The {side} side holds {events.Count} events, the ledger {active.Count}: "
                + string.Join(' ', events.Keys));
            var uids = events.Values.Select(each => ResourceContent.Uid(each, out _)).ToList();
            Require(
                uids.Distinct(StringComparer.Ordinal).Count() == uids.Count,
                $"The {side} side has a UID twice: " + string.Join(' ', uids));
        }

        var agreed = new Dictionary<string, Dictionary<string, string?>>(StringComparer.Ordinal);
        foreach (var mapping in active)
        {
            CheckEqual(mapping, isLast);
            CheckCopy(mapping);
            agreed[mapping.Uid] = CheckFields(mapping);
        }

        CheckGone(active);
        foreach (var (side, uid) in _staying)
        {
            Require(
                calendars[side].Events.Values.Any(each => ResourceContent.Uid(each, out _) == uid),
                $"{uid} was edited on the {side} side when it was deleted on the other one, and is gone.");
        }

        _staying.Clear();
        IsTroubled = false;
        _agreed = agreed;
        foreach (var person in people.Values)
            person.Forget();
    }

    private void CheckEqual(EventMapping mapping, bool isLast)
    {
        var (left, right) = (Shown(mapping, MergeSide.Left), Shown(mapping, MergeSide.Right));
        var changes = CalendarDiff.Compare(Carried(left), Carried(right), Noise);
        Require(
            changes.IsEmpty,
            $"{mapping.Uid} is equal on both sides: " + string.Join("; ", changes.Select(each =>
                $"{each.Component} {each.Property}: {each.Before} / {each.After}")));
        Require(
            !isLast || Occurrences(left).SequenceEqual(Occurrences(right)),
            $"{mapping.Uid} has the same occurrences on both sides.");
    }

    /// <summary>Every field is what somebody last set it to, or as it was agreed on before.</summary>
    private Dictionary<string, string?> CheckFields(EventMapping mapping)
    {
        var agreed = new Dictionary<string, string?>(StringComparer.Ordinal);
        // Made again after a deletion it has the common UID on both sides.
        var isDeleted = Sides.Any(side => IsDeleted(side, mapping));
        foreach (var field in SimulatedPerson.AllFields)
        {
            if (busy is { } side && IsText(field))
            {
                agreed[field] = CheckText(mapping, side, field, isDeleted);
                continue;
            }

            List<string?> allowed =
            [
                .. Sides.Where(side => people[side].Edits.ContainsKey((mapping.On(side)!.Uid, field)))
                    .Select(side => people[side].Edits[(mapping.On(side)!.Uid, field)]),
            ];
            if (allowed.Count == 0)
                allowed.Add(_agreed.GetValueOrDefault(mapping.Uid)?.GetValueOrDefault(field));
            foreach (var each in Sides)
            {
                var value = SimulatedPerson.Value(Content(mapping, each), field);
                Require(
                    isDeleted || IsMaybeUnlinked(mapping)
                        || allowed.Any(one => Kept(each, field, one) == value)
                        || (field == "CONTACT" && calendars[each].Habits.IsLossy),
                    $"{mapping.Uid} {field} on the {each} side is '{value}', of "
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
        WasTroubled && mapping.Uid.Contains("own", StringComparison.Ordinal);

    /// <summary>What is gone was deleted by somebody, and what was deleted is not edited.</summary>
    private void CheckGone(List<EventMapping> active)
    {
        var present = active.Select(each => each.Uid).ToHashSet(StringComparer.Ordinal);
        foreach (var mapping in store.Mappings.Where(each => !present.Contains(each.Uid)))
        {
            Require(
                !_agreed.ContainsKey(mapping.Uid) || Sides.Any(side => IsDeleted(side, mapping)),
                $"{mapping.Uid} is gone although nobody deleted it.");
        }

        foreach (var mapping in active)
        {
            var isEdited = Sides.Any(each =>
                people[each].Edits.Keys.Any(edit => edit.Uid == mapping.On(each)!.Uid));
            foreach (var side in Sides)
            {
                Require(
                    !people[side].Deleted.Contains(mapping.On(side)!.Uid) || isEdited
                        || !_agreed.ContainsKey(mapping.Uid),
                    $"{mapping.Uid} was deleted on the {side} side, edited nowhere, and is still there.");
            }
        }
    }

    private bool IsDeleted(MergeSide side, EventMapping mapping) => people[side].Deleted.Any(uid =>
        uid == mapping.Uid || uid == mapping.On(side)?.Uid
            || (uid.Contains("own", StringComparison.Ordinal) && uid[1..] == mapping.Uid[1..]));

    private CalendarDocument Content(EventMapping mapping, MergeSide side) => ResourceContent.WithUid(
        calendars[side].Events[mapping.On(side)!.Address.Value], mapping.Uid);

    private CalendarDocument Carried(CalendarDocument content) =>
        calendars[MergeSide.Left].Carried(calendars[MergeSide.Right].Carried(content));

    private string? Kept(MergeSide side, string field, string? value) =>
        field == "LOCATION" && calendars[side].Habits.IsDamaging ? value?.Split("\\,")[0] : value;

    private static IEnumerable<string> Occurrences(CalendarDocument content) =>
        CalendarExpansion.Read(content, CalendarZone.Utc).Occurrences(Epoch, Epoch + Expanded)
            .OfType<ExpansionStep.Found>()
            .Select(step => $"{step.Value.Start} {step.Value.End} {step.Value.IsCancelled} "
                + step.Value.Component.Property("SUMMARY"u8)?.RawValue);
}
