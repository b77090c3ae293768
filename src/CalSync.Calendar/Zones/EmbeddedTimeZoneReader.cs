using System.Collections.Immutable;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;
using NodaTime;

namespace CalSync.Calendar.Zones;

/// <summary>Reads VTIMEZONE components. See <see cref="EmbeddedTimeZone.Read"/>.</summary>
internal static class EmbeddedTimeZoneReader
{
    public static EmbeddedTimeZone Read(CalendarComponent component)
    {
        var zone = new CalendarTimeZone(component);
        var location = component.Text("X-LIC-LOCATION"u8).Value?.Trim();
        return new EmbeddedTimeZone(
            zone.TzId.Value ?? "", [.. zone.Observances.Select(Part).OfType<Observance>()])
        {
            Location = string.IsNullOrEmpty(location) ? null : location,
        };
    }

    private static Observance? Part(ZoneObservance part)
    {
        if (!part.Start.TryGet(out var start) || Wall(start) is not { } wall
            || !part.OffsetFrom.TryGet(out var from) || !part.OffsetTo.TryGet(out var to))
        {
            return null;
        }

        return new Observance(wall, from.Seconds, to.Seconds)
        {
            IsDaylight = part.IsDaylight,
            Name = part.ZoneName,
            RRules =
            [
                .. part.Component.PropertiesNamed("RRULE").Select(property => property.ReadRecur())
                    .Where(reading => reading.State == ReadingState.Read).Select(reading => reading.Value!),
            ],
            RDates =
            [
                .. part.Component.PropertiesNamed("RDATE").SelectMany(Dates).Select(Wall)
                    .Where(wall => wall is not null).Select(wall => wall!.Value),
            ],
        };
    }

    private static IEnumerable<CalendarTime> Dates(CalendarProperty property) =>
        property.ReadTimes().Or(ImmutableArray<CalendarTime>.Empty);

    /// <summary>
    /// What the clock shows, whatever form the value has; null outside the supported years.
    /// </summary>
    private static LocalDateTime? Wall(CalendarTime time)
    {
        var wall = time switch
        {
            CalendarTime.Date date => date.Value.AtMidnight(),
            CalendarTime.Floating floating => floating.Local,
            CalendarTime.Utc utc => utc.Time,
            CalendarTime.Zoned zoned => zoned.Local,
            _ => throw new System.Diagnostics.UnreachableException("Unknown kind of time."),
        };
        return wall.Year is < LocalTimeText.YearMin or > LocalTimeText.YearMax ? null : wall;
    }
}
