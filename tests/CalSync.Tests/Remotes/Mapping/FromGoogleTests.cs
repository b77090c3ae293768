using System.Text.Json.Nodes;
using CalSync.Remotes.Google.Mapping;
using Xunit;

namespace CalSync.Tests.Remotes.Mapping;

/// <summary>Goal: what Google shows is said in iCalendar, or is a problem with its place. By table.</summary>
public sealed class FromGoogleTests
{
    private const string Hour =
        """
        "start":{"dateTime":"2026-03-20T13:00:00-03:00","timeZone":"Europe/Berlin"},
        "end":{"dateTime":"2026-03-20T14:00:00-03:00","timeZone":"Europe/Berlin"}
        """;

    private const string HourLines =
        "DTSTART;TZID=Europe/Berlin:20260320T170000\nDTEND;TZID=Europe/Berlin:20260320T180000";

    public static TheoryData<string, string> Times => new()
    {
        // Google shows the instant on the wall of the calendar; the event's own zone is beside it.
        { Hour, HourLines },
        {
            """
            "start":{"dateTime":"2026-03-20T12:00:00Z","timeZone":"UTC"},
            "end":{"dateTime":"2026-03-20T12:30:00Z","timeZone":"UTC"}
            """,
            "DTSTART:20260320T120000Z\nDTEND:20260320T123000Z"
        },
        {
            """
            "start":{"dateTime":"2026-03-20T12:00:00Z","timeZone":"Asia/Calcutta"},
            "end":{"dateTime":"2026-03-20T12:30:00Z","timeZone":"Asia/Kolkata"}
            """,
            "DTSTART;TZID=Asia/Kolkata:20260320T173000\nDTEND;TZID=Asia/Kolkata:20260320T180000"
        },
        {
            """ "start":{"date":"2026-03-20"},"end":{"date":"2026-03-22"} """,
            "DTSTART;VALUE=DATE:20260320\nDTEND;VALUE=DATE:20260322"
        },
        {
            """ "start":{"dateTime":"2026-03-20T12:00:00Z"},"end":{"dateTime":"2026-03-20T12:00:00Z"} """,
            "DTSTART;TZID=Europe/Berlin:20260320T130000"
        },

        // The second pass of a repeated hour has no form with TZID.
        {
            """
            "start":{"dateTime":"2026-10-25T02:30:00+01:00","timeZone":"Europe/Berlin"},
            "end":{"dateTime":"2026-10-25T03:30:00+01:00","timeZone":"Europe/Berlin"}
            """,
            "DTSTART:20261025T013000Z\nDTEND;TZID=Europe/Berlin:20261025T033000"
        },
    };

    [Theory]
    [MemberData(nameof(Times))]
    [Trait("Requirement", "R-SYNC-4-B")]
    public void Times_AreSaidAsInstantAndZone(string fields, string lines) =>
        Assert.Equal(lines, Read($"{{{fields}}}"));

    public static TheoryData<string, string> Fields => new()
    {
        { """ "summary":"A, b; c","location":"Room\n2" """, "SUMMARY:A\\, b\\; c\nLOCATION:Room\\n2" },
        { """ "description":"a < b" """, "DESCRIPTION:a < b" },
        {
            """ "description":"<b>Hi</b><br>to&nbsp;all <a href=\"https://x.test\">here</a>" """,
            "DESCRIPTION:Hi\\nto all here <https://x.test>\n"
                + "X-ALT-DESC;FMTTYPE=text/html:<b>Hi</b><br>to&nbsp\\;all "
                + "<a href=\"https://x.test\">here</a>"
        },
        { """ "status":"tentative","transparency":"transparent" """, "STATUS:TENTATIVE\nTRANSP:TRANSPARENT" },
        { """ "visibility":"confidential","colorId":"11" """, "CLASS:CONFIDENTIAL\nCOLOR:crimson" },
        { """ "visibility":"public" """, "CLASS:PUBLIC" },
        { """ "source":{"url":"https://x.test/1","title":"One"} """, "URL:https://x.test/1" },
        {
            """ "hangoutLink":"https://meet.test/abc","conferenceData":{"entryPoints":[]} """,
            "X-GOOGLE-CONFERENCE:https://meet.test/abc"
        },
        {
            """ "attachments":[{"fileUrl":"https://d.test/1","title":"Plan","mimeType":"text/plain"}] """,
            "ATTACH;FMTTYPE=text/plain;FILENAME=Plan:https://d.test/1"
        },
        { """ "reminders":{"useDefault":true} """, "X-GOOGLE-REMINDERS:DEFAULT" },
        { """ "reminders":{"useDefault":false} """, "" },
        {
            """ "reminders":{"useDefault":false,"overrides":[{"method":"popup","minutes":10}]} """,
            "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:This is an event reminder\nTRIGGER:-PT10M\nEND:VALARM"
        },
        { """ "sequence":3,"updated":"2026-01-02T03:04:05.678Z" """, "" },

        // Without guests the organizer is whose calendar it is: no invitation.
        { """ "organizer":{"email":"me@x.test","self":true} """, "" },
        {
            """
            "organizer":{"email":"me@x.test","self":true},"attendees":[
            {"email":"ann@x.test","displayName":"Ann","responseStatus":"accepted","optional":true},
            {"email":"room@x.test","resource":true,"responseStatus":"needsAction"},
            {"email":"bob@x.test","responseStatus":"declined","comment":"Ill","additionalGuests":2}]
            """,
            "ORGANIZER:mailto:me@x.test\n"
                + "ATTENDEE;CN=Ann;ROLE=OPT-PARTICIPANT;PARTSTAT=ACCEPTED:mailto:ann@x.test\n"
                + "ATTENDEE;CUTYPE=RESOURCE:mailto:room@x.test\n"
                + "ATTENDEE;PARTSTAT=DECLINED;X-NUM-GUESTS=2;X-RESPONSE-COMMENT=Ill:mailto:bob@x.test"
        },
    };

    [Theory]
    [MemberData(nameof(Fields))]
    public void Fields_AreSaidAsProperties(string fields, string lines)
    {
        var read = Read($"{{{Hour},{fields}}}").Split('\n')
            .Where(line => !line.StartsWith("SEQUENCE", StringComparison.Ordinal)
                && !line.StartsWith("LAST-MODIFIED", StringComparison.Ordinal));
        Assert.Equal($"{HourLines}\n{lines}".TrimEnd('\n'), string.Join('\n', read));
    }

    /// <summary>
    /// R-SYNC-5-C: EXDATE lines and cancelled instances mean the same; both are read, each once.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-5-A")]
    [Trait("Requirement", "R-SYNC-5-B")]
    [Trait("Requirement", "R-SYNC-5-C")]
    public void Series_WithExceptions_IsOneResource()
    {
        var series = GoogleSamples.Series(
            $$"""
            {{{Hour}},"summary":"S","recurrence":["EXDATE;TZID=Europe/Berlin:20260327T170000",
            "RRULE:FREQ=WEEKLY;COUNT=9;BYDAY=FR","RDATE;TZID=Europe/Berlin:20260401T170000"]}
            """,
            """
            {"id":"e1_20260410T150000Z","recurringEventId":"e1","status":"cancelled",
            "originalStartTime":{"dateTime":"2026-04-10T12:00:00-03:00","timeZone":"Europe/Berlin"}}
            """,
            """
            {"id":"e1_20260327T160000Z","recurringEventId":"e1","status":"cancelled",
            "originalStartTime":{"dateTime":"2026-03-27T13:00:00-03:00"}}
            """,
            """
            {"id":"e1_20260403T150000Z","recurringEventId":"e1","summary":"S, later",
            "originalStartTime":{"dateTime":"2026-04-03T12:00:00-03:00","timeZone":"Europe/Berlin"},
            "start":{"dateTime":"2026-04-03T18:00:00+02:00","timeZone":"Europe/Berlin"},
            "end":{"dateTime":"2026-04-03T19:00:00+02:00","timeZone":"Europe/Berlin"}}
            """);
        Assert.Equal(
            HourLines + "\n"
                + """
                RRULE:FREQ=WEEKLY;COUNT=9;BYDAY=FR
                RDATE;TZID=Europe/Berlin:20260401T170000
                EXDATE;TZID=Europe/Berlin:20260327T170000
                EXDATE;TZID=Europe/Berlin:20260410T170000
                SUMMARY:S

                DTSTART;TZID=Europe/Berlin:20260403T180000
                DTEND;TZID=Europe/Berlin:20260403T190000
                RECURRENCE-ID;TZID=Europe/Berlin:20260403T170000
                SUMMARY:S\, later
                """.ReplaceLineEndings("\n"),
            GoogleSamples.Lines(SeriesReading.Read(series, GoogleSamples.Berlin)));
    }

    /// <summary>An instance that Google keeps apart although nothing about it differs says nothing.</summary>
    [Fact]
    public void Instance_ThatRepeatsTheSeries_IsLeftOut()
    {
        var series = GoogleSamples.Series(
            """
            {"start":{"date":"2026-03-20"},"end":{"date":"2026-03-21"},"summary":"S",
            "recurrence":["RRULE:FREQ=DAILY;UNTIL=20260325T000000Z"]}
            """,
            """
            {"id":"e1_20260322","recurringEventId":"e1","summary":"S","sequence":4,
            "originalStartTime":{"date":"2026-03-22"},
            "start":{"date":"2026-03-22"},"end":{"date":"2026-03-23"}}
            """);
        Assert.Equal(
            "DTSTART;VALUE=DATE:20260320\nDTEND;VALUE=DATE:20260321\n"
                + "RRULE:FREQ=DAILY;UNTIL=20260325\nSUMMARY:S",
            GoogleSamples.Lines(SeriesReading.Read(series, GoogleSamples.Berlin)));
        Assert.Contains(
            "RECURRENCE-ID",
            GoogleSamples.Lines(SeriesReading.Read(series, GoogleSamples.Berlin, keepsRedundant: true)),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"start":{"date":"2026-03-20"}}""", "end is missing")]
    [InlineData(
        """{"start":{"date":"2026-13-20"},"end":{"date":"2026-03-21"}}""", "start.date is not a date")]
    [InlineData("""{"start":7,"end":{"date":"2026-03-21"}}""", "start is not an object")]
    [InlineData(
        """{"start":{"date":"2026-03-22"},"end":{"date":"2026-03-21"}}""", "end is not behind the start")]
    [InlineData(
        """{"start":{"date":"2026-03-20"},"end":{"dateTime":"2026-03-21T00:00:00Z"}}""", "end is not")]
    [InlineData(
        """{"start":{"dateTime":"2026-03-21T00:00:00Z","timeZone":"Moon/Base"},"end":{"date":"2026-03-2"}}""",
        "start.timeZone is not a time zone")]
    [InlineData(
        """{"start":{"date":"2026-03-20"},"end":{"date":"2026-03-21"},"recurrence":["RRULE:FREQ=OFTEN"]}""",
        "recurrence cannot be read: RRULE:FREQ=OFTEN")]
    [InlineData(
        """{"start":{"date":"2026-03-20"},"end":{"date":"2026-03-21"},"recurrence":["DTSTART:20260101"]}""",
        "recurrence has a line that is no RRULE")]
    [InlineData(
        """{"start":{"date":"2026-03-20"},"end":{"date":"2026-03-21"},"recurrence":["RDATE:20260101\nX"]}""",
        "recurrence has a line that is no RRULE")]
    [InlineData(
        """{"start":{"date":"2026-03-20"},"end":{"date":"2026-03-21"},"attendees":[{"email":1}]}""",
        "attendees[0].email is not a text")]
    [InlineData(
        """{"start":{"date":"2026-03-20"},"end":{"date":"2026-03-21"},"eventType":"birthday"}""",
        "eventType says birthday")]
    [InlineData(
        """{"start":{"date":"2026-03-20"},"end":{"date":"2026-03-21"},"eventType":"workingLocation"}""",
        "eventType says workingLocation")]
    [InlineData(
        """{"start":{"date":"2026-03-20"},"end":{"date":"2026-03-21"},"iCalUID":"","visibility":"private"}""",
        "iCalUID is missing: the account may only see when the event is")]
    public void AnythingElse_IsAProblemWithItsPlace(string json, string problem)
    {
        var reading = SeriesReading.Read(GoogleSamples.Series(json), GoogleSamples.Berlin);
        Assert.Null(reading.Content);
        Assert.Contains(problem, reading.Problem, StringComparison.Ordinal);
    }

    /// <summary>What only Google has is named; writing field by field leaves it there.</summary>
    [Fact]
    public void FieldsOnlyGoogleHas_AreNamed()
    {
        var reading = SeriesReading.Read(
            GoogleSamples.Series(
                $$$"""
                {{{{Hour}}},"extendedProperties":{"private":{"a":"b"}},"guestsCanModify":true,
                "anyoneCanAddSelf":false,"eventLabelId":"l1"}
                """),
            null);
        Assert.Equal(
            ["extendedProperties", "guestsCanModify", "eventLabelId"],
            reading.Lost.Select(loss => loss.What));
    }

    /// <summary>The same events give the same octets, in whatever order they come.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-C")]
    public void Reading_IsTheSameForTheSameEvents()
    {
        var events = GoogleCorpus.Events()
            .Select(pair => GoogleEvent(pair.Json)).OfType<GoogleEvent>().Take(40).ToList();
        foreach (var one in events)
        {
            var series = GoogleSeries.Of(one, []);
            Assert.Equal(
                SeriesReading.Read(series, GoogleSamples.Berlin).Content?.ToString(),
                SeriesReading.Read(series, GoogleSamples.Berlin).Content?.ToString());
        }
    }

    private static GoogleEvent? GoogleEvent(JsonObject json) => GoogleSamples.Event(json.DeepClone());

    private static string Read(string json) =>
        GoogleSamples.Lines(SeriesReading.Read(GoogleSamples.Series(json), GoogleSamples.Berlin));
}
