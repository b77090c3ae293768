using NodaTime;

namespace CalSync.Calendar;

/// <summary>Where a series begins: DTSTART. RFC 5545 section 3.8.2.4.</summary>
public abstract record RecurrenceStart
{
    private RecurrenceStart()
    {
    }

    /// <summary>
    /// A wall time in a zone. In a gap every occurrence shifts forward; in an overlap it is the first pass.
    /// </summary>
    /// <param name="Local">The wall time as written, whole seconds, in the years 2 to 9998.</param>
    /// <param name="Zone">The zone whose wall clock the whole series keeps.</param>
    public sealed record Timed(LocalDateTime Local, CalendarZone Zone) : RecurrenceStart;

    /// <summary>A date, for all-day events.</summary>
    /// <param name="Date">The date, in the years 2 to 9999.</param>
    public sealed record AllDay(LocalDate Date) : RecurrenceStart;
}

/// <summary>How far an expansion may go. Every sequence ends, whatever the rule.</summary>
/// <param name="CountMax">Occurrences delivered; 1 or more. Default 10,000.</param>
/// <param name="UnmatchedMax">
/// Periods, instances and exclusions passed over in a row without delivering one; 1 or more. Default
/// 1,000,000, which takes well under a second and covers every rule that still has an occurrence.
/// </param>
public sealed record OccurrenceLimits(int CountMax = 10_000, int UnmatchedMax = 1_000_000);

/// <summary>Why a sequence of occurrences ended.</summary>
public enum OccurrencesEnd
{
    /// <summary>There are no more, at least not up to year 9998 (9999 for dates).</summary>
    Complete = 0,

    /// <summary><see cref="OccurrenceLimits.CountMax"/> were delivered; there may be more.</summary>
    CountLimit = 1,

    /// <summary>
    /// <see cref="OccurrenceLimits.UnmatchedMax"/> steps found nothing; there may be more, or none ever.
    /// </summary>
    UnmatchedLimit = 2,
}

/// <summary>One element of a sequence of occurrences; the last one is always <see cref="Ended"/>.</summary>
public abstract record OccurrenceStep
{
    private OccurrenceStep()
    {
    }

    /// <summary>An occurrence of a timed series.</summary>
    /// <param name="Start">Its start, in the zone of DTSTART.</param>
    public sealed record Timed(ZonedTime Start) : OccurrenceStep
    {
        /// <summary>
        /// Where an occurrence of an RDATE with VALUE=PERIOD ends; null for every other, which lasts as long
        /// as the first one, and for one that would end after year 9998.
        /// </summary>
        public ZonedTime? End { get; init; }
    }

    /// <summary>An occurrence of an all-day series.</summary>
    /// <param name="Date">Its first day.</param>
    public sealed record AllDay(LocalDate Date) : OccurrenceStep;

    /// <summary>The sequence is over.</summary>
    /// <param name="Why">Whether it is complete, and if not which limit stopped it.</param>
    public sealed record Ended(OccurrencesEnd Why) : OccurrenceStep;
}
