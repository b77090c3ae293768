using System.Diagnostics;

namespace CalSync.Calendar.Recurrence;

/// <summary>
/// One rule's instances as UTC seconds, ascending and distinct, bounded by COUNT and UNTIL.
/// </summary>
internal sealed class RuleInstances
{
    private readonly RecurUntil? _until;
    private readonly RuleWalker _walker;
    private readonly LocalClock _clock;
    private readonly bool _isDate;

    // Instances shifted out of a gap, which wait for those the clock shows before them.
    private readonly Queue<long> _shifted = new();
    private long? _ahead;
    private long _left;

    /// <param name="recur">The rule.</param>
    /// <param name="start">DTSTART in local seconds.</param>
    /// <param name="zone">DTSTART's zone; null for a date.</param>
    /// <param name="floor">
    /// Local seconds before which instances are not needed; ignored for a rule with COUNT.
    /// </param>
    /// <param name="counted">
    /// Instances of COUNT already used up by a DTSTART the rule does not produce.
    /// </param>
    public RuleInstances(Recur recur, long start, CalendarZone? zone, long floor, int counted)
    {
        _until = recur.Until;
        _isDate = zone is null;
        _clock = new LocalClock(zone);
        _walker = new RuleWalker(recur, start, _isDate, recur.Count is null ? floor : start);
        _left = recur.Count - counted ?? long.MaxValue;
    }

    /// <summary>The instance the last <see cref="Advance"/> reached; null when there are no more.</summary>
    public long? Current { get; private set; }

    /// <summary>Moves to the next instance. False when <paramref name="budget"/> ran out first.</summary>
    public bool Advance(StepBudget budget)
    {
        var last = Current;
        do
        {
            while (_ahead is null && _left > 0)
            {
                if (!budget.Spend())
                {
                    return false;
                }

                Read();
            }

            if (_shifted.TryPeek(out var shifted) && shifted <= (_ahead ?? long.MaxValue))
            {
                Current = _shifted.Dequeue();
            }
            else
            {
                (Current, _ahead) = (_ahead, null);
            }
        }
        while (Current is not null && Current == last);

        return true;
    }

    private void Read()
    {
        switch (_walker.Step())
        {
            case RuleWalker.StepKind.Period:
                return;
            case RuleWalker.StepKind.End:
                _left = 0;
                return;
            case RuleWalker.StepKind.Instance:
                break;
        }

        var local = _walker.Current;
        var (utc, shifted) = _clock.ToUtc(local);
        if (IsAfterUntil(local, utc))
        {
            // A shifted instance may be late while others of the same hour are still to come.
            _left = shifted ? _left : 0;
            return;
        }

        _left--;
        if (shifted)
        {
            _shifted.Enqueue(utc);
        }
        else
        {
            _ahead = utc;
        }
    }

    private bool IsAfterUntil(long local, long utc)
    {
        var day = local / 86_400 * 86_400;
        return _until switch
        {
            null => false,
            RecurUntil.OnDate date => day > LocalClock.FromLocalDateTime(date.Date.AtMidnight()),
            RecurUntil.AtLocal until when _isDate => day > LocalClock.FromLocalDateTime(until.Time),
            RecurUntil.AtUtc until when _isDate => day > LocalClock.FromLocalDateTime(until.Time),
            RecurUntil.AtLocal until => local > LocalClock.FromLocalDateTime(until.Time),
            RecurUntil.AtUtc until => utc > LocalClock.FromLocalDateTime(until.Time) - LocalClock.UnixEpoch,
            _ => throw new UnreachableException("Unknown UNTIL form."),
        };
    }
}
