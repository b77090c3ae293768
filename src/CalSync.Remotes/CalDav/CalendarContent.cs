using System.Text;
using CalSync.Calendar.Document;
using CalSync.Remotes.Dav;
using CalSync.Sync.Pairs;

namespace CalSync.Remotes.CalDav;

/// <summary>Judges what a server holds as one calendar object. RFC 4791 section 4.1.</summary>
internal static class CalendarContent
{
    /// <summary>The resource, with a problem when its content is not the components of one UID. It may be one
    /// of many thousands that wait for the other side.</summary>
    /// <param name="address">Where it lies.</param>
    /// <param name="version">Its ETag; null for none.</param>
    /// <param name="octets">As the server gave them; kept, not copied.</param>
    public static RemoteResource Read(ResourceAddress address, string? version, ReadOnlyMemory<byte> octets)
    {
        var document = CalendarDocument.Parse(octets);
        var problem = Problem(document);
        document.Rest();
        return problem is null
            ? new(address, version, document)
            : new(address, version, document, Encoding.UTF8.GetString(octets.Span), problem);
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
        resource.Content is { } document && document.Uids.Contains(uid, StringComparer.Ordinal);

    /// <summary>The octets to send: CRLF everywhere and no METHOD, which a stored object must not have. They
    /// may be the document's own: they must not be changed.</summary>
    public static ReadOnlyMemory<byte> Octets(CalendarDocument document)
    {
        var edit = document.Edit();
        foreach (var calendar in document.Components)
        {
            foreach (var method in calendar.PropertiesNamed("METHOD"))
                edit.Remove(method);
        }

        var stored = edit.Apply();
        return stored.LineEnding == LineEnding.CrLf ? stored.Bytes : CalendarText.WithCrLf(stored.Bytes.Span);
    }

    private static string? Problem(CalendarDocument document)
    {
        var calendars = 0;
        foreach (var calendar in document.Components)
        {
            calendars++;
            if (!calendar.Is("VCALENDAR"u8) || !calendar.IsClosed)
                return "It is not one whole calendar object.";
        }

        if (calendars != 1)
            return "It is not one whole calendar object.";
        var uids = document.Uids;
        return uids.IsEmpty ? "It holds no event and no task."
            : uids.Any(string.IsNullOrWhiteSpace) ? "One of its components has no UID."
            : uids.Length > 1 ? "It holds components of several UIDs."
            : null;
    }
}
