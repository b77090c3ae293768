using System.Globalization;
using System.Text.Json;
using CalSync.Calendar;
using NodaTime;

namespace CalSync.App.Ics;

/// <summary>Which instances a row of vectors asks for.</summary>
/// <remarks>
/// <c>all</c>: every one; <c>prefix</c>: the first <c>limit</c>; <c>window</c>: from <c>from</c> to
/// <c>to_exclusive</c> or <c>to_inclusive</c>; <c>between</c>: from <c>from</c> to <c>to</c>; <c>before</c>
/// and <c>after</c>: the nearest to <c>at</c>; <c>from</c>: those from <c>from</c> on. Bounds are texts like
/// the instances; a date bounds whole days.
/// </remarks>
internal sealed class VectorQuery
{
    // Instances looked at for one row; a rule by the second has as many in four months.
    private const int StepsMax = 10_000_000;

    private readonly string _kind;
    private readonly bool _isDate;
    private readonly string _suffix;
    private readonly int _countMax;
    private readonly bool _isBounded;
    private readonly JsonElement _window;

    public VectorQuery(JsonElement row, string dtStart, int? limit)
    {
        _kind = row.TryGetProperty("expected_kind", out var kind) && kind.ValueKind == JsonValueKind.String
            ? kind.GetString()!
            : "all";
        _isDate = dtStart.Length == 8;
        _suffix = dtStart.EndsWith('Z') ? "Z" : "";
        _window = row.TryGetProperty("window", out var window) ? window : default;
        var asked = limit ?? Number(row, "limit") ?? (_kind == "from" ? ListedCount(row) : null);
        _isBounded = asked is not null;
        _countMax = Math.Clamp(asked ?? RecurrenceVector.CountMax, 0, RecurrenceVector.CountMax);
    }

    /// <summary>The instances, as texts in the form of DTSTART.</summary>
    /// <param name="set">The series.</param>
    /// <param name="problem">Why there may be more; null when these are all that were asked for.</param>
    public List<string> Take(RecurrenceSet set, out string? problem)
    {
        problem = null;
        var found = new List<string>();
        var cursor = set.OpenCursor(Seek(), new OccurrenceLimits(CountMax: int.MaxValue));
        for (var steps = 0; found.Count < _countMax; steps++)
        {
            if (steps == StepsMax)
            {
                problem = $"What is asked for lies behind more than {StepsMax} instances.";
                return found;
            }

            if (!cursor.MoveNext())
            {
                problem = cursor.Ended == OccurrencesEnd.Complete
                    ? null
                    : "The rule finds nothing for too long; there may be more.";
                return found;
            }

            var text = Write(cursor.Local);
            if (IsPast(text))
            {
                return found;
            }

            if (_kind == "before")
            {
                found.Clear();
            }

            if (!IsEarly(text))
            {
                found.Add(text);
                if (_kind == "after")
                {
                    return found;
                }
            }
        }

        problem = _isBounded
            ? null
            : $"More than {RecurrenceVector.CountMax} instances; the rest is left out.";
        return found;
    }

    private bool IsPast(string text) => _kind switch
    {
        "window" => Compare(text, "to_exclusive") >= 0 || Compare(text, "to_inclusive") > 0,
        "between" => Compare(text, "to") is var order && (Inclusive ? order > 0 : order >= 0),
        "before" => Compare(text, "at") is var order && (Inclusive ? order > 0 : order >= 0),
        _ => false,
    };

    private bool IsEarly(string text) => _kind switch
    {
        "window" or "from" => Compare(text, "from") < 0,
        "between" => Compare(text, "from") is var order && (Inclusive ? order < 0 : order <= 0),
        "after" => Compare(text, "at") is var order && (Inclusive ? order < 0 : order <= 0),
        _ => false,
    };

    private bool Inclusive =>
        _window.ValueKind == JsonValueKind.Object
        && _window.TryGetProperty("inclusive", out var value) && value.ValueKind == JsonValueKind.True;

    /// <summary>
    /// A moment safely before everything the row asks for; null for the beginning. Bounds are wall times, so
    /// it is earlier by more than any offset.
    /// </summary>
    private DateTimeOffset? Seek()
    {
        var bound = _kind switch
        {
            "window" or "from" or "between" => Bound("from"),
            "after" => Bound("at"),
            _ => null,
        };
        return bound is not null && VectorTime.TryParse(bound, out var time)
            && time.Year is > 2 and < 9998
            ? new DateTimeOffset(time.PlusDays(-3).ToDateTimeUnspecified(), TimeSpan.Zero)
            : null;
    }

    /// <summary>
    /// Compares with a bound of the window; 0 stands for no such bound as well as for equal.
    /// </summary>
    private int Compare(string text, string name)
    {
        if (Bound(name) is not { } bound)
        {
            return name == "to_exclusive" ? -1 : 0;
        }

        return string.CompareOrdinal(text, 0, bound, 0, bound.Length);
    }

    private string? Bound(string name) =>
        _window.ValueKind == JsonValueKind.Object && _window.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private string Write(LocalDateTime local) => VectorTime.Write(local, _isDate) + _suffix;

    private static int? Number(JsonElement row, string name) =>
        row.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
        && value.TryGetInt32(out var number)
            ? number
            : null;

    /// <summary>A series without an end, asked for "from", is compared as far as the row lists it.</summary>
    private static int? ListedCount(JsonElement row) =>
        row.TryGetProperty("expected", out var listed) && listed.ValueKind == JsonValueKind.Array
            ? Math.Max(1, listed.GetArrayLength())
            : null;
}

/// <summary>DATE and DATE-TIME values as vectors write them. RFC 5545 sections 3.3.4 and 3.3.5.</summary>
internal static class VectorTime
{
    /// <summary>
    /// Reads "19970902", "19970902T090000" or "19970902T090000Z" as the wall time it shows.
    /// </summary>
    public static bool TryParse(string text, out LocalDateTime time)
    {
        time = default;
        if (text.Length is not (8 or 15 or 16) || (text.Length == 16 && text[15] != 'Z'))
        {
            return false;
        }

        var read = DateTime.TryParseExact(
            text.Length == 8 ? text + "T000000" : text[..15],
            "yyyyMMdd'T'HHmmss",
            CultureInfo.InvariantCulture,
            DateTimeStyles.None,
            out var value);
        // A date needs no instant, so the calendar's last year is open to it.
        var yearMax = text.Length == 8 ? DateTime.MaxValue.Year : LocalTimeText.YearMax;
        if (!read || value.Year < LocalTimeText.YearMin || value.Year > yearMax)
        {
            return false;
        }

        time = LocalDateTime.FromDateTime(value);
        return true;
    }

    /// <summary>Writes the basic form.</summary>
    public static string Write(LocalDateTime time, bool isDate) => string.Create(
        isDate ? 8 : 15,
        time,
        (text, value) =>
        {
            Digits(text[..4], value.Year);
            Digits(text[4..6], value.Month);
            Digits(text[6..8], value.Day);
            if (text.Length == 15)
            {
                text[8] = 'T';
                Digits(text[9..11], value.Hour);
                Digits(text[11..13], value.Minute);
                Digits(text[13..15], value.Second);
            }
        });

    private static void Digits(Span<char> text, int value)
    {
        for (var index = text.Length - 1; index >= 0; index--)
        {
            text[index] = (char)('0' + (value % 10));
            value /= 10;
        }
    }
}
