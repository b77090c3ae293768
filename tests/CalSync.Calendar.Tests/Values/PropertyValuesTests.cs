using System.Globalization;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;
using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;

namespace CalSync.Calendar.Tests.Values;

/// <summary>
/// Every value type is read from its text, faults are located, and what is written is strict. Method: cases
/// of each type, the leniencies one by one with the programs that need them, and a round trip over random
/// values.
/// </summary>
public sealed class PropertyValuesTests
{
    [Theory]
    [InlineData("X;VALUE=DATE:20260308", "Date 20260308")]
    [InlineData("X:20260308T090000", "Floating 20260308T090000")]
    [InlineData("X:20260308T140000Z", "Utc 20260308T140000Z")]
    [InlineData("X;TZID=Europe/Oslo:20260308T090000", "Zoned 20260308T090000 Europe/Oslo")]
    [InlineData("X;TZID=\"/a:b\":20161231T235960", "Zoned 20161231T235959 /a:b")]
    [InlineData("X:20260230T090000", "7 BadDateTime RFC 5545 3.3.4")]
    [InlineData("X:20261308", "5 BadDate RFC 5545 3.3.4")]
    [InlineData("X:20260308T250000", "10 BadDateTime RFC 5545 3.3.12")]
    [InlineData("X:2026-03-08", "9 BadDateTime RFC 5545 3.3.5")]
    [InlineData("X:", "1 BadDateTime RFC 5545 3.3.5")]
    [InlineData("X:00000101", "1 BadDate RFC 5545 3.3.4")]
    public void Time_OfEachForm_IsItsOwnType(string line, string expected) => Assert.Equal(
        expected,
        Shown(Property(line).ReadTime(), time =>
            $"{time.GetType().Name} {time} {(time as CalendarTime.Zoned)?.TzId}".Trim()));

    [Theory]
    [InlineData("P2W", 14, 0)]
    [InlineData("P15DT5H0M20S", 15, 18_020)]
    [InlineData("-PT15M", 0, -900)]
    [InlineData("+P1D", 1, 0)]
    [InlineData("PT0S", 0, 0)]
    [InlineData("-P0DT0H15M0S", 0, -900)]
    public void Duration_OfEachForm_IsDaysAndSeconds(string text, int days, long seconds)
    {
        var reading = Property("X:" + text).ReadDuration();
        Assert.Equal(new CalendarDuration(days, seconds), reading.Value);
        Assert.Null(reading.Problem);
    }

    [Theory]
    [InlineData("", "1")]
    [InlineData("P", "2")]
    [InlineData("PT", "3")]
    [InlineData("1D", "1")]
    [InlineData("PD", "2")]
    [InlineData("P1", "2")]
    [InlineData("P1H", "3")]
    [InlineData("PT1D", "4")]
    [InlineData("PT1M1H", "6")]
    [InlineData("P99999999999999999999D", "2")]
    [InlineData("P4294967295W", "13")]
    public void Duration_Malformed_IsLocated(string text, string column) => Assert.Equal(
        $"{column} BadDuration RFC 5545 3.3.6",
            Shown(Property("X:" + text).ReadDuration(), value => value.ToString()));

    [Theory]
    [InlineData("20260308T090000Z/PT1H", "20260308T090000Z/PT1H")]
    [InlineData("20260308T090000Z/20260308T100000Z,20260309T090000Z/P1D",
        "20260308T090000Z/20260308T100000Z,20260309T090000Z/P1D")]
    [InlineData("20260308T090000Z/-PT1H", "18 BadPeriod RFC 5545 3.3.9")]
    [InlineData("20260308T090000Z", "17 BadPeriod RFC 5545 3.3.9")]
    [InlineData("20260308/P1D", "1 BadPeriod RFC 5545 3.3.9")]
    [InlineData("20260308T090000Z/PT1H,20260308T090000Z/PTXH", "42 BadDuration RFC 5545 3.3.6")]
    public void Periods_OfEachForm_AreRead(string text, string expected) => Assert.Equal(
        expected, Shown(Property("FREEBUSY:" + text).ReadPeriods(), periods => string.Join(',', periods)));

    [Theory]
    [InlineData("+0530", 19_800, "+0530")]
    [InlineData("-013020", -5_420, "-013020")]
    [InlineData("-0000", 0, "+0000")]
    public void Offset_OfEachForm_IsSeconds(string text, int seconds, string written)
    {
        Assert.Equal(seconds, Property("X:" + text).ReadOffset().Value.Seconds);
        Assert.Equal(written, new UtcOffset(seconds).ToString());
    }

    [Fact]
    public void Values_OfOtherTypes_AreRead()
    {
        Assert.Equal(-7, Property("X:-7").ReadInteger().Value);
        Assert.Equal(-1.5, Property("X:-1.5").ReadFloat().Value);
        Assert.True(Property("X:true").ReadBoolean().Value);
        Assert.Equal([1, 2, 3],
            Property("X;ENCODING=BASE64;VALUE=BINARY:AQID").ReadBinary().Value.AsEnumerable());
        Assert.Equal("http://a.b/c,d;e", Property("X:http://a.b/c,d;e").ReadUri().Value);
        Assert.Equal(new TimeOfDay(new LocalTime(8, 30), false, "Europe/Oslo"),
            Property("X;TZID=Europe/Oslo:083000").ReadTimeOfDay().Value);
        Assert.Equal(new TimeOfDay(new LocalTime(13, 30), true), Property("X:133000Z").ReadTimeOfDay().Value);
        Assert.Equal(new GeoPosition(37.386013, -122.082932),
            Property("GEO:37.386013;-122.082932").ReadGeo().Value);
        Assert.Equal(new RequestStatus("3.1", "Invalid; value", "DTSTART:96-Apr-01"),
            Property(@"X:3.1;Invalid\; value;DTSTART:96-Apr-01").ReadStatus().Value);
        Assert.Equal(Frequency.Weekly, Property("RRULE:FREQ=WEEKLY;COUNT=3").ReadRecur().Value!.Frequency);
        var address = Property("ATTENDEE:MAILTO:Jane@Example.com").ReadAddress().Value!;
        Assert.Equal("Jane@Example.com", address.Mail);
        Assert.Equal(CalAddress.FromMail("jane@example.com"), address);
        Assert.Equal(new AlarmTrigger.Relative(new CalendarDuration(0, -900), true),
            Property("TRIGGER;RELATED=END:-PT15M").ReadTrigger().Value);
        Assert.Equal("20260308T090000Z",
            ((AlarmTrigger.Absolute)Property("TRIGGER;VALUE=DATE-TIME:20260308T090000Z").ReadTrigger().Value!)
                .Time.ToString());
    }

    [Theory]
    [InlineData("one", "BadInteger")]
    [InlineData("2147483648", "BadInteger")]
    [InlineData("1,5", "BadFloat")]
    [InlineData("yes", "BadBoolean")]
    [InlineData("A*==", "BadBinary")]
    [InlineData("no scheme", "BadUri")]
    [InlineData("nobody", "BadCalAddress")]
    [InlineData("91;0", "BadGeo")]
    [InlineData("two;ok", "BadRequestStatus")]
    [InlineData("FREQ=SOMETIMES", "BadRecur")]
    [InlineData("RSCALE=HEBREW;FREQ=YEARLY", "UnsupportedRecur")]
    [InlineData("5", "BadUtcOffset")]
    [InlineData("25", "BadTime")]
    public void Values_Malformed_SayWhatWasExpected(string text, string code)
    {
        var property = Property("X:" + text);
        CalendarProblem?[] problems =
        [
            property.ReadInteger().Problem, property.ReadFloat().Problem, property.ReadBoolean().Problem,
            property.ReadBinary().Problem, property.ReadUri().Problem, property.ReadAddress().Problem,
            property.ReadGeo().Problem, property.ReadStatus().Problem, property.ReadRecur().Problem,
            property.ReadOffset().Problem, property.ReadTimeOfDay().Problem,
        ];
        var problem = Assert.Single(problems, problem => problem?.Code.ToString() == code)!;
        Assert.NotEmpty(problem.Expected);
        Assert.StartsWith("RFC 5545 3.", problem.Section, StringComparison.Ordinal);
        Assert.Equal(text, property.RawValue);
    }

    [Theory]
    [InlineData(@"a\, b\; c\\d\ne\Nf", "a, b; c\\d\ne\nf")]
    [InlineData("plain, text; with: signs", "plain, text; with: signs")]
    [InlineData(@"ends in \", @"ends in \")]
    public void Text_WithEscapes_IsDecoded(string raw, string expected) =>
        Assert.Equal(expected, Property("SUMMARY:" + raw).ReadText().Value);

    [Fact]
    public void Texts_InAList_AreSplitAtBareCommas() => Assert.Equal(
        ["A", "B, C", "", "D\\"], Property(@"CATEGORIES:A,B\, C,,D\\").ReadTexts().Value.AsEnumerable());

    /// <summary>What real programs write against the standard is read; the problem says so.</summary>
    [Theory]
    [InlineData("PyVObject", "DURATION:P1DT", "LenientDuration", "P1D")]
    [InlineData("Nextcloud Calendar 5.3", "DURATION:-P1W6DT15H", "LenientDuration", "-P13DT15H")]
    [InlineData("none known", "DURATION:PT1H30S", "LenientDuration", "PT1H0M30S")]
    [InlineData("Apple iCal 1.0", "DURATION:PT10M ", "BlanksAroundValue", "PT10M")]
    [InlineData("RFC 2445's examples", "DTSTAMP:19970901T1300Z", "TimeWithoutSeconds", "19970901T130000Z")]
    [InlineData("none known", "DTSTART;VALUE=DATE:20090117T200000", "ValueTypeMismatch",
        "20090117T200000")]
    [InlineData("Google Calendar 70", "DTSTART:20090117", "DateWithoutValueParameter", "20090117")]
    [InlineData("Yahoo Calendar, ownCloud 0.7", "DTSTART;TZID=Europe/Oslo:20090117T200000Z", "TzidOnUtc",
        "20090117T200000Z")]
    [InlineData("Sun Calendar Server, Mirapoint", "ATTENDEE:jane@example.com", "AddressWithoutScheme",
        "mailto:jane@example.com")]
    [InlineData("Apple iCal 1.5", "TZOFFSETTO:0100", "OffsetWithoutSign", "+0100")]
    [InlineData("SOGo 3.2", @"GEO:12.5\;-3", "UnknownEscape", "12.5;-3")]
    [InlineData("Apple iCal 1.5, Sunbird", @"SUMMARY:say \""no\""", "UnknownEscape", "say \"no\"")]
    [InlineData("RFC 2446's examples", "REQUEST-STATUS:2.0", "BadRequestStatus", "2.0;")]
    [InlineData("none known", "RRULE:FREQ=DAILY;", "LenientRecur", "FREQ=DAILY")]
    public void Values_OfLenientPrograms_AreReadWithADeviation(
        string program, string line, string code, string expected)
    {
        var property = Property(line);
        var (text, problem) = property.Name switch
        {
            "DURATION" => Of(property.ReadDuration()),
            "DTSTART" or "DTSTAMP" => Of(property.ReadTime()),
            "ATTENDEE" => Of(property.ReadAddress()),
            "TZOFFSETTO" => Of(property.ReadOffset()),
            "GEO" => Of(property.ReadGeo()),
            "SUMMARY" => Of(property.ReadText()),
            "RRULE" => Of(property.ReadRecur()),
            _ => Of(property.ReadStatus()),
        };
        Assert.Equal((program, expected), (program, text));
        Assert.Equal((code, ProblemSeverity.Deviation), (problem!.Code.ToString(), problem.Severity));
    }

    /// <summary>
    /// vCalendar 1.0 (Mirapoint Calendar): letters and line ends as quoted-printable.
    /// </summary>
    [Fact]
    public void Text_InQuotedPrintable_IsDecoded() => Assert.Equal("café\nnext = x",
        Property("DESCRIPTION;ENCODING=QUOTED-PRINTABLE:caf=C3=A9=0D=0Anext = x").ReadText().Value);

    [Fact]
    public void Problem_InAFoldedValue_PointsAtItsPhysicalPlace()
    {
        var problem = Property("EXDATE:20260308T090000Z,\r\n 20260309T0900\r\n\t00Z,2026")
            .ReadTimes().Problem!;
        Assert.Equal((4, 10), (problem.Line, problem.Column));
    }

    [Fact]
    public void Values_BeyondTheLimit_AreAProblem()
    {
        var problem = Property("RDATE:" + string.Join(',', Enumerable.Repeat("20260308T090000Z", 100_001)))
            .ReadTimes().Problem!;
        Assert.Equal(CalendarProblemCode.LimitReached, problem.Code);
    }

    [Fact]
    public void Values_WrittenAndRead_AreTheSame() => Check.One(Properties.Config, Prop.ForAll(
        (from days in Gen.Choose(0, 4000)
         from seconds in Gen.Choose(0, 200_000)
         from sign in Gen.Elements(1, -1)
         from kind in Gen.Choose(0, 3)
         from texts in Gen.NonEmptyListOf(Gen.Elements("a", ",", ";", "\\", "\n", "é,\\n", "", " x"))
         from offset in Gen.Choose(-86_399, 86_399)
         select (days, seconds, sign, kind, texts, offset)).ToArbitrary(),
        sample =>
        {
            var moment = new LocalDateTime(1999, 12, 31, 0, 0).PlusDays(sample.days)
                .PlusSeconds(sample.seconds);
            CalendarTime time = sample.kind switch
            {
                0 => new CalendarTime.Date(moment.Date),
                1 => new CalendarTime.Floating(moment),
                2 => new CalendarTime.Utc(moment),
                _ => new CalendarTime.Zoned(moment, "Custom \"zone\", with: signs"),
            };
            var duration = new CalendarDuration(sample.sign * sample.days, sample.sign * sample.seconds);
            var utc = new CalendarTime.Utc(moment);
            CalendarPeriod[] periods =
                [new CalendarPeriod.Until(utc, utc), new CalendarPeriod.For(utc, new(1, 2))];
            var all = string.Concat(sample.texts);
            Assert.Equal(time, Again(NewProperty.Time("DTSTART", time)).ReadTime().Value);
            Assert.Equal(duration, Again(NewProperty.Duration("DURATION", duration)).ReadDuration().Value);
            Assert.Equal(new UtcOffset(sample.offset),
                Again(NewProperty.Offset("TZOFFSETTO", new UtcOffset(sample.offset))).ReadOffset().Value);
            Assert.Equal(all, Again(NewProperty.Text("SUMMARY", all)).ReadText().Value);
            Assert.Equal(sample.texts,
                Again(NewProperty.Texts("CATEGORIES", sample.texts)).ReadTexts().Value.AsEnumerable());
            Assert.Equal(periods,
                Again(NewProperty.Periods("RDATE", periods)).ReadPeriods().Value.AsEnumerable());
            Assert.Equal([1, (byte)(sample.days % 256)],
                Again(NewProperty.Binary("ATTACH", [1, (byte)(sample.days % 256)])).ReadBinary().Value
                    .AsEnumerable());
            AlarmTrigger[] triggers =
                [new AlarmTrigger.Absolute(utc), new AlarmTrigger.Relative(duration, true)];
            foreach (var trigger in triggers)
                Assert.Equal(trigger, Again(NewProperty.Trigger(trigger)).ReadTrigger().Value);
            var place = new GeoPosition(sample.offset / 1000.0, sample.days / 100.0);
            Assert.Equal(place, Again(NewProperty.Geo(place)).ReadGeo().Value);
            return true;
        }));

    /// <summary>A written property read back must have no deviation either.</summary>
    private static CalendarProperty Again(PropertyContent content)
    {
        var property = Property(content.ToString());
        Assert.Null(property.Name is "DTSTART" ? property.ReadTime().Problem : null);
        return property;
    }

    private static (string?, CalendarProblem?) Of<T>(PropertyReading<T> reading) =>
        (reading.Value?.ToString(), reading.Problem);

    /// <summary>The value, or the column in the value and the code of its problem.</summary>
    private static string Shown<T>(PropertyReading<T> reading, Func<T, string> show) =>
        reading.TryGet(out var value)
            ? show(value)
            : string.Create(CultureInfo.InvariantCulture,
                $"{reading.Problem!.Column - (reading.Problem.Line == 2 ? Prefix(reading) : 0)} "
                + $"{reading.Problem.Code} {reading.Problem.Section}");

    private static int Prefix<T>(PropertyReading<T> reading) =>
        reading is PropertyReading<System.Collections.Immutable.ImmutableArray<CalendarPeriod>> ? 9 : 2;

    private static CalendarProperty Property(string line) =>
        CalendarDocument.Parse($"BEGIN:A\r\n{line}\r\nEND:A\r\n").Components.Single().Properties.Single();
}
