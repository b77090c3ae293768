using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Calendar.Zones;

/// <summary>The zones that the TZIDs of one stream mean, each found once.</summary>
public sealed class StreamZones
{
    /// <summary>
    /// VTIMEZONEs of one stream that are followed by their own rules, which takes milliseconds for a hostile
    /// one. The TZIDs of any more mean nothing.
    /// </summary>
    public const int EmbeddedCountMax = 30;

    private readonly Dictionary<(int Calendar, string TzId), ZoneResolution> _found = [];
    private readonly Dictionary<int, Dictionary<string, CalendarComponent>> _components = [];
    private CalendarComponent[]? _roots;
    private int _embeddedCount;

    /// <summary>What a TZID means on a property.</summary>
    /// <param name="property">Where it stands; the VTIMEZONEs of the same calendar object count.</param>
    /// <param name="tzId">The name.</param>
    public ZoneResolution Find(CalendarProperty property, string tzId)
    {
        CalendarComponent? calendar = property.Component is { } component ? Root(component) : null;
        var key = (calendar?.Index ?? -1, tzId);
        if (!_found.TryGetValue(key, out var resolution))
        {
            resolution = CalendarZone.Resolve(tzId);
            if (resolution is ZoneResolution.Unknown && calendar is not null)
            {
                resolution = CalendarZone.Resolve(tzId, Embedded(calendar.Value, tzId));
            }

            _found.Add(key, resolution);
        }

        return resolution;
    }

    /// <summary>The calendar object around a component, found without climbing a hostile depth.</summary>
    private CalendarComponent Root(CalendarComponent component)
    {
        _roots ??= [.. component.Document.Components];
        var (low, high) = (0, _roots.Length - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = _roots[middle].Index <= component.Index ? (middle, high) : (low, middle - 1);
        }

        return _roots[low];
    }

    private EmbeddedTimeZone? Embedded(CalendarComponent calendar, string tzId)
    {
        if (!_components.TryGetValue(calendar.Index, out var named))
        {
            _components.Add(calendar.Index, named = Named(calendar));
        }

        if (!named.TryGetValue(tzId, out var component) || _embeddedCount == EmbeddedCountMax)
        {
            return null;
        }

        _embeddedCount++;
        return EmbeddedTimeZone.Read(component);
    }

    /// <summary>
    /// The VTIMEZONEs by name, the first of each; TZID is a text, which may be escaped, a parameter is not.
    /// </summary>
    private static Dictionary<string, CalendarComponent> Named(CalendarComponent calendar)
    {
        var named = new Dictionary<string, CalendarComponent>(StringComparer.Ordinal);
        foreach (var component in calendar.ComponentsNamed("VTIMEZONE"))
        {
            if (component.Property("TZID"u8) is { } name)
            {
                named.TryAdd(name.ReadText().Or(name.RawValue), component);
                named.TryAdd(name.RawValue, component);
            }
        }

        return named;
    }
}
