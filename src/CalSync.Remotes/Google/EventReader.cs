using System.Collections.Immutable;
using System.Text.Json;
using CalSync.Calendar;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.Google;

/// <summary>Reads event and calendar resources.</summary>
/// <remarks>
/// Unknown fields are kept in <see cref="ProviderEvent.Json"/> and otherwise ignored. A missing optional
/// field is null or its documented default. A field of the wrong type, or a missing id or ETag, makes the
/// whole answer unusable: null is returned, and nothing may be concluded from it.
/// </remarks>
internal static class EventReader
{
    /// <summary>Reads one event.</summary>
    /// <param name="json">The resource.</param>
    /// <param name="calendarId">Where it was read.</param>
    /// <param name="listZone">
    /// The listing's <c>timeZone</c>, for times that name none; null outside listings.
    /// </param>
    public static ProviderEvent? Event(JsonElement json, string calendarId, string? listZone)
    {
        if (json.ValueKind != JsonValueKind.Object)
            return null;
        var fields = new Fields(json);
        var id = fields.Text("id");
        var etag = fields.Text("etag");
        var status = fields.Text("status") ?? "confirmed";
        var guests = Guests(fields);
        var mark = Mark(fields);
        var start = Time(fields, "start", listZone);
        var end = Time(fields, "end", listZone);
        var (link, linkStatus) = Conference(fields);
        var found = new ProviderEvent(
            new EventAddress(calendarId, id ?? ""),
            etag ?? "",
            status,
            fields.Text("iCalUID"),
            fields.Number("sequence"),
            fields.Text("summary"),
            fields.Text("description"),
            fields.Text("location"),
            start,
            end,
            guests,
            fields.Flag("attendeesOmitted"),
            mark,
            fields.Text("htmlLink"),
            link,
            linkStatus,
            json.GetRawText());
        var knownStatus = status is "confirmed" or "tentative" or "cancelled";
        return fields.Sound && knownStatus && !string.IsNullOrEmpty(id) && IsHeaderText(etag) ? found : null;
    }

    /// <summary>Reads one event of a listing; a tombstone may have nothing but its id.</summary>
    /// <param name="json">The resource.</param>
    /// <param name="listZone">As in <see cref="Event"/>.</param>
    public static ListedEvent? Listed(JsonElement json, string? listZone)
    {
        if (json.ValueKind != JsonValueKind.Object)
            return null;
        var fields = new Fields(json);
        var id = fields.Text("id");
        var found = new ListedEvent(
            id ?? "", fields.Text("status") == "cancelled", fields.Text("iCalUID"),
            Mark(fields).GetValueOrDefault(EventIdentity.MirrorKey), Time(fields, "start", listZone),
            Time(fields, "end", listZone));
        return fields.Sound && !string.IsNullOrEmpty(id) ? found : null;
    }

    /// <summary>Reads one entry of the calendar list.</summary>
    public static ProviderCalendar? Calendar(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            return null;
        var fields = new Fields(json);
        var id = fields.Text("id");
        var name = fields.Text("summaryOverride") ?? fields.Text("summary") ?? "";
        var zone = fields.Text("timeZone") ?? "";
        var role = fields.Text("accessRole");
        var primary = fields.Flag("primary");
        return fields.Sound && !string.IsNullOrEmpty(id) && !string.IsNullOrEmpty(role)
            ? new ProviderCalendar(id, name, primary, zone, role)
            : null;
    }

    /// <summary>A time with offset and zone; null when all-day, without a zone, or unreadable.</summary>
    private static ZonedTime? Time(Fields owner, string name, string? listZone)
    {
        if (owner.Object(name) is not { } time)
            return null;
        var text = time.Text("dateTime");
        var zoneName = time.Text("timeZone") ?? listZone;
        _ = time.Text("date");
        owner.Require(time.Sound);
        if (!Rfc3339.TryParse(text, out var instant)
            || CalendarZone.Resolve(zoneName) is not ZoneResolution.Found { Zone: var zone }
            || instant.UtcDateTime.Year is < 2 or > 9998)
        {
            return null;
        }

        return ZonedTime.FromInstant(instant, zone);
    }

    private static ImmutableArray<Attendee> Guests(Fields owner)
    {
        if (owner.List("attendees") is not { } list)
            return [];
        var guests = ImmutableArray.CreateBuilder<Attendee>();
        foreach (var entry in list)
        {
            if (entry.ValueKind != JsonValueKind.Object)
            {
                owner.Require(false);
                continue;
            }

            var guest = new Fields(entry);
            guests.Add(new Attendee(
                (guest.Text("email") ?? "").ToLowerInvariant(),
                guest.Text("responseStatus") ?? "needsAction",
                guest.Flag("organizer"),
                guest.Flag("self"),
                entry.GetRawText()));
            owner.Require(guest.Sound);
        }

        return guests.ToImmutable();
    }

    private static ImmutableSortedDictionary<string, string> Mark(Fields owner)
    {
        var mark = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        if (owner.Object("extendedProperties") is { } extended)
        {
            if (extended.Object("private") is { } own)
            {
                foreach (var name in own.Names())
                    mark[name] = own.Text(name) ?? "";
                extended.Require(own.Sound);
            }

            owner.Require(extended.Sound);
        }

        return mark.ToImmutable();
    }

    private static (string? Link, string? Status) Conference(Fields owner)
    {
        var hangout = owner.Text("hangoutLink");
        if (owner.Object("conferenceData") is not { } data)
            return (hangout, hangout is null ? null : "success");
        string? link = null;
        foreach (var entry in data.List("entryPoints") ?? [])
        {
            if (entry.ValueKind != JsonValueKind.Object)
                continue;
            var point = new Fields(entry);
            if (point.Text("entryPointType") == "video")
                link ??= point.Text("uri");
            data.Require(point.Sound);
        }

        var asked = data.Object("createRequest")?.Object("status")?.Text("statusCode");
        owner.Require(data.Sound);
        link ??= hangout;
        return (link, asked ?? (link is null ? null : "success"));
    }

    /// <summary>An ETag goes back into a header: visible ASCII only.</summary>
    private static bool IsHeaderText(string? text) =>
        text is { Length: > 0 and <= 1024 } && text.All(c => c is > ' ' and <= '~');
}
