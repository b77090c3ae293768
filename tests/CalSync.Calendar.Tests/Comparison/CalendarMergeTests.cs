using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using Xunit;

namespace CalSync.Calendar.Tests.Comparison;

/// <summary>
/// What a merge writes and what it asks. Method: small calendars changed by hand, and the exact octets
/// that come out.
/// </summary>
public sealed class CalendarMergeTests
{
    private const string Base = "UID:1|summary:Sing\n ing|X-Odd;a=b:  c|"
        + "DTSTART:20260302T090000Z|DURATION:PT1H|CATEGORIES:a,b|ATTENDEE;CN=Ann:mailto:a@x|"
        + "BEGIN:VALARM|TRIGGER:-PT5M|END:VALARM|END:VEVENT|";

    [Fact]
    public void Merge_OfDisjointEdits_RewritesOnlyTheLinesOfTheOtherSide()
    {
        var left = Base.Replace("a=b:  c", "a=b:  d", StringComparison.Ordinal);
        var right = Base
            .Replace("CATEGORIES:a,b|", "CATEGORIES:c|CATEGORIES:b|LOCATION:Room|", StringComparison.Ordinal)
            .Replace("CN=Ann", "CN=Ann;PARTSTAT=ACCEPTED", StringComparison.Ordinal)
            .Replace("-PT5M", "-PT10M", StringComparison.Ordinal);
        var expected = left
            .Replace("CATEGORIES:a,b|", "CATEGORIES:b|CATEGORIES:c|", StringComparison.Ordinal)
            .Replace("CN=Ann:mailto:a@x|", "CN=Ann;PARTSTAT=ACCEPTED:mailto:a@x|LOCATION:Room|",
                StringComparison.Ordinal)
            .Replace("-PT5M", "-PT10M", StringComparison.Ordinal);
        AssertMerge(Base, left, right, MergePreference.Left, expected);
    }

    [Theory]
    [InlineData(MergePreference.Left, "left")]
    [InlineData(MergePreference.Right, "right")]
    [InlineData(MergePreference.Newest, "left")]
    public void Merge_OfOneTextChangedTwice_IsAConflict(MergePreference preference, string expected)
    {
        var (left, right) = (Summary("left"), Summary("right"));
        AssertMerge(
            Base, left, right, preference, Summary(expected),
            $"SUMMARY   Singing/left/right {(expected == "left" ? "Left" : "Right")}");
    }

    [Theory]
    [InlineData("SEQUENCE:2", "SEQUENCE:10", "right", "SEQUENCE:10")]
    [InlineData("SEQUENCE:3", "LAST-MODIFIED:20260105T000000Z", "left",
        "SEQUENCE:3|LAST-MODIFIED:20260105T000000Z")]
    [InlineData("LAST-MODIFIED:20260104T000000Z", "LAST-MODIFIED:20260105T000000Z", "right",
        "LAST-MODIFIED:20260105T000000Z")]
    public void Merge_ByNewest_GoesBySequenceThenLastModified(
        string left, string right, string expected, string revision)
    {
        var merge = Merge(
            Base, Summary("left") + left + "|", Summary("right") + right + "|", MergePreference.Newest);
        Assert.Equal(Text(Summary(expected) + revision + "|"), merge.Document.ToString());
        Assert.Single(merge.Conflicts);
    }

    /// <summary>
    /// One moved it, the other made it longer: taking half of each could end before it begins.
    /// </summary>
    [Fact]
    public void Merge_OfStartAndEnd_TakesBothFromOneSide()
    {
        var left = Base.Replace("DURATION:PT1H", "DTEND:20260302T110000Z", StringComparison.Ordinal);
        var right = Base.Replace("20260302T09", "20260302T15", StringComparison.Ordinal);
        AssertMerge(
            Base, left, right, MergePreference.Right,
            Base.Replace("20260302T09", "20260302T15", StringComparison.Ordinal),
            "DTEND, DTSTART   2026-03-02T10:00:00Z, 2026-03-02T09:00:00Z/"
            + "2026-03-02T11:00:00Z, 2026-03-02T09:00:00Z/2026-03-02T16:00:00Z, 2026-03-02T15:00:00Z Right");
    }

    [Fact]
    public void Merge_OfOneAttendee_MergesItsParameters()
    {
        var left = Base.Replace("CN=Ann", "CN=Ann;PARTSTAT=ACCEPTED;ROLE=CHAIR", StringComparison.Ordinal);
        var right = Base.Replace("CN=Ann", "CN=Anna;PARTSTAT=DECLINED", StringComparison.Ordinal);
        AssertMerge(
            Base, left, right, MergePreference.Left,
            Base.Replace("CN=Ann", "CN=Anna;PARTSTAT=ACCEPTED;ROLE=CHAIR", StringComparison.Ordinal),
            "ATTENDEE mailto:a@x PARTSTAT /ACCEPTED/DECLINED Left");
    }

    [Theory]
    [InlineData(MergePreference.Left, false)]
    [InlineData(MergePreference.Right, true)]
    [InlineData(MergePreference.Newest, true)]
    public void Merge_OfAnOverrideDeletedAndEdited_IsAConflict(MergePreference preference, bool isKept)
    {
        const string over = "BEGIN:VEVENT|UID:1|RECURRENCE-ID:20260303T090000Z|SUMMARY:a|END:VEVENT|";
        var edited = over.Replace("SUMMARY:a", "SUMMARY:b", StringComparison.Ordinal);
        AssertMerge(
            Base + over, Summary("x"), Base + edited, preference,
            Summary("x") + (isKept ? edited : ""), $"   a//b {(isKept ? "Right" : "Left")}");
        AssertMerge(Base + over, Summary("x"), Base + over, preference, Summary("x"));
        AssertMerge(Base, Summary("x"), Base + over, preference, Summary("x") + over);
    }

    [Fact]
    public void Merge_OfATimeInANewZone_BringsItsDefinition()
    {
        const string zone = "BEGIN:VTIMEZONE|TZID:Own|BEGIN:STANDARD|DTSTART:19700101T000000|"
            + "TZOFFSETFROM:+0100|TZOFFSETTO:+0100|END:STANDARD|END:VTIMEZONE|";
        var right = Base.Replace("DTSTART:20260302T090000Z", "DTSTART;TZID=Own:20260302T120000",
            StringComparison.Ordinal);
        var merge = CalendarMerge.Merge(
            Calendar(Base), Calendar(Summary("x")),
            CalendarDocument.Parse(Text(right).Replace(
                "BEGIN:VEVENT", zone.Replace('|', '\n') + "BEGIN:VEVENT", StringComparison.Ordinal)),
            MergePreference.Left);
        Assert.Contains("BEGIN:VTIMEZONE\nTZID:Own\n", merge.Document.ToString(), StringComparison.Ordinal);
        Assert.Contains("2026-03-02T12:00:00+01:00[Own]",
            CalendarDiff.Compare(Calendar(Base), merge.Document).Select(change => change.After));
    }

    /// <summary>A file without a calendar around its events is merged too.</summary>
    [Fact]
    public void Merge_OfFragments_AddsBehind()
    {
        const string one = "BEGIN:VEVENT\nUID:1\nEND:VEVENT";
        const string two = "BEGIN:VEVENT\r\nUID:2\r\nEND:VEVENT";
        var merge = CalendarMerge.Merge(
            CalendarDocument.Parse(one),
            CalendarDocument.Parse(one.Replace("UID:1", "UID:1\nX:1", StringComparison.Ordinal)),
            CalendarDocument.Parse(one + "\n" + two), MergePreference.Left);
        Assert.Equal("BEGIN:VEVENT\nUID:1\nX:1\nEND:VEVENT\n" + two,
            merge.Document.ToString());
    }

    private static string Summary(string text) =>
        Base.Replace("summary:Sing\n ing", "SUMMARY:" + text, StringComparison.Ordinal);

    private static void AssertMerge(
        string @base, string left, string right, MergePreference preference, string expected,
        params string[] conflicts)
    {
        var merge = Merge(@base, left, right, preference);
        Assert.Equal(Text(expected), merge.Document.ToString());
        Assert.Equal(conflicts, merge.Conflicts.Select(each =>
            $"{each.Property} {each.Member} {each.Parameter} {each.Base}/{each.Left}/{each.Right}"
            + $" {each.Chosen}"));
    }

    private static MergeResult Merge(string @base, string left, string right, MergePreference preference) =>
        CalendarMerge.Merge(Calendar(@base), Calendar(left), Calendar(right), preference);

    private static CalendarDocument Calendar(string events) => CalendarDocument.Parse(Text(events));

    /// <summary>Moves what stands behind the master's END, and is no component, in front of it.</summary>
    private static string Text(string lines)
    {
        const string end = "END:VEVENT|";
        var close = lines.IndexOf(end, StringComparison.Ordinal);
        var rest = lines[(close + end.Length)..];
        var isComponent = rest.Length == 0 || rest.StartsWith("BEGIN", StringComparison.Ordinal);
        var body = isComponent ? lines : lines[..close] + rest + end;
        return $"BEGIN:VCALENDAR|BEGIN:VEVENT|{body}END:VCALENDAR|".Replace('|', '\n');
    }
}
