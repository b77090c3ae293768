using System.Globalization;
using NodaTime;
using Xunit;

namespace CalSync.Calendar.Tests.Recurrence;

/// <summary>The examples of RFC 5545 section 3.8.5.3. Method: its rules, and the dates it lists.</summary>
/// <remarks>
/// Zone America/New_York as there. Days stand "month/day,day" after their year; "end" if there are no more.
/// </remarks>
public sealed class RecurrenceExampleTests
{
    [Theory]
    [InlineData("FREQ=DAILY;COUNT=10", "1997 9/2,3,4,5,6,7,8,9,10,11 end")]
    [InlineData("FREQ=DAILY;INTERVAL=2", "1997 9/2,4,6,8,10,12,14,16,18,20,22,24,26,28,30 10/2,4,6")]
    [InlineData("FREQ=DAILY;INTERVAL=10;COUNT=5", "1997 9/2,12,22 10/2,12 end")]
    [InlineData("FREQ=WEEKLY;COUNT=10", "1997 9/2,9,16,23,30 10/7,14,21,28 11/4 end")]
    [InlineData("FREQ=WEEKLY;UNTIL=19971224T000000Z",
        "1997 9/2,9,16,23,30 10/7,14,21,28 11/4,11,18,25 12/2,9,16,23 end")]
    [InlineData("FREQ=WEEKLY;INTERVAL=2;WKST=SU",
        "1997 9/2,16,30 10/14,28 11/11,25 12/9,23 1998 1/6,20 2/3,17")]
    [InlineData("FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        "1997 9/2,4,9,11,16,18,23,25,30 10/2 end")]
    [InlineData("FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", "1997 9/2,4,9,11,16,18,23,25,30 10/2 end")]
    [InlineData("FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", "1997 9/2,4,16,18,30 10/2,14,16 end")]
    [InlineData("FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        "1997 9/2,15 10/2,15 11/2,15 12/2,15 1998 1/2,15 end")]
    [InlineData("FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        "1997 9/2,9,16,23,30 11/4,11,18,25 1998 1/6,13,20,27 3/3,10,17")]
    public void Occurrences_FromSeptember2_AreTheListedDays(string rule, string days) =>
        Check("9/2", rule, days);

    [Theory]
    [InlineData("9/1", "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        "1997 9/1,3,5,15,17,19,29 10/1,3,13,15,17,27,29,31 11/10,12,14,24,26,28 12/8,10,12,22 end")]
    [InlineData("9/5", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        "1997 9/5 10/3 11/7 12/5 1998 1/2 2/6 3/6 4/3 5/1 6/5 end")]
    [InlineData("9/5", "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR", "1997 9/5 10/3 11/7 12/5 end")]
    [InlineData("9/7", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997 9/7,28 11/2,30 1998 1/4,25 3/1,29 5/3,31 end")]
    [InlineData("9/22", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "1997 9/22 10/20 11/17 12/22 1998 1/19 2/16 end")]
    [InlineData("9/28", "FREQ=MONTHLY;BYMONTHDAY=-3", "1997 9/28 10/29 11/28 12/29 1998 1/29 2/26")]
    [InlineData("9/30", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "1997 9/30 10/1,31 11/1,30 12/1,31 1998 1/1,31 2/1 end")]
    [InlineData("9/10", "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "1997 9/10,11,12,13,14,15 1999 3/10,11,12,13 end")]
    [InlineData("6/10", "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        "1997 6/10 7/10 1998 6/10 7/10 1999 6/10 7/10 2000 6/10 7/10 2001 6/10 7/10 end")]
    [InlineData("3/10", "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        "1997 3/10 1999 1/10 2/10 3/10 2001 1/10 2/10 3/10 2003 1/10 2/10 3/10 end")]
    [InlineData("1/1", "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        "1997 1/1 4/10 7/19 2000 1/1 4/9 7/18 2003 1/1 4/10 7/19 2006 1/1 end")]
    [InlineData("5/19", "FREQ=YEARLY;BYDAY=20MO", "1997 5/19 1998 5/18 1999 5/17")]
    [InlineData("5/12", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "1997 5/12 1998 5/11 1999 5/17")]
    [InlineData("3/13", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
        "1997 3/13,20,27 1998 3/5,12,19,26 1999 3/4,11,18,25")]
    [InlineData("6/5", "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
        "1997 6/5,12,19,26 7/3,10,17,24,31 8/7,14,21,28 1998 6/4,11,18,25 7/2,9")]
    [InlineData("9/13", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "1997 9/13 10/11 11/8 12/13 1998 1/10 2/7 3/7 4/11 5/9 6/13")]
    [InlineData("9/4", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997 9/4 10/7 11/6 end")]
    [InlineData("9/29", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997 9/29 10/30 11/27 12/30 1998 1/29 2/26 3/30")]
    [InlineData("8/5", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997 8/5,10,19,24 end")]
    [InlineData("8/5", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997 8/5,17,19,31 end")]
    public void Occurrences_AreTheListedDays(string start, string rule, string days) =>
        Check(start, rule, days);

    /// <summary>"Every Friday the 13th": DTSTART is not one, and is excluded by its EXDATE.</summary>
    [Fact]
    public void Occurrences_OfFridayThe13th_AreTheListedDays() =>
        Check("9/2", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "1998 2/13 3/13 11/13 1999 8/13 2000 10/13",
            "EXDATE;TZID=America/New_York:19970902T090000");

    /// <summary>"Every four years, the first Tuesday after a Monday in November".</summary>
    [Fact]
    public void Occurrences_OfPresidentialElectionDay_AreTheListedDays()
    {
        var set = Set(new LocalDateTime(1996, 11, 5, 9, 0),
            "RRULE:FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8");
        Assert.Equal(["1996-11-05", "2000-11-07", "2004-11-02"], Texts(set, "uuuu-MM-dd").Take(3));
    }

    [Theory]
    [InlineData("FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z", "2 09:00,2 12:00,2 15:00")]
    [InlineData("FREQ=MINUTELY;INTERVAL=15;COUNT=6", "2 09:00,2 09:15,2 09:30,2 09:45,2 10:00,2 10:15")]
    [InlineData("FREQ=MINUTELY;INTERVAL=90;COUNT=4", "2 09:00,2 10:30,2 12:00,2 13:30")]
    public void Occurrences_WithinADay_AreTheListedTimes(string rule, string times) =>
        Assert.Equal(times, string.Join(',', Texts(Set(new LocalDateTime(1997, 9, 2, 9, 0), "RRULE:" + rule),
            "d HH:mm")));

    /// <summary>"Every 20 minutes from 9:00 to 16:40 every day", two ways.</summary>
    [Theory]
    [InlineData("FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40")]
    [InlineData("FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16")]
    public void Occurrences_EveryTwentyMinutesOfTheWorkingDay_AreTheListedTimes(string rule)
    {
        var times = Texts(
            Set(new LocalDateTime(1997, 9, 2, 9, 0), "RRULE:" + rule), "d HH:mm").Take(48).ToArray();
        Assert.Equal(
            from day in Enumerable.Range(2, 2)
            from hour in Enumerable.Range(9, 8)
            from minute in new[] { "00", "20", "40" }
            select string.Create(CultureInfo.InvariantCulture, $"{day} {hour:00}:{minute}"),
            times);
    }

    /// <summary>"Every day in January, for 3 years", two ways.</summary>
    [Theory]
    [InlineData("FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA")]
    [InlineData("FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1")]
    public void Occurrences_OfEveryDayInJanuary_AreNinetyThree(string rule)
    {
        var days = Texts(Set(new LocalDateTime(1998, 1, 1, 9, 0), "RRULE:" + rule), "uuuu-MM-dd").ToArray();
        Assert.Equal(93, days.Length);
        Assert.Equal("2000-01-31", days[^1]);
    }

    private static void Check(string start, string rule, string days, params string[] lines)
    {
        var (year, ended) = (1997, false);
        var expected = new List<string>();
        foreach (var word in days.Split(' '))
        {
            ended = word == "end";
            var slash = word.IndexOf('/', StringComparison.Ordinal);
            if (slash < 0)
            {
                year = ended ? year : int.Parse(word, CultureInfo.InvariantCulture);
                continue;
            }

            expected.AddRange(word[(slash + 1)..].Split(',').Select(day => $"{year}/{word[..slash]}/{day}"));
        }

        var month = start.Split('/').Select(part => int.Parse(part, CultureInfo.InvariantCulture)).ToArray();
        var set = Set(new LocalDateTime(1997, month[0], month[1], 9, 0), ["RRULE:" + rule, .. lines]);
        Assert.Equal(expected, Texts(set, "uuuu/M/d").Take(ended ? int.MaxValue : expected.Count));
    }

    private static IEnumerable<string> Texts(RecurrenceSet set, string pattern) =>
        set.Occurrences().OfType<OccurrenceStep.Timed>()
            .Select(step => step.Start.Local.ToString(pattern, CultureInfo.InvariantCulture));

    private static RecurrenceSet Set(LocalDateTime start, params string[] lines) =>
        Assert.IsType<RecurrenceSetParse.Parsed>(RecurrenceSet.Parse(
            lines, new RecurrenceStart.Timed(start, Zones.Of("America/New_York")))).Set;
}
