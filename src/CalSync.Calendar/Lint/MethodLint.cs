using CalSync.Calendar.Document;

namespace CalSync.Calendar.Lint;

/// <summary>What METHOD asks of a calendar, and that one UID means one thing. RFC 5546 section 3.</summary>
internal static class MethodLint
{
    private static readonly string[] Methods =
        ["PUBLISH", "REQUEST", "REPLY", "ADD", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER"];

    public static void Check(CalendarComponent calendar, LintReport report)
    {
        if (!calendar.Is("VCALENDAR"u8))
            return;
        CheckIdentity(calendar, report);
        if (calendar.Property("METHOD"u8) is not { } property)
            return;
        var method = property.RawValue.Trim().ToUpperInvariant();
        if (!Methods.Contains(method))
        {
            report.Add(property.Problem(0, CalendarProblemCode.ValueOutOfRange, ProblemSeverity.Deviation,
                "RFC 5546 1.4", "a method of iTIP"));
            return;
        }

        foreach (var part in calendar.Components.Where(part => part.Is("VEVENT"u8) || part.Is("VTODO"u8)))
            CheckPart(part, method, report);
    }

    private static void CheckPart(CalendarComponent part, string method, LintReport report)
    {
        string[] needed = method switch
        {
            "REQUEST" or "COUNTER" => ["UID", "DTSTAMP", "DTSTART", "ORGANIZER", "ATTENDEE"],
            "REPLY" => ["UID", "DTSTAMP", "ORGANIZER", "ATTENDEE"],
            "CANCEL" => ["UID", "DTSTAMP", "ORGANIZER", "SEQUENCE"],
            "ADD" => ["UID", "DTSTAMP", "DTSTART", "ORGANIZER", "SEQUENCE"],
            "REFRESH" => ["UID", "DTSTAMP", "ORGANIZER", "ATTENDEE"],
            _ => ["UID", "DTSTAMP", "ORGANIZER"],
        };
        foreach (var name in needed.Where(name => !part.PropertiesNamed(name).Any()))
        {
            report.Add(part.Problem(CalendarProblemCode.MethodNeedsProperty, ProblemSeverity.Deviation,
                "RFC 5546 3.2", $"{name} with METHOD:{method}"));
        }

        var attendees = part.PropertiesNamed("ATTENDEE").Take(2).ToArray();
        if (method == "PUBLISH" && attendees is [var first, ..])
        {
            report.Add(first.LineProblem(CalendarProblemCode.MethodForbidsProperty, ProblemSeverity.Deviation,
                "RFC 5546 3.2.1", "no ATTENDEE with METHOD:PUBLISH"));
        }

        if (method == "REPLY" && attendees is [_, var second])
        {
            report
                .Add(second.LineProblem(CalendarProblemCode.MethodForbidsProperty, ProblemSeverity.Deviation,
                "RFC 5546 3.2.3", "one ATTENDEE with METHOD:REPLY"));
        }
    }

    /// <summary>A UID names one thing, a UID with RECURRENCE-ID one occurrence of it.</summary>
    private static void CheckIdentity(CalendarComponent calendar, LintReport report)
    {
        var seen = new HashSet<(string Kind, string Uid, string RecurrenceId)>();
        foreach (var part in calendar.Components)
        {
            if (part.Property("UID"u8) is not { } uid || part.Is("VTIMEZONE"u8) || part.Is("VFREEBUSY"u8))
                continue;
            var recurrenceId = part.Property("RECURRENCE-ID"u8)?.RawValue ?? "";
            if (!seen.Add((part.Name, uid.RawValue, recurrenceId)))
            {
                report.Add(uid.LineProblem(CalendarProblemCode.DuplicateUid, ProblemSeverity.Warning,
                    "RFC 5545 3.8.4.7", "each UID once, or each of its occurrences"));
            }
        }
    }
}
