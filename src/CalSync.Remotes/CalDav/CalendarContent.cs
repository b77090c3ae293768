using System.Text;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;
using CalSync.Remotes.Dav;
using CalSync.Sync.Pairs;

namespace CalSync.Remotes.CalDav;

/// <summary>Judges what a server holds as one calendar object. RFC 4791 section 4.1.</summary>
internal static class CalendarContent
{
    /// <summary>The resource, with a problem when its content is not the components of one UID.</summary>
    /// <param name="address">Where it lies.</param>
    /// <param name="version">Its ETag; null for none.</param>
    /// <param name="octets">As the server gave them; kept, not copied.</param>
    public static RemoteResource Read(ResourceAddress address, string? version, byte[] octets)
    {
        var document = CalendarDocument.Parse(octets);
        var problem = Problem(document);
        return problem is null
            ? new(address, version, document)
            : new(address, version, document, Encoding.UTF8.GetString(octets), problem);
    }

    /// <summary>A listed resource whose content cannot be had.</summary>
    public static RemoteResource Unreadable(ResourceAddress address) =>
        new(address, null, null, null, "The server lists it but says that it is not there.");

    /// <summary>Whether an answer is iCalendar at all, whatever type it says it is.</summary>
    public static bool IsCalendar(ReadOnlySpan<byte> body)
    {
        if (body.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
            body = body[3..];
        var start = body.TrimStart(" \t\r\n"u8);
        var name = "BEGIN:VCALENDAR"u8;
        return start.Length >= name.Length && Ascii.EqualsIgnoreCase(start[..name.Length], name);
    }

    /// <summary>Whether a resource holds the components of a UID.</summary>
    public static bool Has(RemoteResource resource, string uid) =>
        resource.Content is { } document && Uids(document).Contains(uid, StringComparer.Ordinal);

    /// <summary>The octets to send: CRLF everywhere and no METHOD, which a stored object must not
    /// have.</summary>
    public static byte[] Octets(CalendarDocument document)
    {
        var edit = document.Edit();
        foreach (var calendar in document.Components)
        {
            foreach (var method in calendar.PropertiesNamed("METHOD"))
                edit.Remove(method);
        }

        var stored = edit.Apply();
        return stored.LineEnding == LineEnding.CrLf
            ? stored.Bytes.ToArray()
            : CalendarText.WithCrLf(stored.Bytes.Span);
    }

    private static string? Problem(CalendarDocument document)
    {
        string? first = null;
        var calendars = 0;
        foreach (var calendar in document.Components)
        {
            calendars++;
            if (!calendar.Is("VCALENDAR"u8) || !calendar.IsClosed)
                return "It is not one whole calendar object.";
        }

        if (calendars != 1)
            return "It is not one whole calendar object.";
        foreach (var uid in Uids(document))
        {
            if (uid.Length == 0)
                return "One of its components has no UID.";
            if (first is not null && !uid.Equals(first, StringComparison.Ordinal))
                return "It holds components of several UIDs.";
            first = uid;
        }

        return first is null ? "It holds no event and no task." : null;
    }

    private static string Uid(CalendarComponent component) => component.Property("UID"u8) is { } uid
        ? TextValue.Unescape(uid.ValueOctets).Trim()
        : "";

    private static IEnumerable<string> Uids(CalendarDocument document)
    {
        foreach (var calendar in document.Components)
        {
            foreach (var component in calendar.Components)
            {
                if (component.Is("VEVENT"u8) || component.Is("VTODO"u8) || component.Is("VJOURNAL"u8))
                    yield return Uid(component);
            }
        }
    }
}
