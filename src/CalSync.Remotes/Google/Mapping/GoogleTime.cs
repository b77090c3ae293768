using System.Diagnostics;
using System.Text.Json.Nodes;
using CalSync.Calendar;
using CalSync.Calendar.Values;
using NodaTime;
using NodaTime.Text;

namespace CalSync.Remotes.Google.Mapping;

/// <summary>
/// The <c>start</c>, <c>end</c> or <c>originalStartTime</c> of an event: a day, or an instant with a zone.
/// </summary>
/// <remarks>
/// Google has no floating time, shows an instant on the wall of the calendar's zone, and calls zones by names
/// that change (Asia/Calcutta): only instant and zone count, never the text.
/// </remarks>
internal abstract record GoogleTime
{
    private const int YearMin = 2;
    private const int YearMax = 9998;

    private GoogleTime()
    {
    }

    /// <summary>A day.</summary>
    public sealed record AllDay(LocalDate Day) : GoogleTime;

    /// <summary>An instant and the zone it is seen in; whole seconds.</summary>
    public sealed record Timed(ZonedTime At) : GoogleTime;

    /// <summary>Equal exactly for equal moments; what ends the id of an instance (R13).</summary>
    public string Key => this switch
    {
        AllDay day => new CalendarTime.Date(day.Day).ToString(),
        Timed timed => CalendarTime.Utc.From(timed.At.Instant).ToString(),
        _ => throw new UnreachableException("Unknown kind of time."),
    };

    /// <summary>The form that is sent.</summary>
    public JsonObject ToJson() => this switch
    {
        AllDay day => new JsonObject { ["date"] = LocalDatePattern.Iso.Format(day.Day) },
        Timed timed => new JsonObject
        {
            ["dateTime"] = timed.At.ToRfc3339(),
            ["timeZone"] = timed.At.Zone.Id,
        },
        _ => throw new UnreachableException("Unknown kind of time."),
    };

    /// <summary>The same as iCalendar says it.</summary>
    /// <param name="isSeries">
    /// True where the zone's wall is what recurs. Elsewhere the second pass of a repeated hour, which a time
    /// with TZID cannot name, is written in UTC.
    /// </param>
    public CalendarTime ToCalendar(bool isSeries) => this switch
    {
        AllDay day => new CalendarTime.Date(day.Day),
        Timed { At.Zone: var zone } timed when zone == CalendarZone.Utc => new CalendarTime.Utc(
            timed.At.Local),
        Timed { At.Fold: 1 } timed when !isSeries => CalendarTime.Utc.From(timed.At.Instant),
        Timed timed => new CalendarTime.Zoned(timed.At.Local, timed.At.Zone.Id),
        _ => throw new UnreachableException("Unknown kind of time."),
    };

    /// <summary>The same moment on the wall of another time; a day stays a day.</summary>
    public GoogleTime SeenLike(GoogleTime other) =>
        (this, other) is (Timed mine, Timed theirs) ? new Timed(mine.At.InZone(theirs.At.Zone)) : this;

    /// <summary>So much later; null beyond the supported years.</summary>
    public GoogleTime? Plus(CalendarDuration length)
    {
        const int DaysMax = 4_000_000;
        const long SecondsMax = DaysMax * 86_400L;
        if (Math.Abs((long)length.Days) > DaysMax || Math.Abs(length.Seconds) > SecondsMax)
            return null;
        switch (this)
        {
            case AllDay day:
                var days = length.Days + (int)(length.Seconds / 86_400);
                return InRange(day.Day.AtMidnight(), days, 0) ? new AllDay(day.Day.PlusDays(days)) : null;
            case Timed timed:
                return InRange(timed.At.Local, length.Days, length.Seconds)
                    ? new Timed(ZonedTime.FromInstant(
                        OnWall(timed.At.Local.PlusDays(length.Days), timed.At.Zone).Instant
                            .AddSeconds(length.Seconds),
                        timed.At.Zone))
                    : null;
            default:
                throw new UnreachableException("Unknown kind of time.");
        }
    }

    /// <summary>How much later another time is; null when one is a day and the other is not.</summary>
    public CalendarDuration? Until(GoogleTime end) => (this, end) switch
    {
        (AllDay from, AllDay to) => new CalendarDuration(Period.DaysBetween(from.Day, to.Day), 0),
        (Timed from, Timed to) => new CalendarDuration(
            0, (long)(to.At.Instant - from.At.Instant).TotalSeconds),
        _ => null,
    };

    /// <summary>A wall time as RFC 5545 section 3.3.5 reads it: later by a gap, the first of two.</summary>
    public static ZonedTime OnWall(LocalDateTime local, CalendarZone zone) =>
        ZonedTime.Resolve(local, zone) switch
        {
            WallTimeResolution.Exact exact => exact.Time,
            WallTimeResolution.Gap gap => gap.ShiftedForward,
            WallTimeResolution.Overlap overlap => overlap.Earlier,
            _ => throw new UnreachableException("Unknown wall time resolution."),
        };

    /// <summary>Whether a wall time can be computed with.</summary>
    public static bool IsSupported(LocalDateTime local) => local.Year is >= YearMin and <= YearMax;

    /// <summary>Reads a time; null when it is absent, or after noting what is wrong with it.</summary>
    /// <param name="owner">The event.</param>
    /// <param name="name">Which of its times.</param>
    /// <param name="listZone">The zone of the listing, for a time that names none; null for UTC.</param>
    public static GoogleTime? Read(Fields owner, string name, CalendarZone? listZone)
    {
        if (owner.Object(name) is not { } time)
            return null;
        var (date, dateTime, zoneName) = (time.Text("date"), time.Text("dateTime"), time.Text("timeZone"));
        if (date is not null)
        {
            if (LocalDatePattern.Iso.Parse(date).TryGetValue(default, out var day)
                && IsSupported(day.AtMidnight()))
            {
                return new AllDay(day);
            }

            time.Fault("date", "is not a date");
            return null;
        }

        var zone = listZone ?? CalendarZone.Utc;
        if (zoneName is not null)
        {
            if (CalendarZone.Resolve(zoneName) is not ZoneResolution.Found found)
            {
                time.Fault("timeZone", "is not a time zone");
                return null;
            }

            zone = found.Zone;
        }

        if (dateTime is not null && Instant(dateTime, zone) is { } at)
            return new Timed(at);
        time.Fault("dateTime", dateTime is null ? "is missing" : "is not a time with its offset");
        return null;
    }

    private static ZonedTime? Instant(string text, CalendarZone zone)
    {
        if (Rfc3339.TryParse(text, out var instant))
        {
            var whole = instant.AddTicks(-(instant.Ticks % TimeSpan.TicksPerSecond));
            return whole.UtcDateTime.Year is > YearMin and < YearMax
                ? ZonedTime.FromInstant(whole, zone)
                : null;
        }

        return LocalDateTimePattern.CreateWithInvariantCulture("uuuu-MM-dd'T'HH:mm:ss").Parse(text)
            .TryGetValue(default, out var local) && IsSupported(local)
            ? OnWall(local, zone)
            : null;
    }

    private static bool InRange(LocalDateTime from, int days, long seconds)
    {
        var years = (days + (seconds / 86_400)) / 365;
        return from.Year + years is > YearMin + 2 and < YearMax - 2;
    }
}
