using System.Collections.Immutable;
using CalSync.Calendar.Document;
using CalSync.Calendar.Recurrence;

namespace CalSync.Calendar;

/// <summary>
/// All occurrences of a calendar stream: series, their overrides and cancellations together.
/// </summary>
/// <remarks>
/// RFC 5545 sections 3.8.4.4 and 3.8.5. VEVENT, VTODO and VJOURNAL are expanded. A component with
/// RECURRENCE-ID replaces that instance, and stands for itself when the series has none there; with
/// RANGE=THISANDFUTURE it also gives all later instances its content, its length and the shift between its
/// RECURRENCE-ID and its start. What cannot be computed is left out with a problem, never guessed.
/// </remarks>
public sealed class CalendarExpansion
{
    private readonly ImmutableArray<ResourceSeries> _series;
    private readonly CalendarZone _floating;

    private CalendarExpansion(
        ImmutableArray<ResourceSeries> series,
        CalendarZone floating,
        ImmutableArray<CalendarProblem> problems)
    {
        _series = series;
        _floating = floating;
        Problems = problems;
    }

    /// <summary>Why something was left out, in the order it was found.</summary>
    public ImmutableArray<CalendarProblem> Problems { get; }

    /// <summary>Reads what a stream has to expand.</summary>
    /// <param name="document">One or more calendars, or a fragment of one.</param>
    /// <param name="floating">The zone for times without one, and for the days of all-day events.</param>
    public static CalendarExpansion Read(CalendarDocument document, CalendarZone floating)
    {
        var problems = ImmutableArray.CreateBuilder<CalendarProblem>();
        var series = ResourceReader.Read(document, floating, problems);
        return new CalendarExpansion(series, floating, problems.ToImmutable());
    }

    /// <summary>The occurrences of a span, by their start, computed while they are read.</summary>
    /// <param name="from">
    /// Occurrences that are over by then are left out; null begins with the first.
    /// </param>
    /// <param name="to">Occurrences that begin at or after this are left out; null for no end.</param>
    /// <param name="limits">Where to stop; null takes the defaults.</param>
    /// <returns>
    /// Occurrences, cancelled ones too, then exactly one <see cref="ExpansionStep.Ended"/>.
    /// </returns>
    public IEnumerable<ExpansionStep> Occurrences(
        DateTimeOffset? from = null, DateTimeOffset? to = null, OccurrenceLimits? limits = null)
    {
        limits ??= new OccurrenceLimits();
        var end = OccurrencesEnd.Complete;
        var heads = new PriorityQueue<SeriesWalk, DateTimeOffset>();
        foreach (var series in _series)
        {
            Advance(new SeriesWalk(series, _floating, from, limits));
        }

        for (var count = 0; heads.TryDequeue(out var walk, out var start) && !(start >= to); count++)
        {
            if (count == limits.CountMax)
            {
                end = OccurrencesEnd.CountLimit;
                break;
            }

            yield return new ExpansionStep.Found(walk.Current);
            Advance(walk);
        }

        yield return new ExpansionStep.Ended(end);

        void Advance(SeriesWalk walk)
        {
            if (walk.MoveNext())
            {
                heads.Enqueue(walk, walk.Current.Start.InstantIn(_floating));
            }
            else if (walk.Ended == OccurrencesEnd.UnmatchedLimit)
            {
                end = OccurrencesEnd.UnmatchedLimit;
            }
        }
    }
}
