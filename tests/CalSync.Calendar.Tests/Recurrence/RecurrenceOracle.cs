using NodaTime;

namespace CalSync.Calendar.Tests.Recurrence;

/// <summary>
/// A slow expansion of one rule that anybody can check against RFC 5545 section 3.3.10 line by line.
/// </summary>
/// <remarks>
/// It looks at every day (and every hour, minute, second of a finer frequency) up to a horizon, asks each BY
/// part in the words of the RFC, groups what is left by period, applies BYSETPOS to each group, and only
/// then bounds the list. It shares no code with the product's expansion but the types of its input.
/// </remarks>
internal sealed class RecurrenceOracle(Recur rule, LocalDateTime start)
{
    private readonly List<int> _months = [.. rule.ByMonth];
    private readonly List<int> _monthDays = [.. rule.ByMonthDay];
    private readonly List<WeekdayNum> _days = [.. rule.ByDay];
    private readonly Dictionary<LocalDate, bool> _asked = [];

    /// <summary>
    /// Local times the rule produces from DTSTART to the end of a day's period, without COUNT and UNTIL.
    /// </summary>
    public List<LocalDateTime> Instances(LocalDate lastDay)
    {
        TakeFromDtStart();
        var byPeriod = new SortedDictionary<long, List<LocalDateTime>>();
        foreach (var time in Candidates(lastDay))
        {
            if (!HasTime(time.TimeOfDay) || !Asked(time.Date))
            {
                continue;
            }

            var period = PeriodOf(time);
            if (period % rule.Interval == 0)
            {
                if (!byPeriod.TryGetValue(period, out var times))
                {
                    byPeriod.Add(period, times = []);
                }

                times.Add(time);
            }
        }

        return [.. byPeriod.Values.SelectMany(Positions).Where(time => time >= start)];
    }

    /// <summary>REC-3.</summary>
    private void TakeFromDtStart()
    {
        var silent = _monthDays.Count == 0 && _days.Count == 0 && rule.ByYearDay.IsEmpty;
        if (silent && (rule.Frequency == Frequency.Weekly
            || (!rule.ByWeekNo.IsEmpty && rule.Frequency is Frequency.Monthly or Frequency.Yearly)))
        {
            _days.Add(new WeekdayNum(start.DayOfWeek));
        }
        else if (silent && rule.Frequency is Frequency.Monthly or Frequency.Yearly)
        {
            _monthDays.Add(start.Day);
        }

        var needsMonth = rule.Frequency == Frequency.Yearly && _monthDays.Count > 0
            && rule.ByWeekNo.IsEmpty && rule.ByYearDay.IsEmpty;
        if (needsMonth && _months.Count == 0)
        {
            _months.Add(start.Month);
        }
    }

    private IEnumerable<LocalDateTime> Candidates(LocalDate lastDay)
    {
        // Whole periods, because BYSETPOS counts from both of their ends.
        var first = rule.Frequency switch
        {
            Frequency.Yearly => new LocalDate(start.Year, 1, 1),
            Frequency.Monthly => new LocalDate(start.Year, start.Month, 1),
            Frequency.Weekly => WeekBegin(start.Date),
            _ => start.Date,
        };
        var last = rule.Frequency switch
        {
            Frequency.Yearly => new LocalDate(lastDay.Year, 12, 31),
            Frequency.Monthly => new LocalDate(lastDay.Year, lastDay.Month, 1).PlusMonths(1).PlusDays(-1),
            Frequency.Weekly => WeekBegin(lastDay).PlusDays(6),
            _ => lastDay,
        };
        var times = TimesOfDay();
        for (var day = first; day <= last; day = day.PlusDays(1))
        {
            foreach (var time in times)
            {
                yield return day.At(time);
            }
        }
    }

    /// <summary>Every time of a day that may matter; the period and the BY parts choose from them.</summary>
    private List<LocalTime> TimesOfDay()
    {
        var hours = rule.Frequency <= Frequency.Hourly ? Enumerable.Range(0, 24)
            : rule.ByHour.IsEmpty ? [start.Hour] : rule.ByHour;
        var minutes = rule.Frequency <= Frequency.Minutely ? Enumerable.Range(0, 60)
            : rule.ByMinute.IsEmpty ? [start.Minute] : rule.ByMinute;
        var seconds = rule.Frequency == Frequency.Secondly ? Enumerable.Range(0, 60)
            : rule.BySecond.IsEmpty ? [start.Second] : rule.BySecond;
        return
        [
            .. from hour in hours
               from minute in minutes
               from second in seconds
               select new LocalTime(hour, minute, second),
        ];
    }

    private long PeriodOf(LocalDateTime time)
    {
        var days = Period.DaysBetween(start.Date, time.Date);
        return rule.Frequency switch
        {
            Frequency.Yearly => time.Year - start.Year,
            Frequency.Monthly => ((time.Year - start.Year) * 12) + time.Month - start.Month,
            Frequency.Weekly => Period.DaysBetween(WeekBegin(start.Date), WeekBegin(time.Date)) / 7,
            Frequency.Daily => days,
            Frequency.Hourly => (days * 24L) + time.Hour - start.Hour,
            Frequency.Minutely => (days * 1440L) + MinuteOf(time) - MinuteOf(start),
            Frequency.Secondly => (days * 86_400L) + (MinuteOf(time) * 60) + time.Second
                - (MinuteOf(start) * 60) - start.Second,
            _ => throw new ArgumentOutOfRangeException(nameof(time)),
        };
    }

    private bool HasTime(LocalTime time) =>
        (rule.ByHour.IsEmpty || rule.ByHour.Contains(time.Hour))
        && (rule.ByMinute.IsEmpty || rule.ByMinute.Contains(time.Minute))
        && (rule.BySecond.IsEmpty || rule.BySecond.Contains(time.Second));

    private bool Asked(LocalDate day)
    {
        if (!_asked.TryGetValue(day, out var has))
        {
            _asked.Add(day, has = HasDay(day));
        }

        return has;
    }

    private bool HasDay(LocalDate day) =>
        (_months.Count == 0 || _months.Contains(day.Month))
        && (_monthDays.Count == 0 || IsNth(_monthDays, DaysOfMonth(day), day))
        && (rule.ByYearDay.IsEmpty || IsNth(rule.ByYearDay, DaysOfYear(day.Year), day))
        && (rule.ByWeekNo.IsEmpty || HasWeek(day))
        && (_days.Count == 0 || _days.Exists(wanted => IsWeekday(wanted, day)));

    private bool IsWeekday(WeekdayNum wanted, LocalDate day)
    {
        var numbersCount = rule.Frequency == Frequency.Monthly
            || (rule.Frequency == Frequency.Yearly && rule.ByWeekNo.IsEmpty);
        if (wanted.Day != day.DayOfWeek || wanted.Ordinal == 0 || !numbersCount)
        {
            return wanted.Day == day.DayOfWeek;
        }

        var inMonth = rule.Frequency == Frequency.Monthly || !rule.ByMonth.IsEmpty;
        var all = (inMonth ? DaysOfMonth(day) : DaysOfYear(day.Year))
            .Where(other => other.DayOfWeek == wanted.Day).ToList();
        return IsNth([wanted.Ordinal], all, day);
    }

    /// <summary>Weeks belong to the year most of their days are in.</summary>
    private bool HasWeek(LocalDate day)
    {
        var begin = WeekBegin(day);
        var year = OwnerOf(begin);
        var weeks = new List<LocalDate>();
        for (var week = WeekBegin(new LocalDate(year, 1, 1)); week.Year <= year; week = week.PlusDays(7))
        {
            if (OwnerOf(week) == year)
            {
                weeks.Add(week);
            }
        }

        return IsNth(rule.ByWeekNo, weeks, begin);
    }

    private static int OwnerOf(LocalDate weekBegin) =>
        Enumerable.Range(0, 7).Select(offset => weekBegin.PlusDays(offset).Year)
            .GroupBy(year => year).MaxBy(group => group.Count())!.Key;

    private LocalDate WeekBegin(LocalDate day)
    {
        while (day.DayOfWeek != rule.WeekStart)
        {
            day = day.PlusDays(-1);
        }

        return day;
    }

    private IEnumerable<LocalDateTime> Positions(List<LocalDateTime> times)
    {
        times.Sort();
        return rule.BySetPos.IsEmpty ? times : times.Where(time => IsNth(rule.BySetPos, times, time));
    }

    private static bool IsNth<T>(IEnumerable<int> numbers, List<T> all, T item)
    {
        var index = all.IndexOf(item);
        return numbers.Any(number => number > 0 ? number == index + 1 : number == index - all.Count);
    }

    private static List<LocalDate> DaysOfMonth(LocalDate day) =>
        [.. Enumerable.Range(1, CalendarSystem.Iso.GetDaysInMonth(day.Year, day.Month))
            .Select(number => new LocalDate(day.Year, day.Month, number))];

    private static List<LocalDate> DaysOfYear(int year) =>
        [.. Enumerable.Range(0, CalendarSystem.Iso.GetDaysInYear(year))
            .Select(offset => new LocalDate(year, 1, 1).PlusDays(offset))];

    private static int MinuteOf(LocalDateTime time) => (time.Hour * 60) + time.Minute;
}
