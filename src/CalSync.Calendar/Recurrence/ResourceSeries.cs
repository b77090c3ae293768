using System.Collections.Frozen;
using System.Collections.Immutable;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;
using NodaTime;

namespace CalSync.Calendar.Recurrence;

/// <summary>One component of a resource, as far as it matters for when.</summary>
/// <param name="Component">The component.</param>
/// <param name="Start">DTSTART; for a task without one DUE.</param>
/// <param name="Length">From start to end: days on the wall, then exact seconds.</param>
/// <param name="IsCancelled">STATUS:CANCELLED.</param>
internal sealed record SeriesPart(
    CalendarComponent Component, RecurrenceStart Start, CalendarDuration Length, bool IsCancelled);

/// <summary>A part that replaces an instance.</summary>
/// <param name="Part">What takes its place.</param>
/// <param name="Instance">The instance: RECURRENCE-ID.</param>
/// <param name="Key">The same as the cursor of the series gives it.</param>
/// <param name="AndFuture">RANGE=THISANDFUTURE.</param>
internal sealed record SeriesOverride(SeriesPart Part, OccurrenceTime Instance, long Key, bool AndFuture)
{
    /// <summary>How much later its start is on the wall of its own zone, in seconds.</summary>
    public long Shift => WallOf(Part.Start) - WallIn(Instance, Part.Start);

    /// <summary>What an instance becomes from here on.</summary>
    /// <param name="instance">A later instance of the series.</param>
    /// <returns>Its new start; null outside the supported years.</returns>
    public OccurrenceTime? Shifted(OccurrenceTime instance)
    {
        var wall = WallIn(instance, Part.Start) + Shift;
        var last = (CivilDays.YearBegin(LocalTimeText.YearMax + 1) - 1) * CivilDays.SecondsPerDay;
        if (wall < CivilDays.YearBegin(LocalTimeText.YearMin) * CivilDays.SecondsPerDay || wall >= last)
        {
            return null;
        }

        var local = LocalClock.ToLocalDateTime(wall);
        return Part.Start is RecurrenceStart.Timed timed
            ? new OccurrenceTime.AtTime(ZonedTime.ResolveGapForwardOverlapEarlier(local, timed.Zone))
            : new OccurrenceTime.OnDay(local.Date);
    }

    private static long WallOf(RecurrenceStart start) => LocalClock.FromLocalDateTime(
        start is RecurrenceStart.Timed timed
            ? timed.Local
            : ((RecurrenceStart.AllDay)start).Date.AtMidnight());

    /// <summary>What the wall of a start's zone shows at an instance; a day is its midnight.</summary>
    private static long WallIn(OccurrenceTime instance, RecurrenceStart start) => (instance, start) switch
    {
        (OccurrenceTime.AtTime at, RecurrenceStart.Timed timed) =>
            LocalClock.FromLocalDateTime(at.Time.InZone(timed.Zone).Local),
        (OccurrenceTime.AtTime at, _) => LocalClock.FromLocalDateTime(at.Time.Local.Date.AtMidnight()),
        (OccurrenceTime.OnDay day, _) => LocalClock.FromLocalDateTime(day.Date.AtMidnight()),
        _ => throw new System.Diagnostics.UnreachableException("Unknown kind of time."),
    };
}

/// <summary>
/// A series with what replaces its instances; or instances whose series is not in the stream.
/// </summary>
internal sealed class ResourceSeries
{
    /// <param name="uid">UID; empty for none.</param>
    /// <param name="master">The component without RECURRENCE-ID; null when there is none.</param>
    /// <param name="set">Its recurrence; null when there is no master.</param>
    /// <param name="overrides">Those with RECURRENCE-ID.</param>
    public ResourceSeries(
        string uid, SeriesPart? master, RecurrenceSet? set, ImmutableArray<SeriesOverride> overrides)
    {
        Uid = uid;
        Master = master;
        Set = set;
        Overrides = overrides;
        Replaced = overrides.Select(each => each.Key).ToFrozenSet();
        Ranges = [.. overrides.Where(each => each.AndFuture).OrderBy(each => each.Key)];
        Recurs = set is { RRules.IsEmpty: false } or { RDates.IsEmpty: false };
        var lengths = overrides.Select(each => Seconds(each.Part.Length))
            .Concat(set?.RDates.Select(PeriodLength) ?? []).Append(Seconds(master?.Length ?? default));
        Reach = lengths.Max() + Math.Max(0, Ranges.Select(each => each.Shift).DefaultIfEmpty().Max())
            + (2 * CivilDays.SecondsPerDay);
        ShiftMin = Ranges.IsEmpty
            ? 0
            : Math.Min(0, Ranges.Min(each => each.Shift)) - (2 * CivilDays.SecondsPerDay);
    }

    public string Uid { get; }

    public SeriesPart? Master { get; }

    public RecurrenceSet? Set { get; }

    public ImmutableArray<SeriesOverride> Overrides { get; }

    /// <summary>Instances that something replaces.</summary>
    public FrozenSet<long> Replaced { get; }

    /// <summary>Those with RANGE=THISANDFUTURE, ascending.</summary>
    public ImmutableArray<SeriesOverride> Ranges { get; }

    /// <summary>Whether the master repeats at all.</summary>
    public bool Recurs { get; }

    /// <summary>How long after its unchanged start an instance may still be going on, in seconds.</summary>
    public long Reach { get; }

    /// <summary>How much earlier than its unchanged start an instance may be; never positive.</summary>
    public long ShiftMin { get; }

    /// <summary>The part that describes an instance, and when it begins; null outside the years.</summary>
    public (SeriesPart Part, OccurrenceTime? Start) Describe(long key, OccurrenceTime instance)
    {
        for (var index = Ranges.Length - 1; index >= 0; index--)
        {
            if (Ranges[index].Key < key)
            {
                return (Ranges[index].Part, Ranges[index].Shifted(instance));
            }
        }

        return (Master!, instance);
    }

    /// <summary>The end that belongs to a start.</summary>
    public static OccurrenceTime End(OccurrenceTime start, CalendarDuration length)
    {
        if (start is OccurrenceTime.AtTime at)
        {
            return PeriodEnd.Add(at.Time, length) is { } end ? new OccurrenceTime.AtTime(end) : start;
        }

        var date = ((OccurrenceTime.OnDay)start).Date;
        var days = length.Days + (length.Seconds / CivilDays.SecondsPerDay);
        return days >= 0 && days < Period.DaysBetween(date, new LocalDate(9999, 12, 31))
            ? new OccurrenceTime.OnDay(date.PlusDays((int)days))
            : start;
    }

    private static long Seconds(CalendarDuration length) =>
        Math.Max(0, Math.Min((length.Days * CivilDays.SecondsPerDay) + length.Seconds, long.MaxValue / 8));

    private static long PeriodLength(DateListItem date) => date.End switch
    {
        PeriodEnd.After after => Seconds(after.Duration),
        PeriodEnd.At at => Math.Max(
            0, LocalClock.FromLocalDateTime(at.Time) - LocalClock.FromLocalDateTime(date.Time)
                + (2 * CivilDays.SecondsPerDay)),
        _ => 0,
    };
}
