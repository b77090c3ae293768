using System.Security.Cryptography;
using System.Text;
using CalSync.Calendar.Document;
using CalSync.Calendar.Recurrence;
using CalSync.Calendar.Values;
using CalSync.Calendar.Zones;
using NodaTime;

namespace CalSync.Calendar.Comparison;

/// <summary>A time as it is compared.</summary>
/// <param name="Value">ISO 8601: a day, a wall time, or an instant in UTC.</param>
/// <param name="Zone">Identity of the zone; empty for days and floating times.</param>
/// <param name="Readable">For a person, on the wall of its zone.</param>
internal readonly record struct Moment(string Value, string Zone, string Readable);

/// <summary>Reads times as instants and zones. RFC 5545 section 3.3.5.</summary>
internal sealed class MomentReader
{
    private readonly StreamZones _zones = new();
    private readonly Dictionary<CalendarZone, string> _identities = [];

    /// <summary>A time that stands on a property.</summary>
    public Moment Of(CalendarTime time, CalendarProperty property) => time switch
    {
        CalendarTime.Date date => OfDay(date.Value),
        CalendarTime.Floating floating => OfWall(floating.Local),
        CalendarTime.Utc utc => new Moment(LocalTimeText.Write(utc.Time) + "Z", CalendarZone.Utc.Id,
            LocalTimeText.Write(utc.Time) + "Z"),
        CalendarTime.Zoned zoned => Zoned(zoned, property) is { } at ? OfInstant(at) : OfUnknownZone(zoned),
        _ => throw new System.Diagnostics.UnreachableException("Unknown kind of time."),
    };

    /// <summary>A time so much later; null when it cannot be told.</summary>
    public Moment? After(CalendarTime time, CalendarDuration duration, CalendarProperty property)
    {
        switch (time)
        {
            case CalendarTime.Date date:
                var days = duration.Days + (duration.Seconds / CivilDays.SecondsPerDay);
                return duration.Seconds % CivilDays.SecondsPerDay == 0
                    && InUtc(date.Value.AtMidnight()) is { } midnight && Math.Abs(days) < int.MaxValue
                    && PeriodEnd.Add(midnight, new CalendarDuration((int)days, 0)) is { } day
                    ? OfDay(day.Local.Date)
                    : null;
            case CalendarTime.Floating floating:
                return InUtc(floating.Local) is { } wall && PeriodEnd.Add(wall, duration) is { } later
                    ? OfWall(later.Local)
                    : null;
            case CalendarTime.Utc utc:
                return InUtc(utc.Time) is { } start && PeriodEnd.Add(start, duration) is { } end
                    ? OfInstant(end)
                    : null;
            case CalendarTime.Zoned zoned:
                return Zoned(zoned, property) is { } from && PeriodEnd.Add(from, duration) is { } to
                    ? OfInstant(to)
                    : null;
            default:
                throw new System.Diagnostics.UnreachableException("Unknown kind of time.");
        }
    }

    private static Moment OfDay(LocalDate day)
    {
        var text = day.ToString("uuuu-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        return new Moment(text, "", text);
    }

    private static Moment OfWall(LocalDateTime local) =>
        new(LocalTimeText.Write(local), "", LocalTimeText.Write(local));

    private static Moment OfUnknownZone(CalendarTime.Zoned zoned)
    {
        var text = $"{LocalTimeText.Write(zoned.Local)}[{zoned.TzId}]";
        return new Moment(text, "", text);
    }

    private static ZonedTime? InUtc(LocalDateTime local) => InZone(local, CalendarZone.Utc);

    private static ZonedTime? InZone(LocalDateTime local, CalendarZone zone) =>
        local.Year is >= LocalTimeText.YearMin and <= LocalTimeText.YearMax
            ? ZonedTime.ResolveGapForwardOverlapEarlier(local, zone)
            : null;

    private ZonedTime? Zoned(CalendarTime.Zoned zoned, CalendarProperty property) =>
        _zones.Find(property, zoned.TzId) is ZoneResolution.Found found
            ? InZone(zoned.Local, found.Zone)
            : null;

    private Moment OfInstant(ZonedTime at)
    {
        var value = Rfc3339.Write(at.Instant, TimeSpan.Zero);
        return new Moment(value, Identity(at.Zone), at.Zone == CalendarZone.Utc ? value : at.ToString());
    }

    /// <summary>
    /// The name of an IANA zone; the hash of all that one says that a calendar brings along.
    /// </summary>
    private string Identity(CalendarZone zone)
    {
        if (zone.Embedded is null)
            return zone.Id;
        if (!_identities.TryGetValue(zone, out var identity))
        {
            var content = string.Join('\n', zone.Embedded.ToLines());
            identity = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(content)));
            _identities.Add(zone, identity);
        }

        return identity;
    }
}
