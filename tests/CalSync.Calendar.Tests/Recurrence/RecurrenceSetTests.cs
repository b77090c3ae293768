using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;

namespace CalSync.Calendar.Tests.Recurrence;

/// <summary>
/// Series expand as RFC 5545 and the documented choices say. Method: cases, and seek against walk.
/// </summary>
public sealed class RecurrenceSetTests
{
    /// <summary>
    /// R-CAL-09-B: nine in the morning stays nine in the morning across both changes of 2026.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-CAL-09-B")]
    public void Occurrences_OfAWeeklySeriesAcrossDaylightChanges_KeepTheLocalTime()
    {
        var times = Times(Timed("2026-03-01T09:00", "America/New_York",
            "RRULE:FREQ=WEEKLY;UNTIL=20261130T235959Z"));
        Assert.All(times, time => Assert.Equal(new LocalTime(9, 0), time.Local.TimeOfDay));
        Assert.Equal(40, times.Length);
        Assert.Equal("2026-03-01T09:00:00-05:00", times[0].ToRfc3339());
        Assert.Equal("2026-03-08T09:00:00-04:00", times[1].ToRfc3339());
        Assert.Equal("2026-10-25T09:00:00-04:00", times[34].ToRfc3339());
        Assert.Equal("2026-11-01T09:00:00-05:00", times[35].ToRfc3339());
    }

    /// <summary>
    /// R-CAL-09-B: an instance in the gap shifts forward and counts; one in the overlap is the first pass.
    /// </summary>
    [Theory]
    [Trait("Requirement", "R-CAL-09-B")]
    [InlineData("2026-03-07T02:30", "RRULE:FREQ=DAILY;COUNT=3",
        "2026-03-07T02:30:00-05:00 2026-03-08T03:30:00-04:00 2026-03-09T02:30:00-04:00")]
    [InlineData("2026-10-31T01:30", "RRULE:FREQ=DAILY;COUNT=3",
        "2026-10-31T01:30:00-04:00 2026-11-01T01:30:00-04:00 2026-11-02T01:30:00-05:00")]
    [InlineData("2026-03-08T01:30", "RRULE:FREQ=MINUTELY;INTERVAL=30;COUNT=6",
        "2026-03-08T01:30:00-05:00 2026-03-08T03:00:00-04:00 2026-03-08T03:30:00-04:00 "
        + "2026-03-08T04:00:00-04:00")]
    public void Occurrences_AtADaylightChange_ShiftOrTakeTheFirstPass(
        string start, string line, string expected) =>
        Assert.Equal(expected, Rendered(Timed(start, "America/New_York", line)));

    /// <summary>
    /// REC-2: DTSTART is the first instance and counts, also when the rule does not produce it.
    /// </summary>
    [Fact]
    public void Occurrences_WhenTheRuleMissesDtStart_BeginWithItAndCountIt() =>
        Assert.Equal(
            "2014-08-01T00:00:00Z 2014-08-04T00:00:00Z 2014-08-11T00:00:00Z 2014-08-18T00:00:00Z",
            Rendered(Timed("2014-08-01T00:00", "UTC", "RRULE:FREQ=WEEKLY;COUNT=4;BYDAY=MO;WKST=SA")));

    /// <summary>REC-3: what a yearly rule leaves open comes from DTSTART.</summary>
    [Theory]
    [InlineData("2026-05-10T09:00", "RRULE:FREQ=YEARLY;BYMONTHDAY=10,20;COUNT=4",
        "2026-05-10T09:00:00Z 2026-05-20T09:00:00Z 2027-05-10T09:00:00Z 2027-05-20T09:00:00Z")]
    [InlineData("2026-05-12T09:00", "RRULE:FREQ=YEARLY;BYWEEKNO=20;COUNT=3",
        "2026-05-12T09:00:00Z 2027-05-18T09:00:00Z 2028-05-16T09:00:00Z")]
    public void Occurrences_WhereTheRuleIsSilent_TakeDtStart(string start, string line, string expected) =>
        Assert.Equal(expected, Rendered(Timed(start, "UTC", line)));

    /// <summary>REC-4: a date removes its whole local day, a time its instant in any zone.</summary>
    [Theory]
    [InlineData("EXDATE;VALUE=DATE:20260309", "2026-03-08T09:00:00-04:00 2026-03-10T09:00:00-04:00")]
    [InlineData("EXDATE:20260309T130000Z", "2026-03-08T09:00:00-04:00 2026-03-10T09:00:00-04:00")]
    [InlineData("EXDATE;TZID=Asia/Calcutta:20260309T183000,20260310T183000", "2026-03-08T09:00:00-04:00")]
    [InlineData("EXDATE;TZID=\"Eastern Standard Time\":20260308T090000",
        "2026-03-09T09:00:00-04:00 2026-03-10T09:00:00-04:00")]
    [InlineData("EXDATE:20260309T090000", "2026-03-08T09:00:00-04:00 2026-03-10T09:00:00-04:00")]
    [InlineData("EXRULE:FREQ=WEEKLY;BYDAY=MO,TU", "2026-03-08T09:00:00-04:00")]
    [InlineData("EXDATE:20260309T090001Z",
        "2026-03-08T09:00:00-04:00 2026-03-09T09:00:00-04:00 2026-03-10T09:00:00-04:00")]
    public void Occurrences_WithAnExclusion_LeaveItOut(string line, string expected) =>
        Assert.Equal(expected, Rendered(Timed(
            "2026-03-08T09:00", "America/New_York", "RRULE:FREQ=DAILY;COUNT=3", line)));

    /// <summary>Dates join the rules in order, each instant once.</summary>
    [Fact]
    public void Occurrences_WithDates_AreMergedOnce() =>
        Assert.Equal(
            "2026-03-01T09:00:00Z 2026-03-02T12:00:00Z 2026-03-08T09:00:00Z 2026-04-01T00:30:00Z",
            Rendered(Timed("2026-03-01T09:00", "UTC", "RDATE:20260401T003000Z,20260308T090000Z",
                "RRULE:FREQ=WEEKLY;COUNT=2", "RDATE;TZID=Asia/Kolkata:20260302T173000")));

    /// <summary>An RDATE that is a PERIOD says where its occurrence ends; no other does.</summary>
    [Theory]
    [InlineData("20260309T090000Z/PT1H30M", "2026-03-09T05:00:00-04:00", "2026-03-09T06:30:00-04:00")]
    [InlineData(
        "20260309T090000Z/20260309T100000Z", "2026-03-09T05:00:00-04:00", "2026-03-09T06:00:00-04:00")]
    [InlineData("20260308T060000Z/P1W", "2026-03-08T01:00:00-05:00", "2026-03-15T01:00:00-04:00")]
    [InlineData("20260308T060000Z/P1DT1H", "2026-03-08T01:00:00-05:00", "2026-03-09T02:00:00-04:00")]
    [InlineData("20260309T090000Z/PT0S", "2026-03-09T05:00:00-04:00", "2026-03-09T05:00:00-04:00")]
    public void Occurrences_OfAPeriod_SayWhereItEnds(string period, string start, string end)
    {
        var set = Timed("2026-03-01T09:00", "America/New_York", $"RDATE;VALUE=PERIOD:{period}");
        var steps = set.Occurrences().OfType<OccurrenceStep.Timed>().ToArray();
        Assert.Null(steps[0].End);
        Assert.Equal((start, end), (steps[1].Start.ToRfc3339(), steps[1].End?.ToRfc3339()));
        Assert.Equal(set, Timed("2026-03-01T09:00", "America/New_York", [.. set.ToLines()]));
    }

    /// <summary>RFC 7529 section 4.1: days a month or year does not have are moved as SKIP says.</summary>
    [Theory]
    [InlineData("2014-01-31", "FREQ=MONTHLY;INTERVAL=3;SKIP=FORWARD",
        "2014-01-31 2014-05-01 2014-07-31 2014-10-31")]
    [InlineData("2015-01-31", "FREQ=MONTHLY;SKIP=BACKWARD",
        "2015-01-31 2015-02-28 2015-03-31 2015-04-30")]
    [InlineData("2015-01-01", "FREQ=MONTHLY;BYMONTHDAY=-31;SKIP=FORWARD",
        "2015-01-01 2015-02-01 2015-03-01 2015-04-01")]
    [InlineData("2015-01-01", "FREQ=MONTHLY;BYMONTHDAY=-31;SKIP=BACKWARD",
        "2015-01-01 2015-01-31 2015-03-01 2015-03-31")]
    [InlineData("2015-03-31", "FREQ=MONTHLY;BYMONTHDAY=1,31;SKIP=FORWARD",
        "2015-03-31 2015-04-01 2015-05-01 2015-05-31")]
    [InlineData("2015-02-28", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;SKIP=FORWARD",
        "2015-02-28 2015-03-01 2016-02-28 2016-02-29")]
    [InlineData("2016-02-29", "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=29;SKIP=FORWARD",
        "2016-02-29 2020-02-29 2024-02-29 2028-02-29")]
    [InlineData("2012-12-31", "FREQ=YEARLY;BYYEARDAY=366;SKIP=FORWARD",
        "2012-12-31 2014-01-01 2015-01-01 2016-01-01")]
    [InlineData("2012-12-31", "FREQ=YEARLY;BYYEARDAY=366;SKIP=BACKWARD",
        "2012-12-31 2013-12-31 2014-12-31 2015-12-31")]
    [InlineData("2012-01-01", "FREQ=YEARLY;BYYEARDAY=-366;SKIP=FORWARD",
        "2012-01-01 2013-01-01 2014-01-01 2015-01-01")]
    [InlineData("2012-01-01", "FREQ=YEARLY;BYYEARDAY=-366;SKIP=BACKWARD",
        "2012-01-01 2012-12-31 2013-12-31 2014-12-31")]
    [InlineData("9997-12-31", "FREQ=YEARLY;BYYEARDAY=-1,366;SKIP=FORWARD",
        "9997-12-31 9998-01-01 9998-12-31 9999-01-01")]
    [InlineData("2012-01-01", "FREQ=YEARLY;BYYEARDAY=-366",
        "2012-01-01 2016-01-01 2020-01-01 2024-01-01")]
    public void Occurrences_WithSkip_MoveDaysThatAreNotThere(string start, string rule, string expected)
    {
        Assert.True(LocalTimeText.TryParse(start + "T00:00", out var time));
        var set = Parsed(new RecurrenceStart.AllDay(time.Date), $"RRULE:RSCALE=GREGORIAN;{rule}");
        var days = set.Occurrences(limits: new OccurrenceLimits(8)).OfType<OccurrenceStep.AllDay>()
            .Select(step => step.Date).ToArray();
        Assert.Equal(expected, string.Join(' ', days.Take(4).Select(day =>
            day.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture))));
        var from = new DateTimeOffset(days[3].ToDateTimeUnspecified(), TimeSpan.Zero);
        Assert.Equal(days.Skip(3), set.Occurrences(from, new OccurrenceLimits(5))
            .OfType<OccurrenceStep.AllDay>().Select(step => step.Date));
    }

    /// <summary>Hours on a date are that date, once: RFC 5545 section 3.3.10, BYHOUR with a DATE.</summary>
    [Fact]
    public void Occurrences_OfAnHourlyAllDaySeries_AreItsDays()
    {
        var set = Parsed(
            new RecurrenceStart.AllDay(new LocalDate(2026, 3, 2)),
            "RRULE:FREQ=HOURLY;INTERVAL=36;BYDAY=MO,TU,WE;BYHOUR=15;COUNT=4");
        Assert.Equal(
            ["2026-03-02", "2026-03-03", "2026-03-09", "2026-03-11"],
            set.Occurrences().OfType<OccurrenceStep.AllDay>()
                .Select(step => step.Date.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture)));
    }

    /// <summary>All-day series are dates, whatever the zone.</summary>
    [Fact]
    public void Occurrences_OfAnAllDaySeries_AreDates()
    {
        var set = Parsed(
            new RecurrenceStart.AllDay(new LocalDate(2024, 2, 29)),
            "RRULE:FREQ=YEARLY;UNTIL=20360301", "EXDATE;VALUE=DATE:20320229", "RDATE;VALUE=DATE:20250228");
        Assert.Equal(
            ["2024-02-29", "2025-02-28", "2028-02-29", "2036-02-29"],
            set.Occurrences().OfType<OccurrenceStep.AllDay>()
                .Select(step => step.Date.ToString("uuuu-MM-dd", CultureInfo.InvariantCulture)));
    }

    /// <summary>Every sequence ends, and says why.</summary>
    [Theory]
    [InlineData("RRULE:FREQ=DAILY;COUNT=3", OccurrencesEnd.Complete, 3)]
    [InlineData("RRULE:FREQ=DAILY", OccurrencesEnd.CountLimit, 100)]
    [InlineData("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", OccurrencesEnd.Complete, 1)]
    [InlineData("RRULE:FREQ=SECONDLY;INTERVAL=60;BYSECOND=30", OccurrencesEnd.UnmatchedLimit, 1)]
    [InlineData("RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", OccurrencesEnd.Complete, 1)]
    [InlineData("RRULE:FREQ=YEARLY;INTERVAL=2147483647", OccurrencesEnd.Complete, 1)]
    [InlineData("RRULE:FREQ=SECONDLY;INTERVAL=2147483647;COUNT=2147483647", OccurrencesEnd.CountLimit, 100)]
    public void Occurrences_OfAnyRule_EndWithAReason(string line, OccurrencesEnd why, int count)
    {
        var steps = Timed("2026-03-01T09:00", "Europe/Oslo", line)
            .Occurrences(limits: new OccurrenceLimits(100, 100_000)).ToArray();
        Assert.Equal(new OccurrenceStep.Ended(why), steps[^1]);
        Assert.Equal(count, steps.Length - 1);
    }

    /// <summary>A rule that excludes everything its twin produces ends at the limit.</summary>
    [Fact]
    public void Occurrences_WhenEverythingIsExcluded_EndAtTheLimit()
    {
        var set = Timed("2026-03-01T09:00", "UTC", "RRULE:FREQ=SECONDLY", "EXRULE:FREQ=SECONDLY");
        Assert.Equal(
            [new OccurrenceStep.Ended(OccurrencesEnd.UnmatchedLimit)],
            set.Occurrences(limits: new OccurrenceLimits(10, 10_000)));
    }

    /// <summary>Starting at a moment gives what walking there gives.</summary>
    [Fact]
    public void Occurrences_FromAMoment_AreThoseOfTheWholeSequence()
    {
        var limits = new OccurrenceLimits(400, 200_000);
        var cases = from recur in RandomRules.Any
                    from zone in Gen.Elements("UTC", "America/New_York", "Australia/Lord_Howe",
                        "Asia/Kolkata")
                    from skip in Gen.Choose(0, 60)
                    select (Recur: recur, Zone: zone, Skip: skip);
        Check.One(Properties.Config, Prop.ForAll(cases.ToArbitrary(), sample =>
        {
            var set = Timed("2026-01-31T01:30", sample.Zone, "RRULE:" + sample.Recur);
            var all = set.Occurrences(limits: limits).OfType<OccurrenceStep.Timed>().ToArray();
            var rest = all.Skip(sample.Skip).Take(20).ToArray();
            return rest.Length == 0 || rest.SequenceEqual(
                set.Occurrences(rest[0].Start.Instant, limits).OfType<OccurrenceStep.Timed>()
                    .Take(rest.Length));
        }));
    }

    /// <summary>The year 2100 of an endless rule is jumped to, whatever its frequency.</summary>
    [Theory]
    [InlineData("FREQ=YEARLY", "2100-03-01T09:00:00+01:00", 10)]
    [InlineData("FREQ=YEARLY;INTERVAL=3;BYMONTH=2;BYMONTHDAY=29", "2104-02-29T09:00:00+01:00", 10)]
    [InlineData("FREQ=MONTHLY;INTERVAL=7;BYDAY=-1FR", "2100-04-30T09:00:00+02:00", 10)]
    [InlineData("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU", "2100-01-04T09:00:00+01:00", 20)]
    [InlineData("FREQ=DAILY;INTERVAL=10", "2100-01-02T09:00:00+01:00", 10)]
    [InlineData("FREQ=HOURLY;INTERVAL=5;BYDAY=SA", "2100-01-02T04:00:00+01:00", 60)]
    [InlineData("FREQ=MINUTELY;BYHOUR=9;BYMINUTE=0", "2100-01-01T09:00:00+01:00", 20)]
    [InlineData("FREQ=SECONDLY;INTERVAL=7;BYMONTH=12;BYHOUR=23;BYMINUTE=59;BYSECOND=59",
        "2100-12-06T23:59:59+01:00", 200)]
    public void Occurrences_FromFarAhead_AreJumpedTo(string rule, string first, int steps)
    {
        var set = Timed("2026-03-01T09:00", "Europe/Oslo", $"RRULE:{rule}");
        var from = new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var found = Assert.IsType<OccurrenceStep.Timed>(
            set.Occurrences(from, new OccurrenceLimits(1, steps)).First());
        Assert.Equal(first, found.Start.ToRfc3339());
    }

    /// <summary>Faults are located; unknown zones and meanings are said, never guessed.</summary>
    [Fact]
    public void Parse_OfFaultyLines_SaysWhatIsWrong()
    {
        Assert.Equal((1, 11), At(Fault("RRULE:FREQ=DAILY", "RRULE:FREQ=HOURS")));
        Assert.Equal((0, 5), At(Fault("RRULE")));
        Assert.Equal((0, 0), At(Fault("DTSTART:20260308T090000Z")));
        Assert.Equal((0, 23), At(Fault("EXDATE:20260308T090000,x")));
        Assert.Equal((0, 17), At(Fault("RDATE;VALUE=DATE:20260308")));
        Assert.Equal(new RecurrenceSetParse.Unsupported(0, "RSCALE"),
            Outcome("RRULE:RSCALE=HEBREW;FREQ=YEARLY"));
        Assert.Equal((0, 19), At(Fault("RDATE;VALUE=PERIOD:20260308T090000Z/1H")));
        var unknown = Assert.IsType<RecurrenceSetParse.UnknownZone>(
            Outcome("EXDATE;TZID=IST:20260308T090000"));
        Assert.Equal("Asia/Kolkata", unknown.Zone.Suggestions[0]);
    }

    /// <summary>What is written reads back as the same series.</summary>
    [Fact]
    public void ToLines_ThenParse_IsTheSameSet()
    {
        string[] lines =
        [
            "RRULE:FREQ=WEEKLY;BYDAY=MO", "EXRULE:FREQ=MONTHLY", "RDATE:20260401T003000Z",
            "EXDATE;TZID=Asia/Kolkata:20260309T183000", "EXDATE;VALUE=DATE:20260310",
        ];
        var set = Timed("2026-03-08T09:00", "America/New_York", lines);
        Assert.Equal(lines, set.ToLines());
        Assert.Equal(set, Timed("2026-03-08T09:00", "US/Eastern", [.. set.ToLines()]));
    }

    private static (int Line, int Offset) At(RecurrenceSetParse.Malformed fault) =>
        (fault.Line, fault.Offset);

    private static RecurrenceSetParse.Malformed Fault(params string[] lines) =>
        Assert.IsType<RecurrenceSetParse.Malformed>(Outcome(lines));

    private static RecurrenceSetParse Outcome(params string[] lines) =>
        RecurrenceSet.Parse(
            lines, new RecurrenceStart.Timed(new LocalDateTime(2026, 3, 8, 9, 0), CalendarZone.Utc));

    private static RecurrenceSet Parsed(RecurrenceStart start, params string[] lines) =>
        Assert.IsType<RecurrenceSetParse.Parsed>(RecurrenceSet.Parse(lines, start)).Set;

    private static RecurrenceSet Timed(string local, string zone, params string[] lines)
    {
        Assert.True(LocalTimeText.TryParse(local, out var time));
        return Parsed(new RecurrenceStart.Timed(time, Zones.Of(zone)), lines);
    }

    private static ZonedTime[] Times(RecurrenceSet set) =>
        [.. set.Occurrences().OfType<OccurrenceStep.Timed>().Select(step => step.Start)];

    private static string Rendered(RecurrenceSet set) =>
        string.Join(' ', Times(set).Select(time => time.ToRfc3339()));
}
