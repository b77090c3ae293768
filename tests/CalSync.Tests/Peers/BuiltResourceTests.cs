using System.Net;
using System.Net.Http.Headers;
using CalSync.Calendar;
using CalSync.Calendar.Builders;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;
using NodaTime;
using Xunit;

namespace CalSync.Tests.Peers;

/// <summary>
/// What the calendar library writes, real servers take: a series with its overrides and a VTIMEZONE comes
/// back with the same meaning, and takes place at the same moments.
/// </summary>
/// <remarks>Each resource is PUT over HTTP without any client of the product.</remarks>
public abstract class BuiltResourceTests(PeerFixture fixture)
{
    private static readonly DateTimeOffset Stamp = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static CancellationToken Cancellation => CancellationToken.None;

    /// <summary>North and south, half hours, half-hour daylight time, summer time in winter, none at
    /// all.</summary>
    [Theory]
    [InlineData("Europe/Berlin")]
    [InlineData("Europe/Dublin")]
    [InlineData("America/New_York")]
    [InlineData("America/Sao_Paulo")]
    [InlineData("Asia/Kolkata")]
    [InlineData("Asia/Kathmandu")]
    [InlineData("Australia/Lord_Howe")]
    [InlineData("Africa/Casablanca")]
    [InlineData("Pacific/Apia")]
    public async Task ABuiltSeries_WithItsZone_IsTakenAndComesBackEqual(string zone)
    {
        var sent = Series($"series-{zone.Replace('/', '-')}", zone);
        var found = await RoundTripAsync(sent, zone.Replace('/', '-'));
        AssertSame(sent, found);
    }

    /// <summary>A zone nobody knows by name is understood by its VTIMEZONE alone.</summary>
    [Theory]
    [InlineData("Europe/Berlin")]
    [InlineData("Australia/Lord_Howe")]
    public async Task ABuiltZone_UnderANameNobodyKnows_KeepsItsRules(string zone)
    {
        var name = "Studio " + zone.Split('/')[1];
        var sent = CalendarDocument.Parse(Series($"own-{zone.Replace('/', '-')}", zone).ToString()
            .Replace($"TZID:{zone}", $"TZID:{name}", StringComparison.Ordinal)
            .Replace($"TZID={zone}", $"TZID={name}", StringComparison.Ordinal));
        var found = await RoundTripAsync(sent, "own-" + zone.Replace('/', '-'));
        AssertSame(sent, found);
    }

    [Fact]
    public async Task ABuiltAllDaySeries_IsTakenAndComesBackEqual()
    {
        var sent = CalendarBuilder.Resource(
            "-//CalSync//Test//EN",
            new EventContent("all-day", Stamp, new CalendarTime.Date(new LocalDate(2026, 3, 2)))
            {
                End = new CalendarTime.Date(new LocalDate(2026, 3, 4)),
                Summary = "Ferien, 休暇 🏖",
                RRule = new Recur(Frequency.Yearly) { Count = 3 },
                IsBusy = false,
            });
        AssertSame(sent, await RoundTripAsync(sent, "all-day"));
    }

    private static CalendarDocument Series(string uid, string zone)
    {
        var start = new LocalDateTime(2026, 3, 2, 9, 30);
        CalendarTime At(LocalDateTime local) => new CalendarTime.Zoned(local, zone);
        var series = new EventContent(uid, Stamp, At(start))
        {
            End = At(start.PlusHours(1)),
            Summary = "Yoga, früh; \"Saal 1\" 🧘",
            // Cyrus drops blanks at the end of a text.
            Description = string.Concat(Enumerable.Repeat("Bitte Matte mitbringen. ", 20)).TrimEnd(),
            Location = "Hauptstraße 1, Berlin",
            RRule = new Recur(Frequency.Weekly) { Count = 60 },
            ExDates = [At(start.PlusWeeks(2))],
            Alarms = [CalendarDuration.FromTimeSpan(TimeSpan.FromMinutes(-10))],
        };
        var moved = series with
        {
            RRule = null,
            ExDates = [],
            RecurrenceId = At(start.PlusWeeks(5)),
            Start = At(start.PlusWeeks(5).PlusHours(2)),
            End = At(start.PlusWeeks(5).PlusHours(4)),
            Summary = "Yoga, verschoben",
        };
        return CalendarBuilder.Resource("-//CalSync//Test//EN", series, moved);
    }

    private async Task<CalendarDocument> RoundTripAsync(CalendarDocument sent, string name)
    {
        var path = $"{await fixture.Peer.NewCalendarAsync(Cancellation)}{name}.ics";
        using var content = new ByteArrayContent(sent.Bytes.ToArray());
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("text/calendar; charset=utf-8");
        using var response = await fixture.Peer.Http.PutAsync(path, content, Cancellation);
        var said = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.Created, $"{response.StatusCode}: {said}");
        return CalendarDocument.Parse(await fixture.Peer.Http.GetByteArrayAsync(path, Cancellation));
    }

    private static void AssertSame(CalendarDocument sent, CalendarDocument found)
    {
        Assert.Empty(CalendarDiff.Compare(sent, found, CalendarNoise.OfServers));
        var (wanted, got) = (Moments(sent), Moments(found));
        Assert.NotEmpty(wanted);
        Assert.Equal(wanted, got);
    }

    private static List<string> Moments(CalendarDocument document) =>
    [
        .. CalendarExpansion.Read(document, CalendarZone.Utc)
            .Occurrences(Stamp, Stamp.AddYears(3)).OfType<ExpansionStep.Found>()
            .Select(step => $"{step.Value.Start.InstantIn(CalendarZone.Utc):u} "
                + $"{step.Value.End.InstantIn(CalendarZone.Utc):u}"),
    ];
}

[Collection(RadicaleFixture.Collection)]
public sealed class RadicaleBuiltResourceTests(RadicaleFixture fixture) : BuiltResourceTests(fixture);

[Collection(XandikosFixture.Collection)]
public sealed class XandikosBuiltResourceTests(XandikosFixture fixture) : BuiltResourceTests(fixture);

[Collection(CyrusFixture.Collection)]
public sealed class CyrusBuiltResourceTests(CyrusFixture fixture) : BuiltResourceTests(fixture);
