using System.Collections.Immutable;
using System.Diagnostics;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;
using CalSync.Calendar.Zones;
using NodaTime;

namespace CalSync.Calendar.Recurrence;

/// <summary>Finds the series of a stream. See <see cref="CalendarExpansion.Read"/>.</summary>
internal sealed class ResourceReader
{
    // RFC 5545 asks for one; every occurrence is asked of each.
    private const int RuleCountMax = 100;

    private const string StartSection = "RFC 5545 3.8.2.4";

    private readonly CalendarZone _floating;
    private readonly StreamZones _zones = new();
    private readonly ImmutableArray<CalendarProblem>.Builder _problems;

    private ResourceReader(CalendarZone floating, ImmutableArray<CalendarProblem>.Builder problems)
    {
        _floating = floating;
        _problems = problems;
    }

    public static ImmutableArray<ResourceSeries> Read(
        CalendarDocument document, CalendarZone floating, ImmutableArray<CalendarProblem>.Builder problems)
    {
        var reader = new ResourceReader(floating, problems);
        var components = document.AllComponents.Where(IsExpanded).Select((component, order) =>
            (Component: component, Order: order, Uid: component.Text("UID"u8).Value));

        // Without a UID nothing connects two components.
        return
        [
            .. components
                .GroupBy(each => (
                    each.Component.Parent?.Index, each.Component.Name, each.Uid,
                    string.IsNullOrEmpty(each.Uid) ? each.Order : 0))
                .SelectMany(group => reader.Series(
                    group.Key.Uid ?? "", [.. group.Select(each => each.Component)])),
        ];
    }

    private static bool IsExpanded(CalendarComponent component) =>
        component.Is("VEVENT"u8) || component.Is("VTODO"u8) || component.Is("VJOURNAL"u8);

    private IEnumerable<ResourceSeries> Series(string uid, ImmutableArray<CalendarComponent> components)
    {
        var masters = new List<(SeriesPart Part, RecurrenceSet Set)>();
        foreach (var component in components.Where(each => each.Property("RECURRENCE-ID"u8) is null))
        {
            if (Part(component) is { } part)
            {
                masters.Add((part, Set(component, part.Start)));
            }
        }

        var (master, set) = masters.FirstOrDefault();
        var overrides = new List<SeriesOverride>();
        foreach (var component in components)
        {
            if (component.Property("RECURRENCE-ID"u8) is { } id
                && Instance(id, master?.Start) is { } instance && Part(component) is { } part)
            {
                overrides.Add(new SeriesOverride(part, instance, Key(instance), IsAndFuture(id)));
            }
        }

        if (master is not null || overrides.Count > 0)
        {
            yield return new ResourceSeries(uid, master, set, Latest(overrides));
        }

        // A second series under one UID is a fault of the producer; it is shown as it stands.
        foreach (var (part, other) in masters.Skip(1))
        {
            yield return new ResourceSeries(uid, part, other, []);
        }
    }

    /// <summary>Of several for one instance the one with the highest SEQUENCE, of equals the last.</summary>
    private static ImmutableArray<SeriesOverride> Latest(List<SeriesOverride> overrides) =>
    [
        .. overrides.GroupBy(each => each.Key).Select(group =>
            group.OrderBy(each => each.Part.Component.Integer("SEQUENCE"u8).Or(0)).Last()),
    ];

    private static bool IsAndFuture(CalendarProperty id) => string.Equals(
        id.ParameterValue("RANGE"u8), "THISANDFUTURE", StringComparison.OrdinalIgnoreCase);

    private SeriesPart? Part(CalendarComponent component)
    {
        var property = component.Property("DTSTART"u8)
            ?? (component.Is("VTODO"u8) ? component.Property("DUE"u8) : null);
        if (property is null)
        {
            // A task without a date is on no day, and RFC 5545 allows it.
            if (!component.Is("VTODO"u8))
            {
                _problems.Add(component.Problem(
                    CalendarProblemCode.MissingStart, ProblemSeverity.Error, StartSection, "DTSTART"));
            }

            return null;
        }

        var start = Start(property.Value);
        var isCancelled = component.Keyword("STATUS"u8).Value == "CANCELLED";
        return start is null
            ? null
            : new SeriesPart(component, start, Length(component, start), isCancelled);
    }

    private RecurrenceStart? Start(CalendarProperty property)
    {
        if (!Reads(property.ReadTime(), out var time))
        {
            return null;
        }

        if (time is CalendarTime.Date { Value.Year: >= LocalTimeText.YearMin } date)
        {
            return new RecurrenceStart.AllDay(date.Value);
        }

        return Wall(time) is { } wall && InYears(wall, property)
            && ZoneOf(time, property, _floating) is { } zone
                ? new RecurrenceStart.Timed(wall, zone)
                : null;
    }

    /// <summary>
    /// From DTEND or DUE exactly, from DURATION as the calendar counts; without both a day for a date,
    /// nothing for a time. RFC 5545 sections 3.6.1 and 3.8.5.3.
    /// </summary>
    private CalendarDuration Length(CalendarComponent component, RecurrenceStart start)
    {
        var end = component.Property("DTEND"u8)
            ?? (component.Property("DTSTART"u8) is null ? null : component.Property("DUE"u8));
        if (end is { } property && Start(property) is { } until)
        {
            return (start, until) switch
            {
                (RecurrenceStart.AllDay first, RecurrenceStart.AllDay last) =>
                    new CalendarDuration(Math.Max(0, Period.DaysBetween(first.Date, last.Date)), 0),
                (RecurrenceStart.Timed first, RecurrenceStart.Timed last) =>
                    new CalendarDuration(0, Math.Max(0, Utc(last) - Utc(first))),

                // Of two kinds: a fault of the producer, of which only the days can be meant.
                _ => new CalendarDuration(Math.Max(0, Period.DaysBetween(DayOf(start), DayOf(until))), 0),
            };
        }

        if (component.Property("DURATION"u8) is { } duration
            && Reads(duration.ReadDuration(), out var length))
        {
            return length.IsNegative ? default : length;
        }

        return start is RecurrenceStart.AllDay && !component.Is("VTODO"u8)
            ? new CalendarDuration(1, 0)
            : default;
    }

    private RecurrenceSet Set(CalendarComponent component, RecurrenceStart start)
    {
        var (rules, exRules) = (new List<Recur>(), new List<Recur>());
        var (dates, exDates) = (new List<DateListItem>(), new List<DateListItem>());
        foreach (var property in component.Properties)
        {
            if (property.Is("RRULE"u8) || property.Is("EXRULE"u8))
            {
                if (rules.Count + exRules.Count == RuleCountMax)
                {
                    _problems.Add(property.LineProblem(
                        CalendarProblemCode.LimitReached, ProblemSeverity.Error, "RFC 5545 3.8.5.3",
                        $"at most {RuleCountMax} rules in one component"));
                    break;
                }

                if (Reads(property.ReadRecur(), out var recur))
                {
                    (property.Is("RRULE"u8) ? rules : exRules).Add(recur);
                }
            }
            else if (property.Is("EXDATE"u8))
            {
                exDates.AddRange(Times(property, start));
            }
            else if (property.Is("RDATE"u8))
            {
                dates.AddRange(IsPeriods(property) ? PeriodsOf(property, start) : Times(property, start));
            }
        }

        return new RecurrenceSet(start, [.. rules], [.. exRules], [.. dates], [.. exDates]);
    }

    private static bool IsPeriods(CalendarProperty property) =>
        property.ValueOctets.Contains((byte)'/');

    private IEnumerable<DateListItem> Times(CalendarProperty property, RecurrenceStart start)
    {
        if (!Reads(property.ReadTimes(), out var times))
        {
            yield break;
        }

        foreach (var time in times)
        {
            if (Item(time, property, start) is { } item)
            {
                yield return item;
            }
        }
    }

    private IEnumerable<DateListItem> PeriodsOf(CalendarProperty property, RecurrenceStart start)
    {
        if (!Reads(property.ReadPeriods(), out var periods))
        {
            yield break;
        }

        foreach (var period in periods)
        {
            if (Item(period.Start, property, start) is not { } item)
            {
                continue;
            }

            PeriodEnd? end = period switch
            {
                CalendarPeriod.For lasting => new PeriodEnd.After(lasting.Duration),
                CalendarPeriod.Until until => Item(until.End, property, start) is { Zone: { } zone } last
                    ? new PeriodEnd.At(last.Time, zone)
                    : null,
                _ => throw new UnreachableException("Unknown period."),
            };
            yield return item with { End = item.IsDate ? null : end };
        }
    }

    private DateListItem? Item(CalendarTime time, CalendarProperty property, RecurrenceStart start)
    {
        // In an all-day series only the day counts, whatever else a producer writes.
        if (time is CalendarTime.Date || start is RecurrenceStart.AllDay)
        {
            return InYears(time.Day.AtMidnight(), property)
                ? DateItem(time, property, start)
                : null;
        }

        return Wall(time) is { } wall && InYears(wall, property)
            && ZoneOf(time, property, ((RecurrenceStart.Timed)start).Zone) is { } zone
                ? new DateListItem(wall, false, zone)
                : null;
    }

    /// <summary>
    /// An EXDATE with a date removes that day; an RDATE with one keeps the series' time of day.
    /// </summary>
    private static DateListItem DateItem(
        CalendarTime time, CalendarProperty property, RecurrenceStart start) =>
        start is RecurrenceStart.Timed timed && property.Is("RDATE"u8)
            ? new DateListItem(time.Day.At(timed.Local.TimeOfDay), false, timed.Zone)
            : new DateListItem(time.Day.AtMidnight(), true, null);

    private OccurrenceTime? Instance(CalendarProperty property, RecurrenceStart? master)
    {
        if (!Reads(property.ReadTime(), out var time) || !InYears(time.Day.AtMidnight(), property))
        {
            return null;
        }

        if (master is RecurrenceStart.AllDay || (master is null && time is CalendarTime.Date))
        {
            return new OccurrenceTime.OnDay(time.Day);
        }

        // A date for an instance of a timed series means the one of that day.
        if (time is CalendarTime.Date && master is RecurrenceStart.Timed timed)
        {
            return At(time.Day.At(timed.Local.TimeOfDay), timed.Zone);
        }

        var zone = ZoneOf(time, property, (master as RecurrenceStart.Timed)?.Zone ?? _floating);
        return zone is null ? null : At(Wall(time)!.Value, zone);
    }

    private static OccurrenceTime.AtTime At(LocalDateTime wall, CalendarZone zone) =>
        new(ZonedTime.ResolveGapForwardOverlapEarlier(wall, zone));

    private static long Key(OccurrenceTime instance) => instance switch
    {
        OccurrenceTime.AtTime at => at.Time.Instant.ToUnixTimeSeconds(),
        OccurrenceTime.OnDay day =>
            LocalClock.FromLocalDateTime(day.Date.AtMidnight()) - LocalClock.UnixEpoch,
        _ => throw new UnreachableException("Unknown kind of time."),
    };

    private CalendarZone? ZoneOf(CalendarTime time, CalendarProperty property, CalendarZone floating)
    {
        switch (time)
        {
            case CalendarTime.Utc:
                return CalendarZone.Utc;
            case CalendarTime.Zoned zoned:
                if (_zones.Find(property, zoned.TzId) is ZoneResolution.Found found)
                {
                    return found.Zone;
                }

                _problems.Add(property.LineProblem(
                    CalendarProblemCode.UnknownZone, ProblemSeverity.Error, "RFC 5545 3.2.19",
                    "a zone that is known or that a VTIMEZONE describes"));
                return null;
            default:
                return floating;
        }
    }

    private static LocalDateTime? Wall(CalendarTime time) => time switch
    {
        CalendarTime.Floating floating => floating.Local,
        CalendarTime.Utc utc => utc.Time,
        CalendarTime.Zoned zoned => zoned.Local,
        _ => null,
    };

    private bool InYears(LocalDateTime wall, CalendarProperty property)
    {
        if (wall.Year is >= LocalTimeText.YearMin and <= LocalTimeText.YearMax)
        {
            return true;
        }

        _problems.Add(property.LineProblem(
            CalendarProblemCode.YearOutOfRange, ProblemSeverity.Error, "RFC 5545 3.3.4",
            "a year from 2 to 9998"));
        return false;
    }

    private bool Reads<T>(PropertyReading<T> reading, out T value)
    {
        if (reading.Problem is { Severity: ProblemSeverity.Error } problem)
        {
            _problems.Add(problem);
        }

        value = reading.Value!;
        return reading.State == ReadingState.Read;
    }

    private static LocalDate DayOf(RecurrenceStart start) =>
        start is RecurrenceStart.Timed timed ? timed.Local.Date : ((RecurrenceStart.AllDay)start).Date;

    private static long Utc(RecurrenceStart.Timed start) =>
        Key(At(start.Local, start.Zone));
}
