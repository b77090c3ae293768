using System.Collections.Immutable;
using CalSync.Calendar.Recurrence;

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

    /// <summary>
    /// How DTSTART takes part when no rule produces it; the default is the product's convention.
    /// </summary>
    public DtStartConvention DtStartConvention { get; init; }

    /// <summary>Occurrence starts, ascending and distinct, computed while they are read.</summary>
    /// <param name="from">
    /// The first moment of interest; null begins at DTSTART. All-day occurrences are compared by this
    /// moment's UTC date. Far moments are jumped to, except in a rule with COUNT, whose instances must be
    /// counted.
    /// </param>
    /// <param name="limits">Where to stop; null takes the defaults.</param>
    /// <returns>Occurrences, then exactly one <see cref="OccurrenceStep.Ended"/>.</returns>
    public IEnumerable<OccurrenceStep> Occurrences(
        DateTimeOffset? from = null, OccurrenceLimits? limits = null)
    {
        var cursor = OpenCursor(from, limits);
        while (cursor.MoveNext())
        {
            yield return Start is RecurrenceStart.Timed
                ? new OccurrenceStep.Timed(cursor.Time) { End = cursor.PeriodEnd }
                : new OccurrenceStep.AllDay(cursor.Date);
        }

        yield return new OccurrenceStep.Ended(cursor.Ended);
    }

    /// <summary>The same sequence, one occurrence at a time, without an object for each.</summary>
    /// <param name="from">As for <see cref="Occurrences"/>.</param>
    /// <param name="limits">Where to stop; null takes the defaults.</param>
    public OccurrenceCursor OpenCursor(DateTimeOffset? from = null, OccurrenceLimits? limits = null) =>
        new(this, from, limits ?? new OccurrenceLimits());

    /// <summary>Whether both have the same start and write the same lines.</summary>
    public bool Equals(RecurrenceSet? other) =>
        other is not null && Start == other.Start && DtStartConvention == other.DtStartConvention
            && ToLines().SequenceEqual(other.ToLines(), StringComparer.Ordinal);

    /// <summary>Hash of start and rules.</summary>
    public override int GetHashCode() => HashCode.Combine(Start, RRules.Length > 0 ? RRules[0] : null);
}

/// <summary>
/// How DTSTART takes part when no rule produces it, which RFC 5545 section 3.8.5.3 leaves undefined.
/// </summary>
public enum DtStartConvention
{
    /// <summary>It is the first instance and counts towards COUNT.</summary>
    AddedAndCounted = 0,

    /// <summary>It is the first instance, beside those that COUNT counts.</summary>
    AddedNotCounted = 1,

    /// <summary>It is no instance.</summary>
    RuleOnly = 2,
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

    /// <summary>A line is valid but its meaning is not computed: RSCALE or SKIP, RFC 7529.</summary>
    /// <param name="Line">Zero-based line.</param>
    /// <param name="Part">RSCALE or SKIP.</param>
    public sealed record Unsupported(int Line, string Part) : RecurrenceSetParse;

    /// <summary>A line names a zone nobody knows. Nothing is guessed.</summary>
    /// <param name="Line">Zero-based line.</param>
    /// <param name="Zone">The name and what may have been meant.</param>
    public sealed record UnknownZone(int Line, ZoneResolution.Unknown Zone) : RecurrenceSetParse;
}
