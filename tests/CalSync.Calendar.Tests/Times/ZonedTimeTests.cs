using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;

namespace CalSync.Calendar.Tests.Times;

/// <summary>
/// Local time, zone and instant always agree. Method: known cases, then round trips over random instants.
/// </summary>
public sealed class ZonedTimeTests
{
    /// <summary>R-CAL-09-P: one value holds local time, zone and derived instant.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-09-P")]
    public void Resolve_WithAnOrdinaryTime_GivesAllThree()
    {
        var time = Exact("2026-03-20T13:00", "America/Sao_Paulo");
        Assert.Equal(new LocalDateTime(2026, 3, 20, 13, 0), time.Local);
        Assert.Equal("America/Sao_Paulo", time.Zone.Id);
        Assert.Equal(new DateTimeOffset(2026, 3, 20, 16, 0, 0, TimeSpan.Zero), time.Instant);
        Assert.Equal(TimeSpan.Zero, time.Instant.Offset);
        Assert.Equal(TimeSpan.FromHours(-3), time.Offset);
        Assert.Equal("2026-03-20T13:00:00-03:00", time.ToRfc3339());
    }

    /// <summary>
    /// R-CAL-09-A: ten in the morning in India is the evening before, or half past midnight, in New York.
    /// </summary>
    [Theory]
    [Trait("Requirement", "R-CAL-09-A")]
    [InlineData("2026-07-01T10:00", "2026-07-01T00:30:00-04:00")]
    [InlineData("2026-01-15T10:00", "2026-01-14T23:30:00-05:00")]
    public void InZone_FromIndiaToNewYork_FollowsDaylightTime(string indian, string newYork)
    {
        var there = Exact(indian, "Asia/Kolkata").InZone(Zones.Of("America/New_York"));
        Assert.Equal(newYork, there.ToRfc3339());
    }

    /// <summary>R-CAL-09-B: 02:30 does not exist on 2026-03-08 and is reported with the shift.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-09-B")]
    public void Resolve_InAGap_ShiftsForwardAndSaysSo()
    {
        var gap = Assert.IsType<WallTimeResolution.Gap>(Resolve("2026-03-08T02:30", "America/New_York"));
        Assert.Equal("2026-03-08T03:30:00-04:00", gap.ShiftedForward.ToRfc3339());
        Assert.Equal(Duration.FromHours(1), gap.GapLength);
        Assert.Equal(0, gap.ShiftedForward.Fold);
    }

    /// <summary>R-CAL-09-B: 01:30 happens twice on 2026-11-01 and is told apart by fold.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-09-B")]
    public void Resolve_InAnOverlap_GivesBothWithTheirFold()
    {
        var overlap = Assert.IsType<WallTimeResolution.Overlap>(
            Resolve("2026-11-01T01:30", "America/New_York"));
        Assert.Equal(("2026-11-01T01:30:00-04:00", 0), (overlap.Earlier.ToRfc3339(), overlap.Earlier.Fold));
        Assert.Equal(("2026-11-01T01:30:00-05:00", 1), (overlap.Later.ToRfc3339(), overlap.Later.Fold));
        Assert.NotEqual(overlap.Earlier, overlap.Later);
    }

    /// <summary>A whole skipped day (Samoa, 2011-12-30) is a gap of a day.</summary>
    [Fact]
    public void Resolve_OnASkippedDay_ShiftsByTheDay()
    {
        var gap = Assert.IsType<WallTimeResolution.Gap>(Resolve("2011-12-30T12:00", "Pacific/Apia"));
        Assert.Equal(new LocalDateTime(2011, 12, 31, 12, 0), gap.ShiftedForward.Local);
        Assert.Equal(Duration.FromDays(1), gap.GapLength);
    }

    /// <summary>
    /// R-CAL-09-P: an instant survives every zone and back, and its wall time leads back to it.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-CAL-09-P")]
    public void FromInstant_ThenResolveItsWallTime_IsTheSameInstant()
    {
        var zones = DateTimeZoneProviders.Tzdb.Ids.Select(CalendarZone.Resolve).OfType<ZoneResolution.Found>()
            .Select(found => found.Zone).Distinct().ToArray();
        var cases = from seconds in Gen.Choose(-2_000_000_000, int.MaxValue)
                    from zone in Gen.Elements(zones)
                    select (Instant: DateTimeOffset.FromUnixTimeSeconds(seconds), Zone: zone);
        Check.One(Properties.Config, Prop.ForAll(cases.ToArbitrary(), sample =>
        {
            var time = ZonedTime.FromInstant(sample.Instant, sample.Zone);
            var again = ZonedTime.Resolve(time.Local, sample.Zone) switch
            {
                WallTimeResolution.Exact exact => exact.Time,
                WallTimeResolution.Overlap overlap => time.Fold == 0 ? overlap.Earlier : overlap.Later,
                _ => null,
            };
            return again == time && time.Instant == sample.Instant
                && time.InZone(CalendarZone.Utc).Instant == sample.Instant
                && (!Rfc3339.TryParse(time.ToRfc3339(), out var read) || read == sample.Instant);
        }));
    }

    /// <summary>
    /// Zero offsets are written Z, fractions only when there are any, old local mean times in UTC.
    /// </summary>
    [Theory]
    [InlineData("2026-01-15T10:00", "UTC", "2026-01-15T10:00:00Z")]
    [InlineData("2026-01-15T10:00", "Europe/London", "2026-01-15T10:00:00Z")]
    [InlineData("2026-01-15T10:00:05", "Asia/Kathmandu", "2026-01-15T10:00:05+05:45")]
    [InlineData("1850-01-01T00:00", "America/New_York", "1850-01-01T04:56:02Z")]
    public void ToRfc3339_WritesTheLocalTimeWithItsOffset(string local, string zone, string expected) =>
        Assert.Equal(expected, Exact(local, zone).ToRfc3339());

    /// <summary>Only one shape of local time is read; everything else is located.</summary>
    [Theory]
    [InlineData("2026-03-08T09:00", null)]
    [InlineData("2026-03-08T09:00:30", null)]
    [InlineData("2024-02-29T00:00", null)]
    [InlineData("2026-02-29T00:00", 8)]
    [InlineData("2026-13-01T00:00", 5)]
    [InlineData("2026-03-08T24:00", 11)]
    [InlineData("2026-03-08 09:00", 10)]
    [InlineData("2026-03-08T09:00Z", 16)]
    [InlineData("2026-03-08T09:00:60", 17)]
    [InlineData("2026-03-08", 10)]
    [InlineData("0001-01-01T00:00", 0)]
    [InlineData("٢٠٢٦-03-08T09:00", 0)]
    [InlineData("", 0)]
    [InlineData(null, 0)]
    public void LocalTimeTextTryParse_ReadsStrictly(string? text, int? faultAt)
    {
        var parsed = LocalTimeText.TryParse(text, out var local, out var problem);
        Assert.Equal((faultAt is null, faultAt), (parsed, problem?.Offset));
        Assert.True(!parsed || LocalTimeText.Write(local).StartsWith(text!, StringComparison.Ordinal));
    }

    /// <summary>Only RFC 3339 is read; everything else is located.</summary>
    [Theory]
    [InlineData("2026-03-20T13:00:00-03:00", "2026-03-20T16:00:00.0000000+00:00", null)]
    [InlineData("2026-03-20t13:00:00.5z", "2026-03-20T13:00:00.5000000+00:00", null)]
    [InlineData("2026-03-20T13:00:00.123456700+05:30", "2026-03-20T07:30:00.1234567+00:00", null)]
    [InlineData("2026-03-20T13:00:00.12345678Z", null, 27)]
    [InlineData("2026-03-20T13:00:00", null, 19)]
    [InlineData("2026-03-20T13:00Z", null, 16)]
    [InlineData("2026-03-20T13:00:00+15:00", null, 19)]
    [InlineData("2026-03-20T13:00:00+0530", null, 22)]
    [InlineData("2026-03-20T13:00:00.Z", null, 20)]
    [InlineData("2026-03-20T13:00:00Z ", null, 20)]
    [InlineData("9999-12-31T23:59:59-01:00", null, 0)]
    [InlineData(null, null, 0)]
    public void Rfc3339TryParse_ReadsStrictly(string? text, string? utc, int? faultAt)
    {
        var parsed = Rfc3339.TryParse(text, out var value, out var problem);
        Assert.Equal((faultAt is null, faultAt), (parsed, problem?.Offset));
        Assert.Equal(utc, parsed ? value.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture)
            : null);
    }

    /// <summary>No text makes the readers throw.</summary>
    [Fact]
    public void TryParse_WithRandomText_NeverThrows()
    {
        var alphabet = Gen.Elements("0123456789-:TZ.+ \0é".ToCharArray());
        var texts = Gen.ArrayOf(alphabet).Select(letters => new string(letters));
        Check.One(Properties.Config, Prop.ForAll(texts.ToArbitrary(), text =>
            LocalTimeText.TryParse(text, out _, out var first) == (first is null)
            && Rfc3339.TryParse(text, out _, out var second) == (second is null)));
    }

    private static WallTimeResolution Resolve(string local, string zone)
    {
        Assert.True(LocalTimeText.TryParse(local, out var time));
        return ZonedTime.Resolve(time, Zones.Of(zone));
    }

    private static ZonedTime Exact(string local, string zone) =>
        Assert.IsType<WallTimeResolution.Exact>(Resolve(local, zone)).Time;
}
