using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using CalSync.Calendar;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.Google;

/// <summary>
/// Writes the bodies of insert and patch. Never writes <c>sequence</c>, which is the provider's.
/// </summary>
internal static class EventWriter
{
    /// <summary>The whole event, under an id of our choice.</summary>
    public static byte[] Insert(EventAddress address, EventContent content) => Write(json =>
    {
        json.WriteString("id", address.EventId);
        json.WriteString("summary", content.Summary);
        if (content.Description is not null)
            json.WriteString("description", content.Description);
        if (content.Location is not null)
            json.WriteString("location", content.Location);
        WriteTime(json, "start", content.Start, clearDate: false);
        WriteTime(json, "end", content.End, clearDate: false);
        if (!content.Attendees.IsEmpty)
            WriteGuests(json, content.Attendees);
        WriteMark(json, content.Mark);
        WriteConference(json, content.ConferenceRequestId);
    });

    /// <summary>The named fields only; an absent text is sent as null, which clears it.</summary>
    public static byte[] Patch(EventContent content, ImmutableHashSet<EventField> fields) => Write(json =>
    {
        // In the order of the enum, so that the same change is the same bytes.
        foreach (var field in fields.Order())
            WriteField(json, content, field);
    });

    private static void WriteField(Utf8JsonWriter json, EventContent content, EventField field)
    {
        switch (field)
        {
            case EventField.Summary:
                json.WriteString("summary", content.Summary);
                break;
            case EventField.Description:
                json.WriteString("description", content.Description);
                break;
            case EventField.Location:
                json.WriteString("location", content.Location);
                break;
            case EventField.Time:
                WriteTime(json, "start", content.Start, clearDate: true);
                WriteTime(json, "end", content.End, clearDate: true);
                break;
            case EventField.Attendees:
                WriteGuests(json, content.Attendees);
                break;
            case EventField.Mark:
                WriteMark(json, content.Mark);
                break;
            case EventField.Conference:
                WriteConference(json, content.ConferenceRequestId);
                break;
            case EventField.Status:
                json.WriteString("status", "confirmed");
                break;
            default:
                throw new System.Diagnostics.UnreachableException($"Unknown field {field}.");
        }
    }

    private static byte[] Write(Action<Utf8JsonWriter> properties)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            properties(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteTime(Utf8JsonWriter json, string name, ZonedTime time, bool clearDate)
    {
        json.WriteStartObject(name);
        json.WriteString("dateTime", time.ToRfc3339());
        json.WriteString("timeZone", time.Zone.Id);

        // Somebody may have made the event all-day; a patch merges, and date beside dateTime is refused.
        if (clearDate)
            json.WriteNull("date");
        json.WriteEndObject();
    }

    private static void WriteGuests(Utf8JsonWriter json, ImmutableArray<Attendee> guests)
    {
        json.WriteStartArray("attendees");
        foreach (var guest in guests)
        {
            if (guest.Raw is not null)
            {
                json.WriteRawValue(guest.Raw);
                continue;
            }

            json.WriteStartObject();
            json.WriteString("email", guest.Email);
            json.WriteString("responseStatus", guest.ResponseStatus);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteMark(Utf8JsonWriter json, ImmutableSortedDictionary<string, string> mark)
    {
        json.WriteStartObject("extendedProperties");
        json.WriteStartObject("private");
        foreach (var (name, value) in mark)
            json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteConference(Utf8JsonWriter json, string? requestId)
    {
        if (requestId is null)
            return;
        json.WriteStartObject("conferenceData");
        json.WriteStartObject("createRequest");
        json.WriteString("requestId", requestId);
        json.WriteStartObject("conferenceSolutionKey");
        json.WriteString("type", "hangoutsMeet");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
