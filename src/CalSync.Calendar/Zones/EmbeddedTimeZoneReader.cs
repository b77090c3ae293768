using System.Collections.Immutable;
using CalSync.Calendar.Document;
using CalSync.Calendar.Recurrence;
using NodaTime;

namespace CalSync.Calendar.Zones;

/// <summary>Reads VTIMEZONE components. See <see cref="EmbeddedTimeZone.Read"/>.</summary>
internal static class EmbeddedTimeZoneReader
{
    public static EmbeddedTimeZone Read(CalendarComponent component)
    {
        var parts = ImmutableArray.CreateBuilder<Observance>();
        foreach (var child in component.Components)
        {
            var isDaylight = child.Is("DAYLIGHT"u8);
            if ((isDaylight || child.Is("STANDARD"u8)) && Part(child) is { } part)
            {
                parts.Add(part with { IsDaylight = isDaylight });
            }
        }

        var location = component.Property("X-LIC-LOCATION"u8)?.RawValue.Trim();
        return new EmbeddedTimeZone(TzId(component), parts.ToImmutable())
        {
            Location = string.IsNullOrEmpty(location) ? null : location,
        };
    }

    /// <summary>TZID as the parameter of a time writes it: a parameter has no escapes, a text has.</summary>
    private static string TzId(CalendarComponent component) =>
        (component.Property("TZID"u8)?.RawValue ?? "").Replace("\\", "", StringComparison.Ordinal);

    private static Observance? Part(CalendarComponent component)
    {
        if (!TryTime(component.Property("DTSTART"u8)?.RawValue, out var start)
            || !TryOffset(component.Property("TZOFFSETFROM"u8)?.RawValue, out var from)
            || !TryOffset(component.Property("TZOFFSETTO"u8)?.RawValue, out var to))
        {
            return null;
        }

        var rules = ImmutableArray.CreateBuilder<Recur>();
        var dates = ImmutableArray.CreateBuilder<LocalDateTime>();
        foreach (var property in component.Properties)
        {
            if (property.Is("RRULE"u8) && Recur.Parse(property.RawValue) is RecurParse.Parsed parsed)
            {
                rules.Add(parsed.Recur);
            }
            else if (property.Is("RDATE"u8))
            {
                AddDates(property.RawValue, dates);
            }
        }

        return new Observance(start, from, to)
        {
            Name = component.Property("TZNAME"u8)?.RawValue,
            RRules = rules.ToImmutable(),
            RDates = dates.ToImmutable(),
        };
    }

    private static void AddDates(string values, ImmutableArray<LocalDateTime>.Builder dates)
    {
        foreach (var value in values.Split(','))
        {
            if (TryTime(value, out var time))
            {
                dates.Add(time);
            }
        }
    }

    private static bool TryTime(string? text, out LocalDateTime time)
    {
        time = default;
        if (!BasicTimes.TryParse(text.AsSpan().Trim(), out var read)
            || read.Value.Time.Year is < LocalTimeText.YearMin or > LocalTimeText.YearMax)
        {
            return false;
        }

        time = read.Value.Time;
        return true;
    }

    /// <summary>A UTC-OFFSET in seconds: "+0100", "-045602". RFC 5545 section 3.3.14.</summary>
    private static bool TryOffset(string? text, out int seconds)
    {
        seconds = 0;
        var digits = text.AsSpan().Trim();
        var isNegative = digits.StartsWith("-");
        digits = isNegative || digits.StartsWith("+") ? digits[1..] : digits;
        if (digits.Length is not (4 or 6) || digits.ContainsAnyExceptInRange('0', '9'))
        {
            return false;
        }

        foreach (var unit in (ReadOnlySpan<int>)[3600, 60, 1])
        {
            if (!digits.IsEmpty)
            {
                seconds += unit * (((digits[0] - '0') * 10) + digits[1] - '0');
                digits = digits[2..];
            }
        }

        seconds = isNegative ? -seconds : seconds;
        return true;
    }
}
