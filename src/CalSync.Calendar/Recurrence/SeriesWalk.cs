namespace CalSync.Calendar.Recurrence;

/// <summary>Goes through one series by the start of what is shown.</summary>
internal sealed class SeriesWalk
{
    private readonly ResourceSeries _series;
    private readonly CalendarZone _floating;
    private readonly DateTimeOffset? _from;
    private readonly int _unmatchedMax;
    private readonly OccurrenceCursor? _cursor;

    // What an instance further on may still precede, because a THISANDFUTURE moved that to an earlier time.
    private readonly PriorityQueue<ExpandedOccurrence, DateTimeOffset> _waiting = new();
    private DateTimeOffset _passed = DateTimeOffset.MinValue;

    public SeriesWalk(
        ResourceSeries series, CalendarZone floating, DateTimeOffset? from, OccurrenceLimits limits)
    {
        _series = series;
        _floating = floating;
        _from = from;
        _unmatchedMax = limits.UnmatchedMax;
        _cursor = series.Set?.OpenCursor(Seek(), limits with { CountMax = int.MaxValue });
        foreach (var each in series.Overrides)
        {
            Wait(Overridden(each));
        }

        if (_cursor is null)
        {
            _passed = DateTimeOffset.MaxValue;
        }
    }

    /// <summary>The occurrence the last <see cref="MoveNext"/> reached.</summary>
    public ExpandedOccurrence Current { get; private set; } = null!;

    /// <summary>Why there are no more.</summary>
    public OccurrencesEnd Ended { get; private set; }

    public bool MoveNext()
    {
        for (var unmatched = 0; unmatched < _unmatchedMax; unmatched++)
        {
            if (_waiting.TryPeek(out var next, out var start) && start <= _passed)
            {
                _waiting.Dequeue();
                if (_from is { } from && start < from && next.End.InstantIn(_floating) <= from)
                {
                    continue;
                }

                Current = next;
                return true;
            }

            if (_passed == DateTimeOffset.MaxValue)
            {
                return false;
            }

            ReadOne();
        }

        Ended = OccurrencesEnd.UnmatchedLimit;
        return false;
    }

    private void ReadOne()
    {
        if (!_cursor!.MoveNext())
        {
            Ended = _cursor.Ended;
            _passed = DateTimeOffset.MaxValue;
            return;
        }

        var key = _cursor.UnixSeconds;
        OccurrenceTime instance = _series.Set!.Start is RecurrenceStart.Timed
            ? new OccurrenceTime.AtTime(_cursor.Time)
            : new OccurrenceTime.OnDay(_cursor.Date);
        _passed = Later(instance.InstantIn(_floating), _series.ShiftMin);
        if (_series.Replaced.Contains(key))
        {
            return;
        }

        var (part, start) = _series.Describe(key, instance);
        if (start is not null)
        {
            var end = part == _series.Master && _cursor.PeriodEnd is { } periodEnd
                ? new OccurrenceTime.AtTime(periodEnd)
                : ResourceSeries.End(start, part.Length);
            Wait(new ExpandedOccurrence(part.Component, _series.Uid, start, end)
            {
                RecurrenceId = _series.Recurs ? instance : null,
                IsCancelled = part.IsCancelled,
            });
        }
    }

    private ExpandedOccurrence Overridden(SeriesOverride each)
    {
        OccurrenceTime start = each.Part.Start is RecurrenceStart.Timed timed
            ? new OccurrenceTime.AtTime(ZonedTime.ResolveGapForwardOverlapEarlier(timed.Local, timed.Zone))
            : new OccurrenceTime.OnDay(((RecurrenceStart.AllDay)each.Part.Start).Date);
        return new ExpandedOccurrence(
            each.Part.Component, _series.Uid, start, ResourceSeries.End(start, each.Part.Length))
        {
            RecurrenceId = each.Instance,
            IsOverride = true,
            IsCancelled = each.Part.IsCancelled,
        };
    }

    private void Wait(ExpandedOccurrence occurrence) =>
        _waiting.Enqueue(occurrence, occurrence.Start.InstantIn(_floating));

    private DateTimeOffset? Seek() => _from is { } from ? Later(from, -_series.Reach) : null;

    /// <summary>A moment so many seconds later, held within what a moment can be.</summary>
    private static DateTimeOffset Later(DateTimeOffset moment, long seconds)
    {
        var room = seconds < 0
            ? (moment - DateTimeOffset.MinValue).TotalSeconds
            : (DateTimeOffset.MaxValue - moment).TotalSeconds;
        return Math.Abs(seconds) < room ? moment.AddSeconds(seconds)
            : seconds < 0 ? DateTimeOffset.MinValue
            : DateTimeOffset.MaxValue;
    }
}
