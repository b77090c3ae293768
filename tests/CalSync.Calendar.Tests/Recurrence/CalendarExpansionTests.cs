using System.Runtime.CompilerServices;
using CalSync.Calendar.Document;
using Xunit;

namespace CalSync.Calendar.Tests.Recurrence;

/// <summary>
/// A stream is expanded as a whole: series, overrides, cancellations, its own zones. Method: small streams,
/// and every collected file, none of which may throw or take long.
/// </summary>
public sealed class CalendarExpansionTests
{
    private const string Weekly =
        """
        BEGIN:VEVENT
        UID:class
        DTSTART;TZID=America/New_York:20260302T090000
        DTEND;TZID=America/New_York:20260302T100000
        RRULE:FREQ=WEEKLY;COUNT=5
        EXDATE;TZID=America/New_York:20260316T090000
        END:VEVENT

        """;

    /// <summary>RFC 5545 3.8.5: rule minus exceptions; the length stays across a change of clocks.</summary>
    [Fact]
    public void Occurrences_OfASeries_AreItsInstances() => AssertLines(
        Weekly,
        "03-02T09:00-05:00/10:00-05:00 class",
        "03-09T09:00-04:00/10:00-04:00 class",
        "03-23T09:00-04:00/10:00-04:00 class",
        "03-30T09:00-04:00/10:00-04:00 class");

    /// <summary>
    /// RFC 5545 3.8.4.4: an override takes the place of its instance, wherever it moves it; one that no
    /// instance answers stands for itself; the cancelled one says so.
    /// </summary>
    [Fact]
    public void Occurrences_WithOverrides_AreReplaced() => AssertLines(
        Weekly + Override("RECURRENCE-ID:20260309T130000Z", "DTSTART:20260331T120000Z", "DURATION:PT30M")
            + Override("RECURRENCE-ID;TZID=America/New_York:20260323T090000",
                "DTSTART;TZID=America/New_York:20260323T090000", "STATUS:CANCELLED")
            + Override("RECURRENCE-ID:20260501T130000Z", "DTSTART:20260501T130000Z"),
        "03-02T09:00-05:00/10:00-05:00 class",
        "03-23T09:00-04:00/09:00-04:00 class for 03-23T09:00-04:00 cancelled",
        "03-30T09:00-04:00/10:00-04:00 class",
        "03-31T12:00Z/12:30Z class for 03-09T13:00Z",
        "05-01T13:00Z/13:00Z class for 05-01T13:00Z");

    /// <summary>
    /// RFC 5545 3.2.13: THISANDFUTURE gives the later instances its shift, its length and its content, until
    /// the next one; a plain override beside it keeps its own.
    /// </summary>
    [Fact]
    public void Occurrences_WithThisAndFuture_MoveFromThereOn() => AssertLines(
        Weekly
            + Override("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=America/New_York:20260309T090000",
                "DTSTART;TZID=America/New_York:20260308T140000", "DURATION:PT2H")
            + Override("RECURRENCE-ID;TZID=America/New_York:20260330T090000",
                "DTSTART;TZID=America/New_York:20260330T080000"),
        "03-02T09:00-05:00/10:00-05:00 class",
        "03-08T14:00-04:00/16:00-04:00 class for 03-09T09:00-04:00",
        "03-22T14:00-04:00/16:00-04:00 class",
        "03-30T08:00-04:00/08:00-04:00 class for 03-30T09:00-04:00");

    /// <summary>An earlier start puts instances in order although the series has them in another.</summary>
    [Fact]
    public void Occurrences_ThatMoveBeforeOthers_AreInOrder() => AssertLines(
        """
        BEGIN:VEVENT
        UID:d
        DTSTART:20260302T090000Z
        RRULE:FREQ=DAILY;COUNT=4
        END:VEVENT
        BEGIN:VEVENT
        UID:d
        RECURRENCE-ID;RANGE=THISANDFUTURE:20260304T090000Z
        DTSTART:20260302T080000Z
        END:VEVENT
        """,
        "03-02T08:00Z/08:00Z d for 03-04T09:00Z",
        "03-02T09:00Z/09:00Z d",
        "03-03T08:00Z/08:00Z d",
        "03-03T09:00Z/09:00Z d");

    /// <summary>All-day series, DURATION in days, RDATE with PERIOD and tasks, in one order.</summary>
    [Fact]
    public void Occurrences_OfSeveralKinds_AreMerged() => AssertLines(
        """
        BEGIN:VEVENT
        UID:days
        DTSTART;VALUE=DATE:20260301
        DURATION:P2D
        RRULE:FREQ=DAILY;INTERVAL=30;COUNT=2
        END:VEVENT
        BEGIN:VEVENT
        UID:period
        DTSTART:20260301T100000Z
        DTEND:20260301T110000Z
        RDATE;VALUE=PERIOD:20260302T100000Z/PT3H,20260303T100000Z/20260303T100500Z
        END:VEVENT
        BEGIN:VTODO
        UID:task
        DUE:20260302T120000Z
        END:VTODO
        BEGIN:VTODO
        UID:some day
        END:VTODO
        """,
        "03-01/03-03 days",
        "03-01T10:00Z/11:00Z period",
        "03-02T10:00Z/13:00Z period",
        "03-02T12:00Z/12:00Z task",
        "03-03T10:00Z/10:05Z period",
        "03-31/04-02 days");

    /// <summary>A zone only the stream knows is followed; one nobody knows is said, not guessed.</summary>
    [Fact]
    public void Read_WithZonesOfItsOwn_FollowsOrSaysSo()
    {
        var stream =
            """
            BEGIN:VCALENDAR
            BEGIN:VTIMEZONE
            TZID:Camp\, North
            BEGIN:STANDARD
            DTSTART:20260308T000000
            TZOFFSETFROM:+0100
            TZOFFSETTO:+0130
            END:STANDARD
            END:VTIMEZONE
            BEGIN:VEVENT
            UID:camp
            DTSTART;TZID="Camp, North":20260307T120000
            RRULE:FREQ=DAILY;COUNT=2
            END:VEVENT
            BEGIN:VEVENT
            UID:lost
            DTSTART;TZID=Nowhere:20260307T120000
            END:VEVENT
            END:VCALENDAR
            """;
        var expansion = Read(stream);
        Assert.Equal(
            ["03-07T12:00+01:00/12:00+01:00 camp", "03-08T12:00+01:30/12:00+01:30 camp"],
            Lines(expansion.Occurrences()));
        var problem = Assert.Single(expansion.Problems);
        Assert.Equal((CalendarProblemCode.UnknownZone, 17), (problem.Code, problem.Line));
    }

    /// <summary>A span gives what is going on in it, and starts far ahead at once.</summary>
    [Fact]
    public void Occurrences_OfASpan_AreThoseThatTouchIt()
    {
        var expansion = Read(
            """
            BEGIN:VEVENT
            UID:night
            DTSTART:20260301T230000Z
            DURATION:PT2H
            RRULE:FREQ=DAILY
            END:VEVENT
            """);
        var from = new DateTimeOffset(2300, 6, 2, 0, 30, 0, TimeSpan.Zero);
        Assert.Equal(
            ["06-01T23:00Z/01:00Z night", "06-02T23:00Z/01:00Z night"],
            Lines(expansion.Occurrences(from, from.AddDays(1), new OccurrenceLimits(10, 1_000))));
        Assert.Equal(
            new ExpansionStep.Ended(OccurrencesEnd.CountLimit),
            expansion.Occurrences(limits: new OccurrenceLimits(3)).Last());
    }

    /// <summary>A hundred thousand rules in one event are named once, not expanded for minutes.</summary>
    [Fact]
    public void Read_OfFarTooManyRules_NamesTheLimit()
    {
        var rules = string.Concat(Enumerable.Repeat("RRULE:FREQ=DAILY\n", 100_000));
        var expansion = Read($"BEGIN:VEVENT\nUID:many\nDTSTART:20260301T090000Z\n{rules}END:VEVENT\n");
        Assert.Equal(CalendarProblemCode.LimitReached, Assert.Single(expansion.Problems).Code);
        Assert.Equal(11, expansion.Occurrences(limits: new OccurrenceLimits(10)).Count());
    }

    /// <summary>Every series in the collections is expanded or explained; nothing throws or hangs.</summary>
    [Fact]
    public void Occurrences_OfEveryCollectedFile_End()
    {
        foreach (var file in Collected())
        {
            var expansion = CalendarExpansion.Read(
                CalendarDocument.Parse(File.ReadAllBytes(file)), Zones.Of("Europe/Berlin"));
            var steps = expansion.Occurrences(limits: new OccurrenceLimits(500, 20_000)).ToArray();
            Assert.IsType<ExpansionStep.Ended>(steps[^1]);
            var starts = steps.OfType<ExpansionStep.Found>()
                .Select(step => step.Value.Start.InstantIn(Zones.Of("Europe/Berlin"))).ToArray();
            Assert.True(starts.SequenceEqual(starts.Order()), file);
        }
    }

    private static string Override(params string[] lines) =>
        $"BEGIN:VEVENT\nUID:class\n{string.Join('\n', lines)}\nEND:VEVENT\n";

    private static CalendarExpansion Read(string stream) =>
        CalendarExpansion.Read(CalendarDocument.Parse(stream), CalendarZone.Utc);

    private static void AssertLines(string stream, params string[] expected)
    {
        var expansion = Read(stream);
        Assert.Equal(expected, Lines(expansion.Occurrences()));
        Assert.Empty(expansion.Problems);
    }

    private static IEnumerable<string> Lines(IEnumerable<ExpansionStep> steps) =>
        steps.OfType<ExpansionStep.Found>().Select(step => step.Value).Select(each =>
            $"{Text(each.Start)}/{Text(each.End, each.Start is OccurrenceTime.AtTime ? 6 : 0)} {each.Uid}"
            + (each.IsOverride ? $" for {Text(each.RecurrenceId!)}" : "")
            + (each.IsCancelled ? " cancelled" : ""));

    private static string Text(OccurrenceTime time, int skip = 0) => (time switch
    {
        OccurrenceTime.AtTime at => at.Time.ToRfc3339().Replace(":00-", "-", StringComparison.Ordinal)
            .Replace(":00+", "+", StringComparison.Ordinal).Replace(":00Z", "Z", StringComparison.Ordinal),
        OccurrenceTime.OnDay day => $"{day.Date:uuuu-MM-dd}",
        _ => throw new ArgumentOutOfRangeException(nameof(time)),
    })[(5 + skip)..];

    private static IEnumerable<string> Collected([CallerFilePath] string thisFile = "")
    {
        for (var folder = Path.GetDirectoryName(thisFile);
            folder is not null;
            folder = Path.GetDirectoryName(folder))
        {
            var files = Path.Combine(folder, "shared", "data", "ics");
            if (Directory.Exists(files))
            {
                return Directory.EnumerateFiles(files, "*.ics", SearchOption.AllDirectories);
            }
        }

        return [];
    }
}
