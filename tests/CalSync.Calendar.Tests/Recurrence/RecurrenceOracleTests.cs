using System.Globalization;
using NodaTime;
using Xunit;

namespace CalSync.Calendar.Tests.Recurrence;

/// <summary>
/// Expansion is what a slow, obvious one gives. Method: random rules of every frequency with every BY part,
/// in zones with and without changes; each case is made from its seed, which a failure prints.
/// </summary>
public sealed class RecurrenceOracleTests
{
    private static readonly OccurrenceLimits Limits = new(int.MaxValue, 3_000_000);

    // More of them on a machine that has the time.
    private static readonly int Cases = int.Parse(
        Environment.GetEnvironmentVariable("CALSYNC_ORACLE_CASES") ?? "150", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(0)]
    [InlineData(1_000)]
    [InlineData(2_000)]
    [InlineData(3_000)]
    public void Occurrences_OfRandomRules_AreThoseOfTheOracle(int firstSeed)
    {
        for (var seed = firstSeed; seed < firstSeed + Cases; seed++)
        {
            var sample = OracleCase.Make(seed);
            var expected = Expected(sample);
            var actual = Actual(sample, from: null, expected.Count + 1);
            Assert.True(
                expected.SequenceEqual(actual.Take(expected.Count)) && actual.Count == expected.Count,
                $"{sample}\n  expected {Words(expected)}\n  actual   {Words(actual)}");

            // Beginning in the middle gives the rest.
            if (expected.Count > 2)
            {
                var middle = expected[expected.Count / 2];
                var rest = Actual(sample, DateTimeOffset.FromUnixTimeSeconds(middle), int.MaxValue);
                Assert.True(
                    rest.SequenceEqual(expected.Skip(expected.Count / 2)),
                    $"{sample} from {middle}\n  actual {Words(rest)}");
            }
        }
    }

    /// <summary>UTC seconds of the instances up to the horizon, with REC-1 and REC-2.</summary>
    private static List<long> Expected(OracleCase sample)
    {
        var rule = sample.Rule;
        var local = new RecurrenceOracle(rule, sample.Start).Instances(sample.Horizon);
        var starts = local.Contains(sample.Start) ? local : [sample.Start, .. local];
        var counted = starts.Take(rule.Count ?? int.MaxValue)
            .Where(time => time == sample.Start || !IsAfter(rule.Until, time, sample.Zone));
        return
        [
            .. counted.Select(time => Utc(time, sample.Zone)).Where(utc => utc < End(sample))
                .Distinct().Order(),
        ];
    }

    private static bool IsAfter(RecurUntil? until, LocalDateTime time, string? zone) => until switch
    {
        null => false,
        RecurUntil.OnDate date => time.Date > date.Date,
        RecurUntil.AtLocal local when zone is null => time.Date > local.Time.Date,
        RecurUntil.AtUtc utc when zone is null => time.Date > utc.Time.Date,
        RecurUntil.AtLocal local => time > local.Time,
        RecurUntil.AtUtc utc => Utc(time, zone) > Utc(utc.Time, "UTC"),
        _ => throw new ArgumentOutOfRangeException(nameof(until)),
    };

    private static long Utc(LocalDateTime time, string? zone) =>
        ZonedTime.Resolve(time, Zones.Of(zone ?? "UTC")) switch
        {
            WallTimeResolution.Exact exact => exact.Time.Instant.ToUnixTimeSeconds(),
            WallTimeResolution.Gap gap => gap.ShiftedForward.Instant.ToUnixTimeSeconds(),
            WallTimeResolution.Overlap overlap => overlap.Earlier.Instant.ToUnixTimeSeconds(),
            _ => throw new ArgumentOutOfRangeException(nameof(time)),
        };

    private static List<long> Actual(OracleCase sample, DateTimeOffset? from, int countMax)
    {
        RecurrenceStart start = sample.Zone is { } zone
            ? new RecurrenceStart.Timed(sample.Start, Zones.Of(zone))
            : new RecurrenceStart.AllDay(sample.Start.Date);
        var set = Assert.IsType<RecurrenceSetParse.Parsed>(
            RecurrenceSet.Parse([$"RRULE:{sample.Rule}"], start)).Set;
        var cursor = set.OpenCursor(from, Limits);
        var found = new List<long>();
        while (found.Count < countMax && cursor.MoveNext() && cursor.UnixSeconds < End(sample))
        {
            found.Add(cursor.UnixSeconds);
        }

        return found;
    }

    private static long End(OracleCase sample) =>
        Utc(sample.Horizon.PlusDays(1).AtMidnight(), sample.Zone);

    private static string Words(IEnumerable<long> instants) => string.Join(
        ' ',
        instants.Take(25)
            .Select(instant => $"{DateTimeOffset.FromUnixTimeSeconds(instant):yyyyMMddTHHmmss}"));
}
