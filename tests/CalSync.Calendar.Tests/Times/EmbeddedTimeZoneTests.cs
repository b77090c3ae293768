using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using CalSync.Calendar.Document;
using CalSync.Calendar.Zones;
using NodaTime;
using Xunit;

namespace CalSync.Calendar.Tests.Times;

/// <summary>
/// A VTIMEZONE is followed by its own rules, and one that is written describes its zone. Method: cases; every
/// IANA zone written over a random span (the seed is printed), read back and compared at every change.
/// </summary>
public sealed class EmbeddedTimeZoneTests
{
    private static readonly int[] Around =
        [-90_000, -3_600, -1_800, -1, 0, 1, 1_799, 1_800, 3_600, 90_000];

    private const string Fictitious =
        """
        BEGIN:VTIMEZONE
        TZID:Fictitious
        BEGIN:STANDARD
        DTSTART:19671029T020000
        RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
        TZOFFSETFROM:-0400
        TZOFFSETTO:-0500
        TZNAME:EST
        END:STANDARD
        BEGIN:DAYLIGHT
        DTSTART:19870405T020000
        RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4;UNTIL=19980404T070000Z
        TZOFFSETFROM:-0500
        TZOFFSETTO:-0400
        TZNAME:EDT
        END:DAYLIGHT
        BEGIN:DAYLIGHT
        DTSTART:19990424T020000
        RDATE:20010422T020000,20020423T020000
        TZOFFSETFROM:-0500
        TZOFFSETTO:-0400
        TZNAME:EDT
        END:DAYLIGHT
        END:VTIMEZONE
        """;

    /// <summary>
    /// RFC 5545 section 3.6.5: onsets are in the offset before them; UNTIL is inclusive, in UTC.
    /// </summary>
    [Theory]
    [InlineData("1900-01-01T00:00:00Z", -4)]
    [InlineData("1967-10-29T05:59:59Z", -4)]
    [InlineData("1967-10-29T06:00:00Z", -5)]
    [InlineData("1987-04-05T06:59:59Z", -5)]
    [InlineData("1987-04-05T07:00:00Z", -4)]
    [InlineData("1998-04-05T08:00:00Z", -5)]
    [InlineData("1999-04-24T08:00:00Z", -4)]
    [InlineData("2000-07-01T00:00:00Z", -5)]
    [InlineData("2001-04-22T07:00:00Z", -4)]
    [InlineData("2002-04-23T06:59:59Z", -5)]
    [InlineData("2002-10-27T05:59:59Z", -4)]
    [InlineData("2150-07-01T00:00:00Z", -5)]
    [InlineData("9000-07-01T00:00:00Z", -5)]
    public void FromEmbedded_AtAnInstant_HasTheOffsetOfTheLastOnset(string instant, int hours)
    {
        var zone = CalendarZone.FromEmbedded(EmbeddedTimeZone.Read(Component(Fictitious)))!;
        Assert.True(Rfc3339.TryParse(instant, out var moment));
        Assert.Equal(TimeSpan.FromHours(hours), ZonedTime.FromInstant(moment, zone).Offset);
    }

    /// <summary>The name first, then X-LIC-LOCATION, then the rules; nothing is made of nothing.</summary>
    [Theory]
    [InlineData("Europe/Oslo", null, "Europe/Oslo", ZoneMatch.Exact)]
    [InlineData("Asia/Calcutta", "Europe/Oslo", "Asia/Kolkata", ZoneMatch.Alias)]
    [InlineData("Custom", "Europe/Oslo", "Europe/Oslo", ZoneMatch.Location)]
    [InlineData("Custom", "Nowhere", "Custom", ZoneMatch.Embedded)]
    [InlineData("IST", null, "IST", ZoneMatch.Embedded)]
    public void Resolve_WithAVTimeZone_SaysHowTheZoneWasFound(
        string name, string? location, string id, ZoneMatch how)
    {
        var embedded = EmbeddedTimeZone.Read(Component(Fictitious)) with { TzId = name, Location = location };
        var found = Assert.IsType<ZoneResolution.Found>(CalendarZone.Resolve(name, embedded));
        Assert.Equal((id, how), (found.Zone.Id, found.How));
        Assert.IsType<ZoneResolution.Unknown>(
            CalendarZone.Resolve("Custom", new EmbeddedTimeZone("Custom", [])));
        Assert.NotEqual(
            Zones.Of("Europe/Oslo"), CalendarZone.FromEmbedded(embedded with { TzId = "Europe/Oslo" }));
    }

    /// <summary>Where a zone is regular two parts are enough, and they never end.</summary>
    [Fact]
    public void ToEmbedded_OfARegularZone_IsTwoRules() =>
        Assert.Equal(
            """
            BEGIN:VTIMEZONE
            TZID:America/New_York
            X-LIC-LOCATION:America/New_York
            BEGIN:STANDARD
            DTSTART:20251102T020000
            TZOFFSETFROM:-0400
            TZOFFSETTO:-0500
            TZNAME:EST
            RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11
            END:STANDARD
            BEGIN:DAYLIGHT
            DTSTART:20260308T020000
            TZOFFSETFROM:-0500
            TZOFFSETTO:-0400
            TZNAME:EDT
            RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3
            END:DAYLIGHT
            END:VTIMEZONE
            """,
            string.Join('\n', Zones.Of("America/New_York").ToEmbedded(Date(2026), Date(2027)).ToLines()));

    /// <summary>A zone without changes has one part.</summary>
    [Fact]
    public void ToEmbedded_OfAConstantZone_IsOnePart() =>
        Assert.Equal(
            new Observance(new LocalDateTime(1970, 1, 1, 0, 0), 0, 0) { Name = "UTC" },
            Assert.Single(CalendarZone.Utc.ToEmbedded(Date(2026), Date(2027)).Observances));

    /// <summary>
    /// Written, read and followed, every zone has its offsets back: a second before each change, at it, and
    /// at random moments of the span.
    /// </summary>
    [Fact]
    public void ToEmbedded_OfEveryZoneOverARandomSpan_HasItsOffsets()
    {
        var seed = 0;
        foreach (var zone in AllZones())
        {
            var random = new Random(++seed);
            var from = Date(1902 + random.Next(190)).AddSeconds(random.Next(31_000_000));
            var to = from.AddDays(random.Next(1, 15_000));
            var written = zone.ToEmbedded(from, to);
            var read = EmbeddedTimeZone.Read(Component(string.Join('\n', written.ToLines())));
            Assert.Equal(written, read);
            var again = CalendarZone.FromEmbedded(read)!;
            var changes = zone.Rules.GetZoneIntervals(
                    Instant.FromDateTimeOffset(from), Instant.FromDateTimeOffset(to))
                .Where(interval => interval.HasEnd).Select(interval => interval.End.ToDateTimeOffset());
            var moments = changes.SelectMany(change => (DateTimeOffset[])[change.AddSeconds(-1), change])
                .Concat(Enumerable.Range(0, 20).Select(_ => from + (random.NextDouble() * (to - from))))
                .Append(from).Append(to);
            foreach (var moment in moments.Where(moment => moment >= from && moment <= to))
            {
                Assert.True(
                    ZonedTime.FromInstant(moment, zone).Offset == ZonedTime.FromInstant(moment, again).Offset,
                    $"seed {seed}: {zone.Id} at {moment:O}, written from {from:O} to {to:O}\n"
                        + string.Join('\n', written.ToLines()));
            }
        }
    }

    /// <summary>
    /// The VTIMEZONEs of libical's collection are followed as its zones' own rules are, from the year 2000 to
    /// 2020, where every release of the zone data agrees. Without the collection nothing is claimed.
    /// </summary>
    [Fact]
    public void FromEmbedded_OfAForeignVTimeZone_AgreesWithTheZone()
    {
        var compared = 0;
        foreach (var file in Collected())
        {
            var document = CalendarDocument.Parse(File.ReadAllBytes(file));
            foreach (var component in document.AllComponents.Where(component => component.Is("VTIMEZONE"u8)))
            {
                var embedded = EmbeddedTimeZone.Read(component);
                if (CalendarZone.Resolve(embedded.TzId, embedded) is not ZoneResolution.Found found
                    || found.Zone.Embedded is not null
                    || CalendarZone.FromEmbedded(embedded) is not { } evaluated)
                {
                    continue;
                }

                compared++;
                for (var moment = Date(2000); moment < Date(2020); moment = moment.AddDays(9.3))
                {
                    Assert.True(
                        ZonedTime.FromInstant(moment, found.Zone).Offset
                            == ZonedTime.FromInstant(moment, evaluated).Offset,
                        $"{file} at {moment:O}");
                }
            }
        }

        Assert.True(compared == 0 || compared > 300);
    }

    /// <summary>Broken and hostile parts end at once and leave what is whole.</summary>
    [Fact]
    public void Read_OfHostileParts_KeepsTheRest()
    {
        var hostile = Fictitious.Replace(
            "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "FREQ=SECONDLY", StringComparison.Ordinal);
        var zone = CalendarZone.FromEmbedded(EmbeddedTimeZone.Read(Component(hostile)))!;
        Assert.Equal(TimeSpan.FromHours(-4), ZonedTime.FromInstant(Date(9990), zone).Offset);
        var broken = Fictitious.Replace("TZOFFSETTO:-0500", "TZOFFSETTO:5", StringComparison.Ordinal)
            .Replace("FREQ=YEARLY;BYDAY=1SU", "FREQ=NEVER", StringComparison.Ordinal)
            .Replace("20010422T020000", "soon", StringComparison.Ordinal);
        var parts = EmbeddedTimeZone.Read(Component(broken)).Observances;
        Assert.Equal([0, 0], parts.Select(part => part.RRules.Length + part.RDates.Length));
        Assert.Null(CalendarZone.FromEmbedded(new EmbeddedTimeZone(
            "Far", [new Observance(new LocalDateTime(2020, 1, 1, 0, 0), 0, 70_000)])));
    }

    /// <summary>
    /// The rules of one zone share a budget: neither onsets nor steps in vain grow with the number of rules.
    /// </summary>
    [Fact]
    public void FromEmbedded_OfThousandsOfRules_FollowsThemWithinABudget()
    {
        var start = new LocalDateTime(2000, 1, 1, 0, 0);
        var part = new Observance(start, 0, 3_600) { RRules = Rules("FREQ=SECONDLY", 5_000) };
        var secondly = CalendarZone.FromEmbedded(new EmbeddedTimeZone("Secondly", [part, part]))!;
        Assert.InRange(Changes(secondly), 2, ObservanceZone.OnsetCountMax + 2);

        const string vain = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30";
        var good = part with { RRules = Rules("FREQ=YEARLY", 1), OffsetFrom = 3_600, OffsetTo = 0 };
        Assert.Equal(2, Yearly(5_000));
        Assert.Equal(602, Yearly(0));

        int Yearly(int vainCount) => Changes(CalendarZone.FromEmbedded(
            new EmbeddedTimeZone("Vain", [part with { RRules = Rules(vain, vainCount) }, good]))!);

        static int Changes(CalendarZone zone) => zone.Rules.GetZoneIntervals(
            Instant.MinValue, Instant.FromUtc(2600, 1, 2, 0, 0)).Count() - 1;

        static ImmutableArray<Recur> Rules(string rule, int count) =>
            [.. Enumerable.Repeat(((RecurParse.Parsed)Recur.Parse(rule)).Recur, count)];
    }

    /// <summary>Far from now a rule goes on by the cycle of the calendar, 400 years.</summary>
    [Theory]
    [InlineData("America/New_York")]
    [InlineData("Europe/Berlin")]
    [InlineData("Australia/Lord_Howe")]
    public void FromEmbedded_InFarYears_HasTheOffsetsOfTheZone(string name)
    {
        const int seed = 20260311;
        var random = new Random(seed);
        var zone = Zones.Of(name);
        var embedded = CalendarZone.FromEmbedded(zone.ToEmbedded(Date(2026), Date(2027)))!;
        var near = new[] { 2199, 2200, 2599, 2600, 2601, 2999, 3000, 9998 }.Select(year => Date(year));
        var far = Enumerable.Range(0, 1_000).Select(_ => Date(2100).AddSeconds(
            random.NextInt64((long)(Date(9998) - Date(2100)).TotalSeconds)));
        foreach (var moment in near.Concat(far))
        {
            var time = ZonedTime.FromInstant(moment, zone);
            Assert.True(time.Offset == ZonedTime.FromInstant(moment, embedded).Offset,
                $"seed {seed}: {name} at {moment:O}");
            Assert.Equal(
                ZonedTime.ResolveGapForwardOverlapEarlier(time.Local, zone).Instant,
                ZonedTime.ResolveGapForwardOverlapEarlier(time.Local, embedded).Instant);
        }
    }

    /// <summary>
    /// An offset that no DateTimeOffset can hold is followed; its times are written in UTC.
    /// </summary>
    [Fact]
    public void FromEmbedded_OfAnOffsetOver14Hours_IsFollowed()
    {
        var part = new Observance(new LocalDateTime(1970, 1, 1, 0, 0), 64_000, 64_800);
        var zone = CalendarZone.FromEmbedded(new EmbeddedTimeZone("Far", [part]))!;
        var time = ZonedTime.FromInstant(Date(2026), zone);
        Assert.Equal(TimeSpan.FromHours(18), time.Offset);
        Assert.Equal("2026-01-01T00:00:00Z[Far]", time.ToString());
    }

    /// <summary>The table that expansion uses answers as the zone does around every change.</summary>
    [Fact]
    public void Offsets_OfEveryZone_AreThoseOfItsRules()
    {
        foreach (var zone in AllZones())
        {
            var (toUtc, toLocal) = (0, 0);
            var intervals = zone.Rules.GetZoneIntervals(
                Instant.FromUtc(1850, 1, 1, 0, 0), Instant.FromUtc(2230, 1, 1, 0, 0));
            foreach (var interval in intervals.Where(each => each.HasEnd))
            {
                foreach (var seconds in Around)
                {
                    var utc = interval.End.ToUnixTimeSeconds() + seconds;
                    var instant = Instant.FromUnixTimeSeconds(utc);
                    Assert.Equal(
                        zone.Rules.GetUtcOffset(instant).Seconds, zone.Offsets.OffsetAt(utc, ref toLocal));
                    var local = instant.WithOffset(interval.WallOffset).LocalDateTime;
                    var expected = ZonedTime.ResolveGapForwardOverlapEarlier(local, zone).Instant;
                    var localSeconds = local.ToDateTimeUnspecified().Ticks / TimeSpan.TicksPerSecond;
                    Assert.True(
                        expected.ToUnixTimeSeconds() == zone.Offsets.ToUtc(localSeconds, ref toUtc).Utc,
                        $"{zone.Id} {local}");
                }
            }
        }
    }

    private static DateTimeOffset Date(int year) => new(year, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static CalendarComponent Component(string lines) =>
        CalendarDocument.Parse(lines).Components.Single();

    private static IEnumerable<CalendarZone> AllZones() =>
        DateTimeZoneProviders.Tzdb.Ids.Select(CalendarZone.Resolve).OfType<ZoneResolution.Found>()
            .Select(found => found.Zone).Distinct();

    private static IEnumerable<string> Collected([CallerFilePath] string thisFile = "")
    {
        for (var folder = Path.GetDirectoryName(thisFile);
            folder is not null;
            folder = Path.GetDirectoryName(folder))
        {
            var files = Path.Combine(folder, "shared", "data", "ics", "permissive", "vtimezone");
            if (Directory.Exists(files))
            {
                return Directory.EnumerateFiles(files, "*.ics", SearchOption.AllDirectories);
            }
        }

        return [];
    }
}
