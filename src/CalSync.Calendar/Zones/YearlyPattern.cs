using NodaTime;

namespace CalSync.Calendar.Zones;

/// <summary>What yearly rule a growing list of local times follows, one of them a year.</summary>
internal sealed class YearlyPattern
{
    private readonly LocalDateTime _first;
    private int _year;
    private bool _isLast;
    private bool _isFixed = true;
    private bool _isWeekday = true;

    // The days of the month from which on the weekday is the first one.
    private int _onOrAfterMin;
    private int _onOrAfterMax;

    /// <param name="first">The first time.</param>
    public YearlyPattern(LocalDateTime first)
    {
        _first = first;
        _year = first.Year;
        _isLast = IsInLastWeek(first.Date);
        (_onOrAfterMin, _onOrAfterMax) = OnOrAfter(first.Date);
    }

    /// <summary>Takes the next time if one rule gives it too; else it is false and nothing changes.</summary>
    public bool TryExtend(LocalDateTime next)
    {
        if (next.Year != _year + 1 || next.Month != _first.Month || next.TimeOfDay != _first.TimeOfDay)
        {
            return false;
        }

        var (min, max) = OnOrAfter(next.Date);
        (min, max) = (Math.Max(min, _onOrAfterMin), Math.Min(max, _onOrAfterMax));
        var isWeekday = _isWeekday && next.DayOfWeek == _first.DayOfWeek;
        var isLast = isWeekday && _isLast && IsInLastWeek(next.Date);
        var isFixed = _isFixed && next.Day == _first.Day;
        if (!isLast && !isFixed && !(isWeekday && min <= max))
        {
            return false;
        }

        (_year, _isWeekday, _isLast, _isFixed) = (next.Year, isWeekday, isLast, isFixed);
        (_onOrAfterMin, _onOrAfterMax) = (min, max);
        return true;
    }

    /// <summary>
    /// The rule: the last weekday, the nth, the first on or after a day, or a day of the month.
    /// </summary>
    public Recur Rule()
    {
        var rule = new Recur(Frequency.Yearly) { ByMonth = [_first.Month] };
        if (_isLast)
        {
            return rule with { ByDay = [new WeekdayNum(_first.DayOfWeek, -1)] };
        }

        if (!_isWeekday || _onOrAfterMin > _onOrAfterMax)
        {
            return rule with { ByMonthDay = [_first.Day] };
        }

        for (var day = _onOrAfterMin; day <= _onOrAfterMax; day++)
        {
            if (day % 7 == 1)
            {
                return rule with { ByDay = [new WeekdayNum(_first.DayOfWeek, 1 + (day / 7))] };
            }
        }

        return rule with
        {
            ByMonthDay = [.. Enumerable.Range(_onOrAfterMin, 7)],
            ByDay = [new WeekdayNum(_first.DayOfWeek)],
        };
    }

    private static bool IsInLastWeek(LocalDate date) =>
        date.Day > CalendarSystem.Iso.GetDaysInMonth(date.Year, date.Month) - 7;

    /// <summary>A week from the day on must lie in the month, also in a short February.</summary>
    private static (int Min, int Max) OnOrAfter(LocalDate date)
    {
        var length = date.Month == 2 ? 28 : CalendarSystem.Iso.GetDaysInMonth(date.Year, date.Month);
        return (Math.Max(1, date.Day - 6), Math.Min(date.Day, length - 6));
    }
}
