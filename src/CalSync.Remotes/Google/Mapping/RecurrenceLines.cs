using System.Collections.Immutable;
using CalSync.Calendar;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;
using NodaTime;

namespace CalSync.Remotes.Google.Mapping;

/// <summary>What makes an event recur, in the one form that is read from and written to both sides.</summary>
/// <remarks>
/// RFC 5545 section 3.8.5; Google's <c>recurrence</c> has the same lines without DTSTART. UNTIL is a date for
/// days and in UTC for times, as section 3.3.10 and Google ask. Instances that are left out stand apart:
/// Google keeps them as EXDATE or as cancelled events, and both mean the same.
/// </remarks>
/// <param name="Rules">RRULE, EXRULE and RDATE as unfolded content lines, one for each rule or
/// date.</param>
/// <param name="ExDates">The instances left out, each once, in order.</param>
internal sealed record RecurrenceLines(
    ImmutableArray<string> Rules, ImmutableSortedDictionary<string, GoogleTime> ExDates)
{
    /// <summary>Nothing recurs.</summary>
    public static RecurrenceLines None { get; } =
        new([], ImmutableSortedDictionary.Create<string, GoogleTime>(StringComparer.Ordinal));

    /// <summary>Google's <c>recurrence</c> with these instances left out; null when nothing recurs.</summary>
    public ImmutableArray<string> ToLines(IEnumerable<GoogleTime> exDates) =>
        Rules.IsEmpty ? [] : [.. Rules, .. exDates.Select(time => ExDate(time).ToString())];

    /// <summary>An instance left out, as both sides write it.</summary>
    public static PropertyContent ExDate(GoogleTime time) =>
        NewProperty.Time("EXDATE", time.ToCalendar(isSeries: true));

    /// <summary>Reads properties of one series.</summary>
    /// <param name="properties">Of any name; RRULE, EXRULE, RDATE and EXDATE count.</param>
    /// <param name="start">When the series starts.</param>
    /// <param name="zones">Finds what TZID means.</param>
    /// <param name="fault">The property that cannot be read; null when all were.</param>
    public static RecurrenceLines Read(
        IEnumerable<CalendarProperty> properties, GoogleTime start, ZoneFinder zones,
        out CalendarProperty? fault)
    {
        var rules = new List<string>();
        var dates = new SortedSet<string>(StringComparer.Ordinal);
        var exDates = ImmutableSortedDictionary.CreateBuilder<string, GoogleTime>(StringComparer.Ordinal);
        fault = null;
        foreach (var property in properties)
        {
            var isRead = property.Name switch
            {
                "RRULE" or "EXRULE" => AddRule(rules, property, start),
                "RDATE" => AddDates(dates, property, start, zones),
                "EXDATE" => AddExDates(exDates, property, start, zones),
                _ => true,
            };
            if (!isRead)
            {
                fault = property;
                return None;
            }
        }

        return new RecurrenceLines([.. rules.Distinct(), .. dates], exDates.ToImmutable());
    }

    /// <summary>The series these lines make.</summary>
    /// <param name="start">When it starts.</param>
    /// <returns>Null when its occurrences cannot be computed.</returns>
    public RecurrenceSet? ToSet(GoogleTime start)
    {
        RecurrenceStart? first = start switch
        {
            GoogleTime.AllDay day => new RecurrenceStart.AllDay(day.Day),
            GoogleTime.Timed timed => new RecurrenceStart.Timed(timed.At.Local, timed.At.Zone),
            _ => null,
        };
        return first is not null
            && RecurrenceSet.Parse(Rules, first) is RecurrenceSetParse.Parsed parsed
            ? parsed.Set
            : null;
    }

    private static bool AddRule(List<string> rules, CalendarProperty property, GoogleTime start)
    {
        if (!property.ReadRecur().TryGet(out var rule))
            return false;
        var ended = rule with { Until = Until(rule.Until, start) };
        rules.Add(NewProperty.Recur(property.Name, ended).ToString());
        return true;
    }

    private static RecurUntil? Until(RecurUntil? until, GoogleTime start) => start is GoogleTime.Timed timed
        ? InUtc(until, timed.At.Zone)
        : OnDate(until);

    private static RecurUntil? OnDate(RecurUntil? until) => until switch
    {
        RecurUntil.AtLocal local => new RecurUntil.OnDate(local.Time.Date),
        RecurUntil.AtUtc utc => new RecurUntil.OnDate(utc.Time.Date),
        _ => until,
    };

    private static RecurUntil? InUtc(RecurUntil? until, CalendarZone zone)
    {
        LocalDateTime? wall = until switch
        {
            RecurUntil.AtLocal local => local.Time,
            RecurUntil.OnDate day => day.Date.At(new LocalTime(23, 59, 59)),
            _ => null,
        };
        return wall is { } last && GoogleTime.IsSupported(last)
            ? new RecurUntil.AtUtc(CalendarTime.Utc.From(GoogleTime.OnWall(last, zone).Instant).Time)
            : until;
    }

    private static bool AddDates(
        SortedSet<string> dates, CalendarProperty property, GoogleTime start, ZoneFinder zones)
    {
        if ("PERIOD".Equals(property.ParameterValue("VALUE"u8), StringComparison.OrdinalIgnoreCase))
            return AddPeriods(dates, property, start, zones);
        if (!property.ReadTimes().TryGet(out var times))
            return false;
        foreach (var time in times)
        {
            if (Instance(time, property, start, zones) is not { } instance)
                return false;
            dates.Add(NewProperty.Time("RDATE", instance.ToCalendar(isSeries: true)).ToString());
        }

        return true;
    }

    private static bool AddPeriods(
        SortedSet<string> dates, CalendarProperty property, GoogleTime start, ZoneFinder zones)
    {
        if (start is not GoogleTime.Timed || !property.ReadPeriods().TryGet(out var periods))
            return false;
        foreach (var period in periods)
        {
            if (Instance(period.Start, property, start, zones) is not { } from)
                return false;
            var to = period switch
            {
                CalendarPeriod.Until until => Instance(until.End, property, start, zones),
                CalendarPeriod.For length => from.Plus(length.Duration),
                _ => null,
            };
            if (to is null || from.Until(to) is not { IsNegative: false } duration)
                return false;
            dates.Add(NewProperty.Periods(
                "RDATE", [new CalendarPeriod.For(from.ToCalendar(isSeries: true), duration)]).ToString());
        }

        return true;
    }

    private static bool AddExDates(
        ImmutableSortedDictionary<string, GoogleTime>.Builder exDates, CalendarProperty property,
        GoogleTime start, ZoneFinder zones)
    {
        if (!property.ReadTimes().TryGet(out var times))
            return false;
        foreach (var time in times)
        {
            if (Instance(time, property, start, zones) is not { } instance)
                return false;
            exDates[instance.Key] = instance;
        }

        return true;
    }

    /// <summary>
    /// An instance a date names: of the kind the series has, on its wall. A day of a timed series (REC-4) is
    /// the time at which the series begins.
    /// </summary>
    public static GoogleTime? Instance(
        CalendarTime time, CalendarProperty property, GoogleTime start, ZoneFinder zones)
    {
        if (start is not GoogleTime.Timed timed)
        {
            return GoogleTime.IsSupported(time.Day.AtMidnight())
                ? new GoogleTime.AllDay(time.Day)
                : null;
        }

        if (time is not CalendarTime.Date day)
            return zones.Of(time, property, timed.At.Zone)?.SeenLike(start);
        var wall = day.Value.At(timed.At.Local.TimeOfDay);
        return GoogleTime.IsSupported(wall)
            ? new GoogleTime.Timed(GoogleTime.OnWall(wall, timed.At.Zone))
            : null;
    }
}
