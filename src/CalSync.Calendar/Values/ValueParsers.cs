using System.Buffers;
using System.Buffers.Text;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using CalSync.Calendar.Document;
using NodaTime;

namespace CalSync.Calendar.Values;

/// <summary>Reads one value.</summary>
/// <param name="text">All of it, unfolded, without blanks around it.</param>
/// <param name="value">The value, when the result is true.</param>
/// <param name="fault">The first fault; also set when a value was read past a deviation.</param>
internal delegate bool ValueParser<T>(ReadOnlySpan<byte> text, out T value, ref ValueFault? fault);

/// <summary>The value types of RFC 5545 section 3.3, from text. None throws.</summary>
internal static class ValueParsers
{
    private const int YearMin = 1;

    public static bool Date(ReadOnlySpan<byte> text, out LocalDate date, ref ValueFault? fault)
    {
        date = default;
        if (text.Length != 8)
        {
            return Fail(ref fault, CalendarProblemCode.BadDate, Math.Min(text.Length, 8), "3.3.4",
                "a date (20260308)");
        }

        return DateDigits(text, CalendarProblemCode.BadDate, out date, ref fault);
    }

    /// <summary>A date or a date-time; UTC when it ends in Z.</summary>
    public static bool Time(ReadOnlySpan<byte> text, out TimeParts value, ref ValueFault? fault)
    {
        value = default;
        if (text.Length == 8)
        {
            var isDate = DateDigits(text, CalendarProblemCode.BadDate, out var day, ref fault);
            value = new TimeParts(day.AtMidnight(), true, false);
            return isDate;
        }

        if (text.Length < 9 || (text[8] | 0x20) != 't')
        {
            return Fail(ref fault, CalendarProblemCode.BadDateTime, Math.Min(text.Length, 8), "3.3.5",
                "a date-time (20260308T090000 or 20260308T140000Z)");
        }

        if (!DateDigits(text[..8], CalendarProblemCode.BadDateTime, out var date, ref fault)
            || !Clock(text[9..], 9, CalendarProblemCode.BadDateTime, out var time, out var isUtc, ref fault))
        {
            return false;
        }

        value = new TimeParts(date.At(time), false, isUtc);
        return true;
    }

    public static bool TimeOfDay(ReadOnlySpan<byte> text, out TimeOfDay value, ref ValueFault? fault)
    {
        var isRead = Clock(text, 0, CalendarProblemCode.BadTime, out var time, out var isUtc, ref fault);
        value = new TimeOfDay(time, isUtc);
        return isRead;
    }

    /// <summary>
    /// Read past: "P1DT" (PyVObject), weeks with days (Nextcloud), parts left out between hours and seconds.
    /// </summary>
    public static bool Duration(ReadOnlySpan<byte> text, out CalendarDuration value, ref ValueFault? fault)
    {
        value = default;
        var index = text is [(byte)'+' or (byte)'-', ..] ? 1 : 0;
        var sign = text is [(byte)'-', ..] ? -1 : 1;
        if (index >= text.Length || (text[index] | 0x20) != 'p')
            return FailDuration(ref fault, index, "P after the sign, if any");
        index++;
        var (days, seconds, rank, isTime, partCount) = (0L, 0L, 0, false, 0);
        while (index < text.Length)
        {
            if ((text[index] | 0x20) == 't' && !isTime)
            {
                isTime = true;
                if (++index == text.Length && partCount > 0)
                {
                    Deviate(ref fault, CalendarProblemCode.LenientDuration, index - 1, "3.3.6",
                        "hours after T, or no T");
                }

                continue;
            }

            var start = index;
            if (!Utf8Parser.TryParse(text[index..], out uint number, out var digits)
                || !char.IsAsciiDigit((char)text[index])
                || index + digits >= text.Length)
            {
                return FailDuration(ref fault, index, "a number and its unit (P2W, P1DT2H30M, PT15M)");
            }

            index += digits;
            var (unit, newRank) = Unit(text[index++], isTime);
            if (newRank <= rank)
            {
                return FailDuration(ref fault, index - 1,
                    "weeks, days, T, hours, minutes, seconds, in this order");
            }

            if ((rank == 1 && newRank > 1) || (rank == 3 && newRank == 5))
            {
                Deviate(ref fault, CalendarProblemCode.LenientDuration, start, "3.3.6",
                    rank == 1 ? "weeks alone" : "minutes between hours and seconds");
            }

            (rank, partCount) = (newRank, partCount + 1);
            if (newRank <= 2)
                days += (long)number * unit;
            else
                seconds += (long)number * unit;
        }

        if (partCount == 0 || days > int.MaxValue)
            return FailDuration(ref fault, text.Length, "a number and its unit (P2W, P1DT2H30M, PT15M)");
        value = new CalendarDuration(sign * (int)days, sign * seconds);
        return true;
    }

    public static bool Offset(ReadOnlySpan<byte> text, out UtcOffset value, ref ValueFault? fault)
    {
        const string expected = "an offset with sign (+0530)";
        value = default;
        var hasSign = text is [(byte)'+' or (byte)'-', ..];
        var digits = hasSign ? text[1..] : text;
        var skipped = text.Length - digits.Length;
        if (digits.Length is not (4 or 6))
            return Fail(ref fault, CalendarProblemCode.BadUtcOffset, text.Length, "3.3.14", expected);
        if (!Number(digits[..2], 0, 23, out var hours) || !Number(digits[2..4], 0, 59, out var minutes)
            || !Number(digits[4..], 0, 59, out var seconds))
        {
            return Fail(ref fault, CalendarProblemCode.BadUtcOffset, skipped, "3.3.14", expected);
        }

        if (!hasSign)
        {
            Deviate(ref fault, CalendarProblemCode.OffsetWithoutSign, 0, "3.3.14",
                "a sign before the offset");
        }

        var size = (hours * 3600) + (minutes * 60) + seconds;
        value = new UtcOffset(text[0] == '-' ? -size : size);
        return true;
    }

    public static bool Recur(ReadOnlySpan<byte> text, out Recur value, ref ValueFault? fault)
    {
        var (trimmed, code) = (Encoding.UTF8.GetString(text), CalendarProblemCode.BadRecur);
        value = null!;
        switch (Calendar.Recur.Parse(trimmed))
        {
            case RecurParse.Parsed parsed:
                value = parsed.Recur;
                if (parsed.Deviations is [var deviation, ..])
                {
                    Deviate(ref fault, CalendarProblemCode.LenientRecur, deviation.Offset, "3.3.10",
                        deviation.Requirement);
                }

                return true;
            case RecurParse.Malformed malformed:
                return Fail(ref fault, code, malformed.Offset, "3.3.10", malformed.Expected);
            case RecurParse.Unsupported unsupported:
                code = CalendarProblemCode.UnsupportedRecur;
                return Fail(ref fault, code, unsupported.Offset, "3.3.10",
                    $"a rule without {unsupported.Part}");
            default:
                throw new System.Diagnostics.UnreachableException("Unknown rule outcome.");
        }
    }

    public static bool Text(ReadOnlySpan<byte> text, out string value, ref ValueFault? fault)
    {
        value = TextValue.Unescape(text);
        var unknown = TextValue.UnknownEscape(text);
        if (unknown >= 0)
            Deviate(ref fault, CalendarProblemCode.UnknownEscape, unknown, "3.3.11", @"one of \\ \; \, \n");
        return true;
    }

    /// <summary>Read past: no scheme, as Apple iCal names its sounds.</summary>
    public static bool Uri(ReadOnlySpan<byte> text, out string value, ref ValueFault? fault)
    {
        const string expected = "a URI with its scheme (https:, mailto:)";
        value = Encoding.UTF8.GetString(text);
        if (text.IsEmpty || text.IndexOfAny(" \t\"<>"u8) >= 0)
            return Fail(ref fault, CalendarProblemCode.BadUri, 0, "3.3.13", expected);
        var colon = text.IndexOf((byte)':');
        if (colon <= 0 || !char.IsAsciiLetter((char)text[0]) || text[..colon].Contains((byte)'/'))
            Deviate(ref fault, CalendarProblemCode.UriWithoutScheme, 0, "3.3.13", expected);
        return true;
    }

    /// <summary>
    /// Read past: a bare mail address without mailto (Sun Calendar Server, Mirapoint), and a path (Apple
    /// Calendar Server).
    /// </summary>
    public static bool Address(ReadOnlySpan<byte> text, out CalAddress value, ref ValueFault? fault)
    {
        const string expected = "a URI (mailto:name@example.com)";
        value = new CalAddress(Encoding.UTF8.GetString(text));
        if (text.Contains((byte)':'))
            return true;
        if (text is [(byte)'/', ..])
        {
            Deviate(ref fault, CalendarProblemCode.UriWithoutScheme, 0, "3.3.3", expected);
            return true;
        }

        if (!text.Contains((byte)'@'))
            return Fail(ref fault, CalendarProblemCode.BadCalAddress, 0, "3.3.3", expected);
        Deviate(ref fault, CalendarProblemCode.AddressWithoutScheme, 0, "3.3.3", expected);
        value = CalAddress.FromMail(value.Uri);
        return true;
    }

    public static bool Integer(ReadOnlySpan<byte> text, out int value, ref ValueFault? fault)
    {
        var digits = text is [(byte)'+', ..] ? text[1..] : text;
        return (Utf8Parser.TryParse(digits, out value, out var read) && read == digits.Length)
            || Fail(ref fault, CalendarProblemCode.BadInteger, 0, "3.3.8", "a whole number of 32 bits");
    }

    public static bool Float(ReadOnlySpan<byte> text, out double value, ref ValueFault? fault)
    {
        return (double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint,
                CultureInfo.InvariantCulture, out value) && double.IsFinite(value))
            || Fail(ref fault, CalendarProblemCode.BadFloat, 0, "3.3.7", "a decimal number (-12.5)");
    }

    public static bool Boolean(ReadOnlySpan<byte> text, out bool value, ref ValueFault? fault)
    {
        value = Ascii.EqualsIgnoreCase(text, "TRUE"u8);
        return value || Ascii.EqualsIgnoreCase(text, "FALSE"u8)
            || Fail(ref fault, CalendarProblemCode.BadBoolean, 0, "3.3.2", "TRUE or FALSE");
    }

    public static bool Binary(ReadOnlySpan<byte> text, out ImmutableArray<byte> value, ref ValueFault? fault)
    {
        var octets = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        value = [];
        if (Base64.DecodeFromUtf8(text, octets, out var read, out var written) != OperationStatus.Done)
            return Fail(ref fault, CalendarProblemCode.BadBinary, read, "3.3.1", "base64");
        value = [.. octets.AsSpan(0, written)];
        return true;
    }

    /// <summary>Read past: an escaped semicolon (SOGo 3.2).</summary>
    public static bool Geo(ReadOnlySpan<byte> text, out GeoPosition value, ref ValueFault? fault)
    {
        value = default;
        var end = text.IndexOf((byte)';');
        if (end < 0)
            return Fail(ref fault, CalendarProblemCode.BadGeo, text.Length, "3.8.1.6", "latitude;longitude");
        var first = text[..end];
        if (first is [.. var head, (byte)'\\'])
        {
            Deviate(ref fault, CalendarProblemCode.UnknownEscape, end - 1, "3.8.1.6",
                "a semicolon without backslash");
            first = head;
        }

        ValueFault? inner = null;
        if (!Float(first, out var latitude, ref inner)
            || !Float(text[(end + 1)..], out var longitude, ref inner)
            || Math.Abs(latitude) > 90 || Math.Abs(longitude) > 180)
        {
            return Fail(ref fault, CalendarProblemCode.BadGeo, 0, "3.8.1.6", "latitude;longitude in degrees");
        }

        value = new GeoPosition(latitude, longitude);
        return true;
    }

    /// <summary>Read past: no description, as in RFC 2446's examples.</summary>
    public static bool Status(ReadOnlySpan<byte> text, out RequestStatus value, ref ValueFault? fault)
    {
        var codeEnd = TextValue.End(text, (byte)';');
        var code = Encoding.UTF8.GetString(text[..codeEnd]);
        value = new RequestStatus(code, "");
        if (code.Length == 0 || code.Any(letter => letter != '.' && !char.IsAsciiDigit(letter)))
            return Fail(ref fault, CalendarProblemCode.BadRequestStatus, 0, "3.8.8.3", "a code (2.0)");
        if (codeEnd == text.Length)
        {
            Deviate(ref fault, CalendarProblemCode.BadRequestStatus, codeEnd, "3.8.8.3",
                "a description after the code");
            return true;
        }

        var rest = text[(codeEnd + 1)..];
        var descriptionEnd = TextValue.End(rest, (byte)';');
        value = new RequestStatus(code, TextValue.Unescape(rest[..descriptionEnd]),
            descriptionEnd == rest.Length ? null : TextValue.Unescape(rest[(descriptionEnd + 1)..]));
        return true;
    }

    public static bool Fail(
        ref ValueFault? fault, CalendarProblemCode code, int offset, string section, string expected)
    {
        fault = new ValueFault(code, ProblemSeverity.Error, offset, "RFC 5545 " + section, expected);
        return false;
    }

    /// <summary>Remembers the first deviation.</summary>
    public static void Deviate(
        ref ValueFault? fault, CalendarProblemCode code, int offset, string section, string expected) =>
        fault ??= new ValueFault(code, ProblemSeverity.Deviation, offset, "RFC 5545 " + section, expected);

    private static bool FailDuration(ref ValueFault? fault, int offset, string expected) =>
        Fail(ref fault, CalendarProblemCode.BadDuration, offset, "3.3.6", expected);

    private static (int Unit, int Rank) Unit(byte letter, bool isTime) =>
        ((char)(letter | 0x20), isTime) switch
        {
            ('w', false) => (7, 1),
            ('d', false) => (1, 2),
            ('h', true) => (3600, 3),
            ('m', true) => (60, 4),
            ('s', true) => (1, 5),
            _ => (0, 0),
        };

    private static bool DateDigits(
        ReadOnlySpan<byte> text, CalendarProblemCode code, out LocalDate date, ref ValueFault? fault)
    {
        date = default;
        if (!Number(text[..4], YearMin, 9999, out var year))
            return Fail(ref fault, code, 0, "3.3.4", "a year of four digits, 0001 to 9999");
        if (!Number(text[4..6], 1, 12, out var month))
            return Fail(ref fault, code, 4, "3.3.4", "a month, 01 to 12");
        if (!Number(text[6..8], 1, DateTime.DaysInMonth(year, month), out var day))
            return Fail(ref fault, code, 6, "3.3.4", "a day of that month");
        date = new LocalDate(year, month, day);
        return true;
    }

    /// <summary>Read past: no seconds ("T1300Z", as RFC 2445's own examples), small z.</summary>
    private static bool Clock(
        ReadOnlySpan<byte> text, int offset, CalendarProblemCode code,
        out LocalTime time, out bool isUtc, ref ValueFault? fault)
    {
        time = default;
        isUtc = text is [.., (byte)'Z' or (byte)'z'];
        var digits = isUtc ? text[..^1] : text;
        if (digits.Length is not (4 or 6))
        {
            return Fail(ref fault, code, offset + Math.Min(digits.Length, 6), "3.3.12",
                "six digits (090000) and Z for UTC");
        }

        if (!Number(digits[..2], 0, 23, out var hour))
            return Fail(ref fault, code, offset, "3.3.12", "an hour, 00 to 23");
        if (!Number(digits[2..4], 0, 59, out var minute))
            return Fail(ref fault, code, offset + 2, "3.3.12", "a minute, 00 to 59");

        // A second 60 without leap second support is second 59.
        if (!Number(digits[4..], 0, 60, out var second))
            return Fail(ref fault, code, offset + 4, "3.3.12", "a second, 00 to 60");
        if (digits.Length == 4)
            Deviate(ref fault, CalendarProblemCode.TimeWithoutSeconds, offset + 4, "3.3.12", "seconds");
        time = new LocalTime(hour, minute, Math.Min(second, 59));
        return true;
    }

    private static bool Number(ReadOnlySpan<byte> digits, int min, int max, out int value)
    {
        value = 0;
        foreach (var digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'9')
                return false;
            value = (value * 10) + (digit - '0');
        }

        return value >= min && value <= max;
    }
}

/// <summary>A date or date-time before its TZID is looked at.</summary>
/// <param name="Time">The date at midnight, or the wall time.</param>
/// <param name="IsDate">Whether there is no time of day.</param>
/// <param name="IsUtc">Whether there is a Z.</param>
internal readonly record struct TimeParts(LocalDateTime Time, bool IsDate, bool IsUtc);
