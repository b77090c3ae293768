using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;

namespace CalSync.Calendar.Tests.Recurrence;

/// <summary>
/// Rules are read, faults are located, and what is written is strict. Method: cases and a round trip.
/// </summary>
public sealed class RecurTests
{
    /// <summary>Canonical text: grammar order, ascending lists, defaults left out.</summary>
    [Theory]
    [InlineData("FREQ=DAILY", "FREQ=DAILY")]
    [InlineData("interval=1;freq=weekly;wkst=mo", "FREQ=WEEKLY")]
    [InlineData("FREQ=WEEKLY;WKST=SU;BYDAY=FR,MO,WE,MO;INTERVAL=2",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR;WKST=SU")]
    [InlineData("FREQ=MONTHLY;BYDAY=-1FR,+2TU;COUNT=3", "FREQ=MONTHLY;COUNT=3;BYDAY=2TU,-1FR")]
    [InlineData("FREQ=YEARLY;BYMONTH=2,1;UNTIL=20260308T090000Z",
        "FREQ=YEARLY;UNTIL=20260308T090000Z;BYMONTH=1,2")]
    [InlineData("FREQ=DAILY;UNTIL=20260308", "FREQ=DAILY;UNTIL=20260308")]
    [InlineData("FREQ=DAILY;UNTIL=20260308T090000", "FREQ=DAILY;UNTIL=20260308T090000")]
    [InlineData("FREQ=DAILY;BYSECOND=0,60;BYMINUTE=5;BYHOUR=23",
        "FREQ=DAILY;BYSECOND=0,60;BYMINUTE=5;BYHOUR=23")]
    [InlineData("FREQ=YEARLY;BYWEEKNO=-1,20;BYYEARDAY=-366,366;BYMONTHDAY=-31;BYSETPOS=-1",
        "FREQ=YEARLY;BYMONTHDAY=-31;BYYEARDAY=-366,366;BYWEEKNO=-1,20;BYSETPOS=-1")]
    public void Parse_ThenWrite_IsCanonical(string text, string canonical)
    {
        var parsed = Assert.IsType<RecurParse.Parsed>(Recur.Parse(text));
        Assert.Equal(canonical, parsed.Recur.ToString());
        Assert.Equal(parsed, Recur.Parse(canonical));
        Assert.Empty(parsed.Deviations);
    }

    /// <summary>Every fault names its part and place.</summary>
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("INTERVAL=2", "FREQ", 10)]
    [InlineData("FREQ=FORTNIGHTLY", "FREQ", 5)]
    [InlineData("FREQ=DAILY;;COUNT=2", "", 11)]
    [InlineData("FREQ=DAILY;COUNT=0", "COUNT", 17)]
    [InlineData("FREQ=DAILY;COUNT=99999999999", "COUNT", 17)]
    [InlineData("FREQ=DAILY;INTERVAL=-1", "INTERVAL", 20)]
    [InlineData("FREQ=DAILY;FREQ=DAILY", "FREQ", 11)]
    [InlineData("FREQ=WEEKLY;BYDAY=MO,XX", "BYDAY", 21)]
    [InlineData("FREQ=WEEKLY;BYDAY=", "BYDAY", 18)]
    [InlineData("FREQ=MONTHLY;BYDAY=0MO", "BYDAY", 19)]
    [InlineData("FREQ=MONTHLY;BYMONTHDAY=1,0", "BYMONTHDAY", 26)]
    [InlineData("FREQ=YEARLY;BYWEEKNO=54", "BYWEEKNO", 21)]
    [InlineData("FREQ=DAILY;UNTIL=20260230", "UNTIL", 17)]
    [InlineData("FREQ=DAILY;X-EVERY=2", "X-EVERY", 11)]
    public void Parse_OfAMalformedRule_NamesPartAndPlace(string text, string part, int offset)
    {
        var malformed = Assert.IsType<RecurParse.Malformed>(Recur.Parse(text));
        Assert.Equal((part, offset), (malformed.Part, malformed.Offset));
        Assert.NotEmpty(malformed.Expected);
    }

    /// <summary>
    /// What producers write against the RFC is read and reported: lib-recur's collection, Mozilla.
    /// </summary>
    [Theory]
    [InlineData("FREQ=DAILY;", "", "FREQ=DAILY")]
    [InlineData("FREQ=WEEKLY;UNTIL=20140801T150000ZZ", "UNTIL", "FREQ=WEEKLY;UNTIL=20140801T150000Z")]
    [InlineData("FREQ=MONTHLY;BYMONTH=10,BYMONTHDAY=10", "BYMONTH", "FREQ=MONTHLY;BYMONTHDAY=10;BYMONTH=10")]
    [InlineData("FREQ=WEEKLY;BYDAY=1MO", "BYDAY", "FREQ=WEEKLY;BYDAY=1MO")]
    [InlineData("FREQ=DAILY;COUNT=2;UNTIL=20260308", "COUNT", "FREQ=DAILY;UNTIL=20260308;COUNT=2")]
    public void Parse_OfAProducersHabit_ReadsAndReports(string text, string part, string canonical)
    {
        var parsed = Assert.IsType<RecurParse.Parsed>(Recur.Parse(text));
        Assert.Equal(part, Assert.Single(parsed.Deviations).Part);
        Assert.Equal(canonical, parsed.Recur.ToString());
    }

    /// <summary>REC-5: RFC 7529 in the Gregorian calendar is kept, reported and computed.</summary>
    [Theory]
    [InlineData("RSCALE=GREGORIAN;FREQ=MONTHLY", "RSCALE=GREGORIAN;FREQ=MONTHLY")]
    [InlineData("FREQ=YEARLY;SKIP=forward;RSCALE=gregorian", "RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=FORWARD")]
    [InlineData("RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=OMIT", "RSCALE=GREGORIAN;FREQ=YEARLY")]
    public void Parse_WithTheGregorianRScale_ReadsAndReports(string text, string canonical)
    {
        var parsed = Assert.IsType<RecurParse.Parsed>(Recur.Parse(text));
        Assert.Equal("RSCALE", Assert.Single(parsed.Deviations).Part);
        Assert.Equal(canonical, parsed.Recur.ToString());
        Assert.Equal(parsed.Recur, ((RecurParse.Parsed)Recur.Parse(canonical)).Recur);
        Assert.IsType<RecurParse.Unsupported>(
            Recur.Parse("RSCALE=GREGORIAN;FREQ=YEARLY;BYWEEKNO=53;SKIP=FORWARD"));
        Assert.IsType<RecurParse.Malformed>(Recur.Parse("RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=SIDEWAYS"));
    }

    /// <summary>REC-5: another calendar's rule is never guessed.</summary>
    [Fact]
    public void Parse_WithRScale_IsUnsupported() =>
        Assert.Equal(
            new RecurParse.Unsupported("RSCALE", 12),
            Recur.Parse("FREQ=YEARLY;RSCALE=CHINESE;BYMONTH=1"));

    /// <summary>parse(write(rule)) is the rule.</summary>
    [Fact]
    public void Parse_OfWhatWasWritten_IsTheSameRule() =>
        Check.One(Properties.Config, Prop.ForAll(RandomRules.Any.ToArbitrary(), recur =>
            Recur.Parse(recur.ToString()) is RecurParse.Parsed parsed && parsed.Recur == recur));

    /// <summary>No text makes the reader throw.</summary>
    [Fact]
    public void Parse_OfRandomText_NeverThrows()
    {
        var pieces = Gen.Elements("FREQ=", "DAILY", ";", ",", "BY", "BYDAY=", "-1", "MO", "=", "UNTIL=",
            "2026", "Z", "é");
        var texts = Gen.ArrayOf(pieces).Select(string.Concat);
        Check.One(Properties.Config, Prop.ForAll(texts.ToArbitrary(), text => Recur.Parse(text) is not null));
    }

    /// <summary>A rule built in code obeys the same ranges.</summary>
    [Fact]
    public void Init_OutOfRange_Throws()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Recur(Frequency.Daily) { Interval = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new Recur(Frequency.Daily) { ByMonth = [13] });
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            new Recur(Frequency.Daily) { WeekStart = IsoDayOfWeek.None });
    }
}
