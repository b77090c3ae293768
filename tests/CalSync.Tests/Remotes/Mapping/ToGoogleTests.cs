using System.Text.Json.Nodes;
using CalSync.Calendar.Document;
using CalSync.Remotes.Google.Mapping;
using Xunit;

namespace CalSync.Tests.Remotes.Mapping;

/// <summary>Goal: what iCalendar says is said to Google, and what cannot be is named. By table.</summary>
public sealed class ToGoogleTests
{
    private const string Start = "DTSTART:20260320T120000Z\n";
    private const string ZonedStart = "DTSTART;TZID=Europe/Berlin:20260320T120000";
    private const string DayStart = "DTSTART;VALUE=DATE:20260320";
    private const string NoReminders = "\"reminders\":{\"useDefault\":false,\"overrides\":[]}";

    /// <summary>Lines, the start and end they mean, and the names of what is lost.</summary>
    public static TheoryData<string, string, string, string> Times => new()
    {
        {
            "DTSTART:20260320T120000Z\nDURATION:PT90M",
            """{"dateTime":"2026-03-20T12:00:00Z","timeZone":"UTC"}""",
            """{"dateTime":"2026-03-20T13:30:00Z","timeZone":"UTC"}""",
            ""
        },
        {
            "DTSTART;TZID=America/New_York:20260307T230000\nDURATION:P1D",
            """{"dateTime":"2026-03-07T23:00:00-05:00","timeZone":"America/New_York"}""",
            """{"dateTime":"2026-03-08T23:00:00-04:00","timeZone":"America/New_York"}""",
            ""
        },
        {
            "DTSTART;VALUE=DATE:20260320", """{"date":"2026-03-20"}""", """{"date":"2026-03-21"}""", ""
        },
        {
            "DTSTART;VALUE=DATE:20260320\nDTEND;VALUE=DATE:20260320",
            """{"date":"2026-03-20"}""", """{"date":"2026-03-21"}""", "DTEND"
        },
        {
            "DTSTART:20260320T120000Z",
            """{"dateTime":"2026-03-20T12:00:00Z","timeZone":"UTC"}""",
            """{"dateTime":"2026-03-20T12:00:00Z","timeZone":"UTC"}""",
            ""
        },

        // Floating: the calendar's zone, Berlin, is assumed, and said.
        {
            "DTSTART:20260320T120000\nDTEND:20260320T130000",
            """{"dateTime":"2026-03-20T12:00:00+01:00","timeZone":"Europe/Berlin"}""",
            """{"dateTime":"2026-03-20T13:00:00+01:00","timeZone":"Europe/Berlin"}""",
            "DTEND DTSTART"
        },

        // Windows names and aliases are names of IANA zones.
        {
            "DTSTART;TZID=India Standard Time:20260320T120000\nDTEND;TZID=Asia/Calcutta:20260320T130000",
            """{"dateTime":"2026-03-20T12:00:00+05:30","timeZone":"Asia/Kolkata"}""",
            """{"dateTime":"2026-03-20T13:00:00+05:30","timeZone":"Asia/Kolkata"}""",
            ""
        },

        // 02:30 does not exist on that day; RFC 5545 section 3.3.5 moves it by the gap.
        {
            "DTSTART;TZID=Europe/Berlin:20260329T023000",
            """{"dateTime":"2026-03-29T03:30:00+02:00","timeZone":"Europe/Berlin"}""",
            """{"dateTime":"2026-03-29T03:30:00+02:00","timeZone":"Europe/Berlin"}""",
            ""
        },
    };

    [Theory]
    [MemberData(nameof(Times))]
    public void Times_AreInstantsWithAnIanaZone(string lines, string start, string end, string lost)
    {
        var content = GoogleSamples.Calendar(lines);
        var draft = GoogleSamples.Draft(content);
        Assert.Equal(start, Json(draft.Master!.Fields["start"]));
        Assert.Equal(end, Json(draft.Master!.Fields["end"]));
        Assert.Equal(lost, Lost(draft, content));
    }

    /// <summary>Lines beside DTSTART, the fields they become, and the names of what is lost.</summary>
    public static TheoryData<string, string, string> Fields => new()
    {
        {
            "SUMMARY:A\\, b\nDESCRIPTION:x\\ny\nLOCATION:Here",
            """{"summary":"A, b","description":"x\ny","location":"Here"}""", ""
        },
        { "STATUS:CONFIRMED", "{}", "STATUS" },
        {
            "STATUS:TENTATIVE\nTRANSP:TRANSPARENT",
            """{"status":"tentative","transparency":"transparent"}""", ""
        },
        { "TRANSP:OPAQUE\nCLASS:PUBLIC", "{}", "" },
        { "CLASS:CONFIDENTIAL", """{"visibility":"confidential"}""", "" },
        { "CLASS:X-SECRET", "{}", "CLASS" },
        { "COLOR:crimson", """{"colorId":"11"}""", "" },
        { "COLOR:papayawhip", "{}", "COLOR" },
        {
            "URL:https://x.test/1",
            """{"source":{"url":"https://x.test/1","title":"https://x.test/1"}}""", ""
        },
        { "URL:message:abc", "{}", "URL" },
        { "CATEGORIES:A,B\nX-OTHER;P=1:v\nGEO:1.5;2.5\nPRIORITY:5", "{}", "CATEGORIES GEO PRIORITY X-OTHER" },
        {
            "ATTACH:https://x.test/f\nX-GOOGLE-CONFERENCE:https://m.test/a", "{}",
            "ATTACH X-GOOGLE-CONFERENCE"
        },
        { "SEQUENCE:4", """{"sequence":4}""", "" },
    };

    /// <summary>The same for alarms, people and HTML.</summary>
    public static TheoryData<string, string, string> MoreFields => new()
    {
        { "X-GOOGLE-REMINDERS:DEFAULT", """{"reminders":{"useDefault":true}}""", "" },
        {
            "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:This is an event reminder\nTRIGGER:-PT10M\nEND:VALARM",
            """{"reminders":{"useDefault":false,"overrides":[{"method":"popup","minutes":10}]}}""", ""
        },
        {
            "BEGIN:VALARM\nACTION:AUDIO\nTRIGGER:-P1D\nEND:VALARM",
            """{"reminders":{"useDefault":false,"overrides":[{"method":"popup","minutes":1440}]}}""", "VALARM"
        },
        {
            "X-GOOGLE-REMINDERS:DEFAULT\nBEGIN:VALARM\nACTION:EMAIL\nTRIGGER:PT0S\nEND:VALARM",
            """{"reminders":{"useDefault":false,"overrides":[{"method":"email","minutes":0}]}}""",
            "VALARM X-GOOGLE-REMINDERS"
        },
        {
            "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:PT5M\nEND:VALARM\n"
                + "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER;VALUE=DATE-TIME:20260320T110000Z\nEND:VALARM\n"
                + "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER;RELATED=END:-PT5M\nEND:VALARM",
            "{}", "VALARM"
        },
        {
            "ORGANIZER;CN=Me:mailto:me@x.test\nATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:ann@x.test\n"
                + "ATTENDEE;ROLE=OPT-PARTICIPANT;CUTYPE=RESOURCE;X-RESPONSE-COMMENT=No:mailto:r@x.test",
            """
            {"organizer":{"email":"me@x.test","displayName":"Me"},"attendees":[
            {"email":"ann@x.test","displayName":"Ann","responseStatus":"accepted"},
            {"email":"r@x.test","resource":true,"optional":true,"responseStatus":"needsAction",
            "comment":"No"}]}
            """,
            ""
        },
        {
            "ORGANIZER:mailto:me@x.test\nATTENDEE;RSVP=TRUE;ROLE=CHAIR:mailto:ann@x.test\n"
                + "ATTENDEE:urn:uuid:1\nATTENDEE;PARTSTAT=DELEGATED:mailto:ann@x.test",
            """
            {"organizer":{"email":"me@x.test"},"attendees":[
            {"email":"ann@x.test","responseStatus":"needsAction"}]}
            """,
            "ATTENDEE"
        },

        // An organizer without guests would make an invitation of it, of somebody else's.
        { "ORGANIZER:mailto:me@x.test", "{}", "ORGANIZER" },

        // The HTML comes back as long as its text is as it was.
        {
            "DESCRIPTION:Hi\\nyou\nX-ALT-DESC;FMTTYPE=text/html:<b>Hi</b><br>you",
            """{"description":"<b>Hi</b><br>you"}""", ""
        },
        {
            "DESCRIPTION:Edited\nX-ALT-DESC;FMTTYPE=text/html:<b>Hi</b><br>you",
            """{"description":"Edited"}""", "X-ALT-DESC"
        },
        {
            "DESCRIPTION:<b>literally</b>", """{"description":"<b>literally</b>"}""", "DESCRIPTION X-ALT-DESC"
        },
    };

    [Theory]
    [MemberData(nameof(Fields))]
    [MemberData(nameof(MoreFields))]
    public void Properties_AreFieldsOrLosses(string lines, string json, string lost)
    {
        var content = GoogleSamples.Calendar(Start + lines);
        var draft = GoogleSamples.Draft(content);
        var expected = JsonNode.Parse(
            $$"""
            {"start":{{Json(draft.Master!.Fields["start"])}},"end":{{Json(draft.Master!.Fields["end"])}},
            "status":"confirmed",{{NoReminders}},"iCalUID":"u1"}
            """)!.AsObject();
        foreach (var (name, value) in JsonNode.Parse(json)!.AsObject())
            expected[name] = value?.DeepClone();
        var sent = draft.ToImport();
        Assert.True(JsonNode.DeepEquals(expected, sent), sent.ToJsonString());
        Assert.Equal(lost, Lost(draft, content));
    }

    /// <summary>DTSTART is never among the lines; UNTIL is a date for days and in UTC for times.</summary>
    public static TheoryData<string, string, string, string> Recurrences => new()
    {
        {
            "DTSTART:20260320T120000Z", "RRULE:FREQ=DAILY;UNTIL=20260401T120000Z",
            "RRULE:FREQ=DAILY;UNTIL=20260401T120000Z", ""
        },
        {
            ZonedStart, "RRULE:FREQ=DAILY;UNTIL=20260401",
            "RRULE:FREQ=DAILY;UNTIL=20260401T215959Z", "RRULE"
        },
        {
            ZonedStart, "RRULE:FREQ=DAILY;UNTIL=20260401T120000",
            "RRULE:FREQ=DAILY;UNTIL=20260401T100000Z", "RRULE"
        },
        {
            DayStart, "RRULE:FREQ=DAILY;UNTIL=20260401T000000Z",
            "RRULE:FREQ=DAILY;UNTIL=20260401", "RRULE"
        },
        {
            ZonedStart, "RDATE;TZID=Europe/Berlin:20260322T120000,20260321T120000",
            "RDATE;TZID=Europe/Berlin:20260321T120000|RDATE;TZID=Europe/Berlin:20260322T120000", ""
        },
        {
            ZonedStart, "RRULE:FREQ=DAILY;COUNT=9\nEXDATE:20260321T110000Z",
            "RRULE:FREQ=DAILY;COUNT=9|EXDATE;TZID=Europe/Berlin:20260321T120000", "EXDATE"
        },
        {
            ZonedStart, "RRULE:FREQ=DAILY;COUNT=9\nEXDATE;VALUE=DATE:20260321",
            "RRULE:FREQ=DAILY;COUNT=9|EXDATE;TZID=Europe/Berlin:20260321T120000", "EXDATE"
        },
        {
            DayStart, "RRULE:FREQ=DAILY;COUNT=9\nEXDATE;VALUE=DATE:20260322,20260321",
            "RRULE:FREQ=DAILY;COUNT=9|EXDATE;VALUE=DATE:20260321|EXDATE;VALUE=DATE:20260322", ""
        },
        {
            ZonedStart, "RDATE;VALUE=PERIOD;TZID=Europe/Berlin:20260321T120000/PT2H",
            "RDATE;TZID=Europe/Berlin;VALUE=PERIOD:20260321T120000/PT2H", ""
        },
    };

    [Theory]
    [MemberData(nameof(Recurrences))]
    [Trait("Requirement", "R-SYNC-5-C")]
    public void Recurrence_IsLinesInGooglesForm(string start, string lines, string recurrence, string lost)
    {
        var content = GoogleSamples.Calendar($"{start}\n{lines}");
        var draft = GoogleSamples.Draft(content);
        var sent = draft.ToImport()["recurrence"]!.AsArray().Select(line => line!.GetValue<string>());
        Assert.Equal(recurrence, string.Join('|', sent));
        Assert.Equal(lost, Lost(draft, content));
    }

    /// <summary>R-SYNC-5-B: an override is an instance, known by when it was.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-5-A")]
    [Trait("Requirement", "R-SYNC-5-B")]
    public void Overrides_AreInstancesOfTheirSeries()
    {
        var content = GoogleSamples.Calendar(
            """
            DTSTART;TZID=Europe/Berlin:20260320T120000
            DTEND;TZID=Europe/Berlin:20260320T130000
            RRULE:FREQ=WEEKLY;COUNT=9
            SUMMARY:S
            LOCATION:Here

            RECURRENCE-ID:20260403T100000Z
            DTSTART;TZID=Europe/Berlin:20260403T150000
            DTEND;TZID=Europe/Berlin:20260403T160000
            SUMMARY:S

            RECURRENCE-ID;TZID=Europe/Berlin:20260410T120000
            DTSTART;TZID=Europe/Berlin:20260410T120000
            STATUS:CANCELLED
            """);
        var draft = GoogleSamples.Draft(content);
        var instance = Assert.Single(draft.Instances);
        Assert.Equal("20260403T100000Z", instance.Key);
        Assert.Equal("20260410T100000Z", Assert.Single(draft.Recurrence.ExDates).Key);
        var patch = instance.Value.PatchOf(draft.Master!.Instance(instance.Value.Original!));
        var expected = JsonNode.Parse(
            """
            {"location":null,
            "start":{"dateTime":"2026-04-03T15:00:00+02:00","timeZone":"Europe/Berlin","date":null},
            "end":{"dateTime":"2026-04-03T16:00:00+02:00","timeZone":"Europe/Berlin","date":null}}
            """);
        Assert.True(JsonNode.DeepEquals(expected, patch), patch.ToJsonString());
        Assert.Equal("EXDATE RECURRENCE-ID VEVENT", Lost(draft, content));
    }

    [Theory]
    [InlineData("SUMMARY:x", "DTSTART is missing")]
    [InlineData("DTSTART:tomorrow", "DTSTART is missing or cannot be read")]
    [InlineData("DTSTART;TZID=Moon/Base:20260320T120000", "No time zone is called Moon/Base")]
    [InlineData("DTSTART:20260320T120000Z\nDTEND:20260320T110000Z", "ends before it begins")]
    [InlineData("DTSTART:20260320T120000Z\nDTEND;VALUE=DATE:20260321", "DTEND or DURATION cannot be read")]
    [InlineData("DTSTART:20260320T120000Z\nRRULE:FREQ=SOMETIMES", "RRULE cannot be read")]
    [InlineData("DTSTART:20260320T120000Z\nSTATUS:CANCELLED", "keeps cancelled events only as deleted")]
    [InlineData("DTSTART:20260320T120000Z\n\nDTSTART:20260321T120000Z", "Two components say")]
    [InlineData(
        "DTSTART:20260320T120000Z\nRRULE:FREQ=DAILY\n\n"
            + "DTSTART:20260321T130000Z\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260321T120000Z",
        "from one occurrence on")]
    [Trait("Requirement", "R-SYNC-5-D")]
    public void WhatGoogleCannotHold_IsRefusedInWords(string lines, string problem)
    {
        var (draft, said) = DraftWriting.Write("u1", GoogleSamples.Calendar(lines), GoogleSamples.Berlin);
        Assert.Null(draft);
        Assert.Contains(problem, said, StringComparison.Ordinal);
    }

    /// <summary>A calendar's own zone becomes the IANA zone that shows the same time.</summary>
    [Fact]
    public void AZoneOfTheCalendarsOwn_BecomesOneThatShowsTheSameTime()
    {
        var content = CalendarDocument.Parse(
            """
            BEGIN:VCALENDAR
            VERSION:2.0
            PRODID:-//t//t//EN
            BEGIN:VTIMEZONE
            TZID:Customized Time Zone
            BEGIN:STANDARD
            DTSTART:16010101T000000
            TZOFFSETFROM:+0545
            TZOFFSETTO:+0545
            END:STANDARD
            END:VTIMEZONE
            BEGIN:VEVENT
            UID:u1
            DTSTAMP:20260101T000000Z
            DTSTART;TZID=Customized Time Zone:20260320T120000
            RRULE:FREQ=DAILY;COUNT=3
            END:VEVENT
            END:VCALENDAR

            """.ReplaceLineEndings("\r\n"));
        var draft = GoogleSamples.Draft(content);
        Assert.Equal(
            """{"dateTime":"2026-03-20T12:00:00+05:45","timeZone":"Asia/Kathmandu"}""",
            Json(draft.Master!.Fields["start"]));
        var loss = draft.Losses(content).First(each => each.What == "DTSTART");
        Assert.Contains("Asia/Kathmandu", loss.Why, StringComparison.Ordinal);
    }

    private static string Lost(GoogleDraft draft, CalendarDocument content) => string.Join(
        ' ', draft.Losses(content).Select(loss => loss.What.Split(" of ")[0]).Distinct()
            .Order(StringComparer.Ordinal));

    private static string Json(JsonNode? node) => node!.ToJsonString(new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
