using System.Collections.Immutable;
using System.Text.Json;
using CalSync.Calendar;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Mirroring;

/// <summary>Keeps an event as last read, in the mirror's row, so that the next change needs no read before
/// its write.</summary>
/// <remarks>The stored ETag guards it: when the copy is old, the conditional write is refused and a read
/// follows.</remarks>
internal static class ObservedEvent
{
    /// <summary>Writes the copy as JSON.</summary>
    public static string Write(ProviderEvent shown) => JsonSerializer.Serialize(new Stored(
        shown.Address.CalendarId, shown.Address.EventId, shown.ETag, shown.Status, shown.ICalUid,
        shown.Sequence, shown.Summary, shown.Description, shown.Location, Pack(shown.Start), Pack(shown.End),
        [.. shown.Attendees], shown.AttendeesOmitted, new Dictionary<string, string>(shown.Mark),
        shown.HtmlLink, shown.ConferenceLink, shown.ConferenceStatus, shown.Json));

    /// <summary>Reads the copy back.</summary>
    /// <returns>Null when there is none or it cannot be read: the event is then read at the
    /// provider.</returns>
    public static ProviderEvent? Read(string? json)
    {
        if (json is null)
            return null;
        try
        {
            return JsonSerializer.Deserialize<Stored>(json) is { } stored ? Unpack(stored) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ProviderEvent Unpack(Stored stored) => new(
        new EventAddress(stored.CalendarId, stored.EventId), stored.ETag, stored.Status, stored.ICalUid,
        stored.Sequence, stored.Summary, stored.Description, stored.Location, Unpack(stored.Start),
        Unpack(stored.End), [.. stored.Attendees], stored.AttendeesOmitted,
        ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, stored.Mark), stored.HtmlLink,
        stored.ConferenceLink, stored.ConferenceStatus, stored.Json);

    private static StoredTime? Pack(ZonedTime? time) =>
        time is null ? null : new StoredTime(time.Instant, time.Zone.Id);

    private static ZonedTime? Unpack(StoredTime? time) =>
        time is not null && CalendarZone.Resolve(time.Zone) is ZoneResolution.Found found
            ? ZonedTime.FromInstant(time.Instant, found.Zone)
            : null;

    private sealed record StoredTime(DateTimeOffset Instant, string Zone);

    private sealed record Stored(
        string CalendarId, string EventId, string ETag, string Status, string? ICalUid, long Sequence,
        string? Summary, string? Description, string? Location, StoredTime? Start, StoredTime? End,
        Attendee[] Attendees, bool AttendeesOmitted, Dictionary<string, string> Mark, string? HtmlLink,
        string? ConferenceLink, string? ConferenceStatus, string Json);
}
