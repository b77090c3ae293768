using CalSync.Calendar.Document;
using NodaTime;

namespace CalSync.Calendar;

/// <summary>When an occurrence begins or ends: on a day or at a moment.</summary>
public abstract record OccurrenceTime
{
    private OccurrenceTime()
    {
    }

    /// <summary>A day of an all-day occurrence. As an end it is the day after the last.</summary>
    /// <param name="Date">The day.</param>
    public sealed record OnDay(LocalDate Date) : OccurrenceTime;

    /// <summary>A moment with its wall and zone.</summary>
    /// <param name="Time">The moment.</param>
    public sealed record AtTime(ZonedTime Time) : OccurrenceTime;

    /// <summary>The moment; a day begins at midnight of the given zone.</summary>
    /// <param name="zone">Whose midnight; not asked for a moment.</param>
    public DateTimeOffset InstantIn(CalendarZone zone) => this switch
    {
        OnDay { Date.Year: > LocalTimeText.YearMax } =>
            new DateTimeOffset(LocalTimeText.YearMax, 12, 31, 23, 59, 59, TimeSpan.Zero),
        OnDay day => ZonedTime.ResolveGapForwardOverlapEarlier(day.Date.AtMidnight(), zone).Instant,
        AtTime moment => moment.Time.Instant,
        _ => throw new System.Diagnostics.UnreachableException("Unknown kind of time."),
    };
}

/// <summary>One occurrence of an event, task or journal entry of a calendar stream.</summary>
/// <param name="Component">
/// What describes it: the component with its RECURRENCE-ID, one with RANGE=THISANDFUTURE before it, or the
/// series' own.
/// </param>
/// <param name="Uid">UID; empty when there is none.</param>
/// <param name="Start">When it begins.</param>
/// <param name="End">When it is over; the start itself when it has no length.</param>
public sealed record ExpandedOccurrence(
    CalendarComponent Component, string Uid, OccurrenceTime Start, OccurrenceTime End)
{
    /// <summary>
    /// Which one of its series it is: when it would begin unchanged. Null for what does not recur.
    /// RFC 5545 section 3.8.4.4.
    /// </summary>
    public OccurrenceTime? RecurrenceId { get; init; }

    /// <summary>Whether a component of its own, with its RECURRENCE-ID, describes it.</summary>
    public bool IsOverride { get; init; }

    /// <summary>Whether its component has STATUS:CANCELLED: it does not take place.</summary>
    public bool IsCancelled { get; init; }
}

/// <summary>One element of an expansion; the last one is always <see cref="Ended"/>.</summary>
public abstract record ExpansionStep
{
    private ExpansionStep()
    {
    }

    /// <summary>An occurrence.</summary>
    /// <param name="Value">The occurrence.</param>
    public sealed record Found(ExpandedOccurrence Value) : ExpansionStep;

    /// <summary>The expansion is over.</summary>
    /// <param name="Why">Whether it is complete for the span, and if not which limit stopped it.</param>
    public sealed record Ended(OccurrencesEnd Why) : ExpansionStep;
}
