using CalSync.Calendar.Recurrence;
using NodaTime;
using NodaTime.TimeZones;

namespace CalSync.Calendar.Zones;

/// <summary>A zone that follows the observances of a VTIMEZONE. RFC 5545 section 3.6.5.</summary>
/// <remarks>
/// An onset is the instant its DTSTART, RRULE or RDATE shows in the offset before it. From there its own
/// offset holds until the next onset of any observance; before the first of all, the offset that one comes
/// from. Rules are followed to <see cref="CycleEnd"/>; if one goes on, its last 400 years repeat from there,
/// as weekdays and dates of the Gregorian calendar do. The rules of one zone share a budget of onsets and of
/// steps, so a hostile zone costs no more than a few hundred real ones.
/// </remarks>
internal sealed class ObservanceZone : DateTimeZone
{
    /// <summary>
    /// Onsets that the rules of one zone may give: a clock has two a year, and calendars begin in 1601.
    /// </summary>
    public const int OnsetCountMax = 2_500;

    /// <summary>Steps that the rules of one zone may take.</summary>
    public const int StepCountMax = 2 * OnsetCountMax;

    private const int CycleYears = 400;

    // The table that expansion uses ends before the first cycle does.
    private const int CycleEnd = OffsetTable.YearEnd + CycleYears;
    private const long CycleSeconds = 146_097L * CivilDays.SecondsPerDay;

    private readonly Lazy<Onsets> _onsets;

    private ObservanceZone(EmbeddedTimeZone zone, Offset min, Offset max)
        : base(zone.TzId, min == max, min, max) =>
        _onsets = new(() => new Onsets(zone));

    /// <summary>The zone; null when it has no observance or an offset beyond what a clock can have.</summary>
    public static ObservanceZone? Of(EmbeddedTimeZone zone)
    {
        if (zone.Observances.IsDefaultOrEmpty || zone.Observances.Any(part =>
            Math.Abs(part.OffsetFrom) > Observance.OffsetMax
            || Math.Abs(part.OffsetTo) > Observance.OffsetMax))
        {
            return null;
        }

        int[] offsets = [.. zone.Observances.SelectMany(part => (int[])[part.OffsetFrom, part.OffsetTo])];
        return new ObservanceZone(
            zone, Offset.FromSeconds(offsets.Min()), Offset.FromSeconds(offsets.Max()));
    }

    public override ZoneInterval GetZoneInterval(Instant instant)
    {
        var year = instant.InUtc().Year;
        if (year < CycleEnd || !_onsets.Value.GoOn)
        {
            return Find(_onsets.Value.Intervals, instant);
        }

        var cycles = ((year - CycleEnd) / CycleYears) + 1;
        var shift = Duration.FromSeconds(cycles * CycleSeconds);
        var found = Find(_onsets.Value.Intervals, instant - shift);
        return new ZoneInterval(
            found.Name,
            found.HasStart ? found.Start + shift : null,
            found.HasEnd && found.End.InUtc().Year + (cycles * CycleYears) <= LocalTimeText.YearMax
                ? found.End + shift
                : null,
            found.WallOffset,
            found.Savings);
    }

    private static ZoneInterval Find(ZoneInterval[] intervals, Instant instant)
    {
        var (low, high) = (0, intervals.Length - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = intervals[middle].Start <= instant ? (middle, high) : (low, middle - 1);
        }

        return intervals[low];
    }

    /// <summary>Evaluates a zone once.</summary>
    private sealed class Onsets
    {
        // Onsets in the two years behind the cycle end the interval that reaches over it.
        private static readonly long RuleEnd =
            (CivilDays.YearBegin(CycleEnd + 2) * CivilDays.SecondsPerDay) - LocalClock.UnixEpoch;

        private readonly List<(long Utc, int Part)> _found = [];
        private readonly StepBudget _budget = new(StepCountMax);
        private int _ruleOnsetCount;
        private bool _isRuleCut;

        public Onsets(EmbeddedTimeZone zone)
        {
            for (var part = 0; part < zone.Observances.Length; part++)
            {
                Add(zone.Observances[part], part);
            }

            // Where two fall on one instant, the later part of the component wins.
            _found.Sort();
            GoOn = _isRuleCut && _found[^1].Utc < RuleEnd;
            Intervals = [.. ToIntervals(zone)];
        }

        /// <summary>Whether a rule has more onsets than are listed.</summary>
        public bool GoOn { get; }

        /// <summary>In order; the first has no start, the last no end.</summary>
        public ZoneInterval[] Intervals { get; }

        private void Add(Observance part, int index)
        {
            var start = LocalClock.FromLocalDateTime(part.Start);
            _found.Add((start - LocalClock.UnixEpoch - part.OffsetFrom, index));
            _found.AddRange(part.RDates.Select(date =>
                (LocalClock.FromLocalDateTime(date) - LocalClock.UnixEpoch - part.OffsetFrom, index)));

            // A wall that never changes: UNTIL in UTC is then compared in this observance's own offset.
            var before = CalendarZone.OfOffset(part.OffsetFrom);
            foreach (var recur in part.RRules)
            {
                if (!Follow(new RuleInstances(recur, start, before, start, 0), index))
                {
                    break;
                }
            }
        }

        /// <summary>False when the budget of the zone is spent.</summary>
        private bool Follow(RuleInstances rule, int index)
        {
            while (_ruleOnsetCount < OnsetCountMax && rule.Advance(_budget))
            {
                if (rule.Current >= RuleEnd)
                {
                    _isRuleCut |= rule.Current != RuleInstances.None;
                    return true;
                }

                _ruleOnsetCount++;
                _found.Add((rule.Current, index));
            }

            return false;
        }

        private IEnumerable<ZoneInterval> ToIntervals(EmbeddedTimeZone zone)
        {
            Instant? start = null;
            var (name, offset) = ("", zone.Observances[_found[0].Part].OffsetFrom);
            for (var index = 0; index < _found.Count; index++)
            {
                var (utc, number) = _found[index];
                if (index + 1 < _found.Count && _found[index + 1].Utc == utc)
                {
                    continue;
                }

                var (part, end) = (zone.Observances[number], Instant.FromUnixTimeSeconds(utc));
                yield return new ZoneInterval(name, start, end, Offset.FromSeconds(offset), Offset.Zero);
                (start, name, offset) = (end, part.Name ?? "", part.OffsetTo);
            }

            yield return new ZoneInterval(name, start, null, Offset.FromSeconds(offset), Offset.Zero);
        }
    }
}
