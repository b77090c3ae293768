using System.Collections.Immutable;
using System.Diagnostics;
using CalSync.Calendar.Recurrence;
using NodaTime;

namespace CalSync.Calendar;

/// <summary>
/// Everything that makes one event recur: DTSTART with its RRULE, RDATE, EXDATE and EXRULE lines.
/// </summary>
/// <remarks>
/// RFC 5545 sections 3.8.5.1 to 3.8.5.3; the <c>recurrence</c> array of a Google event has the same lines.
/// Choices the RFC leaves open: DTSTART is always the first instance and counts towards COUNT even when no
/// rule produces it; an instance in a gap shifts forward by the gap; in an overlap it is the first pass; an
/// EXDATE without a time removes that whole local day, one with a time removes that instant whatever zone it
/// is written in.
/// </remarks>
public sealed record RecurrenceSet
{
    internal RecurrenceSet(
        RecurrenceStart start,
        ImmutableArray<Recur> rRules,
        ImmutableArray<Recur> exRules,
        ImmutableArray<DateListItem> rDates,
        ImmutableArray<DateListItem> exDates)
    {
        Start = start;
        RRules = rRules;
        ExRules = exRules;
        RDates = rDates;
        ExDates = exDates;
    }

    /// <summary>DTSTART.</summary>
    public RecurrenceStart Start { get; }

    /// <summary>The RRULE values, in the order they were read.</summary>
    public ImmutableArray<Recur> RRules { get; }

    /// <summary>The EXRULE values (RFC 2445, deprecated), in the order they were read.</summary>
    public ImmutableArray<Recur> ExRules { get; }

    internal ImmutableArray<DateListItem> RDates { get; }

    internal ImmutableArray<DateListItem> ExDates { get; }

    /// <summary>Reads the lines of one series.</summary>
    /// <param name="lines">
    /// Unfolded lines such as "RRULE:FREQ=WEEKLY" or "EXDATE;TZID=Europe/Oslo:20260308T090000". None is a
    /// single event.
    /// </param>
    /// <param name="start">DTSTART. Its zone is taken for RDATE and EXDATE values that name none.</param>
    public static RecurrenceSetParse Parse(IEnumerable<string> lines, RecurrenceStart start) =>
        RecurrenceSetReader.Read(lines, start);

    /// <summary>The strict lines: rules first, then one RDATE or EXDATE line a value.</summary>
    public ImmutableArray<string> ToLines() =>
    [
        .. RRules.Select(rule => $"RRULE:{rule}"),
        .. ExRules.Select(rule => $"EXRULE:{rule}"),
        .. RDates.Select(date => $"RDATE{date}"),
        .. ExDates.Select(date => $"EXDATE{date}"),
    ];

    /// <summary>Occurrence starts, ascending and distinct, computed while they are read.</summary>
    /// <param name="from">
    /// The first moment of interest; null begins at DTSTART. All-day occurrences are compared by this
    /// moment's UTC date. Far moments are jumped to, except in a rule with COUNT, whose instances must be
    /// counted.
    /// </param>
    /// <param name="limits">Where to stop; null takes the defaults.</param>
    /// <returns>Occurrences, then exactly one <see cref="OccurrenceStep.Ended"/>.</returns>
    public IEnumerable<OccurrenceStep> Occurrences(
        DateTimeOffset? from = null, OccurrenceLimits? limits = null) =>
        Occurrences(from, limits ?? new OccurrenceLimits(), addStart: true);

    /// <summary>Whether both have the same start and write the same lines.</summary>
    public bool Equals(RecurrenceSet? other) =>
        other is not null && Start == other.Start
            && ToLines().SequenceEqual(other.ToLines(), StringComparer.Ordinal);

    /// <summary>Hash of start and rules.</summary>
    public override int GetHashCode() => HashCode.Combine(Start, RRules.Length > 0 ? RRules[0] : null);

    /// <summary>
    /// As the public one; without <paramref name="addStart"/> DTSTART is an instance only by a rule.
    /// </summary>
    internal IEnumerable<OccurrenceStep> Occurrences(
        DateTimeOffset? from, OccurrenceLimits limits, bool addStart)
    {
        var budget = new StepBudget(limits.UnmatchedMax);
        var fromKey = FromKey(from);
        var merge = Merge(fromKey, addStart, budget);
        for (var count = 0; ; count++)
        {
            if (count == limits.CountMax)
            {
                yield return new OccurrenceStep.Ended(OccurrencesEnd.CountLimit);
                yield break;
            }

            if (!merge.Advance(fromKey))
            {
                yield return new OccurrenceStep.Ended(OccurrencesEnd.UnmatchedLimit);
                yield break;
            }

            if (merge.Current is not { } key)
            {
                yield return new OccurrenceStep.Ended(OccurrencesEnd.Complete);
                yield break;
            }

            yield return Start is RecurrenceStart.Timed timed
                ? new OccurrenceStep.Timed(
                    ZonedTime.FromInstant(DateTimeOffset.FromUnixTimeSeconds(key), timed.Zone))
                : new OccurrenceStep.AllDay(LocalClock.ToLocalDateTime(key + LocalClock.UnixEpoch).Date);
        }
    }

    private long FromKey(DateTimeOffset? from) => (from, Start) switch
    {
        (null, _) => long.MinValue,
        ({ } moment, RecurrenceStart.AllDay) =>
            new DateTimeOffset(moment.UtcDateTime.Date, default).ToUnixTimeSeconds(),

        // Rounded up: an occurrence has whole seconds.
        ({ } moment, _) =>
            moment.ToUnixTimeSeconds() + (moment.UtcTicks % TimeSpan.TicksPerSecond == 0 ? 0 : 1),
    };

    private InstanceMerge Merge(long fromKey, bool addStart, StepBudget budget)
    {
        var (local, zone) = Start switch
        {
            RecurrenceStart.Timed timed => (timed.Local, timed.Zone),
            RecurrenceStart.AllDay day => (day.Date.AtMidnight(), (CalendarZone?)null),
            _ => throw new UnreachableException("Unknown start."),
        };
        var start = LocalClock.FromLocalDateTime(local);

        // Two days earlier: more than any offset, so that no earlier local time can be at or after it.
        var floor = fromKey == long.MinValue ? start : fromKey + LocalClock.UnixEpoch - (2 * 86_400);
        var counted = addStart && !RRules.Any(rule => Produces(rule, start, zone is null)) ? 1 : 0;
        var (first, shifted) = new LocalClock(zone).ToUtc(start);
        var dates = RDates.Select(date => date.Key(Start));
        return new InstanceMerge(
            RRules.Select(rule => new RuleInstances(rule, start, zone, floor, counted)),
            ExRules.Select(rule => new RuleInstances(rule, start, zone, floor, 0)),
            addStart ? dates.Append(first) : dates,
            shifted ? first - 86_400 : first,
            [.. ExDates.Where(date => !date.IsDate || zone is null).Select(date => date.Key(Start))],
            [.. ExDates.Where(date => date.IsDate && zone is not null).Select(date => (long)date.DayNumber)],
            key => DayNumber(key, zone),
            budget);
    }

    private static long DayNumber(long key, CalendarZone? zone)
    {
        var local = zone is null
            ? key + LocalClock.UnixEpoch
            : key + LocalClock.UnixEpoch + zone.Rules.GetUtcOffset(Instant.FromUnixTimeSeconds(key)).Seconds;
        return local / 86_400;
    }

    /// <summary>Whether the rule has DTSTART among its own instances.</summary>
    private static bool Produces(Recur rule, long start, bool isDate)
    {
        var walker = new RuleWalker(rule, start, isDate, start);

        // The period of DTSTART is the first; an instance at DTSTART comes before any other.
        return (walker.Step() == RuleWalker.StepKind.Instance
            || walker.Step() == RuleWalker.StepKind.Instance)
            && walker.Current == start;
    }
}

/// <summary>What the lines of a series turned out to be.</summary>
public abstract record RecurrenceSetParse
{
    private RecurrenceSetParse()
    {
    }

    /// <summary>A series.</summary>
    /// <param name="Set">The series.</param>
    public sealed record Parsed(RecurrenceSet Set) : RecurrenceSetParse;

    /// <summary>A line is not what it should be.</summary>
    /// <param name="Line">Zero-based line.</param>
    /// <param name="Offset">Characters before the first one that is wrong, in that line.</param>
    /// <param name="Expected">What should stand there, for a person.</param>
    public sealed record Malformed(int Line, int Offset, string Expected) : RecurrenceSetParse;

    /// <summary>
    /// A line is valid but its meaning is not computed: RSCALE, SKIP (RFC 7529) or PERIOD values.
    /// </summary>
    /// <param name="Line">Zero-based line.</param>
    /// <param name="Part">RSCALE, SKIP or PERIOD.</param>
    public sealed record Unsupported(int Line, string Part) : RecurrenceSetParse;

    /// <summary>A line names a zone nobody knows. Nothing is guessed.</summary>
    /// <param name="Line">Zero-based line.</param>
    /// <param name="Zone">The name and what may have been meant.</param>
    public sealed record UnknownZone(int Line, ZoneResolution.Unknown Zone) : RecurrenceSetParse;
}
