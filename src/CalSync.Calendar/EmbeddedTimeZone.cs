using System.Collections.Immutable;
using CalSync.Calendar.Document;
using CalSync.Calendar.Recurrence;
using CalSync.Calendar.Values;
using CalSync.Calendar.Zones;
using NodaTime;

namespace CalSync.Calendar;

/// <summary>
/// One STANDARD or DAYLIGHT part of a VTIMEZONE: when clocks go from one offset to another. RFC 5545
/// section 3.6.5.
/// </summary>
/// <param name="Start">
/// DTSTART: the first onset, as the clock shows it before the change. Years 2 to 9998.
/// </param>
/// <param name="OffsetFrom">TZOFFSETFROM: local time minus UTC before the onset, in seconds.</param>
/// <param name="OffsetTo">TZOFFSETTO: the same from the onset on.</param>
public sealed record Observance(LocalDateTime Start, int OffsetFrom, int OffsetTo)
{
    /// <summary>
    /// The largest offset that is evaluated, in seconds: 18 hours, more than any clock has had.
    /// </summary>
    public const int OffsetMax = 18 * 3600;

    /// <summary>Whether this is a DAYLIGHT part; false for STANDARD. Offsets do not depend on it.</summary>
    public bool IsDaylight { get; init; }

    /// <summary>TZNAME, for example "CEST"; null for none.</summary>
    public string? Name { get; init; }

    /// <summary>RRULE values, of which RFC 5545 expects at most one; UNTIL is in UTC.</summary>
    public ImmutableArray<Recur> RRules { get; init; } = [];

    /// <summary>RDATE values: more onsets, as the clock shows them before the change.</summary>
    public ImmutableArray<LocalDateTime> RDates { get; init; } = [];

    internal void AddLines(ImmutableArray<string>.Builder lines)
    {
        var kind = IsDaylight ? "DAYLIGHT" : "STANDARD";
        lines.AddRange(
            $"BEGIN:{kind}",
            $"DTSTART:{BasicTimes.Write(Start)}",
            $"TZOFFSETFROM:{new UtcOffset(OffsetFrom)}",
            $"TZOFFSETTO:{new UtcOffset(OffsetTo)}");
        if (Name is not null)
        {
            lines.Add($"TZNAME:{TextValue.Escape(Name)}");
        }

        lines.AddRange(RRules.Select(rule => $"RRULE:{rule}"));
        lines.AddRange(RDates.Select(date => $"RDATE:{BasicTimes.Write(date)}"));
        lines.Add($"END:{kind}");
    }

    /// <summary>Whether both describe the same onsets, name and offsets.</summary>
    public bool Equals(Observance? other) =>
        other is not null
        && Start == other.Start && OffsetFrom == other.OffsetFrom && OffsetTo == other.OffsetTo
        && IsDaylight == other.IsDaylight && string.Equals(Name, other.Name, StringComparison.Ordinal)
        && RRules.SequenceEqual(other.RRules) && RDates.SequenceEqual(other.RDates);

    /// <summary>Hash of the first onset and the offsets.</summary>
    public override int GetHashCode() => HashCode.Combine(Start, OffsetFrom, OffsetTo);
}

/// <summary>What a VTIMEZONE says. RFC 5545 section 3.6.5.</summary>
/// <param name="TzId">TZID, the name that times refer to.</param>
/// <param name="Observances">Its parts, in any order; a VTIMEZONE without one has no meaning.</param>
public sealed record EmbeddedTimeZone(string TzId, ImmutableArray<Observance> Observances)
{
    /// <summary>X-LIC-LOCATION: the IANA name its producer took it from; null for none.</summary>
    public string? Location { get; init; }

    /// <summary>Reads a VTIMEZONE component.</summary>
    /// <remarks>
    /// A part without a usable DTSTART, TZOFFSETFROM or TZOFFSETTO is left out, as is a malformed rule or
    /// list of dates: the rest still says more than nothing. Never throws.
    /// </remarks>
    public static EmbeddedTimeZone Read(CalendarComponent component) =>
        EmbeddedTimeZoneReader.Read(component);

    /// <summary>
    /// The unfolded lines from BEGIN:VTIMEZONE to END:VTIMEZONE. RFC 5545 section 3.6.5.
    /// </summary>
    public ImmutableArray<string> ToLines()
    {
        var lines = ImmutableArray.CreateBuilder<string>();
        lines.AddRange("BEGIN:VTIMEZONE", $"TZID:{TextValue.Escape(TzId)}");
        if (Location is not null)
        {
            lines.Add($"X-LIC-LOCATION:{TextValue.Escape(Location)}");
        }

        foreach (var part in Observances)
        {
            part.AddLines(lines);
        }

        lines.Add("END:VTIMEZONE");
        return lines.ToImmutable();
    }

    /// <summary>Whether both have the same name, hint and parts in the same order.</summary>
    public bool Equals(EmbeddedTimeZone? other) =>
        other is not null
        && string.Equals(TzId, other.TzId, StringComparison.Ordinal)
        && string.Equals(Location, other.Location, StringComparison.Ordinal)
        && Observances.SequenceEqual(other.Observances);

    /// <summary>Hash of the name and the number of parts.</summary>
    public override int GetHashCode() => HashCode.Combine(TzId, Observances.Length);
}
