using System.Diagnostics;

namespace CalSync.Calendar.Recurrence;

/// <summary>
/// One rule's instances as UTC seconds, ascending and distinct, bounded by COUNT and UNTIL.
/// </summary>
internal sealed class RuleInstances
{
    /// <summary>What <see cref="Current"/> is after the last instance.</summary>
    public const long None = long.MaxValue;

    private readonly RuleWalker _walker;
    private readonly LocalClock _clock;
    private readonly long _untilLocal;
    private readonly long _untilUtc;

    // Instances shifted out of a gap, which wait for those the clock shows before them.
    private readonly Queue<long> _shifted = new();
    private long _ahead = None;
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
        _clock = new LocalClock(zone);
        _walker = new RuleWalker(recur, start, zone is null, recur.Count is null ? floor : start);
        _left = recur.Count - counted ?? long.MaxValue;
        (_untilLocal, _untilUtc) = Until(recur.Until, zone is null);
    }

    /// <summary>The instance the last <see cref="Advance"/> reached; <see cref="None"/> at the end.</summary>
    public long Current { get; private set; } = long.MinValue;

    /// <summary>Moves to the next instance. False when <paramref name="budget"/> ran out first.</summary>
    public bool Advance(StepBudget budget)
    {
        while (true)
        {
            if (_ahead == None && _left > 0)
            {
                if (!budget.Spend())
                {
                    return false;
                }

                Read();
                continue;
            }

            var next = Take();
            if (next != Current || next == None)
            {
                Current = next;
                return true;
            }
        }
    }

    private long Take()
    {
        if (_shifted.Count > 0 && _shifted.Peek() <= _ahead)
        {
            return _shifted.Dequeue();
        }

        var next = _ahead;
        _ahead = None;
        return next;
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
        if (local > _untilLocal || utc > _untilUtc)
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

    /// <summary>The last second that may be an instance: on the wall, and in UTC.</summary>
    private static (long Local, long Utc) Until(RecurUntil? until, bool isDate) => until switch
    {
        null => (long.MaxValue, long.MaxValue),
        RecurUntil.OnDate date => (EndOfDay(date.Date.AtMidnight()), long.MaxValue),
        RecurUntil.AtLocal local when isDate => (EndOfDay(local.Time), long.MaxValue),
        RecurUntil.AtUtc utc when isDate => (EndOfDay(utc.Time), long.MaxValue),
        RecurUntil.AtLocal local => (LocalClock.FromLocalDateTime(local.Time), long.MaxValue),
        RecurUntil.AtUtc utc =>
            (long.MaxValue, LocalClock.FromLocalDateTime(utc.Time) - LocalClock.UnixEpoch),
        _ => throw new UnreachableException("Unknown UNTIL form."),
    };

    private static long EndOfDay(NodaTime.LocalDateTime time) =>
        LocalClock.FromLocalDateTime(time.Date.AtMidnight()) + CivilDays.SecondsPerDay - 1;
}
