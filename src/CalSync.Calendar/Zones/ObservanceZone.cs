using CalSync.Calendar.Recurrence;
using NodaTime;
using NodaTime.TimeZones;

namespace CalSync.Calendar.Zones;

/// <summary>A zone that follows the observances of a VTIMEZONE. RFC 5545 section 3.6.5.</summary>
/// <remarks>
/// An onset is the instant its DTSTART, RRULE or RDATE shows in the offset before it. From there its own
/// offset holds until the next onset of any observance; before the first of all, the offset that one comes
/// from. Onsets up to <see cref="OffsetTable.YearEnd"/> are computed together, the rest when asked for. A
/// hostile rule stops giving onsets at <see cref="OnsetCountMax"/>.
/// </remarks>
internal sealed class ObservanceZone : DateTimeZone
{
    /// <summary>Onsets of one observance; the rules of clocks have two a year.</summary>
    public const int OnsetCountMax = 40_000;

    private readonly Lazy<ZoneInterval[]> _near;
    private readonly Lazy<ZoneInterval[]> _all;

    private ObservanceZone(EmbeddedTimeZone zone, Offset min, Offset max)
        : base(zone.TzId, min == max, min, max)
    {
        _near = new(() => Intervals(zone, OffsetTable.YearEnd + 2));
        _all = new(() => Intervals(zone, LocalTimeText.YearMax));
    }

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
        var found = Find(_near.Value, instant);
        return found.HasEnd || instant.InUtc().Year < OffsetTable.YearEnd
            ? found
            : Find(_all.Value, instant);
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

    private static ZoneInterval[] Intervals(EmbeddedTimeZone zone, int yearEnd)
    {
        // Where two onsets fall on one instant, the later part of the component wins.
        var onsets = new SortedDictionary<long, Observance>();
        foreach (var part in zone.Observances)
        {
            foreach (var utc in Onsets(part, yearEnd))
            {
                onsets[utc] = part;
            }
        }

        var intervals = new List<ZoneInterval>();
        Instant? start = null;
        var (name, offset) = ("", onsets.Values.First().OffsetFrom);
        foreach (var (utc, part) in onsets)
        {
            var end = Instant.FromUnixTimeSeconds(utc);
            intervals.Add(new ZoneInterval(name, start, end, Offset.FromSeconds(offset), Offset.Zero));
            (start, name, offset) = (end, part.Name ?? "", part.OffsetTo);
        }

        intervals.Add(new ZoneInterval(name, start, null, Offset.FromSeconds(offset), Offset.Zero));
        return [.. intervals];
    }

    private static IEnumerable<long> Onsets(Observance part, int yearEnd)
    {
        var start = LocalClock.FromLocalDateTime(part.Start);
        yield return start - LocalClock.UnixEpoch - part.OffsetFrom;
        foreach (var date in part.RDates.Take(OnsetCountMax))
        {
            yield return LocalClock.FromLocalDateTime(date) - LocalClock.UnixEpoch - part.OffsetFrom;
        }

        var last = (CivilDays.YearBegin(yearEnd) * CivilDays.SecondsPerDay) - LocalClock.UnixEpoch;
        foreach (var recur in part.RRules)
        {
            // A wall that never changes: UNTIL in UTC is then compared in this observance's own offset.
            var before = CalendarZone.OfOffset(part.OffsetFrom);
            var rule = new RuleInstances(recur, start, before, start, 0);
            var budget = new StepBudget(10 * OnsetCountMax);
            for (var count = 0; count < OnsetCountMax && rule.Advance(budget); count++)
            {
                if (rule.Current >= last)
                {
                    break;
                }

                yield return rule.Current;
            }
        }
    }
}
