using System.Collections.Frozen;
using CalSync.Calendar.Document;

namespace CalSync.Calendar.Lint;

/// <summary>Components: what they must have, may have once and may stand in. RFC 5545 section 3.6.</summary>
internal static class ComponentLint
{
    private const string EventOnce =
        "CLASS CREATED DESCRIPTION GEO LAST-MODIFIED LOCATION ORGANIZER PRIORITY "
        + "SEQUENCE STATUS SUMMARY URL RECURRENCE-ID DTSTART DURATION UID DTSTAMP";

    /// <summary>What the grammar says about one component.</summary>
    private sealed record Grammar(string Section, string Required, string Once, string Parents);

    private static readonly FrozenDictionary<string, Grammar> ByName = new Dictionary<string, Grammar>
    {
        ["VCALENDAR"] = new("3.6", "PRODID VERSION", "PRODID VERSION CALSCALE METHOD", ""),
        ["VEVENT"] = new("3.6.1", "UID DTSTAMP", EventOnce + " DTEND TRANSP", "VCALENDAR"),
        ["VTODO"] = new("3.6.2", "UID DTSTAMP", EventOnce + " DUE COMPLETED PERCENT-COMPLETE", "VCALENDAR"),
        ["VJOURNAL"] = new("3.6.3", "UID DTSTAMP",
            EventOnce.Replace(" DESCRIPTION", "", StringComparison.Ordinal), "VCALENDAR"),
        ["VFREEBUSY"] =
            new("3.6.4", "UID DTSTAMP", "UID DTSTAMP CONTACT DTSTART DTEND ORGANIZER URL", "VCALENDAR"),
        ["VTIMEZONE"] = new("3.6.5", "TZID", "TZID LAST-MODIFIED TZURL", "VCALENDAR"),
        ["STANDARD"] = new("3.6.5", "DTSTART TZOFFSETFROM TZOFFSETTO", "DTSTART TZOFFSETFROM TZOFFSETTO",
            "VTIMEZONE"),
        ["DAYLIGHT"] = new("3.6.5", "DTSTART TZOFFSETFROM TZOFFSETTO", "DTSTART TZOFFSETFROM TZOFFSETTO",
            "VTIMEZONE"),
        ["VALARM"] = new("3.6.6", "ACTION TRIGGER", "ACTION TRIGGER DURATION REPEAT DESCRIPTION SUMMARY",
            "VEVENT VTODO"),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static void Check(CalendarComponent component, LintReport report)
    {
        if (!ByName.TryGetValue(component.Name, out var grammar))
        {
            CheckPlace(component, "3.6", "VCALENDAR", report);
            return;
        }

        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var property in component.Properties)
        {
            var name = property.Name;
            var count = counts[name] = counts.GetValueOrDefault(name) + 1;
            if (count == 2 && grammar.Once.Split(' ').Contains(name))
            {
                report.Add(property.LineProblem(CalendarProblemCode.PropertyRepeated, ProblemSeverity.Warning,
                    "RFC 5545 " + grammar.Section, $"{name} once"));
            }

            if (count == 2 && name == "RRULE")
            {
                report.Add(property.LineProblem(CalendarProblemCode.SeveralRules, ProblemSeverity.Warning,
                    "RFC 5545 3.8.5.3", "one RRULE"));
            }
        }

        foreach (var name in grammar.Required.Split(' ').Where(name => !counts.ContainsKey(name)))
            Report(component, report, CalendarProblemCode.PropertyMissing, grammar.Section, name);
        CheckPlace(component, grammar.Section, grammar.Parents, report);
        switch (component.Name)
        {
            case "VCALENDAR" when !component.Components.Any():
                Report(component, report, CalendarProblemCode.NoComponent, "3.6",
                    "a component in the calendar");
                break;
            case "VTIMEZONE" when !component.Components.Any():
                Report(component, report, CalendarProblemCode.IncompleteTimeZone, "3.6.5",
                    "a STANDARD or DAYLIGHT part", ProblemSeverity.Error);
                break;
            case "VEVENT":
                Exclude(component, counts, "DTEND", "DURATION", "3.6.1", report);
                if (!counts.ContainsKey("DTSTART") && component.Parent?.Property("METHOD"u8) is null)
                    Report(component, report, CalendarProblemCode.PropertyMissing, "3.6.1", "DTSTART");
                break;
            case "VTODO":
                Exclude(component, counts, "DUE", "DURATION", "3.6.2", report);
                if (counts.ContainsKey("DURATION") && !counts.ContainsKey("DTSTART"))
                {
                    Report(component, report, CalendarProblemCode.PropertyMissing, "3.6.2",
                        "DTSTART with DURATION");
                }

                break;
            case "VALARM":
                CheckAlarm(component, counts, report);
                break;
        }
    }

    /// <summary>Components of other standards may hold those of this one.</summary>
    private static void CheckPlace(
        CalendarComponent component, string section, string parents, LintReport report)
    {
        var isCalendar = parents.Length == 0;
        if (component.Parent is not { } parent)
        {
            if (!isCalendar)
                Report(component, report, CalendarProblemCode.OutsideCalendar, section, "it in a VCALENDAR");
            return;
        }

        var name = parent.Name;
        if ((isCalendar || !parents.Split(' ').Contains(name))
            && ByName.ContainsKey(name) && ByName.ContainsKey(component.Name))
        {
            Report(component, report, CalendarProblemCode.MisplacedComponent, section,
                isCalendar ? "it in no other component" : $"it inside {parents}", ProblemSeverity.Error);
        }
    }

    private static void CheckAlarm(
        CalendarComponent alarm, Dictionary<string, int> counts, LintReport report)
    {
        if (counts.ContainsKey("DURATION") != counts.ContainsKey("REPEAT"))
        {
            Report(alarm, report, CalendarProblemCode.PropertyMissing, "3.6.6",
                "DURATION and REPEAT together");
        }

        var needed = alarm.Property("ACTION"u8)?.RawValue.Trim().ToUpperInvariant() switch
        {
            "DISPLAY" => "DESCRIPTION",
            "EMAIL" => "DESCRIPTION SUMMARY ATTENDEE",
            _ => "",
        };
        foreach (var name in needed.Split(' ').Where(name => name.Length > 0 && !counts.ContainsKey(name)))
        {
            Report(alarm, report, CalendarProblemCode.PropertyMissing, "3.6.6", name,
                ProblemSeverity.Deviation);
        }
    }

    private static void Exclude(
        CalendarComponent component, Dictionary<string, int> counts, string first, string second,
        string section, LintReport report)
    {
        if (counts.ContainsKey(first) && counts.ContainsKey(second))
            Report(component, report, CalendarProblemCode.PropertiesExclude, section, $"{first} or {second}");
    }

    private static void Report(
        CalendarComponent component, LintReport report, CalendarProblemCode code, string section,
        string expected, ProblemSeverity severity = ProblemSeverity.Warning) =>
        report.Add(component.Problem(code, severity, "RFC 5545 " + section, expected));
}
