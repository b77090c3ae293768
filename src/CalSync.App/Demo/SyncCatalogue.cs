using System.Globalization;
using System.Text.Json.Nodes;

namespace CalSync.App.Demo;

/// <summary>The events of the demo's two calendars: some on one side, one on both.</summary>
internal static class SyncCatalogue
{
    /// <summary>How many lessons the iCloud calendar has beside the series and the holiday.</summary>
    public const int LessonCount = 10;

    /// <summary>The UID of the lesson that is in both calendars from the start.</summary>
    public static string SharedUid => Uid(1);

    /// <summary>The events in iCloud, by the name of their resource.</summary>
    public static IReadOnlyList<(string Name, string Text)> OfICloud =>
    [
        .. Enumerable.Range(0, LessonCount).Select(index => (Name(index), Lesson(index, hour: 9))),
        ("yoga.ics", Calendar(
            """
            BEGIN:VEVENT
            UID:yoga@studio.test
            DTSTAMP:20260101T000000Z
            DTSTART:20270405T170000Z
            DTEND:20270405T180000Z
            RRULE:FREQ=WEEKLY;COUNT=8
            EXDATE:20270419T170000Z
            SUMMARY:Yoga
            END:VEVENT
            BEGIN:VEVENT
            UID:yoga@studio.test
            RECURRENCE-ID:20270412T170000Z
            DTSTAMP:20260101T000000Z
            DTSTART:20270412T183000Z
            DTEND:20270412T193000Z
            SUMMARY:Yoga, later than usual
            END:VEVENT
            """)),
        ("holiday.ics", Calendar(
            """
            BEGIN:VEVENT
            UID:holiday@studio.test
            DTSTAMP:20260101T000000Z
            DTSTART;VALUE=DATE:20270701
            DTEND;VALUE=DATE:20270715
            SUMMARY:Holiday
            END:VEVENT
            """)),
    ];

    /// <summary>The events at Google, as its API takes them.</summary>
    public static IReadOnlyList<JsonObject> OfGoogle =>
    [
        Event(
            "dentist@studio.test", "Dentist", "America/New_York", "2027-03-20T08:00:00-04:00",
            "2027-03-20T08:30:00-04:00"),
        Event(
            "concert@studio.test", "Concert", "America/New_York", "2027-03-21T18:00:00-04:00",
            "2027-03-21T20:00:00-04:00"),
        Event(SharedUid, "Lesson 1", "UTC", "2027-03-02T09:00:00Z", "2027-03-02T10:00:00Z"),
    ];

    /// <summary>The resource of a lesson.</summary>
    public static string Name(int index) =>
        string.Create(CultureInfo.InvariantCulture, $"lesson-{index}.ics");

    /// <summary>The UID of a lesson.</summary>
    public static string Uid(int index) =>
        string.Create(CultureInfo.InvariantCulture, $"lesson-{index}@studio.test");

    /// <summary>A lesson of one hour.</summary>
    public static string Lesson(int index, int hour) => Calendar(string.Create(
        CultureInfo.InvariantCulture,
        $"""
        BEGIN:VEVENT
        UID:{Uid(index)}
        DTSTAMP:20260101T000000Z
        DTSTART:202703{index + 1:00}T{hour:00}0000Z
        DTEND:202703{index + 1:00}T{hour + 1:00}0000Z
        SUMMARY:Lesson {index}
        END:VEVENT
        """));

    private static string Calendar(string events) =>
        $"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//CalSync//Demo//EN\n{events}\nEND:VCALENDAR\n"
            .ReplaceLineEndings("\r\n");

    private static JsonObject Event(string uid, string title, string zone, string start, string end) => new()
    {
        ["iCalUID"] = uid,
        ["summary"] = title,
        ["start"] = new JsonObject { ["dateTime"] = start, ["timeZone"] = zone },
        ["end"] = new JsonObject { ["dateTime"] = end, ["timeZone"] = zone },
        ["reminders"] = new JsonObject { ["useDefault"] = false },
    };
}
