using System.Globalization;
using System.Text.Json.Nodes;
using CalSync.Calendar;
using NodaTime;
using NodaTime.Text;

namespace CalSync.Sandbox.Google;

/// <summary>Instances of recurring events: found by id, counted out, checked.</summary>
/// <remarks>
/// An instance is made up from its master until a write gives it content of its own; then it is an exception
/// with a place in the calendar. Cancelling one never touches the master's rules.
/// </remarks>
internal static class Instances
{
    /// <summary>An endless series is shown this far when a listing names no end.</summary>
    private const int OpenEndedCountMax = 730;

    private static readonly InstantPattern IdTimePattern =
        InstantPattern.CreateWithInvariantCulture("yyyyMMdd'T'HHmmss'Z'");

    private static readonly LocalDatePattern IdDatePattern =
        LocalDatePattern.CreateWithInvariantCulture("yyyyMMdd");

    /// <summary>
    /// The event with this id, or the instance of a series the id names; null when there is none.
    /// </summary>
    public static EventRecord? Find(CalendarState calendar, string id)
    {
        if (calendar.Find(id) is { } slot)
            return slot.Current;
        var cut = id.LastIndexOf('_');
        if (cut <= 0 || calendar.Find(id[..cut])?.Current is not { Recurs: true, IsCancelled: false } master)
            return null;
        var suffix = id[(cut + 1)..];
        if (EventTime.IsDate(master.Start))
        {
            return IdDatePattern.Parse(suffix).TryGetValue(default, out var date)
                && AllDayStarts(master, date).FirstOrDefault(LocalDate.MinIsoValue) == date
                    ? AllDay(master, date)
                    : null;
        }

        return IdTimePattern.Parse(suffix).TryGetValue(default, out var instant)
            && TimedStarts(master, instant).FirstOrDefault(Instant.MinValue) == instant
                ? Timed(master, instant)
                : null;
    }

    /// <summary>The instances in a range that have no content of their own, in order.</summary>
    public static IEnumerable<EventRecord> Expand(
        CalendarState calendar, EventRecord master, Instant? timeMin, Instant? timeMax)
    {
        var count = 0;
        foreach (var instance in All(calendar, master, timeMin))
        {
            if (timeMax is { } end && EventTime.InstantOf(instance.Start, calendar.TimeZone) >= end)
                yield break;
            if (timeMax is null && ++count > OpenEndedCountMax)
                yield break;
            if (timeMin is { } begin && EventTime.InstantOf(instance.End, calendar.TimeZone) <= begin)
                continue;
            if (calendar.Find(instance.Id) is null)
                yield return instance;
        }
    }

    /// <summary>Whether any instance lies in the range.</summary>
    public static bool Touches(
        CalendarState calendar, EventRecord master, Instant? timeMin, Instant? timeMax) =>
        Expand(calendar, master, timeMin, timeMax).Any();

    /// <summary>
    /// Refuses recurrence lines Google does not take; <paramref name="fields"/> are in kept form.
    /// </summary>
    public static GoogleError? CheckRecurrence(JsonObject fields) =>
        fields["recurrence"] is null || Read(fields) is RecurrenceSetParse.Parsed
            ? null
            : GoogleError.Invalid("Invalid recurrence rule.");

    private static IEnumerable<EventRecord> All(CalendarState calendar, EventRecord master, Instant? timeMin)
    {
        if (EventTime.IsDate(master.Start))
        {
            var first = timeMin?.InZone(EventTime.Zone(calendar.TimeZone)!)
                .Date.PlusDays(-DayCount(master) - 1);
            return AllDayStarts(master, first).Select(date => AllDay(master, date));
        }

        return TimedStarts(master, timeMin - Length(master)).Select(instant => Timed(master, instant));
    }

    private static IEnumerable<Instant> TimedStarts(EventRecord master, Instant? first) =>
        Steps(master, first?.ToDateTimeOffset())
            .OfType<OccurrenceStep.Timed>()
            .Select(step => Instant.FromDateTimeOffset(step.Start.Instant));

    private static IEnumerable<LocalDate> AllDayStarts(EventRecord master, LocalDate? first) =>
        Steps(master, first?.AtMidnight().InUtc().ToDateTimeOffset())
            .OfType<OccurrenceStep.AllDay>()
            .Select(step => step.Date);

    private static IEnumerable<OccurrenceStep> Steps(EventRecord master, DateTimeOffset? first) =>
        Read(master.Fields) is RecurrenceSetParse.Parsed parsed ? parsed.Set.Occurrences(first) : [];

    private static RecurrenceSetParse Read(JsonObject fields)
    {
        var lines = fields["recurrence"]!.AsArray().Select(line => line!.GetValue<string>());
        return RecurrenceSet.Parse(lines, Start(fields["start"]!.AsObject()));
    }

    private static RecurrenceStart Start(JsonObject start)
    {
        if (EventTime.IsDate(start))
            return new RecurrenceStart.AllDay(EventTime.DateOf(start));
        var found = (ZoneResolution.Found)CalendarZone.Resolve(start["timeZone"]!.GetValue<string>());
        var instant = EventTime.InstantOf(start, "UTC").ToDateTimeOffset();
        return new RecurrenceStart.Timed(ZonedTime.FromInstant(instant, found.Zone).Local, found.Zone);
    }

    private static EventRecord Timed(EventRecord master, Instant start)
    {
        var zone = master.Start["timeZone"]!.GetValue<string>();
        var endZone = master.End["timeZone"]!.GetValue<string>();
        var suffix = start.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        return Instance(
            master, suffix, EventTime.Of(start, zone), EventTime.Of(start + Length(master), endZone));
    }

    private static EventRecord AllDay(EventRecord master, LocalDate date) => Instance(
        master, IdDatePattern.Format(date), EventTime.Of(date),
        EventTime.Of(date.PlusDays(DayCount(master))));

    private static EventRecord Instance(EventRecord master, string suffix, JsonObject start, JsonObject end)
    {
        var fields = master.Fields.DeepClone().AsObject();
        fields.Remove("recurrence");
        fields["start"] = start;
        fields["end"] = end;
        return master with
        {
            Id = $"{master.Id}_{suffix}",
            Fields = fields,
            RecurringEventId = master.Id,
            OriginalStart = start.DeepClone().AsObject(),
        };
    }

    private static Duration Length(EventRecord master) =>
        EventTime.InstantOf(master.End, "UTC") - EventTime.InstantOf(master.Start, "UTC");

    private static int DayCount(EventRecord master) =>
        Period.DaysBetween(EventTime.DateOf(master.Start), EventTime.DateOf(master.End));
}
