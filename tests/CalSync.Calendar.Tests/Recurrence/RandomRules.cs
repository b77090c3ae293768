using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using NodaTime;

namespace CalSync.Calendar.Tests.Recurrence;

/// <summary>Random rules, most of them with an instance every few years at least.</summary>
internal static class RandomRules
{
    public static Gen<Recur> Any { get; } =
        from frequency in Gen.Elements(Enum.GetValues<Frequency>())
        from interval in Gen.Frequency((3, Gen.Constant(1)), (1, Gen.Choose(2, 7)))
        from count in Gen.Frequency(
            (2, Gen.Constant((int?)null)), (1, Gen.Choose(1, 20).Select(value => (int?)value)))
        from months in Few(Gen.Choose(1, 12))
        from monthDays in Few(Signed(Gen.Choose(1, 31)))
        from days in Few(Gen.Choose(1, 7))
        from ordinal in Gen.Frequency((3, Gen.Constant(0)), (1, Signed(Gen.Choose(1, 4))))
        from hours in Few(Gen.Choose(0, 23))
        from minutes in Few(Gen.Choose(0, 59))
        from weekStart in Gen.Choose(1, 7)
        select new Recur(frequency)
        {
            Interval = interval,
            Count = count,
            ByMonth = months,
            ByMonthDay = monthDays,
            ByDay = [.. days.Select(day => new WeekdayNum((IsoDayOfWeek)day, ordinal))],
            ByHour = hours,
            ByMinute = minutes,
            WeekStart = (IsoDayOfWeek)weekStart,
        };

    private static Gen<int> Signed(Gen<int> values) =>
        from value in values
        from sign in Gen.Elements(1, 1, -1)
        select sign * value;

    private static Gen<ImmutableArray<int>> Few(Gen<int> values) =>
        Gen.Frequency(
            (3, Gen.Constant(ImmutableArray<int>.Empty)),
            (1, Gen.ListOf(values, 3).Select(list => list.ToImmutableArray())));
}
