using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Calendar.Zones;

/// <summary>The zones that the TZIDs of one stream mean, each found once.</summary>
internal sealed class StreamZones
{
    private readonly Dictionary<(int Calendar, string TzId), ZoneResolution> _found = [];

    /// <summary>What a TZID means on a property.</summary>
    /// <param name="property">Where it stands; the VTIMEZONEs of the same calendar object count.</param>
    /// <param name="tzId">The name.</param>
    public ZoneResolution Find(CalendarProperty property, string tzId)
    {
        var calendar = property.Component;
        while (calendar?.Parent is { } parent)
        {
            calendar = parent;
        }

        var key = (calendar?.Index ?? -1, tzId);
        if (!_found.TryGetValue(key, out var resolution))
        {
            resolution = CalendarZone.Resolve(tzId, calendar is null ? null : Embedded(calendar.Value, tzId));
            _found.Add(key, resolution);
        }

        return resolution;
    }

    /// <summary>
    /// The VTIMEZONE of this name; its TZID is a text, which may be escaped, a parameter is not.
    /// </summary>
    private static EmbeddedTimeZone? Embedded(CalendarComponent calendar, string tzId)
    {
        foreach (var component in calendar.ComponentsNamed("VTIMEZONE"))
        {
            if (component.Property("TZID"u8) is { } name
                && (name.ReadText().Value == tzId || name.RawValue == tzId))
            {
                return EmbeddedTimeZone.Read(component);
            }
        }

        return null;
    }
}
