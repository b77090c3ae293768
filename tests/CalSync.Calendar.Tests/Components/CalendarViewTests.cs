using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;
using NodaTime;
using Xunit;

namespace CalSync.Calendar.Tests.Components;

/// <summary>
/// Components read as typed values. Method: one of each kind, and every file of edge cases.
/// </summary>
public sealed class CalendarViewTests
{
    private const string Everything =
        "BEGIN:VCALENDAR|VERSION:2.0|METHOD:publish|NAME:My\\, own|BEGIN:VTIMEZONE|TZID:X|BEGIN:STANDARD"
        + "|DTSTART:19701025T030000|TZOFFSETFROM:+0200|TZOFFSETTO:+0100|TZNAME:CET|END:STANDARD|END:VTIMEZONE"
        + "|BEGIN:VEVENT|UID:1|RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20260308|STATUS:cancelled"
        + "|CATEGORIES:A,B|CATEGORIES:C|ATTENDEE;CN=\"Doe, J\";PARTSTAT=accepted:mailto:j@x.org|END:VEVENT"
        + "|BEGIN:VTODO|DUE:20260308T100000Z|PERCENT-COMPLETE:50|END:VTODO"
        + "|BEGIN:VJOURNAL|DESCRIPTION:one|DESCRIPTION:two|END:VJOURNAL"
        + "|BEGIN:VFREEBUSY|FREEBUSY;FBTYPE=free:20260308T090000Z/PT1H|END:VFREEBUSY|END:VCALENDAR|";

    private static readonly CalendarObject Calendar = new(CalendarDocument.Parse(
        Everything.Replace("|", "\r\n", StringComparison.Ordinal)).Components.Single());

    [Fact]
    public void Calendar_SaysWhatItIs() =>
        Assert.Equal(("PUBLISH", "My, own"), (Calendar.Method.Value, Calendar.Name.Value));

    [Fact]
    public void Event_WithAnOverride_SaysWhichOccurrences()
    {
        var read = Calendar.Events.Single();
        Assert.Equal(new CalendarTime.Date(new LocalDate(2026, 3, 8)), read.RecurrenceId.Value);
        Assert.True(read.IsThisAndFuture);
        Assert.Equal(("CANCELLED", ReadingState.Absent), (read.Status.Value, read.Start.State));
        Assert.Equal(["A", "B", "C"], read.Categories.AsEnumerable());
        var attendee = read.Attendees.Single();
        Assert.Equal(("Doe, J", "ACCEPTED", "INDIVIDUAL"),
            (attendee.CommonName, attendee.ParticipationStatus, attendee.UserType));
    }

    [Fact]
    public void OtherComponents_AreRead()
    {
        var observance = Calendar.TimeZones.Single().Observances.Single();
        Assert.Equal((3600, "CET", false),
            (observance.OffsetTo.Value.Seconds, observance.ZoneName, observance.IsDaylight));
        Assert.Equal(50, Calendar.Tasks.Single().PercentComplete.Value);
        Assert.Equal(["one", "two"], Calendar.Journals.Single().Descriptions.Select(text => text.Value));
        var (type, periods) = Calendar.FreeBusy.Single().Periods.Single();
        Assert.Equal(("FREE", "20260308T090000Z/PT1H"), (type, periods.Value.Single().ToString()));
    }

    /// <summary>Lenient or not, a person sees title and time in every event that has them.</summary>
    [Fact]
    public void Events_OfEdgeFiles_HaveTheirTitleAndTime()
    {
        foreach (var file in Corpus.Of("edge"))
        {
            foreach (var component in CalendarDocument.Parse(file.Bytes).AllComponents
                .Where(component => component.Is("VEVENT"u8)))
            {
                var read = new CalendarEvent(component);
                Assert.True(read.Summary.State != ReadingState.Malformed,
                    $"{file.Name} {read.Summary.Problem}");
                Assert.True(read.Start.State != ReadingState.Malformed, $"{file.Name} {read.Start.Problem}");
                Assert.True(read.Duration.State != ReadingState.Malformed,
                    $"{file.Name} {read.Duration.Problem}");
            }
        }
    }
}
