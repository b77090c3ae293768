using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Lint;
using CalSync.Calendar.Values;
using Xunit;

namespace CalSync.Calendar.Tests.Components;

/// <summary>
/// Sections of RFC 5545 that no other test is about. Method: a line of each, in the form of the section's
/// example, read as what it is and found without fault.
/// </summary>
public sealed class SectionTests
{
    /// <summary>Sections 3.2.1 to 3.2.20: the decoded values of a parameter, joined by a bar.</summary>
    [Theory]
    [InlineData("DESCRIPTION;ALTREP=\"cid:part1.0001@example.org\":The fall", "ALTREP",
        "cid:part1.0001@example.org")]
    [InlineData("ATTENDEE;DELEGATED-FROM=\"mailto:jsmith@example.com\":mailto:jdoe@example.com",
        "DELEGATED-FROM", "mailto:jsmith@example.com")]
    [InlineData("ATTENDEE;DELEGATED-TO=\"mailto:a@x.org\",\"mailto:b@x.org\":mailto:c@x.org",
        "DELEGATED-TO", "mailto:a@x.org|mailto:b@x.org")]
    [InlineData("ORGANIZER;DIR=\"ldap://example.com:6666/o=ABC%20Industries,c=US\":mailto:j@x.org", "DIR",
        "ldap://example.com:6666/o=ABC%20Industries,c=US")]
    [InlineData("ATTACH;FMTTYPE=application/msword:ftp://example.com/pub/agenda.doc", "FMTTYPE",
        "application/msword")]
    [InlineData("SUMMARY;LANGUAGE=en-US:Company Holiday Party", "LANGUAGE", "en-US")]
    [InlineData("ATTENDEE;MEMBER=\"mailto:projectA@x.org\",\"mailto:projectB@x.org\":mailto:j@x.org",
        "MEMBER", "mailto:projectA@x.org|mailto:projectB@x.org")]
    [InlineData("RELATED-TO;RELTYPE=SIBLING:19960401-080045-4000F192713@example.com", "RELTYPE", "SIBLING")]
    public void Parameter_OfEachSection_IsRead(string line, string name, string expected)
    {
        var property = Property(line);
        var parameter = property.Parameters.Single(parameter => parameter.Name == name);
        Assert.Equal(expected, string.Join('|', parameter.Values));
        Assert.Equal(line, property.Content.ToString());
    }

    /// <summary>Sections 3.2.3, 3.2.12, 3.2.16 to 3.2.18: what an attendee says, or the default.</summary>
    [Theory]
    [InlineData(";CUTYPE=group;PARTSTAT=declined;ROLE=chair;RSVP=true;SENT-BY=\"mailto:s@x.org\"",
        "GROUP DECLINED CHAIR True mailto:s@x.org")]
    [InlineData("", "INDIVIDUAL NEEDS-ACTION REQ-PARTICIPANT False ")]
    public void Participant_SaysItsPart(string parameters, string expected)
    {
        var read = new Participant(Property($"ATTENDEE{parameters}:mailto:j@x.org"));
        Assert.Equal(expected,
            $"{read.UserType} {read.ParticipationStatus} {read.Role} {read.IsAnswerExpected} {read.SentBy}");
    }

    /// <summary>Sections of 3.8 whose value is a text or a list of texts.</summary>
    [Theory]
    [InlineData(@"COMMENT:The meeting\, really\nneeds more", "The meeting, really\nneeds more")]
    [InlineData("RESOURCES:EASEL,PROJECTOR,VCR", "EASEL|PROJECTOR|VCR")]
    [InlineData(@"CONTACT:Jim Dolittle\, ABC Industries\, +1-919-555-1234",
        "Jim Dolittle, ABC Industries, +1-919-555-1234")]
    [InlineData("RELATED-TO:jsmith.part7.19960817T083000.xyzMail@example.com",
        "jsmith.part7.19960817T083000.xyzMail@example.com")]
    [InlineData("X-ABC-MMSUBJ;VALUE=TEXT:a mapping", "a mapping")]
    [InlineData("DRESSCODE:CASUAL", "CASUAL")]
    public void TextProperty_OfEachSection_IsRead(string line, string expected) =>
        Assert.Equal(expected, string.Join('|', Property(line).ReadTexts().Value));

    /// <summary>Sections 3.8.3.5 and 3.8.4.6, and 3.8.1.1 where it is a reference.</summary>
    [Theory]
    [InlineData("TZURL:http://timezones.example.org/tz/America-Los_Angeles.ics",
        "http://timezones.example.org/tz/America-Los_Angeles.ics")]
    [InlineData("URL:http://example.com/pub/calendars/jsmith/mytime.ics",
        "http://example.com/pub/calendars/jsmith/mytime.ics")]
    [InlineData("ATTACH:CID:jsmith.part3.960817T083000.xyzMail@example.com",
        "CID:jsmith.part3.960817T083000.xyzMail@example.com")]
    public void UriProperty_OfEachSection_IsRead(string line, string expected) =>
        Assert.Equal(expected, Property(line).ReadUri().Value);

    /// <summary>The properties of one event, as its view gives them.</summary>
    [Fact]
    public void Event_WithEverything_IsRead()
    {
        var read = new CalendarEvent(Component("BEGIN:VEVENT",
            "UID:1", "DTSTAMP:20260101T000000Z", "CREATED:20251231T000000Z", "LAST-MODIFIED:20260102T000000Z",
            "SEQUENCE:2", "DTSTART;TZID=Europe/Oslo:20260308T090000", "DURATION:PT1H", "CLASS:PRIVATE",
            "TRANSP:TRANSPARENT", "PRIORITY:1", "GEO:37.386013;-122.082932", "LOCATION:Room 1",
            "ATTACH:http://x.org/a", "ORGANIZER;CN=J:mailto:j@x.org", "URL:http://x.org/", "END:VEVENT"));
        Assert.Equal(("20251231T000000Z", "20260102T000000Z", "20260101T000000Z"),
            (read.Created.Value!.ToString(), read.LastModified.Value!.ToString(),
                read.Stamp.Value!.ToString()));
        Assert.Equal((2, 1, "PRIVATE", "TRANSPARENT"),
            (read.Sequence.Value, read.Priority.Value, read.Classification.Value, read.Transparency.Value));
        Assert.Equal(("PT1H", "Room 1", "http://x.org/", "J"), (read.Duration.Value.ToString(),
            read.Location.Value, read.Url.Value, read.Organizer!.Value.CommonName));
        Assert.Equal(new GeoPosition(37.386013, -122.082932), read.Geo.Value);
        Assert.Equal("http://x.org/a", Assert.Single(read.Attachments).ReadUri().Value);
    }

    /// <summary>Sections 3.6.2, 3.8.1.8, 3.8.2.1 and 3.8.2.3.</summary>
    [Fact]
    public void Task_WithEverything_IsRead()
    {
        var read = new CalendarTask(Component("BEGIN:VTODO", "UID:1", "DUE;VALUE=DATE:20260401",
            "COMPLETED:20260310T120000Z", "PERCENT-COMPLETE:100", "STATUS:COMPLETED", "END:VTODO"));
        Assert.Equal(("20260401", "20260310T120000Z", 100, "COMPLETED"), (read.Due.Value!.ToString(),
            read.Completed.Value!.ToString(), read.PercentComplete.Value, read.Status.Value));
    }

    /// <summary>Sections 3.6.6 and 3.8.6.1 to 3.8.6.3.</summary>
    [Fact]
    public void Alarm_ThatRepeats_IsRead()
    {
        var read = new CalendarAlarm(Component("BEGIN:VALARM", "ACTION:display", "TRIGGER:-PT30M", "REPEAT:2",
            "DURATION:PT15M", "DESCRIPTION:Breakfast", "END:VALARM"));
        Assert.Equal(("DISPLAY", 2, "PT15M", "Breakfast"), (read.Action.Value, read.Repeat.Value,
            read.Duration.Value.ToString(), read.Description.Value));
        Assert.Equal(new AlarmTrigger.Relative(new CalendarDuration(0, -1800)), read.Trigger.Value);
    }

    /// <summary>Sections 3.7.1 to 3.7.4.</summary>
    [Fact]
    public void Calendar_WithEverything_IsRead()
    {
        var read = new CalendarObject(Component("BEGIN:VCALENDAR", "VERSION:2.0", "CALSCALE:gregorian",
            "METHOD:REQUEST", "PRODID:-//ABC Corporation//NONSGML My Product//EN", "END:VCALENDAR"));
        Assert.Equal(("2.0", "GREGORIAN", "REQUEST", "-//ABC Corporation//NONSGML My Product//EN"),
            (read.Version.Value, read.Scale.Value, read.Method.Value, read.ProdId.Value));
    }

    private static CalendarProperty Property(string line)
    {
        var property = Component("BEGIN:VEVENT", line, "END:VEVENT").Properties.Single();
        Assert.DoesNotContain(CalendarLint.Check(property.Document),
            problem => problem.Severity == ProblemSeverity.Error && problem.Line == property.LineNumber);
        return property;
    }

    private static CalendarComponent Component(params string[] lines) =>
        CalendarDocument.Parse(string.Join("\r\n", lines) + "\r\n").Components.Single();
}
