using System.Diagnostics;
using System.Numerics;

namespace CalSync.Calendar.Recurrence;

/// <summary>Walks one rule's instances in local time, in order, without COUNT and UNTIL.</summary>
/// <remarks>
/// Local times are seconds since 0001-01-01T00:00. One call of <see cref="Step"/> does a bounded amount of
/// work: it opens at most one period, so a rule that never matches cannot hold its caller. Periods that
/// cannot match are jumped over by arithmetic, and nothing is allocated while walking.
/// </remarks>
internal sealed class RuleWalker
{
    private const long Day = CivilDays.SecondsPerDay;

    private readonly Frequency _frequency;
    private readonly long _interval;
    private readonly DayFilter _days;
    private readonly TimeFilter _times;
    private readonly int[] _offsets;
    private readonly int[] _weekDays;
    private readonly SetPositions? _positions;
    private readonly long[] _bases;
    private readonly bool _isDate;
    private readonly long _start;
    private readonly DateOnly _startDate;
    private readonly long _floor;
    private readonly int _lastYear;
    private readonly int _lastDay;
    private int _baseCount;
    private int _base;
    private int _offset;
    private long _period;
    private long _last = long.MinValue;

    /// <param name="recur">The rule.</param>
    /// <param name="start">DTSTART; nothing before it is yielded.</param>
    /// <param name="isDate">
    /// Whether DTSTART is a date: BYHOUR, BYMINUTE and BYSECOND are then ignored.
    /// </param>
    /// <param name="floor">Where to begin; periods before it are jumped over. At or after DTSTART.</param>
    public RuleWalker(Recur recur, long start, bool isDate, long floor)
    {
        _frequency = recur.Frequency;
        _interval = recur.Interval;
        _isDate = isDate;
        _start = start;

        // A date needs no instant, so the calendar's last year is open to it.
        _lastYear = isDate ? DateOnly.MaxValue.Year : LocalTimeText.YearMax;
        _lastDay = new DateOnly(_lastYear, 12, 31).DayNumber;
        _startDate = DateOnly.FromDayNumber((int)(start / Day));
        _days = new DayFilter(recur, _startDate);
        _times = new TimeFilter(recur, (int)(start % Day), isDate);
        _offsets = _times.Offsets;
        _weekDays = _frequency == Frequency.Weekly ? _days.DaysOfWeek() : [];
        _positions = recur.BySetPos.IsEmpty ? null : new SetPositions(recur.BySetPos);
        _bases = new long[_frequency switch
        {
            Frequency.Yearly => 366 + 14,
            Frequency.Monthly => 31 + 1,
            Frequency.Weekly => 7,
            _ => 1,
        }];
        _floor = Math.Max(start, floor);
        _period = FirstPeriodAt(_floor);
    }

    /// <summary>What one step led to.</summary>
    internal enum StepKind
    {
        /// <summary>An instance.</summary>
        Instance,

        /// <summary>A period without an instance, or none after DTSTART.</summary>
        Period,

        /// <summary>There is nothing up to the last supported year.</summary>
        End,
    }

    /// <summary>The instance that the last step yielded.</summary>
    public long Current { get; private set; }

    public StepKind Step() =>
        Next() ? StepKind.Instance
        : !OpenPeriod() ? StepKind.End
        : Next() ? StepKind.Instance
        : StepKind.Period;

    /// <summary>The next instance of the open period.</summary>
    private bool Next()
    {
        if (_positions is not null)
        {
            return NextPosition(_positions);
        }

        while (_base < _baseCount)
        {
            Current = _bases[_base] + _offsets[_offset];
            if (++_offset == _offsets.Length)
            {
                _offset = 0;
                _base++;
            }

            if (IsNew())
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Not before the floor, and not again a day that SKIP has moved onto another.</summary>
    private bool IsNew()
    {
        if (Current < _floor || Current <= _last)
        {
            return false;
        }

        _last = Current;
        return true;
    }

    private bool NextPosition(SetPositions positions)
    {
        while (positions.TryTake(out var index))
        {
            Current = _bases[index / _offsets.Length] + _offsets[index % _offsets.Length];
            if (IsNew())
            {
                return true;
            }
        }

        return false;
    }

    private bool OpenPeriod()
    {
        (_baseCount, _base, _offset) = (0, 0, 0);
        var inRange = _frequency switch
        {
            Frequency.Yearly => FillYear(),
            Frequency.Monthly => FillMonth(),
            Frequency.Weekly => FillWeek(),
            Frequency.Daily => FillDay(),
            Frequency.Hourly => FillTime(3600),
            Frequency.Minutely => FillTime(60),
            Frequency.Secondly => FillTime(1),
            _ => throw new UnreachableException("Unknown frequency."),
        };
        if (_positions is not null)
        {
            _positions.Select(_baseCount * _offsets.Length);
        }
        else if (_baseCount > 1)
        {
            SkipToFloor();
        }

        return inRange;
    }

    private void SkipToFloor()
    {
        var last = _offsets[^1];
        while (_base < _baseCount && _bases[_base] + last < _floor)
        {
            _base++;
        }
    }

    private bool FillYear()
    {
        var year = _startDate.Year + (_period++ * _interval);
        if (year > _lastYear)
        {
            return false;
        }

        var begin = CivilDays.YearBegin((int)year);
        var skips = _days.SkipsOutOfYear((int)year);
        AddIf(skips && _days.SkipPolicy == RecurSkip.Backward, begin - 1);
        for (var month = 1; month <= 12; month++)
        {
            AddMonth((int)year, month, begin);
            begin += CivilDays.MonthLength((int)year, month);
        }

        AddIf(skips && _days.SkipPolicy == RecurSkip.Forward && begin <= _lastDay, begin);
        return true;
    }

    private bool FillMonth()
    {
        var months = _startDate.Month - 1 + (_period++ * _interval);
        var year = _startDate.Year + (months / 12);
        if (year > _lastYear)
        {
            return false;
        }

        var month = (int)(months % 12) + 1;
        AddMonth((int)year, month, CivilDays.MonthBegin((int)year, month));
        return true;
    }

    private void AddMonth(int year, int month, int begin)
    {
        if (_days.SkipPolicy != RecurSkip.Omit)
        {
            AddMonthWithSkip(year, month, begin);
            return;
        }

        for (var days = _days.Month(year, month, begin); days != 0; days &= days - 1)
        {
            _bases[_baseCount++] = (begin + BitOperations.TrailingZeroCount(days)) * Day;
        }
    }

    private void AddMonthWithSkip(int year, int month, int begin)
    {
        var length = CivilDays.MonthLength(year, month);
        var end = begin + length;
        AddIf(_days.SkipPolicy == RecurSkip.Backward && _days.SkipsTo(begin - 1, month, length), begin - 1);
        for (var days = _days.Month(year, month, begin); days != 0; days &= days - 1)
        {
            _bases[_baseCount++] = (begin + BitOperations.TrailingZeroCount(days)) * Day;
        }

        AddIf(
            _days.SkipPolicy == RecurSkip.Forward && end <= _lastDay
                && _days.SkipsTo(end, month, length),
            end);
    }

    private void AddIf(bool isTaken, int day)
    {
        if (isTaken)
        {
            _bases[_baseCount++] = day * Day;
        }
    }

    private bool FillWeek()
    {
        var first = _days.WeekBegin(_startDate.DayNumber) + (7 * _period++ * _interval);
        if (first > _lastDay)
        {
            return false;
        }

        foreach (var offset in _weekDays)
        {
            // The first week may begin before the first supported day; DTSTART comes later anyway.
            var day = first + offset;
            if (day >= 0 && day <= _lastDay && _days.Has((int)day))
            {
                _bases[_baseCount++] = day * Day;
            }
        }

        return true;
    }

    private bool FillDay()
    {
        var day = _startDate.DayNumber + (_period * _interval);
        if (day > _lastDay)
        {
            return false;
        }

        if (_days.TakesEveryDay || _days.Has((int)day))
        {
            _bases[_baseCount++] = day * Day;
            _period++;
            return true;
        }

        _period = PeriodAtOrAfter(_days.NextCandidate((int)day) - _startDate.DayNumber, _interval);
        return true;
    }

    /// <summary>One hour, minute or second; where it does not fit, jumps to the next that may.</summary>
    private bool FillTime(int unit)
    {
        var origin = _start / unit * unit;
        var at = origin + (_period * _interval * unit);
        var day = at / Day;
        if (day > _lastDay)
        {
            return false;
        }

        var next = _days.TakesEveryDay || _days.Has((int)day)
            ? (day * Day) + _times.FirstUnitAt((int)(at % Day), unit)
            : _days.NextCandidate((int)day) * Day;
        if (next > at)
        {
            _period = PeriodAtOrAfter(next - origin, _interval * unit);
            return true;
        }

        // On a date the hours of a day are one instance: the date.
        _bases[_baseCount++] = _isDate ? day * Day : at;
        _period = _isDate ? PeriodAtOrAfter(((day + 1) * Day) - origin, _interval * unit) : _period + 1;
        return true;
    }

    private static long PeriodAtOrAfter(long distance, long stride) => (distance + stride - 1) / stride;

    /// <summary>The last period that begins at or before a local time.</summary>
    private long FirstPeriodAt(long time)
    {
        var date = DateOnly.FromDayNumber((int)Math.Min(time / Day, _lastDay));
        var units = _frequency switch
        {
            Frequency.Yearly => (long)date.Year - _startDate.Year,
            Frequency.Monthly => (12 * (date.Year - _startDate.Year)) + date.Month - _startDate.Month,
            Frequency.Weekly => (date.DayNumber - _days.WeekBegin(_startDate.DayNumber)) / 7,
            Frequency.Daily => date.DayNumber - _startDate.DayNumber,
            Frequency.Hourly => (time / 3600) - (_start / 3600),
            Frequency.Minutely => (time / 60) - (_start / 60),
            Frequency.Secondly => time - _start,
            _ => throw new UnreachableException("Unknown frequency."),
        };

        // SKIP may move a day of one period into the next.
        return Math.Max(0, (units / _interval) - (_days.SkipPolicy == RecurSkip.Omit ? 0 : 1));
    }
}
