using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
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

    /// <summary>After a DURATION, RFC 5545 section 3.3.6: days on the wall, then exact seconds.</summary>
    /// <param name="Days">Whole days; weeks are seven.</param>
    /// <param name="Seconds">Hours, minutes and seconds together.</param>
    internal sealed record After(int Days, long Seconds) : PeriodEnd;

    /// <summary>The end of a period that begins at <paramref name="start"/>; null past year 9998.</summary>
    public ZonedTime? From(ZonedTime start)
    {
        if (this is At at)
        {
            return ZonedTime.ResolveGapForwardOverlapEarlier(at.Time, at.Zone).InZone(start.Zone);
        }

        var (days, seconds) = (After)this;
        var lastDay = new LocalDate(LocalTimeText.YearMax, 12, 31);
        var toGo = Period.DaysBetween(start.Local.Date, lastDay) - 1;
        if (days + (seconds / CivilDays.SecondsPerDay) >= toGo)
        {
            return null;
        }

        var later = days == 0
            ? start
            : ZonedTime.ResolveGapForwardOverlapEarlier(start.Local.PlusDays(days), start.Zone);
        return ZonedTime.FromInstant(later.Instant.AddSeconds(seconds), start.Zone);
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

        end = Duration(text);
        return end is not null;
    }

    /// <summary>The strict text.</summary>
    public sealed override string ToString()
    {
        if (this is At at)
        {
            return BasicTimes.Write(at.Time) + (at.Zone == CalendarZone.Utc ? "Z" : "");
        }

        var (days, seconds) = (After)this;
        var text = new StringBuilder("P");
        var invariant = CultureInfo.InvariantCulture;
        if (days > 0)
        {
            text.Append(invariant, $"{days}D");
        }

        if (seconds > 0 || days == 0)
        {
            // The grammar has no PT1H5S: minutes stand between hours and seconds.
            var (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            text.Append('T')
                .Append(hours > 0 ? $"{hours.ToString(invariant)}H" : "")
                .Append(minutes > 0 || (hours > 0 && rest > 0) ? $"{minutes.ToString(invariant)}M" : "")
                .Append(rest > 0 || seconds == 0 ? $"{rest.ToString(invariant)}S" : "");
        }

        return text.ToString();
    }

    private static After? Duration(ReadOnlySpan<char> text)
    {
        var (days, seconds, number, digits, timed, parts) = (0L, 0L, 0L, 0, false, 0);
        text = text.StartsWith("+") ? text[1..] : text;
        if (text.IsEmpty || text[0] is not ('P' or 'p'))
        {
            return null;
        }

        foreach (var letter in text[1..])
        {
            if (char.IsAsciiDigit(letter) && digits < 9)
            {
                (number, digits) = ((number * 10) + letter - '0', digits + 1);
                continue;
            }

            if (letter is 'T' or 't' && digits == 0 && !timed)
            {
                timed = true;
                continue;
            }

            var unit = (char.ToUpperInvariant(letter), timed) switch
            {
                ('W', false) => 7 * CivilDays.SecondsPerDay,
                ('D', false) => CivilDays.SecondsPerDay,
                ('H', true) => 3600,
                ('M', true) => 60,
                ('S', true) => 1,
                _ => 0L,
            };
            if (digits == 0 || unit == 0)
            {
                return null;
            }

            (days, seconds) = timed
                ? (days, seconds + (number * unit))
                : (days + (number * unit / CivilDays.SecondsPerDay), seconds);
            (number, digits, parts) = (0, 0, parts + 1);
        }

        return digits == 0 && parts > 0 && days < int.MaxValue ? new After((int)days, seconds) : null;
    }
}
