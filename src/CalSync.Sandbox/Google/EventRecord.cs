using System.Text.Json.Nodes;

namespace CalSync.Sandbox.Google;

/// <summary>One version of an event; never changed after it was made.</summary>
/// <remarks>
/// <c>Fields</c>: What a client can write, in kept form; must not be modified once it is here.
/// <c>UpdatedMicros</c>: Microseconds since 1970; the ETag is twice this (measured on 383 recordings).
/// </remarks>
internal sealed record EventRecord(
    string Id,
    string ICalUid,
    JsonObject Fields,
    string Status,
    DateTimeOffset Created,
    long UpdatedMicros,
    int Sequence,
    string CreatorEmail,
    string OrganizerEmail)
{
    public string? OrganizerName { get; init; }

    public string? RecurringEventId { get; init; }

    public JsonObject? OriginalStart { get; init; }

    /// <summary>
    /// True for the copy in an attendee's calendar; the organizer's record is the truth for shared fields.
    /// </summary>
    public bool IsCopy { get; init; }

    /// <summary>For a copy: the calendar that holds the organizer's record.</summary>
    public string? SourceCalendarId { get; init; }

    /// <summary>
    /// Set when a person deleted it in the user interface and undeleting answers 403, as was reported.
    /// </summary>
    public bool IsUndeleteForbidden { get; init; }

    public string ETag => $"\"{UpdatedMicros * 2}\"";

    public bool IsCancelled => Status == "cancelled";

    public bool Recurs => Fields.ContainsKey("recurrence");

    public JsonObject Start => Fields["start"]!.AsObject();

    public JsonObject End => Fields["end"]!.AsObject();

    public IEnumerable<JsonObject> Attendees =>
        Fields["attendees"] is JsonArray array ? array.Select(entry => entry!.AsObject()) : [];

    public IEnumerable<string> AttendeeEmails =>
        Attendees.Select(attendee => attendee["email"]!.GetValue<string>());
}

/// <summary>The place of one event id in one calendar: its current version and the one before.</summary>
internal sealed class EventSlot(EventRecord record, int order)
{
    private EventRecord? _shownWhileStale;
    private DateTimeOffset _staleUntil;

    public EventRecord Current { get; private set; } = record;

    public EventRecord? Previous { get; private set; }

    /// <summary>Position in the calendar's order of creation.</summary>
    public int Order { get; } = order;

    public long Change { get; set; }

    public void Replace(EventRecord record)
    {
        Previous = Current;
        Current = record;
    }

    /// <summary>
    /// Reads until then see the version before the latest (none at all for a fresh insert).
    /// </summary>
    public void HideLatestUntil(DateTimeOffset until)
    {
        _shownWhileStale = Previous;
        _staleUntil = until;
    }

    /// <summary>What a read sees now; null while a fresh insert is not visible yet.</summary>
    public EventRecord? SeenAt(DateTimeOffset now) => now < _staleUntil ? _shownWhileStale : Current;

    public bool IsStaleAt(DateTimeOffset now) => now < _staleUntil;
}
