namespace CalSync.Calendar.Recurrence;

/// <summary>
/// The instances of a whole set as UTC seconds: rules and dates together, minus the excluded ones.
/// </summary>
internal sealed class InstanceMerge
{
    private readonly List<RuleInstances> _rules;
    private readonly List<RuleInstances> _excludedRules;
    private readonly Queue<long> _dates;
    private readonly HashSet<long> _excludedTimes;
    private readonly HashSet<long> _excludedDays;
    private readonly StepBudget _budget;
    private readonly Func<long, long> _localDay;
    private readonly long _rulesFrom;
    private long _last = long.MinValue;
    private bool _started;
    private bool _exclusionStarted;

    /// <param name="rules">RRULE.</param>
    /// <param name="excludedRules">EXRULE.</param>
    /// <param name="dates">RDATE and DTSTART.</param>
    /// <param name="rulesFrom">No rule has an instance before this.</param>
    /// <param name="excludedTimes">EXDATE with a time.</param>
    /// <param name="excludedDays">
    /// EXDATE without a time, as what <paramref name="localDay"/> gives for that day.
    /// </param>
    /// <param name="localDay">The local day of an instance.</param>
    /// <param name="budget">Spent on every step; the merge refills it when it finds an instance.</param>
    public InstanceMerge(
        IEnumerable<RuleInstances> rules,
        IEnumerable<RuleInstances> excludedRules,
        IEnumerable<long> dates,
        long rulesFrom,
        HashSet<long> excludedTimes,
        HashSet<long> excludedDays,
        Func<long, long> localDay,
        StepBudget budget)
    {
        _rules = [.. rules];
        _excludedRules = [.. excludedRules];
        _dates = new Queue<long>(dates.Order());
        _rulesFrom = rulesFrom;
        _excludedTimes = excludedTimes;
        _excludedDays = excludedDays;
        _localDay = localDay;
        _budget = budget;
    }

    /// <summary>The instance the last <see cref="Advance"/> reached; null when there are no more.</summary>
    public long? Current { get; private set; }

    /// <summary>
    /// Moves to the next instance at or after <paramref name="from"/>. False when the budget ran out first.
    /// </summary>
    public bool Advance(long from)
    {
        while (true)
        {
            if (!_budget.Spend() || !TakeLeast())
            {
                return false;
            }

            if (Current is not { } instant)
            {
                return true;
            }

            if (instant <= _last)
            {
                continue;
            }

            _last = instant;

            if (!TryIsExcluded(instant, out var excluded))
            {
                return false;
            }

            if (!excluded && instant >= from)
            {
                _budget.Refill();
                return true;
            }
        }
    }

    private bool TakeLeast()
    {
        // DTSTART is delivered before any rule is asked: a rule that never matches must not hide it.
        if (!_started && !(_dates.TryPeek(out var first) && first <= _rulesFrom))
        {
            _started = true;
            if (!_rules.TrueForAll(rule => rule.Advance(_budget)))
            {
                return false;
            }
        }

        long? least = _dates.TryPeek(out var date) ? date : null;
        foreach (var rule in _rules)
        {
            least = rule.Current is { } current && !(least <= current) ? current : least;
        }

        Current = least;
        while (_dates.TryPeek(out date) && date == least)
        {
            _dates.Dequeue();
        }

        return _rules.TrueForAll(rule => least is null || rule.Current != least || rule.Advance(_budget));
    }

    private bool TryIsExcluded(long instant, out bool excluded)
    {
        excluded = _excludedTimes.Contains(instant)
            || (_excludedDays.Count > 0 && _excludedDays.Contains(_localDay(instant)));
        if (!_exclusionStarted)
        {
            _exclusionStarted = true;
            if (!_excludedRules.TrueForAll(rule => rule.Advance(_budget)))
            {
                return false;
            }
        }

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
}
