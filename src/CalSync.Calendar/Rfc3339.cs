using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using CalSync.Calendar.Times;

namespace CalSync.Calendar;

/// <summary>RFC 3339 date-times: "2026-03-20T13:00:00-03:00", "2026-03-20T16:00:00Z".</summary>
public static class Rfc3339
{
    // What a DateTimeOffset can hold.
    private static readonly TimeSpan OffsetMax = TimeSpan.FromHours(14);

    /// <summary>Reads strictly: seconds and an offset are required, years 2 to 9998.</summary>
    /// <param name="text">The text, all of it.</param>
    /// <param name="value">
    /// The moment, with the offset as written (Z and -00:00 are zero), when the result is true.
    /// </param>
    /// <returns>Whether the text is such a time. Never throws.</returns>
    /// <remarks>
    /// At most nine fraction digits; those finer than 100 ns must be zero, since the value could not keep
    /// them. A leap second (":60") has no <see cref="DateTimeOffset"/> and is refused.
    /// </remarks>
    public static bool TryParse([NotNullWhen(true)] string? text, out DateTimeOffset value) =>
        TryParse(text, out value, out _);

    /// <summary>As <see cref="TryParse(string?, out DateTimeOffset)"/>, and says what is wrong.</summary>
    /// <param name="text">The text, all of it.</param>
    /// <param name="value">The moment, when the result is true.</param>
    /// <param name="problem">The first fault, when the result is false.</param>
    /// <returns>Whether the text is such a time. Never throws.</returns>
    public static bool TryParse(
        [NotNullWhen(true)] string? text,
        out DateTimeOffset value,
        [NotNullWhen(false)] out TimeTextProblem? problem)
    {
        value = default;
        var reader = new TimeTextReader(text ?? "");
        if (!reader.Date(out var date) || !reader.Letter('T')
            || !reader.Clock(secondsOptional: false, out var time) || !reader.Fraction(out var fraction)
            || !reader.Offset(out var offset) || !reader.End())
        {
            problem = reader.Problem!;
            return false;
        }

        problem = null;
        var local = date.At(time).ToDateTimeUnspecified().AddTicks(fraction);
        value = new DateTimeOffset(local, offset);
        return true;
    }

    /// <summary>Writes a moment on the wall of an offset; zero is written Z.</summary>
    /// <param name="instant">The moment, in any offset.</param>
    /// <param name="offset">
    /// The offset to write it in; one with seconds has no RFC 3339 form, one over 14 hours no
    /// <see cref="DateTimeOffset"/>: both become Z.
    /// </param>
    public static string Write(DateTimeOffset instant, TimeSpan offset)
    {
        if (offset == TimeSpan.Zero || offset.Ticks % TimeSpan.TicksPerMinute != 0
            || offset.Duration() > OffsetMax)
        {
            return instant.UtcDateTime
                .ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
        }

        return instant.ToOffset(offset)
            .ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", CultureInfo.InvariantCulture);
    }
}
