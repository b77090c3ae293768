using NodaTime;
using NodaTime.TimeZones;

namespace CalSync.Calendar.Zones;

/// <summary>
/// Describes a zone as a VTIMEZONE, in as few parts as its rules allow. RFC 5545 section 3.6.5.
/// </summary>
/// <remarks>
/// Changes of one kind (from one offset to another, with one name) that follow one yearly pattern become one
/// part with an RRULE: without an end where the pattern goes on for as long as is looked ahead, else with
/// UNTIL. The others of the kind share one part with RDATEs.
/// </remarks>
internal static class ObservanceWriter
{
    private const int RunLengthMin = 3;
    private const int LookAheadYears = 30;

    /// <summary>See <see cref="CalendarZone.ToEmbedded"/>.</summary>
    public static EmbeddedTimeZone Write(CalendarZone zone, DateTimeOffset from, DateTimeOffset to)
    {
        if (from > to)
        {
            throw new ArgumentOutOfRangeException(nameof(to), to, "The span must not end before it begins.");
        }

        // Checks both ends.
        _ = (ZonedTime.FromInstant(from, zone), ZonedTime.FromInstant(to, zone));
        var yearEnd = Math.Min(to.UtcDateTime.Year + LookAheadYears, LocalTimeText.YearMax);
        var lookAhead = Instant.FromUtc(yearEnd, 1, 1, 0, 0);
        var (first, last) = (Instant.FromDateTimeOffset(from), Instant.FromDateTimeOffset(to));
        var onsets = Onsets(zone.Rules, first, Instant.Max(last, lookAhead));
        var parts = new List<Observance>();
        if (onsets.Count == 0 || onsets[0].Utc > first)
        {
            parts.Add(Constant(zone.Rules.GetZoneInterval(first), from));
        }

        foreach (var kind in onsets.GroupBy(onset => onset.Kind))
        {
            AddParts(parts, [.. kind], last, yearEnd);
        }

        return new EmbeddedTimeZone(
            zone.Id, [.. parts.OrderBy(part => part.Start).ThenBy(part => part.OffsetTo)])
        {
            Location = zone.Id,
        };
    }

    /// <summary>The change that is in force at the beginning, and all up to the end.</summary>
    private static List<Onset> Onsets(DateTimeZone rules, Instant from, Instant to)
    {
        var onsets = new List<Onset>();
        var start = rules.GetZoneInterval(from);
        var before = start.HasStart ? rules.GetZoneInterval(start.Start - Duration.Epsilon) : start;
        foreach (var interval in rules.GetZoneIntervals(from, to))
        {
            // A change of the name alone moves no clock.
            if (interval.HasStart && interval.WallOffset != before.WallOffset)
            {
                onsets.Add(Onset.Of(before, interval));
                before = interval;
            }
            else if (onsets.Count == 0)
            {
                before = interval;
            }
        }

        return onsets;
    }

    /// <summary>A zone whose clocks have not changed yet.</summary>
    private static Observance Constant(ZoneInterval interval, DateTimeOffset from)
    {
        var offset = interval.WallOffset.Seconds;
        var epoch = new LocalDateTime(1970, 1, 1, 0, 0);
        var early = new LocalDateTime(Math.Max(from.UtcDateTime.Year - 1, LocalTimeText.YearMin), 1, 1, 0, 0);
        return new Observance(early < epoch ? early : epoch, offset, offset) { Name = interval.Name };
    }

    private static void AddParts(List<Observance> parts, List<Onset> onsets, Instant to, int yearEnd)
    {
        var single = new List<Onset>();
        for (var index = 0; index < onsets.Count && onsets[index].Utc <= to;)
        {
            var pattern = new YearlyPattern(onsets[index].Local);
            var next = index + 1;
            while (next < onsets.Count && pattern.TryExtend(onsets[next].Local))
            {
                next++;
            }

            var endless = next == onsets.Count && onsets[^1].Local.Year >= yearEnd - 1;
            var within = onsets[index..next].FindAll(onset => onset.Utc <= to);
            if (endless && next - index >= RunLengthMin)
            {
                parts.Add(onsets[index].Part() with { RRules = [pattern.Rule()] });
            }
            else if (within.Count >= RunLengthMin)
            {
                var until = new RecurUntil.AtUtc(within[^1].Utc.InUtc().LocalDateTime);
                parts.Add(onsets[index].Part() with { RRules = [pattern.Rule() with { Until = until }] });
            }
            else
            {
                single.AddRange(within);
            }

            index = next;
        }

        if (single.Count > 0)
        {
            parts.Add(single[0].Part() with { RDates = [.. single.Skip(1).Select(onset => onset.Local)] });
        }
    }

    /// <summary>One change of the clocks.</summary>
    /// <param name="Utc">When.</param>
    /// <param name="Local">What the clock shows then, before the change.</param>
    /// <param name="Kind">Which offsets and names it goes between.</param>
    private sealed record Onset(
        Instant Utc, LocalDateTime Local, (int From, int To, bool IsDaylight, string Name) Kind)
    {
        public static Onset Of(ZoneInterval before, ZoneInterval after)
        {
            var local = after.Start.WithOffset(before.WallOffset).LocalDateTime;
            var isDaylight = after.Savings > Offset.Zero;
            return new Onset(
                after.Start,
                local,
                (before.WallOffset.Seconds, after.WallOffset.Seconds, isDaylight, after.Name));
        }

        public Observance Part() =>
            new(Local, Kind.From, Kind.To) { IsDaylight = Kind.IsDaylight, Name = Kind.Name };
    }
}
