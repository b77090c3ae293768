using System.Collections.Immutable;
using NodaTime;

namespace CalSync.Calendar.Recurrence;

/// <summary>The values one RECUR part may have. RFC 5545 section 3.3.10.</summary>
/// <param name="Part">The part's name.</param>
/// <param name="Min">Smallest positive value.</param>
/// <param name="Max">Largest value.</param>
/// <param name="Signed">Whether the negatives of the values count from the end.</param>
internal sealed record RecurRange(string Part, int Min, int Max, bool Signed)
{
    public static readonly RecurRange Interval = new("INTERVAL", 1, int.MaxValue, false);
    public static readonly RecurRange Count = new("COUNT", 1, int.MaxValue, false);
    public static readonly RecurRange Second = new("BYSECOND", 0, 60, false);
    public static readonly RecurRange Minute = new("BYMINUTE", 0, 59, false);
    public static readonly RecurRange Hour = new("BYHOUR", 0, 23, false);
    public static readonly RecurRange MonthDay = new("BYMONTHDAY", 1, 31, true);
    public static readonly RecurRange YearDay = new("BYYEARDAY", 1, 366, true);
    public static readonly RecurRange WeekNo = new("BYWEEKNO", 1, 53, true);
    public static readonly RecurRange Month = new("BYMONTH", 1, 12, false);
    public static readonly RecurRange SetPos = new("BYSETPOS", 1, 366, true);
    public static readonly RecurRange DayOrdinal = new("BYDAY", 1, 53, true);

    /// <summary>The range in words.</summary>
    public string Words => (Signed, Max) switch
    {
        (true, _) => $"{Min} to {Max} or -{Max} to -{Min}",
        (false, int.MaxValue) => $"a whole number from {Min} to {Max}",
        _ => $"{Min} to {Max}",
    };

    public bool Contains(int value) =>
        (value >= Min && value <= Max) || (Signed && value <= -Min && value >= -Max);

    public int Require(int value) =>
        Contains(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"{Part} takes {Words}.");

    public ImmutableArray<int> Require(ImmutableArray<int> values)
    {
        foreach (var value in values)
        {
            Require(value);
        }

        return [.. values.Order().Distinct()];
    }

    public static ImmutableArray<WeekdayNum> RequireDays(ImmutableArray<WeekdayNum> days)
    {
        foreach (var day in days)
        {
            RequireDay(day.Day);
            if (day.Ordinal != 0)
            {
                DayOrdinal.Require(day.Ordinal);
            }
        }

        return [.. days.OrderBy(day => day.Day).ThenBy(day => day.Ordinal).Distinct()];
    }

    public static IsoDayOfWeek RequireDay(IsoDayOfWeek day) =>
        day is >= IsoDayOfWeek.Monday and <= IsoDayOfWeek.Sunday
            ? day
            : throw new ArgumentOutOfRangeException(nameof(day), day, "A weekday is Monday to Sunday.");
}
