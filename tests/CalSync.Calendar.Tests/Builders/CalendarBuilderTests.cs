using CalSync.Calendar.Builders;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Lint;
using CalSync.Calendar.Values;
using NodaTime;
using Xunit;

namespace CalSync.Calendar.Tests.Builders;

/// <summary>What is written is strict and says what it was given. Method: build, lint, read back.</summary>
public sealed class CalendarBuilderTests
{
    private const string ProdId = "-//CalSync//EN";

    private static readonly EventContent Class = new(
        "class-1@example.com",
        new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
        new CalendarTime.Zoned(new LocalDateTime(2026, 3, 3, 18, 0), "America/New_York"))
    {
        End = new CalendarTime.Zoned(new LocalDateTime(2026, 3, 3, 19, 0), "America/New_York"),
        Summary = "Raga, basics; part 1 😀 — a title that is long enough to need a fold in its line",
        Description = "First line\nsecond line",
        Location = "Room \"B\"",
        Conference = "https://meet.example.com/abc",
        Organizer = new PersonContent(CalAddress.FromMail("teacher@example.com"), "Teacher, \"T\""),
        Attendees = [new PersonContent(CalAddress.FromMail("student@example.com"), "Student")],
        RRule = new Recur(Frequency.Weekly) { Count = 20 },
        ExDates = [new CalendarTime.Zoned(new LocalDateTime(2026, 3, 10, 18, 0), "America/New_York")],
        Alarms = [new CalendarDuration(0, -900)],
        Sequence = 2,
    };

    [Fact]
    public void Resource_ReadBack_SaysTheSame()
    {
        var moved = Class with
        {
            RRule = null,
            ExDates = [],
            RecurrenceId = new CalendarTime.Zoned(new LocalDateTime(2026, 3, 17, 18, 0), "America/New_York"),
        };
        var document = CalendarBuilder.Resource(ProdId, Class, moved);
        Assert.Empty(CalendarLint.Check(document));
        var calendar = new CalendarObject(document.Components.Single());
        Assert.Equal(ReadingState.Absent, calendar.Method.State);
        Assert.Equal("America/New_York", calendar.TimeZones.Single().TzId.Value);
        var read = calendar.Events.First();
        Assert.Equal((Class.Uid, Class.Start, Class.End), (read.Uid.Value, read.Start.Value, read.End.Value));
        Assert.Equal((Class.Summary, Class.Description), (read.Summary.Value, read.Description.Value));
        Assert.Equal((Class.RRule, Class.Sequence), (read.RRule.Value, read.Sequence.Value));
        Assert.Equal("Teacher, \"T\"", read.Organizer!.Value.CommonName);
        var attendee = read.Attendees.Single();
        Assert.Equal("student@example.com", attendee.Address.Value!.Mail);
        Assert.True(attendee.IsAnswerExpected);
        Assert.Equal(new AlarmTrigger.Relative(new CalendarDuration(0, -900)),
            read.Alarms.Single().Trigger.Value);
        Assert.Equal(moved.RecurrenceId, calendar.Events.Last().RecurrenceId.Value);
        Assert.All(document.ToString().Split("\r\n"), line =>
            Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(line), 0, 75));
    }

    [Fact]
    public void Invitation_AndItsCancellation_AreITip()
    {
        var request = CalendarBuilder.Invitation(ProdId, Class);
        Assert.Empty(CalendarLint.Check(request));
        Assert.Equal("REQUEST", new CalendarObject(request.Components.Single()).Method.Value);
        var cancel = CalendarBuilder.Cancellation(ProdId, Class with { Sequence = 3 });
        Assert.Empty(CalendarLint.Check(cancel));
        var calendar = new CalendarObject(cancel.Components.Single());
        Assert.Equal("CANCEL", calendar.Method.Value);
        Assert.Equal(("CANCELLED", 3),
            (calendar.Events.Single().Status.Value, calendar.Events.Single().Sequence.Value));
    }

    [Fact]
    public void Feed_OfManyEvents_NamesNobody()
    {
        var day = new EventContent("day", Class.Stamp, new CalendarTime.Date(new LocalDate(2026, 3, 8)));
        var about = new FeedContent("My classes", new CalendarDuration(0, 3600))
        {
            Source = "https://x.example/f.ics",
        };
        var feed = CalendarBuilder.Feed(ProdId, about, [Class, day]);
        var calendar = new CalendarObject(feed.Components.Single());
        Assert.Equal(("PUBLISH", "My classes"), (calendar.Method.Value, calendar.Name.Value));
        Assert.Equal(new CalendarDuration(0, 3600), calendar.RefreshInterval.Value);
        Assert.DoesNotContain("mailto", feed.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(CalendarLint.Check(feed), problem =>
            problem.Severity != ProblemSeverity.Deviation);
    }

    [Fact]
    public void Build_WithWhatIsNoEvent_Throws()
    {
        var other = Class with { Uid = "other" };
        Assert.Throws<ArgumentException>(() => CalendarBuilder.Resource(ProdId, Class, other));
        Assert.Throws<ArgumentException>(() => CalendarBuilder.Resource(ProdId));
        Assert.Throws<ArgumentException>(() =>
            CalendarBuilder.Invitation(ProdId, Class with { Attendees = [] }));
        Assert.Throws<ArgumentException>(() =>
            CalendarBuilder.Resource(ProdId, Class with { End = Class.Start }));
        var nowhere = new CalendarTime.Zoned(new LocalDateTime(2026, 3, 3, 18, 0), "Middle/Earth");
        Assert.Throws<ArgumentException>(() =>
            CalendarBuilder.Resource(ProdId, Class with { Start = nowhere, End = null, ExDates = [] }));
    }
}
