using System.Collections.Immutable;

namespace CalSync.Calendar.Recurrence;

/// <summary>
/// Which days a rule takes. The table of RFC 5545 section 3.3.10, with what is open taken from DTSTART.
/// </summary>
/// <remarks>
/// Days are numbered from 0001-01-01, a Monday. Every BY part for days limits the days of the period, which
/// for days is the same as the table's "expand".
/// </remarks>
internal sealed class DayFilter
{
    private readonly int _months;
    private readonly uint _monthDays;
    private readonly uint _monthDaysFromEnd;
    private readonly int _weekdays;
    private readonly ImmutableArray<int> _yearDays;
    private readonly ImmutableArray<int> _weekNumbers;
    private readonly ImmutableArray<WeekdayNum> _ordinals;
    private readonly bool _ordinalsInMonth;
    private readonly int _weekStart;

    public DayFilter(Recur recur, DateOnly start)
    {
        var noDays = recur.ByMonthDay.IsEmpty && recur.ByYearDay.IsEmpty && recur.ByDay.IsEmpty;
        var months = recur.ByMonth;
        var monthDays = recur.ByMonthDay;
        var days = recur.ByDay;
        switch (recur.Frequency)
        {
            // REC-3: what the rule leaves open comes from DTSTART.
            case Frequency.Yearly when recur.ByWeekNo.IsEmpty && noDays:
                months = months.IsEmpty ? [start.Month] : months;
                monthDays = [start.Day];
                break;
            case Frequency.Yearly when recur.ByWeekNo.IsEmpty && recur.ByYearDay.IsEmpty
                && !monthDays.IsEmpty:
                months = months.IsEmpty ? [start.Month] : months;
                break;
            case Frequency.Monthly when recur.ByWeekNo.IsEmpty && noDays:
                monthDays = [start.Day];
                break;
            case Frequency.Weekly or Frequency.Monthly or Frequency.Yearly when noDays:
                days = [new WeekdayNum((NodaTime.IsoDayOfWeek)(1 + (start.DayNumber % 7)))];
                break;
            default:
                break;
        }

        var ordinalsCount = recur.Frequency == Frequency.Monthly
            || (recur.Frequency == Frequency.Yearly && recur.ByWeekNo.IsEmpty);
        _ordinalsInMonth = recur.Frequency == Frequency.Monthly || !recur.ByMonth.IsEmpty;
        _ordinals = ordinalsCount ? [.. days.Where(day => day.Ordinal != 0)] : [];
        foreach (var day in days.Where(day => !ordinalsCount || day.Ordinal == 0))
        {
            _weekdays |= 1 << ((int)day.Day - 1);
        }

        foreach (var month in months)
        {
            _months |= 1 << month;
        }

        foreach (var day in monthDays)
        {
            _monthDays |= day > 0 ? 1u << day : 0;
            _monthDaysFromEnd |= day < 0 ? 1u << -day : 0;
        }

        _yearDays = recur.ByYearDay;
        _weekNumbers = recur.ByWeekNo;
        _weekStart = (int)recur.WeekStart - 1;
    }

    /// <summary>Whether a month can have days at all; 1 to 12.</summary>
    public bool HasMonth(int month) => _months == 0 || (_months & (1 << month)) != 0;

    /// <summary>The first day of the week that <paramref name="day"/> is in.</summary>
    public int WeekBegin(int day) => day - ((day - _weekStart + 7) % 7);

    public bool Has(int day)
    {
        var date = DateOnly.FromDayNumber(day);
        return HasMonth(date.Month)
            && HasMonthDay(date)
            && HasWeekday(date)
            && (_yearDays.IsEmpty || HasYearDay(date))
            && (_weekNumbers.IsEmpty || HasWeekNumber(day));
    }

    private bool HasMonthDay(DateOnly date)
    {
        if (_monthDays == 0 && _monthDaysFromEnd == 0)
        {
            return true;
        }

        var fromEnd = DateTime.DaysInMonth(date.Year, date.Month) - date.Day + 1;
        return (_monthDays & (1u << date.Day)) != 0 || (_monthDaysFromEnd & (1u << fromEnd)) != 0;
    }

    private bool HasWeekday(DateOnly date)
    {
        var weekday = date.DayNumber % 7;
        if ((_weekdays & (1 << weekday)) != 0)
        {
            return true;
        }

        if (_ordinals.IsEmpty)
        {
            return _weekdays == 0;
        }

        var (position, length) = _ordinalsInMonth
            ? (date.Day, DateTime.DaysInMonth(date.Year, date.Month))
            : (date.DayOfYear, DaysInYear(date.Year));
        foreach (var ordinal in _ordinals)
        {
            var counted = ordinal.Ordinal > 0 ? 1 + ((position - 1) / 7) : -1 - ((length - position) / 7);
            if ((int)ordinal.Day - 1 == weekday && counted == ordinal.Ordinal)
            {
                return true;
            }
        }

        return false;
    }

    private bool HasYearDay(DateOnly date) =>
        _yearDays.Contains(date.DayOfYear) || _yearDays.Contains(date.DayOfYear - DaysInYear(date.Year) - 1);

    private bool HasWeekNumber(int day)
    {
        // A week belongs to the year that has its fourth day. ISO 8601, RFC 5545 section 3.3.10.
        var fourth = DateOnly.FromDayNumber(Math.Max(0, WeekBegin(day) + 3));
        var number = 1 + ((fourth.DayOfYear - 1) / 7);
        var count = number + ((DaysInYear(fourth.Year) - fourth.DayOfYear) / 7);
        return _weekNumbers.Contains(number) || _weekNumbers.Contains(number - count - 1);
    }

    private static int DaysInYear(int year) => DateTime.IsLeapYear(year) ? 366 : 365;
}
