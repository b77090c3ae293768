using CalSync.Calendar.Document;

namespace CalSync.Tests.Contracts;

/// <summary>Events the contract of remote calendars writes.</summary>
internal static class RemoteCalendarSamples
{
    /// <summary>One hour in May 2026, in UTC.</summary>
    /// <param name="uid">The UID.</param>
    /// <param name="summary">The title.</param>
    /// <param name="more">Further lines of the VEVENT, each ended by a line break.</param>
    public static CalendarDocument Event(string uid, string summary = "Lesson", string more = "") => Calendar(
        $"""
        BEGIN:VEVENT
        UID:{uid}
        DTSTAMP:20260301T080000Z
        DTSTART:20260504T090000Z
        DTEND:20260504T100000Z
        SUMMARY:{summary}
        {more}END:VEVENT

        """);

    /// <summary>Ten Mondays in Berlin, the third moved by an hour and renamed, the fifth left out.</summary>
    public static CalendarDocument Series(string uid) => Calendar(
        $"""
        BEGIN:VTIMEZONE
        TZID:Europe/Berlin
        BEGIN:DAYLIGHT
        DTSTART:19810329T020000
        TZOFFSETFROM:+0100
        TZOFFSETTO:+0200
        TZNAME:CEST
        RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
        END:DAYLIGHT
        BEGIN:STANDARD
        DTSTART:19961027T030000
        TZOFFSETFROM:+0200
        TZOFFSETTO:+0100
        TZNAME:CET
        RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
        END:STANDARD
        END:VTIMEZONE
        BEGIN:VEVENT
        UID:{uid}
        DTSTAMP:20260301T080000Z
        DTSTART;TZID=Europe/Berlin:20260504T090000
        DTEND;TZID=Europe/Berlin:20260504T100000
        RRULE:FREQ=WEEKLY;COUNT=10
        EXDATE;TZID=Europe/Berlin:20260601T090000
        SUMMARY:Series
        END:VEVENT
        BEGIN:VEVENT
        UID:{uid}
        DTSTAMP:20260301T080000Z
        RECURRENCE-ID;TZID=Europe/Berlin:20260518T090000
        DTSTART;TZID=Europe/Berlin:20260518T100000
        DTEND;TZID=Europe/Berlin:20260518T110000
        SUMMARY:Series\, an hour later
        END:VEVENT

        """);

    /// <summary>Three days without a time.</summary>
    public static CalendarDocument AllDay(string uid) => Calendar(
        $"""
        BEGIN:VEVENT
        UID:{uid}
        DTSTAMP:20260301T080000Z
        DTSTART;VALUE=DATE:20260504
        DTEND;VALUE=DATE:20260507
        SUMMARY:Camp
        TRANSP:TRANSPARENT
        END:VEVENT

        """);

    private static CalendarDocument Calendar(string components) => CalendarDocument.Parse(
        $"""
        BEGIN:VCALENDAR
        VERSION:2.0
        PRODID:-//CalSync//Contract//EN
        {components}END:VCALENDAR

        """.ReplaceLineEndings("\r\n"));
}
