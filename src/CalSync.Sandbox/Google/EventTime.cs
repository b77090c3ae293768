using System.Globalization;
using System.Text.Json.Nodes;
using NodaTime;
using NodaTime.Text;

namespace CalSync.Sandbox.Google;

/// <summary>
/// The <c>start</c>, <c>end</c> or <c>originalStartTime</c> of an event: a date, or an instant with a zone.
/// </summary>
/// <remarks>
/// Kept as <c>{date}</c> or <c>{dateTime, timeZone}</c> with dateTime in UTC to the second, so that two
/// spellings of one instant compare equal; shown in the calendar's zone (measured: Google re-renders in the
/// calendar's zone, not in the event's).
/// </remarks>
internal static class EventTime
{
    private static readonly LocalDatePattern DatePattern = LocalDatePattern.Iso;
    private static readonly OffsetDateTimePattern InstantPattern = OffsetDateTimePattern.Rfc3339;
    private static readonly LocalDateTimePattern LocalPattern = LocalDateTimePattern.ExtendedIso;

    public static DateTimeZone? Zone(string id) => DateTimeZoneProviders.Tzdb.GetZoneOrNull(id);

    public static bool IsDate(JsonObject time) => time.ContainsKey("date");

    /// <summary>
    /// Reads what a client sent into the kept form; an error in Google's words when it cannot.
    /// </summary>
    /// <remarks>
    /// <c>which</c>: "start" or "end", for the message.
    /// </remarks>
    public static GoogleError? Normalise(
        JsonObject sent, string which, string calendarZone, bool recurs, out JsonObject normal)
    {
        normal = [];
        var date = Text(sent, "date");
        var dateTime = Text(sent, "dateTime");
        var zoneId = Text(sent, "timeZone");
        if (zoneId is not null && Zone(zoneId) is null)
            return GoogleError.Invalid($"Invalid time zone definition for {which} time.");
        if (date is not null && dateTime is not null)
            return GoogleError.Invalid($"Invalid {which} time.");
        if (date is not null)
        {
            normal["date"] = date;
            return DatePattern.Parse(date).TryGetValue(default, out var day) && IsUsual(day.Year)
                ? null
                : GoogleError.Invalid($"Invalid {which} time.");
        }

        if (dateTime is null)
            return GoogleError.Required($"Missing {which} time.");
        if (recurs && zoneId is null)
            return GoogleError.Required($"Missing time zone definition for {which} time.");
        if (ParseInstant(dateTime) is not { } instant)
        {
            if (!LocalPattern.Parse(dateTime).TryGetValue(default, out var local))
                return GoogleError.Invalid($"Invalid {which} time.");
            if (zoneId is null)
                return GoogleError.Required($"Missing time zone definition for {which} time.");
            instant = Zone(zoneId)!.AtLeniently(local).ToInstant();
        }

        if (!IsUsual(instant.InUtc().Year))
            return GoogleError.Invalid($"Invalid {which} time.");
        normal["dateTime"] = Kept(instant);
        normal["timeZone"] = zoneId ?? calendarZone;
        return null;
    }

    /// <summary>The kept form of an instant in a zone.</summary>
    public static JsonObject Of(Instant instant, string zone) =>
        new() { ["dateTime"] = Kept(instant), ["timeZone"] = zone };

    /// <summary>The kept form of a date.</summary>
    public static JsonObject Of(LocalDate date) => new() { ["date"] = DatePattern.Format(date) };

    /// <summary>When it is; a date counts from midnight in the calendar's zone.</summary>
    public static Instant InstantOf(JsonObject kept, string calendarZone)
    {
        if (Text(kept, "dateTime") is { } dateTime)
            return ParseInstant(dateTime)!.Value;
        var date = DatePattern.Parse(Text(kept, "date")!).Value;
        return Zone(calendarZone)!.AtStartOfDay(date).ToInstant();
    }

    public static LocalDate DateOf(JsonObject kept) => DatePattern.Parse(Text(kept, "date")!).Value;

    /// <summary>
    /// As Google shows it: the instant at the calendar's offset, the event's own zone beside it.
    /// </summary>
    public static JsonObject Show(JsonObject kept, string shownZone)
    {
        var shown = kept.DeepClone().AsObject();
        if (Text(kept, "dateTime") is { } dateTime)
        {
            shown["dateTime"] = InstantPattern.Format(
                ParseInstant(dateTime)!.Value.InZone(Zone(shownZone)!).ToOffsetDateTime());
        }

        return shown;
    }

    /// <summary>A query parameter's instant: RFC 3339, the offset is mandatory.</summary>
    public static Instant? ParseInstant(string text) =>
        InstantPattern.Parse(text.Replace('t', 'T').Replace('z', 'Z')).TryGetValue(default, out var value)
            ? value.ToInstant()
            : null;

    // Far from the ends of what can be counted, so that no zone or rule runs over them.
    private static bool IsUsual(int year) => year is >= 1000 and <= 9000;

    private static string Kept(Instant instant) =>
        Instant.FromUnixTimeSeconds(instant.ToUnixTimeSeconds())
            .ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string? Text(JsonObject from, string name) => from[name]?.GetValue<string>();
}
