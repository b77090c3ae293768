using CalSync.Sandbox.Google;

namespace CalSync.Sandbox.Control;

/// <summary>Shows what is really stored.</summary>
internal static class GroundTruth
{
    /// <remarks>
    /// <c>calendarId</c>: Only this calendar; null shows all.
    /// </remarks>
    public static SandboxTruth Show(GoogleModel model, string? calendarId) => new(
        [
            .. model.AllCalendars
                .Where(calendar => calendarId is null || calendar.Id == calendarId)
                .Select(Show),
        ]);

    private static TruthCalendar Show(CalendarState calendar) => new(
        calendar.Id, calendar.Owner.Email, calendar.Summary, calendar.TimeZone, calendar.Deleted,
        [.. calendar.Slots.Select(slot => Show(calendar, slot.Current))]);

    private static TruthEvent Show(CalendarState calendar, EventRecord record) => new(
        record.Id,
        record.ICalUid,
        record.Status,
        record.Fields["summary"]?.GetValue<string>(),
        EventTime.InstantOf(record.Start, calendar.TimeZone).ToDateTimeOffset(),
        EventTime.InstantOf(record.End, calendar.TimeZone).ToDateTimeOffset(),
        record.Sequence,
        record.ETag,
        record.IsCopy,
        record.Attendees.ToDictionary(
            guest => guest["email"]!.GetValue<string>(),
            guest => guest["responseStatus"]!.GetValue<string>(),
            StringComparer.OrdinalIgnoreCase),
        EventView.Show(calendar, record, calendar.Owner));
}
