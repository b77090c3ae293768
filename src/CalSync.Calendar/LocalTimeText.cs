using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using CalSync.Calendar.Times;
using NodaTime;

namespace CalSync.Calendar;

/// <summary>
/// Local date-times as ISO 8601 extended text without offset: "2026-03-08T09:00" or "2026-03-08T09:00:30".
/// </summary>
public static class LocalTimeText
{
    /// <summary>
    /// First supported year. Year 1 is left out so that every zone's instant is representable.
    /// </summary>
    public const int YearMin = 2;

    /// <summary>Last supported year. Year 9999 is left out for the same reason.</summary>
    public const int YearMax = 9998;

    /// <summary>Reads strictly: no offset, no blanks, no fraction, no 24:00, no second 60.</summary>
    /// <param name="text">The text, all of it.</param>
    /// <param name="local">The time, when the result is true.</param>
    /// <returns>Whether the text is such a time. Never throws.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out LocalDateTime local) =>
        TryParse(text, out local, out _);

    /// <summary>As <see cref="TryParse(string?, out LocalDateTime)"/>, and says what is wrong.</summary>
    /// <param name="text">The text, all of it.</param>
    /// <param name="local">The time, when the result is true.</param>
    /// <param name="problem">The first fault, when the result is false.</param>
    /// <returns>Whether the text is such a time. Never throws.</returns>
    public static bool TryParse(
        [NotNullWhen(true)] string? text,
        out LocalDateTime local,
        [NotNullWhen(false)] out TimeTextProblem? problem)
    {
        local = default;
        var reader = new TimeTextReader(text ?? "");
        if (!reader.Date(out var date) || !reader.Letter('T')
            || !reader.Clock(secondsOptional: true, out var time) || !reader.End())
        {
            problem = reader.Problem!;
            return false;
        }

        problem = null;
        local = date.At(time);
        return true;
    }

    /// <summary>Writes seconds always, fractions only when there are any: "2026-03-08T09:00:00".</summary>
    public static string Write(LocalDateTime local) =>
        local.ToString("uuuu'-'MM'-'dd'T'HH':'mm':'ss;FFFFFFF", CultureInfo.InvariantCulture);
}
