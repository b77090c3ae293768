using System.Globalization;
using System.Text.Json.Nodes;

namespace CalSync.Sandbox.Google;

/// <summary>Shows an event as Google's JSON to one account looking at one calendar.</summary>
internal static class EventView
{
    private static readonly string[] CopiedLast =
    [
        "anyoneCanAddSelf", "guestsCanInviteOthers", "guestsCanModify", "guestsCanSeeOtherGuests",
        "reminders", "source", "attachments", "eventType",
    ];

    /// <summary>The whole event, or what a reader without access to its details may know.</summary>
    /// <remarks>
    /// <c>maxAttendees</c>: When more attend, only the viewer's own entry is shown (attendeesOmitted).
    /// </remarks>
    public static JsonObject Show(
        CalendarState calendar, EventRecord record, AccountState viewer,
        int? maxAttendees = null, string? timeZone = null)
    {
        var fields = record.Fields;
        var zone = timeZone ?? calendar.TimeZone;
        var shown = new JsonObject
        {
            ["kind"] = "calendar#event",
            ["etag"] = record.ETag,
            ["id"] = record.Id,
            ["status"] = record.Status,
        };
        if (IsHidden(calendar, record, viewer))
        {
            shown["updated"] = Updated(record);
            shown["start"] = EventTime.Show(record.Start, zone);
            shown["end"] = EventTime.Show(record.End, zone);
            shown["visibility"] = "private";
            return shown;
        }

        shown["htmlLink"] =
            "https://calendar.sandbox.test/event?eid=" + Ids.ToBase32Hex(record.Id + " " + calendar.Id);
        shown["created"] = record.Created.ToString(
            "yyyy-MM-dd'T'HH:mm:ss'.000Z'", CultureInfo.InvariantCulture);
        shown["updated"] = Updated(record);
        Copy(fields, shown, "summary", "description", "location", "colorId");
        shown["creator"] = Person(record.CreatorEmail, null, calendar);
        shown["organizer"] = Person(record.OrganizerEmail, record.OrganizerName, calendar);
        shown["start"] = EventTime.Show(record.Start, zone);
        shown["end"] = EventTime.Show(record.End, zone);
        Copy(fields, shown, "recurrence");
        if (record.RecurringEventId is not null)
        {
            shown["recurringEventId"] = record.RecurringEventId;
            shown["originalStartTime"] = EventTime.Show(record.OriginalStart!, zone);
        }

        Copy(fields, shown, "transparency", "visibility");
        shown["iCalUID"] = record.ICalUid;
        shown["sequence"] = record.Sequence;
        ShowAttendees(calendar, record, shown, maxAttendees);
        Copy(fields, shown, "extendedProperties", "conferenceData");
        if (fields["conferenceData"]?["entryPoints"]?[0]?["uri"] is { } room)
            shown["hangoutLink"] = room.DeepClone();
        Copy(fields, shown, CopiedLast);
        return shown;
    }

    /// <summary>
    /// A deletion as incremental listings show it; a cancelled exception keeps its place in the series.
    /// </summary>
    public static JsonObject Tombstone(EventRecord record, string zone)
    {
        var shown = new JsonObject
        {
            ["kind"] = "calendar#event",
            ["etag"] = record.ETag,
            ["id"] = record.Id,
            ["status"] = "cancelled",
        };
        if (record.RecurringEventId is not null)
        {
            shown["recurringEventId"] = record.RecurringEventId;
            shown["originalStartTime"] = EventTime.Show(record.OriginalStart!, zone);
        }

        return shown;
    }

    /// <summary>Microseconds since 1970 as RFC 3339 with milliseconds.</summary>
    public static string Moment(long micros) => DateTimeOffset.UnixEpoch
        .AddTicks(micros * TimeSpan.TicksPerMicrosecond)
        .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static string Updated(EventRecord record) => Moment(record.UpdatedMicros);

    private static bool IsHidden(CalendarState calendar, EventRecord record, AccountState viewer) =>
        calendar.RoleOf(viewer) switch
        {
            "freeBusyReader" => true,
            "reader" => record.Fields["visibility"]?.GetValue<string>() is "private" or "confidential",
            _ => false,
        };

    private static void Copy(JsonObject from, JsonObject to, params string[] names)
    {
        foreach (var name in names)
        {
            if (from[name] is { } value)
                to[name] = value.DeepClone();
        }
    }

    private static JsonObject Person(string email, string? name, CalendarState calendar)
    {
        var person = new JsonObject { ["email"] = email };
        if (name is not null)
            person["displayName"] = name;
        if (IsSelf(email, calendar))
            person["self"] = true;
        return person;
    }

    // "self" is about the calendar the copy is in, not about who looks: a secondary calendar is its own
    // person.
    private static bool IsSelf(string email, CalendarState calendar) =>
        string.Equals(email, calendar.Id, StringComparison.OrdinalIgnoreCase);

    private static void ShowAttendees(CalendarState calendar, EventRecord record, JsonObject shown, int? max)
    {
        if (record.Fields["attendees"] is not JsonArray stored)
            return;
        var attendees = new JsonArray();
        foreach (var entry in stored)
        {
            var attendee = entry!.DeepClone().AsObject();
            var email = attendee["email"]!.GetValue<string>();
            if (string.Equals(email, record.OrganizerEmail, StringComparison.OrdinalIgnoreCase))
                attendee["organizer"] = true;
            if (IsSelf(email, calendar))
                attendee["self"] = true;
            if (max is null || stored.Count <= max || attendee.ContainsKey("self"))
                attendees.Add(attendee);
        }

        shown["attendees"] = attendees;
        if (max is not null && stored.Count > max)
            shown["attendeesOmitted"] = true;
    }
}
