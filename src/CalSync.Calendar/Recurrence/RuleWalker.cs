namespace CalSync.Calendar.Recurrence;

/// <summary>Walks one rule's instances in local time, in order, without COUNT and UNTIL.</summary>
/// <remarks>
/// Local times are seconds since 0001-01-01T00:00. One call of <see cref="Step"/> does a bounded amount of
/// work: it yields an instance or opens the next period, so a rule that never matches cannot hold its caller.
/// </remarks>
internal sealed class RuleWalker
{
    private const long Day = 86_400;

    private readonly Recur _recur;
    private readonly DayFilter _days;
    private readonly TimeFilter _times;
    private readonly long _start;
    private readonly int _lastYear;
    private readonly int _lastDay;
    private readonly DateOnly _startDate;
    private readonly List<long> _bases = [];
    private readonly List<long> _positions = [];
    private readonly long _floor;
    private long _period;
    private long _next;
    private long _count;

    /// <param name="recur">The rule.</param>
    /// <param name="start">DTSTART; nothing before it is yielded.</param>
    /// <param name="isDate">
    /// Whether DTSTART is a date: BYHOUR, BYMINUTE and BYSECOND are then ignored.
    /// </param>
    /// <param name="floor">Where to begin; periods before it are jumped over. At or after DTSTART.</param>
    public RuleWalker(Recur recur, long start, bool isDate, long floor)
    {
        _recur = recur;
        _start = start;

        // A date needs no instant, so the calendar's last year is open to it.
        _lastYear = isDate ? DateOnly.MaxValue.Year : LocalTimeText.YearMax;
        _lastDay = new DateOnly(_lastYear, 12, 31).DayNumber;
        _startDate = DateOnly.FromDayNumber((int)(start / Day));
        _days = new DayFilter(recur, _startDate);
        _times = new TimeFilter(recur, (int)(start % Day), isDate);
        _floor = Math.Max(start, floor);
        _period = FirstPeriodAt(_floor);
    }

    /// <summary>What one step led to.</summary>
    internal enum StepKind
    {
        /// <summary>An instance.</summary>
        Instance,

        /// <summary>A period began, or ended; no instance yet.</summary>
        Period,

        /// <summary>There is nothing up to the last supported year.</summary>
        End,
    }

    /// <summary>The instance that the last step yielded.</summary>
    public long Current { get; private set; }

    public StepKind Step()
    {
        while (_next < _count)
        {
            Current = Element(_recur.BySetPos.IsEmpty ? _next : _positions[(int)_next]);
            _next++;
            if (Current >= _floor)
            {
                return StepKind.Instance;
            }
        }

        return OpenPeriod() ? StepKind.Period : StepKind.End;
    }

    private bool OpenPeriod()
    {
        _bases.Clear();
        _positions.Clear();
        _next = 0;
        _count = 0;
        var inRange = _recur.Frequency switch
        {
            Frequency.Yearly => FillYear(),
            Frequency.Monthly => FillMonth(),
            Frequency.Weekly => FillDays(_days.WeekBegin(_startDate.DayNumber) + (7 * Steps()), 7),
            Frequency.Daily => FillDays(_startDate.DayNumber + Steps(), 1),
            Frequency.Hourly => FillTime(3600),
            Frequency.Minutely => FillTime(60),
            Frequency.Secondly => FillTime(1),
            _ => throw new System.Diagnostics.UnreachableException("Unknown frequency."),
        };
        if (!inRange)
        {
            return false;
        }

        _count = (long)_bases.Count * _times.Offsets.Length;
        if (!_recur.BySetPos.IsEmpty)
        {
            SelectPositions();
        }
        else
        {
            SkipToFloor();
        }

        return true;
    }

    private long Steps() => _period++ * _recur.Interval;

    private long Element(long index) =>
        _bases[(int)(index / _times.Offsets.Length)] + _times.Offsets[(int)(index % _times.Offsets.Length)];

    private void SkipToFloor()
    {
        var passed = 0;
        while (passed < _bases.Count && _bases[passed] + _times.Offsets[^1] < _floor)
        {
            passed++;
        }

        _next = (long)passed * _times.Offsets.Length;
    }

    private void SelectPositions()
    {
        foreach (var position in _recur.BySetPos)
        {
            var index = position > 0 ? position - 1 : _count + position;
            if (index >= 0 && index < _count)
            {
                _positions.Add(index);
            }
        }

        _positions.Sort();
        for (var index = _positions.Count - 1; index > 0; index--)
        {
            if (_positions[index] == _positions[index - 1])
            {
                _positions.RemoveAt(index);
            }
        }

        _count = _positions.Count;
    }

    private bool FillYear()
    {
        var year = _startDate.Year + Steps();
        if (year > _lastYear)
        {
            return false;
        }

        for (var month = 1; month <= 12; month++)
        {
            AddMonth((int)year, month);
        }

        return true;
    }

    private bool FillMonth()
    {
        var month = _startDate.Month - 1 + Steps();
        var year = _startDate.Year + (month / 12);
        if (year > _lastYear)
        {
            return false;
        }

        AddMonth((int)year, (int)(month % 12) + 1);
        return true;
    }

    private void AddMonth(int year, int month)
    {
        if (_days.HasMonth(month))
        {
            AddDays(new DateOnly(year, month, 1).DayNumber, DateTime.DaysInMonth(year, month));
        }
    }

    private bool FillDays(long first, int count)
    {
        if (first > _lastDay)
        {
            return false;
        }

        // The first week may begin before the first supported day; DTSTART comes later anyway.
        AddDays((int)Math.Max(first, 0), (int)Math.Min(count, _lastDay - first + 1));
        return true;
    }

    private void AddDays(int first, int count)
    {
        for (var day = first; day < first + count; day++)
        {
            if (_days.Has(day))
            {
                _bases.Add(day * Day);
            }
        }
    }

    /// <summary>One hour, minute or second; where it does not fit, jumps to the next that may.</summary>
    private bool FillTime(int unit)
    {
        var origin = _start / unit * unit;
        var at = origin + (_period * _recur.Interval * unit);
        var day = at / Day;
        if (day > _lastDay)
        {
            return false;
        }

        var next = _days.Has((int)day)
            ? (day * Day) + _times.FirstUnitAt((int)(at % Day), unit)
            : (day + 1) * Day;
        if (next > at)
        {
            var stride = (long)_recur.Interval * unit;
            _period = (next - origin + stride - 1) / stride;
            return true;
        }

        _bases.Add(at);
        _period++;
        return true;
    }

    /// <summary>The last period that begins at or before a local time.</summary>
    private long FirstPeriodAt(long time)
    {
        var date = DateOnly.FromDayNumber((int)Math.Min(time / Day, _lastDay));
        var units = _recur.Frequency switch
        {
            Frequency.Yearly => (long)date.Year - _startDate.Year,
            Frequency.Monthly => (12 * (date.Year - _startDate.Year)) + date.Month - _startDate.Month,
            Frequency.Weekly => (date.DayNumber - _days.WeekBegin(_startDate.DayNumber)) / 7,
            Frequency.Daily => date.DayNumber - _startDate.DayNumber,
            Frequency.Hourly => (time / 3600) - (_start / 3600),
            Frequency.Minutely => (time / 60) - (_start / 60),
            Frequency.Secondly => time - _start,
            _ => throw new System.Diagnostics.UnreachableException("Unknown frequency."),
        };
        return units / _recur.Interval;
    }
}
