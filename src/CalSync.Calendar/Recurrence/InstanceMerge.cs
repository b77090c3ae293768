namespace CalSync.Calendar.Recurrence;

/// <summary>
/// The instances of a whole set as UTC seconds: rules and dates together, minus the excluded ones.
/// </summary>
internal sealed class InstanceMerge
{
    private const long None = RuleInstances.None;

    private readonly RuleInstances[] _rules;
    private readonly RuleInstances[] _excludedRules;
    private readonly long[] _dates;
    private readonly long[] _excludedTimes;
    private readonly long[] _excludedDays;
    private readonly LocalClock _clock;
    private readonly StepBudget _budget;
    private readonly long _from;
    private readonly long _rulesFrom;
    private int _date;
    private int _excludedTime;
    private long _last = long.MinValue;
    private bool _started;

    /// <param name="rules">RRULE.</param>
    /// <param name="excludedRules">EXRULE.</param>
    /// <param name="dates">RDATE and DTSTART.</param>
    /// <param name="from">Instances before this are not needed.</param>
    /// <param name="rulesFrom">No rule has an instance before this.</param>
    /// <param name="excludedTimes">EXDATE with a time.</param>
    /// <param name="excludedDays">EXDATE without a time, as local day numbers.</param>
    /// <param name="clock">The wall whose days those are.</param>
    /// <param name="budget">Spent on every step; the merge refills it when it finds an instance.</param>
    public InstanceMerge(
        RuleInstances[] rules,
        RuleInstances[] excludedRules,
        long[] dates,
        long from,
        long rulesFrom,
        long[] excludedTimes,
        long[] excludedDays,
        LocalClock clock,
        StepBudget budget)
    {
        _rules = rules;
        _excludedRules = excludedRules;
        _dates = dates;
        _from = from;
        _rulesFrom = rulesFrom;
        _excludedTimes = excludedTimes;
        _excludedDays = excludedDays;
        _clock = clock;
        _budget = budget;
        Array.Sort(_dates);
        Array.Sort(_excludedTimes);
        Array.Sort(_excludedDays);
        _date = FirstAtOrAfter(_dates, from);
        _excludedTime = FirstAtOrAfter(_excludedTimes, from);
    }

    /// <summary>
    /// The instance the last <see cref="Advance"/> reached; <see cref="RuleInstances.None"/> at the end.
    /// </summary>
    public long Current { get; private set; }

    /// <summary>Moves to the next instance. False when the budget ran out first.</summary>
    public bool Advance()
    {
        while (true)
        {
            if (!_budget.Spend() || !TakeLeast())
            {
                return false;
            }

            var instant = Current;
            if (instant == None)
            {
                return true;
            }

            if (instant <= _last || instant < _from)
            {
                continue;
            }

            _last = instant;
            if (!TryIsExcluded(instant, out var excluded))
            {
                return false;
            }

            if (!excluded)
            {
                _budget.Refill();
                return true;
            }
        }
    }

    private bool TakeLeast()
    {
        // DTSTART is delivered before any rule is asked: a rule that never matches must not hide it.
        if (!_started && !(_date < _dates.Length && _dates[_date] <= _rulesFrom))
        {
            _started = true;
            foreach (var rule in _rules)
            {
                if (!rule.Advance(_budget))
                {
                    return false;
                }
            }
        }

        var least = _date < _dates.Length ? _dates[_date] : None;
        for (var index = 0; _started && index < _rules.Length; index++)
        {
            least = Math.Min(least, _rules[index].Current);
        }

        Current = least;
        return least == None || PassLeast(least);
    }

    private bool PassLeast(long least)
    {
        while (_date < _dates.Length && _dates[_date] == least)
        {
            _date++;
        }

        for (var index = 0; _started && index < _rules.Length; index++)
        {
            if (_rules[index].Current == least && !_rules[index].Advance(_budget))
            {
                return false;
            }
        }

        return true;
    }

    private bool TryIsExcluded(long instant, out bool excluded)
    {
        while (_excludedTime < _excludedTimes.Length && _excludedTimes[_excludedTime] < instant)
        {
            _excludedTime++;
        }

        excluded = (_excludedTime < _excludedTimes.Length && _excludedTimes[_excludedTime] == instant)
            || (_excludedDays.Length > 0
                && Array.BinarySearch(
                    _excludedDays, _clock.ToLocal(instant) / CivilDays.SecondsPerDay) >= 0);
        return _excludedRules.Length == 0 || TryAskRules(instant, ref excluded);
    }

    private bool TryAskRules(long instant, ref bool excluded)
    {
        // A rule that has not been asked yet stands before every instant.
        foreach (var rule in _excludedRules)
        {
            while (rule.Current < instant)
            {
                if (!rule.Advance(_budget))
                {
                    return false;
                }
            }

            excluded |= rule.Current == instant;
        }

        return true;
    }

    private static int FirstAtOrAfter(long[] sorted, long time)
    {
        var index = Array.BinarySearch(sorted, time);
        if (index < 0)
        {
            return ~index;
        }

        while (index > 0 && sorted[index - 1] == time)
        {
            index--;
        }

        return index;
    }
}
