using CalSync.Calendar.Document;
using CalSync.Calendar.Values;
using NodaTime;

namespace CalSync.Calendar.Lint;

/// <summary>Times that must agree with each other inside one component. RFC 5545 section 3.8.2.</summary>
internal static class TimeLint
{
    /// <summary>Rules of one component that are expanded: one is usual, and each costs time.</summary>
    private const int RuleCountMax = 16;

    public static void Check(CalendarComponent component, ZoneLint zones, LintReport report)
    {
        if (component.Property("DTSTART"u8) is not { } property || property.ReadTime().Value is not { } start)
            return;
        CheckEnd(component, start, "DTEND"u8, report);
        CheckEnd(component, start, "DUE"u8, report);
        foreach (var rule in component.PropertiesNamed("RRULE").Take(RuleCountMax))
        {
            if (rule.ReadRecur().Value is not { } recur)
                continue;
            CheckUntil(rule, recur, start, component, report);
            if (!component.Is("STANDARD"u8) && !component.Is("DAYLIGHT"u8)
                && !IsInstance(recur, start, zones))
            {
                report.Add(rule.LineProblem(CalendarProblemCode.StartOutsideRule, ProblemSeverity.Deviation,
                    "RFC 5545 3.8.5.3", "a DTSTART that the rule produces"));
            }
        }

        foreach (var dates in component.PropertiesNamed("EXDATE"))
        {
            var isOther = dates.ReadTimes().Or([])
                .Any(date => date is CalendarTime.Date != start is CalendarTime.Date);
            if (isOther)
            {
                report.Add(dates.LineProblem(CalendarProblemCode.TimeTypesDiffer, ProblemSeverity.Warning,
                    "RFC 5545 3.8.5.1", "dates of the same type as DTSTART"));
            }
        }
    }

    private static void CheckEnd(
        CalendarComponent component, CalendarTime start, ReadOnlySpan<byte> name, LintReport report)
    {
        if (component.Property(name) is not { } property || property.ReadTime().Value is not { } end)
            return;
        var isDateWithTime = start is CalendarTime.Date != end is CalendarTime.Date;
        if (isDateWithTime || start is CalendarTime.Floating != end is CalendarTime.Floating)
        {
            var severity = isDateWithTime ? ProblemSeverity.Warning : ProblemSeverity.Deviation;
            report.Add(property.LineProblem(CalendarProblemCode.TimeTypesDiffer, severity,
                "RFC 5545 3.8.2.2", "a time of the same type as DTSTART"));
            return;
        }

        // Wall times of one kind and zone can be compared as they stand; others need the zones' rules.
        if (start.GetType() != end.GetType()
            || (start as CalendarTime.Zoned)?.TzId != (end as CalendarTime.Zoned)?.TzId)
        {
            return;
        }

        var order = string.CompareOrdinal(end.ToString(), start.ToString());
        if (order < 0)
        {
            report.Add(property.Problem(0, CalendarProblemCode.EndBeforeStart, ProblemSeverity.Error,
                "RFC 5545 3.8.2.2", "a time after DTSTART"));
        }
        else if (order == 0)
        {
            report.Add(property.Problem(0, CalendarProblemCode.EndAtStart, ProblemSeverity.Deviation,
                "RFC 5545 3.8.2.2", "a time after DTSTART"));
        }
    }

    private static void CheckUntil(
        CalendarProperty rule, Recur recur, CalendarTime start, CalendarComponent component,
            LintReport report)
    {
        var isZone = component.Is("STANDARD"u8) || component.Is("DAYLIGHT"u8);
        var agrees = (recur.Until, start) switch
        {
            (null, _) => true,
            (RecurUntil.OnDate, CalendarTime.Date) => true,
            (RecurUntil.AtLocal, CalendarTime.Floating) => !isZone,
            (RecurUntil.AtUtc, CalendarTime.Utc or CalendarTime.Zoned) => true,
            (RecurUntil.AtUtc, CalendarTime.Floating) => isZone,
            _ => false,
        };
        if (!agrees)
        {
            report.Add(rule.LineProblem(CalendarProblemCode.UntilTypeDiffers, ProblemSeverity.Deviation,
                "RFC 5545 3.3.10", "UNTIL of DTSTART's type, in UTC when DTSTART has a zone"));
        }
    }

    /// <summary>
    /// Whether the rule has DTSTART among its own instances; true when that cannot be told.
    /// </summary>
    private static bool IsInstance(Recur recur, CalendarTime start, ZoneLint zones)
    {
        var limits = new OccurrenceLimits(CountMax: 1, UnmatchedMax: 1_000);
        RecurrenceStart? from = start switch
        {
            CalendarTime.Date { Value: { Year: >= LocalTimeText.YearMin } day } =>
                new RecurrenceStart.AllDay(day),
            CalendarTime.Floating floating => Timed(floating.Local, CalendarZone.Utc),
            CalendarTime.Utc utc => Timed(utc.Time, CalendarZone.Utc),
            CalendarTime.Zoned zoned when zones.Find(zoned.TzId) is { } zone => Timed(zoned.Local, zone),
            _ => null,
        };
        if (from is null)
            return true;
        var lines = $"RRULE:{recur with { Count = null, Until = null }}";
        if (RecurrenceSet.Parse([lines], from) is not RecurrenceSetParse.Parsed parsed)
            return true;
        var set = parsed.Set with { DtStartConvention = DtStartConvention.RuleOnly };
        return set.Occurrences(null, limits).First() switch
        {
            OccurrenceStep.AllDay day => from is RecurrenceStart.AllDay all && day.Date == all.Date,
            OccurrenceStep.Timed timed => from is RecurrenceStart.Timed at
                && timed.Start.Instant == Instant(at),
            _ => true,
        };
    }

    private static DateTimeOffset Instant(RecurrenceStart.Timed start) =>
        ZonedTime.ResolveGapForwardOverlapEarlier(start.Local, start.Zone).Instant;

    private static RecurrenceStart.Timed? Timed(LocalDateTime local, CalendarZone zone) =>
        local.Year is < LocalTimeText.YearMin or > LocalTimeText.YearMax ? null : new(local, zone);
}
