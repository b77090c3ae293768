using System.Collections.Immutable;
using NodaTime;

namespace CalSync.Calendar.Tests.Recurrence;

/// <summary>One random rule with its start, zone and bound, made from a seed alone.</summary>
/// <remarks>
/// Values of BY parts are drawn near DTSTART's own half of the time, so that most rules have instances
/// before the horizon; every part of the RFC's table meets every frequency.
/// </remarks>
internal sealed record OracleCase(int Seed, Recur Rule, LocalDateTime Start, string? Zone, LocalDate Horizon)
{
    private static readonly string?[] ZoneNames =
        [
            null, "UTC", "America/New_York", "Europe/Zurich", "Australia/Lord_Howe", "Pacific/Apia",
            "Asia/Kolkata",
        ];

    // Days around which clocks change in one of the zones, years begin, or February ends.
    private static readonly LocalDate[] Days =
    [
        new(2025, 12, 29), new(2027, 1, 1), new(2024, 2, 29), new(2026, 3, 7), new(2026, 10, 31),
        new(2023, 3, 25), new(2026, 10, 24), new(2026, 4, 4), new(2011, 12, 29), new(2020, 12, 31),
        new(1999, 12, 31), new(2026, 5, 15), new(2016, 1, 31), new(2028, 8, 30),
    ];

    public static OracleCase Make(int seed)
    {
        var random = new Random(seed);
        var start = Pick(random, Days).PlusDays(random.Next(-3, 4))
            .At(new LocalTime(
                random.Next(24), Pick(random, [0, 0, 15, 30, 59]), Pick(random, [0, 0, 0, 30, 59])));
        var frequency = (Frequency)random.Next(7);
        var rule = new Recur(frequency)
        {
            Interval = Pick(random, [1, 1, 1, 2, 3, 5, 7, 24, 90]),
            ByMonth = Few(random, 5, () => Near(random, start.Month, 1, 12)),
            ByMonthDay = Few(random, 5, () => Signed(random, Near(random, start.Day, 1, 31), 32)),
            ByYearDay = Few(random, 9, () => Signed(random, Near(random, start.DayOfYear, 1, 366), 367)),
            ByWeekNo = Few(
                random, 9, () => Signed(random, Pick(random, [1, 2, 9, 13, 20, 43, 51, 52, 53]), 54)),
            ByDay = Few(random, 4, () => new WeekdayNum(
                (IsoDayOfWeek)Near(random, (int)start.DayOfWeek, 1, 7),
                Pick(random, [0, 0, 0, 1, 2, 4, 5, -1, -2, -5, 20, 53, -53]))),
            ByHour = Few(random, 5, () => Near(random, start.Hour, 0, 23)),
            ByMinute = Few(random, 5, () => Near(random, start.Minute, 0, 59)),
            BySecond = Few(random, 5, () => Near(random, start.Second, 0, 59)),
            BySetPos = Few(random, 4, () => Pick(random, [1, 1, 2, 3, 7, -1, -1, -2, -4, 366, -366])),
            WeekStart = (IsoDayOfWeek)random.Next(1, 8),
        };
        rule = Bounded(random, rule, start);
        var zone = Pick(random, ZoneNames);
        if (zone is null)
        {
            // An all-day series has no times of day.
            rule = rule with
            {
                Frequency = (Frequency)Math.Max((int)frequency, (int)Frequency.Daily),
                ByHour = [],
                ByMinute = [],
                BySecond = [],
            };
            start = start.Date.AtMidnight();
        }

        return new OracleCase(seed, rule, start, zone, start.Date.PlusDays(DaysAhead(rule.Frequency)));
    }

    /// <summary>What to paste into a test to see this case again.</summary>
    public override string ToString() =>
        $"seed {Seed}: DTSTART {Start:uuuuMMddTHHmmss} {Zone ?? "date"} RRULE:{Rule}";

    private static int DaysAhead(Frequency frequency) => frequency switch
    {
        Frequency.Yearly => 12 * 365,
        Frequency.Monthly => 5 * 365,
        Frequency.Weekly => 3 * 365,
        Frequency.Daily => 500,
        Frequency.Hourly => 40,
        Frequency.Minutely => 4,
        _ => 1,
    };

    private static Recur Bounded(Random random, Recur rule, LocalDateTime start)
    {
        var end = start.PlusSeconds(random.NextInt64(1, 86_400L * DaysAhead(rule.Frequency)));
        return random.Next(6) switch
        {
            0 => rule with { Count = random.Next(1, 30) },
            1 => rule with { Until = new RecurUntil.OnDate(end.Date) },
            2 => rule with { Until = new RecurUntil.AtUtc(end) },
            3 => rule with { Until = new RecurUntil.AtLocal(end) },
            _ => rule,
        };
    }

    private static T Pick<T>(Random random, T[] values) => values[random.Next(values.Length)];

    private static int Near(Random random, int value, int min, int max) =>
        random.Next(2) == 0 ? Math.Clamp(value + random.Next(-1, 2), min, max) : random.Next(min, max + 1);

    private static int Signed(Random random, int value, int length) =>
        random.Next(3) == 0 ? value - length : value;

    private static ImmutableArray<T> Few<T>(Random random, int rarity, Func<T> next) =>
        random.Next(rarity) > 0 ? [] : [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => next())];
}
