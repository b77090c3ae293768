using System.Buffers;
using System.Text;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Sandbox.CalDav;

/// <summary>What a calendar object must be to be stored, and what the server makes of it.</summary>
internal static class StoredForm
{
    private static readonly string[] Kept = ["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"];

    /// <summary>Null when it may be stored. RFC 4791 sections 4.1 and 5.3.2.1.</summary>
    public static DavAnswer? Check(CalendarDocument document, string component, CalDavQuirks quirks)
    {
        if (document.Problems.Any(problem => problem.Severity == ProblemSeverity.Error)
            || document.Components.ToArray() is not [var calendar] || !calendar.Is("VCALENDAR"u8)
            || !DavXml.CanCarry(document.ToString()))
        {
            return DavAnswer.RefusedObject("valid-calendar-data");
        }

        var parts = Parts(document);
        var uids = parts.Select(Uid).Distinct(StringComparer.Ordinal).ToList();
        if (calendar.Property("METHOD"u8) is not null || uids is not [{ Length: > 0 }]
            || parts.Select(part => part.Name).Distinct().Count() != 1
            || parts.Count(part => part.Property("RECURRENCE-ID"u8) is null) > 1
            || parts.Any(part => part.Is("VEVENT"u8) && part.Property("DTSTART"u8) is null))
        {
            return DavAnswer.RefusedObject("valid-calendar-object-resource");
        }

        if (parts[0].Name != component)
            return DavAnswer.RefusedObject("supported-calendar-component");
        return quirks.RefusesEventWithoutEnd && parts.Any(HasNoEnd) ? DavAnswer.NotFound : null;
    }

    /// <summary>The components a resource consists of, time zones aside.</summary>
    public static List<CalendarComponent> Parts(CalendarDocument document) =>
        [.. document.Components.SelectMany(calendar => calendar.Components)
            .Where(part => Kept.Contains(part.Name))];

    /// <summary>The UID of a stored resource; empty when it has none that is the same everywhere.</summary>
    public static string UidOf(CalendarDocument document) =>
        Parts(document).Select(Uid).Distinct(StringComparer.Ordinal).ToArray() is [var uid] ? uid : "";

    /// <summary>
    /// The same meaning, written by the server: properties in the order of their names, folded anew, with
    /// CREATED and LAST-MODIFIED where there is none.
    /// </summary>
    public static CalendarDocument Rewrite(CalendarDocument document, DateTimeOffset now)
    {
        var edit = document.Edit();
        var stamp = CalendarTime.Utc.From(now);
        foreach (var part in Parts(document))
        {
            foreach (var name in new[] { "CREATED", "LAST-MODIFIED" })
            {
                if (!part.PropertiesNamed(name).Any())
                    edit.Add(part, NewProperty.Time(name, stamp));
            }
        }

        var writer = new ArrayBufferWriter<byte>();
        foreach (var component in edit.Apply().Components)
            Write(writer, component);
        return CalendarDocument.Parse(writer.WrittenMemory);
    }

    /// <summary>Sets or, with null, removes one property of every event; the value as it stands in the
    /// line.</summary>
    public static CalendarDocument Alter(CalendarDocument document, string name, string? value)
    {
        var edit = document.Edit();
        foreach (var part in Parts(document))
        {
            if (value is not null)
                edit.Set(part, new PropertyContent(name, value));
            foreach (var property in value is null ? part.PropertiesNamed(name) : [])
                edit.Remove(property);
        }

        return edit.Apply();
    }

    private static string Uid(CalendarComponent part) => part.Text("UID"u8).Or("");

    private static bool HasNoEnd(CalendarComponent part) =>
        part.Is("VEVENT"u8) && part.Property("DTEND"u8) is null && part.Property("DURATION"u8) is null;

    private static void Write(ArrayBufferWriter<byte> writer, CalendarComponent component)
    {
        writer.Write(Encoding.UTF8.GetBytes($"BEGIN:{component.Name}\r\n"));
        foreach (var property in component.Properties.OrderBy(each => each.Name, StringComparer.Ordinal))
            ContentLineWriter.Write(writer, property.Content);
        foreach (var inner in component.Components)
            Write(writer, inner);
        writer.Write(Encoding.UTF8.GetBytes($"END:{component.Name}\r\n"));
    }
}
