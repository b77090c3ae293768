using System.Globalization;
using NodaTime;

namespace CalSync.Calendar.Values;

/// <summary>A PERIOD: from a start to an end, or for a duration. RFC 5545 section 3.3.9.</summary>
public abstract record CalendarPeriod
{
    private CalendarPeriod(CalendarTime start) => Start = start;

    /// <summary>When it begins; never a date.</summary>
    public CalendarTime Start { get; }

    /// <summary>From a start to an end.</summary>
    /// <param name="Start">When it begins; never a date.</param>
    /// <param name="End">When it is over, of the same kind as the start.</param>
    public sealed record Until(CalendarTime Start, CalendarTime End) : CalendarPeriod(Start)
    {
        /// <summary>For example "20260308T090000Z/20260308T100000Z".</summary>
        public override string ToString() => $"{Start}/{End}";
    }

    /// <summary>From a start for a duration.</summary>
    /// <param name="Start">When it begins; never a date.</param>
    /// <param name="Duration">How long; not negative.</param>
    public sealed record For(CalendarTime Start, CalendarDuration Duration) : CalendarPeriod(Start)
    {
        /// <summary>For example "20260308T090000Z/PT1H".</summary>
        public override string ToString() => $"{Start}/{Duration}";
    }
}

/// <summary>A UTC-OFFSET: local time minus UTC. RFC 5545 section 3.3.14.</summary>
/// <param name="Seconds">Positive east of Greenwich; less than a day.</param>
public readonly record struct UtcOffset(int Seconds)
{
    /// <summary>The strict text: "+0530", "-0500", "+013020".</summary>
    public override string ToString()
    {
        var size = Math.Abs(Seconds);
        var text = string.Create(
            CultureInfo.InvariantCulture, $"{(Seconds < 0 ? '-' : '+')}{size / 3600:00}{size / 60 % 60:00}");
        return size % 60 == 0 ? text : text + (size % 60).ToString("00", CultureInfo.InvariantCulture);
    }
}

/// <summary>A CAL-ADDRESS: who is meant, as a URI. RFC 5545 section 3.3.3.</summary>
/// <param name="Uri">As the stream has it, mostly "mailto:name@example.com".</param>
public sealed record CalAddress(string Uri)
{
    private const string Scheme = "mailto:";

    /// <summary>The mail address; null for other URIs.</summary>
    public string? Mail =>
        Uri.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? Uri[Scheme.Length..] : null;

    /// <summary>The address of a mailbox.</summary>
    public static CalAddress FromMail(string mail) => new(Scheme + mail);

    /// <summary>Whether both reach the same one: letter case does not count.</summary>
    public bool Equals(CalAddress? other) =>
        other is not null && string.Equals(Uri, other.Uri, StringComparison.OrdinalIgnoreCase);

    /// <summary>Hash of the URI without regard to letter case.</summary>
    public override int GetHashCode() => StringComparer.OrdinalIgnoreCase.GetHashCode(Uri);

    /// <summary>The URI.</summary>
    public override string ToString() => Uri;
}

/// <summary>A TIME: a time of day on any day. RFC 5545 section 3.3.12.</summary>
/// <param name="Time">What the clock shows.</param>
/// <param name="IsUtc">Whether the clock shows UTC.</param>
/// <param name="TzId">The zone the clock shows; null for the reader's, and for UTC.</param>
public sealed record TimeOfDay(LocalTime Time, bool IsUtc = false, string? TzId = null)
{
    /// <summary>For example "083000" or "133000Z".</summary>
    public override string ToString() =>
        Time.ToString("HHmmss", CultureInfo.InvariantCulture) + (IsUtc ? "Z" : "");
}

/// <summary>A GEO: a place on Earth. RFC 5545 section 3.8.1.6.</summary>
/// <param name="Latitude">Degrees north, -90 to 90.</param>
/// <param name="Longitude">Degrees east, -180 to 180.</param>
public readonly record struct GeoPosition(double Latitude, double Longitude)
{
    /// <summary>For example "37.386013;-122.082932".</summary>
    public override string ToString() => $"{FloatText.Write(Latitude)};{FloatText.Write(Longitude)}";
}

/// <summary>A REQUEST-STATUS. RFC 5545 section 3.8.8.3.</summary>
/// <param name="Code">Two or three numbers with dots, for example "2.0".</param>
/// <param name="Description">For a person; empty when the stream has none.</param>
/// <param name="Extra">What the status is about; null for nothing.</param>
public sealed record RequestStatus(string Code, string Description, string? Extra = null)
{
    /// <summary>For example "3.1;Invalid property value;DTSTART:96-Apr-01".</summary>
    public override string ToString() =>
        $"{Code};{TextValue.Escape(Description)}{(Extra is null ? "" : ";" + TextValue.Escape(Extra))}";
}

/// <summary>When an alarm goes off. RFC 5545 section 3.8.6.3.</summary>
public abstract record AlarmTrigger
{
    private AlarmTrigger()
    {
    }

    /// <summary>Before or after the start or the end of what it stands in.</summary>
    /// <param name="Offset">Negative before, positive after.</param>
    /// <param name="FromEnd">RELATED=END. Default false: from the start.</param>
    public sealed record Relative(CalendarDuration Offset, bool FromEnd = false) : AlarmTrigger;

    /// <summary>At a moment.</summary>
    /// <param name="Time">The moment.</param>
    public sealed record Absolute(CalendarTime.Utc Time) : AlarmTrigger;
}

/// <summary>FLOAT values. RFC 5545 section 3.3.7.</summary>
internal static class FloatText
{
    /// <summary>The shortest decimal text without exponent that reads back to the same number.</summary>
    public static string Write(double number) =>
        number.ToString("0.####################", CultureInfo.InvariantCulture);
}
