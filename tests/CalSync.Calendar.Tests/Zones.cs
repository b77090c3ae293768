
namespace CalSync.Calendar.Tests;

/// <summary>Zones that tests know to exist.</summary>
internal static class Zones
{
    public static CalendarZone Of(string name) =>
        CalendarZone.Resolve(name) is ZoneResolution.Found found
            ? found.Zone
            : throw new ArgumentException($"No zone is called {name}.", nameof(name));
}
