using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using NodaTime;

namespace CalSync.Calendar.Recurrence;

/// <summary>
/// DATE and DATE-TIME values. RFC 5545 sections 3.3.4 and 3.3.5: "20260308", "20260308T090000Z".
/// </summary>
internal static class BasicTimes
{
    /// <summary>What a reader of these values expects, for a person.</summary>
    public const string Expected = "a date (20260308) or date-time (20260308T090000, 20260308T140000Z)";

    /// <summary>One value: a date, or a date-time with or without Z.</summary>
    /// <param name="Time">The date at midnight, or the date-time.</param>
    /// <param name="IsDate">Whether there was no time of day.</param>
    /// <param name="IsUtc">Whether there was a Z.</param>
    internal readonly record struct Value(LocalDateTime Time, bool IsDate, bool IsUtc);

    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out Value? value)
    {
        value = null;
        var isUtc = text.Length == 16 && text[15] is 'Z' or 'z';
        if (!isUtc && text.Length is not (8 or 15))
        {
            return false;
        }

        if (!Number(text[..4], 1, 9999, out var year) || !Number(text[4..6], 1, 12, out var month)
            || !Number(text[6..8], 1, CalendarSystem.Iso.GetDaysInMonth(year, month), out var day))
        {
            return false;
        }

        var date = new LocalDate(year, month, day);
        if (text.Length == 8)
        {
            value = new Value(date.AtMidnight(), true, false);
            return true;
        }

        if (text[8] is not ('T' or 't') || !Number(text[9..11], 0, 23, out var hour)
            || !Number(text[11..13], 0, 59, out var minute) || !Number(text[13..15], 0, 60, out var second))
        {
            return false;
        }

        // RFC 5545 section 3.3.12: a second 60 without leap second support is second 59.
        value = new Value(date.At(new LocalTime(hour, minute, Math.Min(second, 59))), false, isUtc);
        return true;
    }

    public static string Write(LocalDateTime time) =>
        time.ToString("uuuuMMdd'T'HHmmss", CultureInfo.InvariantCulture);

    private static bool Number(ReadOnlySpan<char> digits, int min, int max, out int value)
    {
        value = 0;
        foreach (var digit in digits)
        {
            if (!char.IsAsciiDigit(digit))
            {
                return false;
            }

            value = (value * 10) + (digit - '0');
        }

        return value >= min && value <= max;
    }
}
