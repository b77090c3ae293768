using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using CalSync.Calendar.Values;
using NodaTime;

namespace CalSync.Calendar.Recurrence;

/// <summary>How a PERIOD of an RDATE ends. RFC 5545 section 3.3.9.</summary>
internal abstract record PeriodEnd
{
    private PeriodEnd()
    {
    }

    /// <summary>At a time.</summary>
    /// <param name="Time">The wall time.</param>
    /// <param name="Zone">Its zone.</param>
    internal sealed record At(LocalDateTime Time, CalendarZone Zone) : PeriodEnd;

    /// <summary>After a duration.</summary>
    /// <param name="Duration">How long; not negative.</param>
    internal sealed record After(CalendarDuration Duration) : PeriodEnd;

    /// <summary>The end of a period that begins at <paramref name="start"/>; null past year 9998.</summary>
    public ZonedTime? From(ZonedTime start) => this switch
    {
        At at => ZonedTime.ResolveGapForwardOverlapEarlier(at.Time, at.Zone).InZone(start.Zone),
        After after => Add(start, after.Duration),
        _ => throw new UnreachableException("Unknown end of a period."),
    };

    /// <summary>
    /// A time so much later: days on the wall, then exact seconds (RFC 5545 section 3.3.6). Null before
    /// year 2 and past year 9998.
    /// </summary>
    public static ZonedTime? Add(ZonedTime start, CalendarDuration duration)
    {
        var room = duration.IsNegative
            ? Period.DaysBetween(new LocalDate(LocalTimeText.YearMin, 1, 2), start.Local.Date)
            : Period.DaysBetween(start.Local.Date, new LocalDate(LocalTimeText.YearMax, 12, 30));
        if (Math.Abs((long)duration.Days) + Math.Abs(duration.Seconds / CivilDays.SecondsPerDay) >= room)
        {
            return null;
        }

        var later = duration.Days == 0
            ? start
            : ZonedTime.ResolveGapForwardOverlapEarlier(start.Local.PlusDays(duration.Days), start.Zone);
        return ZonedTime.FromInstant(later.Instant.AddSeconds(duration.Seconds), start.Zone);
    }

    /// <summary>Reads what follows the slash: a date-time or a duration that is not negative.</summary>
    public static bool TryParse(
        ReadOnlySpan<char> text, CalendarZone zone, [NotNullWhen(true)] out PeriodEnd? end)
    {
        end = null;
        if (BasicTimes.TryParse(text, out var time))
        {
            end = time.Value.IsDate
                || time.Value.Time.Year is < LocalTimeText.YearMin or > LocalTimeText.YearMax
                ? null
                : new At(time.Value.Time, time.Value.IsUtc ? CalendarZone.Utc : zone);
            return end is not null;
        }

        ValueFault? fault = null;
        var octets = Encoding.UTF8.GetBytes(text.ToString());
        if (ValueParsers.Duration(octets, out var duration, ref fault) && !duration.IsNegative)
        {
            end = new After(duration);
        }

        return end is not null;
    }

    /// <summary>The strict text.</summary>
    public sealed override string ToString() => this switch
    {
        At at => BasicTimes.Write(at.Time) + (at.Zone == CalendarZone.Utc ? "Z" : ""),
        After after => after.Duration.ToString(),
        _ => throw new UnreachableException("Unknown end of a period."),
    };
}
