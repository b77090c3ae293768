using System.Numerics;

namespace CalSync.Calendar.Recurrence;

/// <summary>
/// Which days a rule takes. The table of RFC 5545 section 3.3.10, with what is open taken from DTSTART.
/// </summary>
/// <remarks>
/// Every BY part for days limits the days of the period, which for days is the same as the table's "expand".
/// The answer for a month is one word, bit 0 for its first day; the month looked at last is kept.
/// </remarks>
internal sealed class DayFilter
{
    private const int WeekLength = 7;

    // Bits 0, 7, 14, ... 35: a set of weekdays times this is the set, week after week.
    private const ulong EveryWeek = 0x8_1020_4081;

    private readonly int _months;
    private readonly uint _monthDays;

    // -1 is the highest bit, so that a shift by what a month lacks to 32 days puts it on the last day.
    private readonly uint _monthDaysFromEnd;
    private readonly ulong _weekdays;
    private readonly (int Weekday, int Number)[] _ordinals;
    private readonly bool _ordinalsInMonth;
    private readonly bool _hasWeekdays;
    private readonly int _weekStart;
    private readonly YearDays? _yearDays;
    private readonly YearDays? _weeks;
    private readonly YearDays? _yearOrdinals;
    private readonly int[] _yearDayNumbers;
    private readonly int[] _weekNumbers;
    private readonly bool _monthLimits;
    private int _windowBegin;
    private int _windowEnd;
    private uint _window;

    public DayFilter(Recur recur, DateOnly start)
    {
        var (months, monthDays, days) = WithDtStart(recur, start);
        var ordinalsCount = recur.Frequency == Frequency.Monthly
            || (recur.Frequency == Frequency.Yearly && recur.ByWeekNo.IsEmpty);
        _ordinalsInMonth = recur.Frequency == Frequency.Monthly || !recur.ByMonth.IsEmpty;
        _ordinals = ordinalsCount
            ? [.. days.Where(day => day.Ordinal != 0).Select(day => ((int)day.Day - 1, day.Ordinal))]
            : [];
        foreach (var day in days.Where(day => !ordinalsCount || day.Ordinal == 0))
        {
            _weekdays |= EveryWeek << ((int)day.Day - 1);
        }

        foreach (var month in months)
        {
            _months |= 1 << month;
        }

        foreach (var day in monthDays)
        {
            _monthDays |= day > 0 ? 1u << (day - 1) : 0;
            _monthDaysFromEnd |= day < 0 ? 1u << (32 + day) : 0;
        }

        SkipPolicy = recur.Frequency >= Frequency.Monthly
            ? recur.SkipPolicy ?? RecurSkip.Omit
            : RecurSkip.Omit;
        _monthLimits = recur.Frequency == Frequency.Monthly;
        _hasWeekdays = days.Length > 0;
        _weekStart = (int)recur.WeekStart - 1;
        _yearDayNumbers = [.. recur.ByYearDay];
        _weekNumbers = [.. recur.ByWeekNo];
        _yearDays = _yearDayNumbers.Length > 0 ? new YearDays(FillYearDays) : null;
        _weeks = _weekNumbers.Length > 0 ? new YearDays(FillWeeks) : null;
        _yearOrdinals = _ordinals.Length > 0 && !_ordinalsInMonth ? new YearDays(FillOrdinals) : null;
        TakesEveryDay = _months == 0 && monthDays.Length == 0 && !_hasWeekdays
            && _yearDays is null && _weeks is null;
    }

    /// <summary>Where days go that a month or year does not have. RFC 7529 section 4.1.</summary>
    public RecurSkip SkipPolicy { get; }

    /// <summary>Whether no part limits the days.</summary>
    public bool TakesEveryDay { get; }

    /// <summary>The first day of the week that <paramref name="day"/> is in.</summary>
    public int WeekBegin(int day) => day - ((day - _weekStart + WeekLength) % WeekLength);

    /// <summary>The days of a week that may be taken, counted from the week's first.</summary>
    public int[] DaysOfWeek()
    {
        var all = Enumerable.Range(0, WeekLength);
        return _weekdays == 0 || _ordinals.Length > 0
            ? [.. all]
            : [.. all.Where(day => ((_weekdays >> ((day + _weekStart) % WeekLength)) & 1) != 0)];
    }

    /// <summary>Whether a month can have days at all; 1 to 12.</summary>
    public bool HasMonth(int month) => _months == 0 || (_months & (1 << month)) != 0;

    public bool Has(int day)
    {
        if (day < _windowBegin || day >= _windowEnd)
        {
            OpenWindow(day);
        }

        return ((_window >> (day - _windowBegin)) & 1) != 0;
    }

    /// <summary>
    /// The first day at or after this one that may be taken: one of the same month that is, or the first of
    /// the next month.
    /// </summary>
    public int NextCandidate(int day)
    {
        Has(day);
        var rest = _window >> (day - _windowBegin);
        return rest == 0 ? _windowEnd : day + BitOperations.TrailingZeroCount(rest);
    }

    /// <summary>The days of a month that are taken; bit 0 is the first.</summary>
    /// <param name="year">The year.</param>
    /// <param name="month">1 to 12.</param>
    /// <param name="begin">The number of the month's first day.</param>
    public uint Month(int year, int month, int begin)
    {
        if (!HasMonth(month))
        {
            return 0;
        }

        var length = CivilDays.MonthLength(year, month);
        var days = uint.MaxValue >> (32 - length);
        if ((_monthDays | _monthDaysFromEnd) != 0)
        {
            days &= _monthDays | (_monthDaysFromEnd >> (32 - length)) | SkippedWithin(length);
        }

        if (_yearDays is not null)
        {
            days &= _yearDays.OfMonth(year, begin);
        }

        if (_weeks is not null)
        {
            days &= _weeks.OfMonth(year, begin);
        }

        return days == 0 || !_hasWeekdays ? days : days & Weekdays(year, begin, length);
    }

    /// <summary>
    /// Whether SKIP moves a day that a month does not have to a day outside it: to the day before the month
    /// or the day after it.
    /// </summary>
    public bool SkipsTo(int day, int month, int length)
    {
        var exists = SkipPolicy == RecurSkip.Forward
            ? _monthDays >> length != 0
            : _monthDaysFromEnd << length != 0;
        if (!exists || !HasMonth(month) || _yearDays is not null || _weeks is not null)
        {
            return false;
        }

        // BYMONTH limits what MONTHLY gives, but only says where YEARLY begins.
        var date = DateOnly.FromDayNumber(day);
        var begin = day - date.Day + 1;
        return (!_monthLimits || HasMonth(date.Month))
            && (!_hasWeekdays || ((Weekdays(date.Year, begin, CivilDays.MonthLength(date.Year, date.Month))
                >> (date.Day - 1)) & 1) != 0);
    }

    /// <summary>Whether SKIP moves day 366 of a short year to the day before or after the year.</summary>
    public bool SkipsOutOfYear(int year) =>
        SkipPolicy != RecurSkip.Omit && !DateTime.IsLeapYear(year)
        && Array.IndexOf(_yearDayNumbers, SkipPolicy == RecurSkip.Forward ? 366 : -366) >= 0;

    /// <summary>Days the month does not have, moved to its own first or last.</summary>
    private uint SkippedWithin(int length) => SkipPolicy switch
    {
        RecurSkip.Forward when _monthDaysFromEnd << length != 0 => 1,
        RecurSkip.Backward when _monthDays >> length != 0 => 1u << (length - 1),
        _ => 0,
    };

    private uint Weekdays(int year, int begin, int length)
    {
        var first = begin % WeekLength;
        var days = unchecked((uint)(_weekdays >> first));
        if (_yearOrdinals is not null)
        {
            return days | _yearOrdinals.OfMonth(year, begin);
        }

        foreach (var (weekday, number) in _ordinals)
        {
            var index = IndexOf(weekday, number, first, length);
            days |= index >= 0 ? 1u << index : 0;
        }

        return days;
    }

    /// <summary>
    /// Days before the given weekday in a stretch that begins on <paramref name="first"/>; -1 for none.
    /// </summary>
    private static int IndexOf(int weekday, int number, int first, int length)
    {
        var index = (weekday - first + WeekLength) % WeekLength;
        index += number > 0
            ? WeekLength * (number - 1)
            : WeekLength * (((length - 1 - index) / WeekLength) + number + 1);
        return index < length ? index : -1;
    }

    private void OpenWindow(int day)
    {
        var date = DateOnly.FromDayNumber(day);
        _windowBegin = day - date.Day + 1;
        _windowEnd = _windowBegin + CivilDays.MonthLength(date.Year, date.Month);
        _window = Month(date.Year, date.Month, _windowBegin);
    }

    private void FillYearDays(int year, YearDays days)
    {
        var (begin, length) = (CivilDays.YearBegin(year), CivilDays.YearLength(year));
        foreach (var number in _yearDayNumbers)
        {
            var index = number > 0 ? number - 1 : length + number;
            days.Add(begin + (SkipPolicy, index) switch
            {
                (RecurSkip.Forward, < 0) => 0,
                (RecurSkip.Backward, >= 365) => length - 1,
                _ => index,
            });
        }
    }

    /// <summary>A week belongs to the year that has its fourth day. ISO 8601, RFC 5545 3.3.10.</summary>
    private void FillWeeks(int year, YearDays days)
    {
        for (var owner = year - 1; owner <= year + 1; owner++)
        {
            var begin = WeekBegin(CivilDays.YearBegin(owner) + 3);
            var count = (WeekBegin(CivilDays.YearBegin(owner + 1) + 3) - begin) / WeekLength;
            foreach (var number in _weekNumbers)
            {
                var index = number > 0 ? number - 1 : count + number;
                for (var day = 0; index >= 0 && index < count && day < WeekLength; day++)
                {
                    days.Add(begin + (WeekLength * index) + day);
                }
            }
        }
    }

    private void FillOrdinals(int year, YearDays days)
    {
        var (begin, length) = (CivilDays.YearBegin(year), CivilDays.YearLength(year));
        foreach (var (weekday, number) in _ordinals)
        {
            if (IndexOf(weekday, number, begin % WeekLength, length) is >= 0 and var index)
            {
                days.Add(begin + index);
            }
        }
    }

    /// <summary>REC-3: what the rule leaves open comes from DTSTART.</summary>
    private static (int[] Months, int[] MonthDays, WeekdayNum[] Days) WithDtStart(
        Recur recur, DateOnly start)
    {
        int[] months = [.. recur.ByMonth];
        int[] monthDays = [.. recur.ByMonthDay];
        WeekdayNum[] days = [.. recur.ByDay];
        var noDays = monthDays.Length == 0 && recur.ByYearDay.IsEmpty && days.Length == 0;
        switch (recur.Frequency)
        {
            case Frequency.Yearly when recur.ByWeekNo.IsEmpty && noDays:
                return (months.Length == 0 ? [start.Month] : months, [start.Day], days);
            case Frequency.Yearly when recur.ByWeekNo.IsEmpty && recur.ByYearDay.IsEmpty
                && monthDays.Length > 0:
                return (months.Length == 0 ? [start.Month] : months, monthDays, days);
            case Frequency.Monthly when recur.ByWeekNo.IsEmpty && noDays:
                return (months, [start.Day], days);
            case Frequency.Weekly or Frequency.Monthly or Frequency.Yearly when noDays:
                var weekday = (NodaTime.IsoDayOfWeek)(1 + (start.DayNumber % WeekLength));
                return (months, monthDays, [new WeekdayNum(weekday)]);
            default:
                return (months, monthDays, days);
        }
    }
}
