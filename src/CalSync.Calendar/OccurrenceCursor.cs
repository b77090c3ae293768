using System.Diagnostics;
using CalSync.Calendar.Recurrence;
using NodaTime;

namespace CalSync.Calendar;

/// <summary>Reads the occurrences of a series one by one, in order, without an object for each.</summary>
/// <remarks>
/// Not for several threads. The values describe the occurrence that the last <see cref="MoveNext"/> reached
/// and mean nothing before the first or after the last.
/// </remarks>
public sealed class OccurrenceCursor
{
    // More than any offset, so that no earlier local time can be at or after a moment.
    private const long OffsetMax = 2 * CivilDays.SecondsPerDay;

    private readonly RecurrenceSet _set;
    private readonly CalendarZone? _zone;
    private readonly LocalClock _clock;
    private readonly InstanceMerge _merge;
    private readonly int _countMax;
    private readonly Dictionary<long, PeriodEnd> _periods;
    private int _count;

    internal OccurrenceCursor(RecurrenceSet set, DateTimeOffset? from, OccurrenceLimits limits)
    {
        _set = set;
        _countMax = limits.CountMax;
        (var local, _zone) = set.Start switch
        {
            RecurrenceStart.Timed timed => (timed.Local, timed.Zone),
            RecurrenceStart.AllDay day => (day.Date.AtMidnight(), (CalendarZone?)null),
            _ => throw new UnreachableException("Unknown start."),
        };
        _clock = new LocalClock(_zone);
        _periods = Periods(set);
        _merge = Merge(LocalClock.FromLocalDateTime(local), From(from), new StepBudget(limits.UnmatchedMax));
    }

    /// <summary>
    /// The occurrence's start in seconds since 1970-01-01T00:00Z; of an all-day series its date's midnight,
    /// as if that were in UTC.
    /// </summary>
    public long UnixSeconds => _merge.Current;

    /// <summary>What the clock shows at the start, in the zone of DTSTART; midnight of a date.</summary>
    public LocalDateTime Local => LocalClock.ToLocalDateTime(_clock.ToLocal(_merge.Current));

    /// <summary>The start in a timed series.</summary>
    public ZonedTime Time => ZonedTime.FromUnixSeconds(
        _merge.Current, Local, _zone ?? throw new InvalidOperationException("The series is all-day."));

    /// <summary>The day in an all-day series; in a timed one the local day of the start.</summary>
    public LocalDate Date => Local.Date;

    /// <summary>Why the sequence ended; meaningful after <see cref="MoveNext"/> was false.</summary>
    public OccurrencesEnd Ended { get; private set; }

    /// <summary>The end of an RDATE with VALUE=PERIOD; null for every other occurrence.</summary>
    public ZonedTime? PeriodEnd =>
        _periods.Count > 0 && _periods.TryGetValue(_merge.Current, out var end) ? end.From(Time) : null;

    /// <summary>Goes to the next occurrence; false when <see cref="Ended"/> says why there is none.</summary>
    public bool MoveNext()
    {
        if (_count == _countMax)
        {
            Ended = OccurrencesEnd.CountLimit;
            return false;
        }

        if (!_merge.Advance())
        {
            Ended = OccurrencesEnd.UnmatchedLimit;
            return false;
        }

        _count++;
        return _merge.Current != RuleInstances.None;
    }

    private long From(DateTimeOffset? from) => (from, _zone) switch
    {
        (null, _) => long.MinValue,
        ({ } moment, null) => new DateTimeOffset(moment.UtcDateTime.Date, default).ToUnixTimeSeconds(),

        // Rounded up: an occurrence has whole seconds.
        ({ } moment, _) =>
            moment.ToUnixTimeSeconds() + (moment.UtcTicks % TimeSpan.TicksPerSecond == 0 ? 0 : 1),
    };

    private InstanceMerge Merge(long start, long from, StepBudget budget)
    {
        var floor = from == long.MinValue ? start : from + LocalClock.UnixEpoch - OffsetMax;
        var convention = _set.DtStartConvention;
        var counted = convention == DtStartConvention.AddedAndCounted
            && !_set.RRules.Any(rule => Produces(rule, start)) ? 1 : 0;
        var (first, shifted) = _clock.ToUtc(start);
        var dates = _set.RDates.Select(date => date.Key(_set.Start));
        return new InstanceMerge(
            [.. _set.RRules.Select(rule => new RuleInstances(rule, start, _zone, floor, counted))],
            [.. _set.ExRules.Select(rule => new RuleInstances(rule, start, _zone, floor, 0))],
            convention == DtStartConvention.RuleOnly ? [.. dates] : [.. dates, first],
            from,
            shifted ? first - CivilDays.SecondsPerDay : first,
            [
                .. _set.ExDates.Where(date => !date.IsDate || _zone is null)
                    .Select(date => date.Key(_set.Start)),
            ],
            [
                .. _set.ExDates.Where(date => date.IsDate && _zone is not null)
                    .Select(date => (long)date.DayNumber),
            ],
            _clock,
            budget);
    }

    /// <summary>Whether the rule has DTSTART among its own instances.</summary>
    private bool Produces(Recur rule, long start)
    {
        // The period of DTSTART is the first; an instance at DTSTART comes before any other.
        var walker = new RuleWalker(rule, start, _zone is null, start);
        return walker.Step() == RuleWalker.StepKind.Instance && walker.Current == start;
    }

    private static Dictionary<long, PeriodEnd> Periods(RecurrenceSet set)
    {
        var periods = new Dictionary<long, PeriodEnd>();
        foreach (var date in set.RDates)
        {
            if (date.End is { } end)
            {
                periods.TryAdd(date.Key(set.Start), end);
            }
        }

        return periods;
    }
}
