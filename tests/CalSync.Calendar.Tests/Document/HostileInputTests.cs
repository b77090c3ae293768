using System.Diagnostics;
using CalSync.Calendar.Document;
using CalSync.Calendar.Lint;
using Xunit;

namespace CalSync.Calendar.Tests.Document;

/// <summary>
/// No input throws, hangs or loses octets. Method: generated monsters, and files of the collection with
/// octets changed by a seed.
/// </summary>
public sealed class HostileInputTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Nesting_OfAHundredThousand_IsRead(bool isClosed)
    {
        const int depth = 100_000;
        var text = string.Concat(Enumerable.Repeat("BEGIN:A\nX:1\n", depth))
            + string.Concat(Enumerable.Repeat(isClosed ? "END:A\n" : "END:B\n", depth));
        var document = CalendarDocument.Parse(text);
        Assert.Equal(depth, document.AllComponents.Count());
        Assert.Equal(isClosed ? 0 : 1_001, document.Problems.Length);
        Assert.Equal(depth, document.AllComponents.Sum(component => component.Properties.Count()));
        Assert.Equal("A", document.AllComponents.Last().ToString());
        Assert.Equal("X:1", document.AllComponents.Last().Properties.Last().ToString());
    }

    [Fact]
    [Trait("Category", "Slow")]
    public void Line_OfAHundredMegabytes_IsRead()
    {
        var source = new byte[100_000_000];
        source.AsSpan().Fill((byte)'x');
        "BEGIN:A\nX;P=\""u8.CopyTo(source);
        "\nEND:A\n"u8.CopyTo(source.AsSpan(source.Length - 7));
        var watch = Stopwatch.StartNew();
        var document = CalendarDocument.Parse(source);
        Assert.Equal(3, document.LineCount);
        Assert.Equal(CalendarProblemCode.BadContentLine, Assert.Single(document.Problems).Code);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 5);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public void Lines_OfTenMillion_EndAtTheLimit()
    {
        var line = "RDATE:20260308T090000Z\n"u8;
        var source = new byte[8 + (line.Length * 10_000_000)];
        "BEGIN:A\n"u8.CopyTo(source);
        for (var start = 8; start < source.Length; start += line.Length)
            line.CopyTo(source.AsSpan(start));
        var document = CalendarDocument.Parse(source);
        var problem = Assert.Single(document.Problems);
        Assert.Equal((CalendarProblemCode.LimitReached, 2_000_001), (problem.Code, problem.Line));
        Assert.Equal(1_999_999, document.Components.Single().Properties.Count());
        Assert.Equal(source.Length, document.Bytes.Length);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public void Expansion_OfTenMillionDates_SaysThatTheyAreTooMany()
    {
        var head = "BEGIN:VEVENT\nUID:1\nDTSTART:20260308T090000Z\nRDATE:20260308T090000Z"u8;
        var date = ",20260309T090000Z"u8;
        var source = new byte[head.Length + (date.Length * 10_000_000)];
        head.CopyTo(source);
        for (var start = head.Length; start < source.Length; start += date.Length)
            date.CopyTo(source.AsSpan(start));
        var expansion = CalendarExpansion.Read(CalendarDocument.Parse(source), CalendarZone.Utc);
        Assert.Contains(expansion.Problems, problem => problem.Code == CalendarProblemCode.LimitReached);
        Assert.Single(expansion.Occurrences(null, null).OfType<ExpansionStep.Found>());
    }

    /// <summary>A zone that stands in itself, or whose times are said to be in itself, is followed.</summary>
    [Fact]
    public void Expansion_InAZoneThatRefersToItself_FollowsIt()
    {
        const string part = "BEGIN:STANDARD\nDTSTART;TZID=Own:19700101T000000\nTZOFFSETFROM:+0100\n"
            + "TZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;UNTIL=20300101T000000\nEND:STANDARD\n";
        const int depth = 1_000;
        var zone = string.Concat(Enumerable.Repeat("BEGIN:VTIMEZONE\nTZID;TZID=Own:Own\n" + part, depth))
            + string.Concat(Enumerable.Repeat("END:VTIMEZONE\n", depth));
        var document = CalendarDocument.Parse($"BEGIN:VCALENDAR\n{zone}BEGIN:VEVENT\nUID:1\n"
            + "DTSTART;TZID=Own:20260308T090000\nEND:VEVENT\nEND:VCALENDAR\n");
        var expansion = CalendarExpansion.Read(document, CalendarZone.Utc);
        var found = Assert.Single(expansion.Occurrences(null, null).OfType<ExpansionStep.Found>());
        Assert.Equal("2026-03-08T09:00:00+01:00[Own]",
            Assert.IsType<OccurrenceTime.AtTime>(found.Value.Start).Time.ToString());
    }

    [Fact]
    public void Check_OfAHundredThousandRules_Ends()
    {
        var rules = string.Concat(Enumerable.Repeat("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\n", 100_000));
        var document = CalendarDocument.Parse($"BEGIN:VEVENT\nDTSTART:20260308T090000Z\n{rules}END:VEVENT\n");
        var watch = Stopwatch.StartNew();
        Assert.Contains(CalendarLint.Check(document), problem =>
            problem.Code == CalendarProblemCode.SeveralRules);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 20);
    }

    [Fact]
    public void Octets_ChangedAtRandom_AreKeptAndNeverThrow()
    {
        const int seed = 20260309;
        var random = new Random(seed);
        foreach (var file in Corpus.Files.Where(file => file.Bytes.Length is > 0 and < 20_000))
        {
            var source = file.Bytes.ToArray();
            for (var count = random.Next(1, 12); count > 0; count--)
                source[random.Next(source.Length)] = "\r\n :;\"=^,\\\0\xFF\tBEGIN"u8[random.Next(18)];
            var document = CalendarDocument.Parse(source);
            Assert.True(Written.FromParts(document).SequenceEqual(source), $"{file.Name}, seed {seed}");
            foreach (var property in Written.Properties(document))
                _ = property.Content.ToString();
            Assert.All(CalendarLint.Check(document), problem =>
                Assert.InRange(problem.Offset, 0, source.Length));
        }
    }
}
