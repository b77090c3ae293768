using System.Globalization;
using System.Text;

namespace CalSync.Calendar.Values;

/// <summary>A DURATION: days as the calendar counts them, then seconds as a clock does.</summary>
/// <remarks>
/// RFC 5545 section 3.3.6. A day is not always 24 hours: a day later is the same wall time. Weeks are seven
/// days. Both parts have the same sign.
/// </remarks>
public readonly record struct CalendarDuration
{
    /// <summary>Makes a duration.</summary>
    /// <param name="days">Nominal days.</param>
    /// <param name="seconds">Exact seconds.</param>
    /// <exception cref="ArgumentException">One part is negative, the other positive.</exception>
    public CalendarDuration(int days, long seconds)
    {
        if ((days < 0 && seconds > 0) || (days > 0 && seconds < 0))
            throw new ArgumentException("Days and seconds go in one direction.", nameof(seconds));
        Days = days;
        Seconds = seconds;
    }

    /// <summary>Nominal days, weeks included; negative before.</summary>
    public int Days { get; }

    /// <summary>Exact seconds beside the days; negative before.</summary>
    public long Seconds { get; }

    /// <summary>Whether it goes back in time.</summary>
    public bool IsNegative => Days < 0 || Seconds < 0;

    /// <summary>Exact seconds, written in hours, minutes and seconds.</summary>
    public static CalendarDuration FromTimeSpan(TimeSpan span) => new(0, (long)span.TotalSeconds);

    /// <summary>The strict text: "P2W", "P1DT2H30M", "-PT15M", "PT0S".</summary>
    public override string ToString()
    {
        if (Days == 0 && Seconds == 0)
            return "PT0S";
        var (days, seconds) = (Math.Abs((long)Days), Int128.Abs(Seconds));
        var text = new StringBuilder(IsNegative ? "-P" : "P");
        if (seconds == 0 && days % 7 == 0)
            return text.Append(CultureInfo.InvariantCulture, $"{days / 7}W").ToString();
        if (days > 0)
            text.Append(CultureInfo.InvariantCulture, $"{days}D");
        if (seconds == 0)
            return text.ToString();
        var (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        text.Append('T');
        if (hours > 0)
            text.Append(CultureInfo.InvariantCulture, $"{hours}H");

        // The grammar has no seconds right after hours: PT1H0M30S.
        if (minutes > 0 || (hours > 0 && rest > 0))
            text.Append(CultureInfo.InvariantCulture, $"{minutes}M");
        return rest > 0 ? text.Append(CultureInfo.InvariantCulture, $"{rest}S").ToString() : text.ToString();
    }
}
