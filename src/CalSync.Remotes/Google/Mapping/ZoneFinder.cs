using System.Diagnostics;
using CalSync.Calendar;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;
using CalSync.Calendar.Zones;
using NodaTime;

namespace CalSync.Remotes.Google.Mapping;

/// <summary>Brings iCalendar times into Google's terms: an instant and the name of an IANA zone.</summary>
/// <param name="floating">The zone taken for times that have none: the calendar's own.</param>
/// <param name="notes">Says where a zone had to be chosen.</param>
internal sealed class ZoneFinder(CalendarZone floating, MappingNotes notes)
{
    private const int SampleCount = 36;
    private readonly StreamZones _zones = new();
    private readonly Dictionary<CalendarZone, CalendarZone?> _fits = [];

    /// <summary>The time; null when its zone is unknown or it is beyond the supported years.</summary>
    /// <param name="time">What a property says.</param>
    /// <param name="property">That property.</param>
    /// <param name="withoutZone">The zone for a floating time; null takes the calendar's.</param>
    public GoogleTime? Of(CalendarTime time, CalendarProperty property, CalendarZone? withoutZone = null)
    {
        switch (time)
        {
            case CalendarTime.Date date:
                return GoogleTime.IsSupported(date.Value.AtMidnight())
                    ? new GoogleTime.AllDay(date.Value)
                    : null;
            case CalendarTime.Utc utc:
                return OnWall(utc.Time, CalendarZone.Utc);
            case CalendarTime.Floating wall:
                var assumed = withoutZone ?? floating;
                notes.Add(
                    property.Name,
                    $"Google has no floating time; the calendar's zone {assumed.Id} was assumed.");
                return OnWall(wall.Local, assumed);
            case CalendarTime.Zoned zoned:
                return _zones.Find(property, zoned.TzId) is ZoneResolution.Found found
                    ? InZone(zoned.Local, found.Zone, property)
                    : null;
            default:
                throw new UnreachableException("Unknown kind of time.");
        }
    }

    private GoogleTime.Timed? InZone(LocalDateTime local, CalendarZone zone, CalendarProperty property)
    {
        if (OnWall(local, zone) is not { } time || zone.Embedded is null)
            return OnWall(local, zone);
        if (!_fits.TryGetValue(zone, out var fit))
            _fits.Add(zone, fit = Fit(time.At));
        if (fit is null)
            return null;
        notes.Add(
            property.Name,
            $"Google knows no zone of a calendar's own; {fit.Id}, which shows the same time, was taken.");
        return new GoogleTime.Timed(time.At.InZone(fit));
    }

    /// <summary>The first IANA zone with the same clock for three years from a time.</summary>
    private CalendarZone? Fit(ZonedTime from)
    {
        if (from.Instant.Year is < 10 or > 9990)
            return null;
        var samples = Enumerable.Range(0, SampleCount)
            .Select(month => from.Instant.AddDays(month * 30.5)).ToArray();
        var walls = Array.ConvertAll(samples, at => ZonedTime.FromInstant(at, from.Zone).Offset);
        return DateTimeZoneProviders.Tzdb.Ids.Order(StringComparer.Ordinal)
            .OrderBy(id => !id.Contains('/', StringComparison.Ordinal)
                || id.StartsWith("Etc/", StringComparison.Ordinal))
            .Select(CalendarZone.Resolve)
            .OfType<ZoneResolution.Found>()
            .Select(found => found.Zone)
            .Prepend(floating)
            .FirstOrDefault(zone => samples.Zip(walls)
                .All(pair => ZonedTime.FromInstant(pair.First, zone).Offset == pair.Second));
    }

    private static GoogleTime.Timed? OnWall(LocalDateTime local, CalendarZone zone) =>
        GoogleTime.IsSupported(local) ? new GoogleTime.Timed(GoogleTime.OnWall(local, zone)) : null;
}

/// <summary>Why something could not be taken over, by property; the first reason stays.</summary>
internal sealed class MappingNotes
{
    private readonly Dictionary<string, string> _reasons = new(StringComparer.Ordinal);

    /// <summary>Notes a reason.</summary>
    /// <param name="property">Upper case.</param>
    /// <param name="why">One sentence for a person.</param>
    public void Add(string property, string why) => _reasons.TryAdd(property, why);

    /// <summary>The reason noted for a property; null for none.</summary>
    public string? Of(string property) => _reasons.GetValueOrDefault(property);
}
