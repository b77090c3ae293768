using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using Xunit;

namespace CalSync.Calendar.Tests.Comparison;

/// <summary>
/// What is a difference and what is not. Method: pairs of lines in an event of which everything else is
/// the same, with the changes a person would tell.
/// </summary>
public sealed class CalendarDiffTests
{
    [Theory]
    [InlineData("ATTENDEE;CN=Ann:mailto:a@x|ATTENDEE:mailto:b@x",
        "ATTENDEE:MAILTO:B@X|ATTENDEE;CN=\"Ann\":mailto:a@x")]
    [InlineData("ATTENDEE:mailto:a@x",
        "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=req-participant;PARTSTAT=NEEDS-ACTION;RSVP=FALSE:mailto:a@x")]
    [InlineData("ATTENDEE;MEMBER=\"mailto:g@x\",\"mailto:h@x\":mailto:a@x",
        "ATTENDEE;MEMBER=\"mailto:H@x\",\"mailto:g@x\":mailto:a@x")]
    [InlineData("CATEGORIES:a,b\\,c", "CATEGORIES:b\\,c|CATEGORIES:a,a")]
    [InlineData("EXDATE;TZID=Asia/Kolkata:20260301T090000,20260302T090000",
        "EXDATE;TZID=Asia/Calcutta:20260302T090000|EXDATE;TZID=India Standard Time:20260301T090000")]
    [InlineData("RDATE;VALUE=PERIOD:20260301T090000Z/PT1H",
        "RDATE;VALUE=PERIOD:20260301T090000Z/20260301T100000Z")]
    [InlineData("DTSTART:20260301T090000Z|DURATION:PT1H", "DTEND:20260301T100000Z|DTSTART:20260301T090000Z")]
    [InlineData("DTSTART;VALUE=DATE:20260301", "DTSTART;VALUE=DATE:20260301|DTEND;VALUE=DATE:20260302")]
    [InlineData("DTSTART;VALUE=DATE:20260301|DURATION:P1W", "DTSTART:20260301|DTEND;VALUE=DATE:20260308")]
    [InlineData("DTSTART;TZID=UTC:20260301T090000", "DTSTART:20260301T090000Z")]
    [InlineData("RRULE:FREQ=WEEKLY;BYDAY=TU,MO;INTERVAL=1", "RRULE:WKST=MO;BYDAY=MO,TU;FREQ=WEEKLY")]
    [InlineData("SUMMARY:a\\, b\\;c\\nd", "summary;VALUE=TEXT:a\\, b\\;c\\N| d")]
    [InlineData("TRANSP:OPAQUE|CLASS:public|PRIORITY:0|SEQUENCE:0|DESCRIPTION:", "")]
    [InlineData("X-A:one|X-A:two", "X-A:two|X-A:one")]
    [InlineData("X-A:a\\,b", "x-a:a,b")]
    [InlineData("GEO:1.50;2.0", "GEO:1.5;2")]
    [InlineData("BEGIN:VALARM|UID:1|TRIGGER:-PT15M|END:VALARM",
        "BEGIN:VALARM|TRIGGER;RELATED=START:-P0DT15M|END:VALARM")]
    [InlineData("DTSTART:garbage", "DTSTART:garbage")]
    public void Compare_OfTheSameMeaning_IsEmpty(string before, string after) => Assert.Equal(
        "", Changes(before, after));

    [Theory]
    [InlineData("SUMMARY:a", "SUMMARY:b", "SUMMARY Changed a > b")]
    [InlineData("", "SUMMARY:b", "SUMMARY Added - > b")]
    [InlineData("ATTENDEE:mailto:A@x", "ATTENDEE;PARTSTAT=ACCEPTED;CN=Ann:mailto:a@x",
        "ATTENDEE a@x CN Added - > Ann|ATTENDEE a@x PARTSTAT Added - > ACCEPTED")]
    [InlineData("ATTENDEE;CN=Ann:mailto:a@x", "ATTENDEE:mailto:b@x",
        "ATTENDEE a@x Removed a@x (CN=Ann) > -|ATTENDEE b@x Added - > b@x")]
    [InlineData("CATEGORIES:a,b", "CATEGORIES:b,c", "CATEGORIES a Removed a > -|CATEGORIES c Added - > c")]
    [InlineData("DTSTART;TZID=Europe/Oslo:20260301T090000", "DTSTART:20260301T080000Z",
        "DTEND ZoneChanged 2026-03-01T09:00:00+01:00[Europe/Oslo] > 2026-03-01T08:00:00Z"
        + "|DTSTART ZoneChanged 2026-03-01T09:00:00+01:00[Europe/Oslo] > 2026-03-01T08:00:00Z")]
    [InlineData("DTSTART;TZID=Europe/Oslo:20260301T090000", "DTSTART;TZID=Europe/Berlin:20260301T090000",
        "DTEND ZoneChanged 2026-03-01T09:00:00+01:00[Europe/Oslo] > 2026-03-01T09:00:00+01:00[Europe/Berlin]"
        + "|DTSTART ZoneChanged 2026-03-01T09:00:00+01:00[Europe/Oslo]"
        + " > 2026-03-01T09:00:00+01:00[Europe/Berlin]")]
    [InlineData("EXDATE;TZID=Europe/Oslo:20260301T090000", "EXDATE:20260301T080000Z",
        "EXDATE 2026-03-01T08:00:00Z ZoneChanged 2026-03-01T09:00:00+01:00[Europe/Oslo]"
        + " > 2026-03-01T08:00:00Z")]
    [InlineData("DTSTART:20260301T090000|DURATION:PT1H", "DTSTART:20260301T090000|DTEND:20260301T103000",
        "DTEND Changed 2026-03-01T10:00:00 > 2026-03-01T10:30:00")]
    [InlineData("DTSTART:garbage", "DTSTART:other", "DTSTART Changed garbage > other")]
    [InlineData("BEGIN:VALARM|UID:1|TRIGGER:-PT15M|END:VALARM", "BEGIN:VALARM|UID:1|TRIGGER:-PT5M|END:VALARM",
        "VALARM 1 Changed TRIGGER -PT15M > TRIGGER -PT5M")]
    [InlineData("BEGIN:VALARM|TRIGGER:-PT15M|END:VALARM", "BEGIN:VALARM|TRIGGER:-PT5M|END:VALARM",
        "VALARM Removed TRIGGER -PT15M > -|VALARM Added - > TRIGGER -PT5M")]
    [InlineData("X-A:1|X-A:1", "X-A:1", "X-A Removed 1 > -")]
    [InlineData("RDATE:20260301T090000Z,nonsense", "RDATE:20260301T090000Z",
        "RDATE Removed 20260301T090000Z,nonsense > -"
        + "|RDATE 2026-03-01T09:00:00Z Added - > 2026-03-01T09:00:00Z")]
    [InlineData("DTSTART;TZID=Nowhere:20260301T090000", "DTSTART;TZID=Elsewhere:20260301T090000",
        "DTSTART Changed 2026-03-01T09:00:00[Nowhere] > 2026-03-01T09:00:00[Elsewhere]")]
    public void Compare_OfAnotherMeaning_TellsEachChange(string before, string after, string expected) =>
        Assert.Equal(expected, Changes(before, after));

    /// <summary>An override is the same one, whatever zone its RECURRENCE-ID is written in.</summary>
    [Fact]
    public void Compare_OfOverrides_PairsThemByInstant()
    {
        var before = Calendar(
            "UID:1|RECURRENCE-ID;TZID=Europe/Oslo:20260302T090000|SUMMARY:a", "UID:1|SUMMARY:series");
        var after = Calendar("UID:1|SUMMARY:series", "UID:1|RECURRENCE-ID:20260302T080000Z|SUMMARY:b",
            "UID:1|RECURRENCE-ID;VALUE=DATE:20260303");
        Assert.Equal(
            [
                "VEVENT 1 2026-03-02T08:00:00Z: RECURRENCE-ID ZoneChanged",
                "VEVENT 1 2026-03-02T08:00:00Z: SUMMARY Changed",
                "VEVENT 1 2026-03-03:  Added",
            ],
            CalendarDiff.Compare(before, after)
                .Select(change => $"{change.Component}: {change.Property} {change.Kind}"));
    }

    [Fact]
    public void Compare_OfZonesThatCalendarsBring_GoesByTheirRules()
    {
        const string rules =
            "BEGIN:STANDARD|DTSTART:19700101T000000|TZOFFSETFROM:{0}|TZOFFSETTO:{0}|END:STANDARD";
        CalendarDocument With(string offset, string name) => CalendarDocument.Parse(
            $"BEGIN:VCALENDAR|BEGIN:VTIMEZONE|TZID:{name}|{string.Format(null, rules, offset)}|END:VTIMEZONE|"
                .Replace('|', '\n')
            + $"BEGIN:VEVENT\nUID:1\nDTSTART;TZID={name}:20260301T090000\nEND:VEVENT\nEND:VCALENDAR\n");
        Assert.Empty(CalendarDiff.Compare(With("+0100", "Own"), With("+0100", "Own")));
        Assert.All(CalendarDiff.Compare(With("+0100", "Own"), With("+0200", "Own")),
            change => Assert.Equal(ChangeKind.Changed, change.Kind));
        Assert.All(CalendarDiff.Compare(With("+0100", "Own"), With("+0100", "Else")),
            change => Assert.Equal(ChangeKind.ZoneChanged, change.Kind));
        Assert.Empty(CalendarDiff.Compare(With("+0100", "Europe/Oslo"), With("+0200", "Europe/Oslo")));
    }

    [Theory]
    [InlineData("DTSTAMP:20260101T000000Z|CREATED:20260101T000000Z|X-WR-ALARMUID:1",
        "LAST-MODIFIED:20260101T000000Z", "")]
    [InlineData("ATTENDEE;SCHEDULE-STATUS=1.1:mailto:a@x", "ATTENDEE;X-NUM-GUESTS=0:mailto:a@x", "")]
    [InlineData("SEQUENCE:1", "SEQUENCE:2", "SEQUENCE Changed 1 > 2")]
    [InlineData("X-OTHER:1", "", "X-OTHER Removed 1 > -")]
    public void Compare_WithoutNoise_LeavesOutWhatServersAdd(string before, string after, string expected) =>
        Assert.Equal(expected, Changes(before, after, CalendarNoise.OfServers));

    [Fact]
    public void Compare_WithoutSequence_LeavesItOut() =>
        Assert.Equal("", Changes("SEQUENCE:1", "SEQUENCE:2", CalendarNoise.OfServers.WithSequence()));

    /// <summary>Deep, wide and endless streams end soon, and are equal to themselves.</summary>
    [Fact]
    public void Compare_OfHostileStreams_Ends()
    {
        var deep = string.Concat(Enumerable.Repeat("BEGIN:A\n", 50_000))
            + string.Concat(Enumerable.Repeat("END:A\n", 50_000));
        var wide = "BEGIN:VEVENT\n" + string.Concat(Enumerable.Repeat("COMMENT:x\n", 50_000))
            + "RDATE:" + string.Join(',', Enumerable.Repeat("20260301T090000Z", 150_000)) + "\nEND:VEVENT\n";
        var odd = "BEGIN:VEVENT\nDTSTART:00010101T000000Z\nDURATION:P999999999D\n"
            + "DTEND;TZID=Europe/Oslo:00010101T000000\n"
            + "DUE:99991231T235959Z\nEND:VEVENT\n"
            + "BEGIN:VTODO\nDTSTART:99991231\nDURATION:P99999W\nEND:VTODO\n";
        foreach (var text in new[] { deep, wide, odd })
        {
            var document = CalendarDocument.Parse(text);
            Assert.Empty(CalendarDiff.Compare(document, CalendarDocument.Parse(text)));
            Assert.NotEmpty(CalendarDiff.Compare(document, CalendarDocument.Parse("X:1")));
        }
    }

    private static string Changes(string before, string after, CalendarNoise? noise = null)
    {
        var (one, other) = (Calendar("UID:1|" + before), Calendar("UID:1|" + after));
        return string.Join('|', CalendarDiff.Compare(one, other, noise).Select(change =>
        {
            var member = change.Member?.Replace("mailto:", "", StringComparison.Ordinal);
            string?[] words =
            [
                change.Property, member, change.Parameter, change.Kind.ToString(),
                change.Before ?? "-", ">", change.After ?? "-",
            ];
            return string.Join(' ', words.Where(word => word is not null));
        }));
    }

    private static CalendarDocument Calendar(params string[] events) => CalendarDocument.Parse(
        "BEGIN:VCALENDAR\n"
        + string.Concat(events.Select(lines => $"BEGIN:VEVENT\n{lines.Replace('|', '\n')}\nEND:VEVENT\n"))
        + "END:VCALENDAR\n");
}
