using CalSync.Calendar.Document;
using CalSync.Calendar.Lint;
using Xunit;

namespace CalSync.Calendar.Tests.Lint;

/// <summary>
/// Each rule is found where it is broken and nowhere else. Method: one good event and what breaks it, and the
/// files of the collection against what their collectors found.
/// </summary>
public sealed class CalendarLintTests
{
    private const string Good =
        "BEGIN:VCALENDAR|VERSION:2.0|PRODID:-//x//EN|BEGIN:VEVENT|UID:1|DTSTAMP:20260101T000000Z"
        + "|DTSTART:20260308T090000Z|DTEND:20260308T100000Z|SUMMARY:a|END:VEVENT|END:VCALENDAR|";

    // What collectors of valid files do not look for: empty calendars and repeated UIDs.
    private static readonly CalendarProblemCode[] NotLookedFor =
        [CalendarProblemCode.NoComponent, CalendarProblemCode.DuplicateUid];

    // Files called valid that are not: placeholders filled in wrongly, a time zone without parts, a status of
    // a draft, alarms right in a calendar.
    private static readonly string[] NotValid =
        ["CalDAV__performance__", "VTimeZoneTest.php_1", "CalDAV__vtodos__", "rfc5545-sec3.6.6"];

    // Files called invalid in which nothing is wrong but to the parser they were collected for.
    private static readonly string[] NotInvalid = ["invalid__groupwise", "invalid__tmeher"];

    // Noise in which collectors see what depends on where one begins to read, and a CANCEL, which needs no
    // DTSTART.
    private static readonly string[] SeenOtherwise =
        ["test-data__issue252", "test-data__fuzz42517512", "__incoming"];

    [Fact]
    public void Check_OfAGoodCalendar_FindsNothing() => Assert.Empty(Check(Good));

    [Theory]
    [InlineData("PRODID:-//x//EN|", "", "1:1 Warning PropertyMissing")]
    [InlineData("UID:1|", "", "4:1 Warning PropertyMissing")]
    [InlineData("UID:1|", "UID:1|UID:2|", "6:1 Warning PropertyRepeated")]
    [InlineData("DTSTART:20260308T090000Z|", "", "4:1 Warning PropertyMissing")]
    [InlineData("SUMMARY:a|", "DURATION:PT1H|", "4:1 Warning PropertiesExclude")]
    [InlineData("SUMMARY:a|", "SUMMARY:a,b|", "9:10 Deviation UnescapedText")]
    [InlineData("SUMMARY:a|", "SUMMARY:a\u0001b|", "9:10 Warning ControlCharacter")]
    [InlineData("SUMMARY:a|", "|SUMMARY:a|", "9:1 Deviation BlankLine")]
    [InlineData("SUMMARY:a|", "SUMMARY;X=1;X=2:a|", "9:13 Warning DuplicateParameter")]
    [InlineData("SUMMARY:a|", "SUMMARY;X=\"1\"2:a|", "9:9 Error BadParameterValue")]
    [InlineData("SUMMARY:a|", "SUMMARY;=1:a|", "9:9 Error BadParameterName")]
    [InlineData("SUMMARY:a|", "X_Y:a|", "9:1 Deviation BadPropertyName")]
    [InlineData("SUMMARY:a|", "STATUS:MAYBE|", "9:8 Warning ValueOutOfRange")]
    [InlineData("SUMMARY:a|", "PRIORITY:10|", "9:10 Warning ValueOutOfRange")]
    [InlineData("SUMMARY:a|", "GEO:91;0|", "9:5 Error BadGeo")]
    [InlineData("SUMMARY:a|", "ATTENDEE:who|", "9:10 Error BadCalAddress")]
    [InlineData("SUMMARY:a|", "SUMMARY;VALUE=DATE:a|", "9:1 Deviation ValueTypeMismatch")]
    [InlineData("DTSTAMP:20260101T000000Z|", "DTSTAMP:20260101T000000|", "6:9 Deviation ValueOutOfRange")]
    [InlineData("DTEND:20260308T100000Z|", "DTEND:20260308T080000Z|", "8:7 Error EndBeforeStart")]
    [InlineData("DTEND:20260308T100000Z|", "DTEND:20260308T090000Z|", "8:7 Deviation EndAtStart")]
    [InlineData("DTEND:20260308T100000Z|", "DTEND;VALUE=DATE:20260309|", "8:1 Warning TimeTypesDiffer")]
    [InlineData("SUMMARY:a|", "RRULE:FREQ=WEEKLY;BYDAY=SU;UNTIL=20270101|", "9:1 Deviation UntilTypeDiffers")]
    [InlineData("SUMMARY:a|", "RRULE:FREQ=WEEKLY;BYDAY=MO|", "9:1 Deviation StartOutsideRule")]
    [InlineData("SUMMARY:a|", "RRULE:FREQ=WEEKLY|RRULE:FREQ=DAILY|", "10:1 Warning SeveralRules")]
    [InlineData("SUMMARY:a|", "EXDATE;VALUE=DATE:20260308|", "9:1 Warning TimeTypesDiffer")]
    [InlineData("SUMMARY:a|", "X-T;TZID=Europe/Oslo:1|", "9:5 Deviation TimeZoneMissing")]
    [InlineData("SUMMARY:a|", "X-T;TZID=My zone:1|", "9:5 Warning UnknownZone")]
    [InlineData("SUMMARY:a|", "BEGIN:VALARM|ACTION:DISPLAY|TRIGGER:PT0S|END:VALARM|",
        "9:1 Deviation PropertyMissing")]
    [InlineData("BEGIN:VEVENT|", "METHOD:PUBLISH|BEGIN:VEVENT|", "5:1 Deviation MethodNeedsProperty")]
    [InlineData("BEGIN:VEVENT|", "METHOD:SHOUT|BEGIN:VEVENT|", "4:8 Deviation ValueOutOfRange")]
    [InlineData("BEGIN:VEVENT|", "BEGIN:VTIMEZONE|TZID:x|END:VTIMEZONE|BEGIN:VEVENT|",
        "4:1 Error IncompleteTimeZone")]
    [InlineData("BEGIN:VEVENT|",
        "BEGIN:VEVENT|UID:1|DTSTAMP:20260101T000000Z|DTSTART:20260308T090000Z|END:VEVENT|BEGIN:VEVENT|",
        "10:1 Warning DuplicateUid")]
    public void Check_OfABrokenRule_FindsIt(string good, string broken, string expected) =>
        Assert.Equal([expected], Check(Good.Replace(good, broken, StringComparison.Ordinal)));

    [Fact]
    public void Check_OfValidFiles_FindsDeviationsAtMost() => AssertNone(
        from file in Corpus.Of("valid").Concat(Corpus.Of("vtimezone"))
        where !IsOneOf(file, NotValid)
        from problem in CalendarLint.Check(CalendarDocument.Parse(file.Bytes))
        where problem.Severity != ProblemSeverity.Deviation && !NotLookedFor.Contains(problem.Code)
        select $"{file.Name}: {problem}");

    [Fact]
    public void Check_OfInvalidFiles_FindsMoreThanForm() => AssertNone(
        from file in Corpus.Of("invalid")
        where !IsOneOf(file, NotInvalid)
        let problems = CalendarLint.Check(CalendarDocument.Parse(file.Bytes))
        where problems.All(problem =>
            problem.Code is CalendarProblemCode.LineEndNotCrLf or CalendarProblemCode.LineTooLong)
        select $"{file.Name}: {string.Join(' ', file.Violations)}");

    /// <summary>What collectors call a violation is found as one of these.</summary>
    [Theory]
    [InlineData("bad-date", "BadDate BadDateTime TimeWithoutSeconds BadPeriod ValueTypeMismatch")]
    [InlineData("bad-rrule", "BadRecur LenientRecur UnsupportedRecur")]
    [InlineData("bad-duration", "BadDuration BlanksAroundValue BadPeriod")]
    [InlineData("lenient-duration", "LenientDuration BadDuration BadPeriod")]
    [InlineData("not-utf8", "NotUtf8")]
    [InlineData("control-char", "ControlCharacter")]
    [InlineData("bad-utc-offset", "BadUtcOffset OffsetWithoutSign")]
    [InlineData("tzid-with-utc", "TzidOnUtc")]
    [InlineData("dtend-and-duration", "PropertiesExclude")]
    [InlineData("dtend-before-dtstart", "EndBeforeStart TimeTypesDiffer")]
    [InlineData("missing-uid", "PropertyMissing")]
    [InlineData("missing-dtstamp", "PropertyMissing")]
    [InlineData("missing-dtstart", "PropertyMissing MethodNeedsProperty")]
    [InlineData("missing-prodid", "PropertyMissing")]
    [InlineData("date-without-value-param", "DateWithoutValueParameter")]
    [InlineData("date-type-mismatch", "ValueTypeMismatch")]
    [InlineData("fragment-no-vcalendar",
        "OutsideCalendar NoComponent OutsideComponent BadContentLine MisplacedComponent")]
    [InlineData("bom-utf8", "ByteOrderMark")]
    public void Check_OfFilesWithAViolation_FindsIt(string violation, string codes)
    {
        var expected = codes.Split(' ').Select(Enum.Parse<CalendarProblemCode>).ToArray();
        var silent = Corpus.Files
            .Where(file => file.Violations.Contains(violation) && !IsOneOf(file, SeenOtherwise))
            .Where(file => !CalendarLint.Check(CalendarDocument.Parse(file.Bytes))
                .Any(problem => expected.Contains(problem.Code)))
            .Select(file => file.Name);
        AssertNone(silent);
    }

    private static bool IsOneOf(CorpusFile file, string[] names) =>
        names.Any(name => file.Name.Contains(name, StringComparison.Ordinal));

    private static void AssertNone(IEnumerable<string> complaints)
    {
        var all = complaints.ToList();
        Assert.True(all.Count == 0, $"{all.Count}\n{string.Join('\n', all)}");
    }

    private static IEnumerable<string> Check(string lines) =>
        CalendarLint.Check(CalendarDocument.Parse(lines.Replace("|", "\r\n", StringComparison.Ordinal)))
            .Select(problem => $"{problem.Line}:{problem.Column} {problem.Severity} {problem.Code}");
}
