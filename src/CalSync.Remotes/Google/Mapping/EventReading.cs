using System.Collections.Immutable;
using CalSync.Calendar;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;
using CalSync.Sync.Pairs;

namespace CalSync.Remotes.Google.Mapping;

/// <summary>Reads one event of Google's as the lines of a VEVENT.</summary>
/// <param name="fields">The event.</param>
/// <param name="master">The series it is an instance of; null when it is none.</param>
/// <param name="listZone">The zone for times that name none; null for UTC.</param>
internal sealed class EventReading(Fields fields, EventLines? master, CalendarZone? listZone)
{
    private readonly List<PropertyContent> _content = [];

    /// <summary>Reads an event that is not cancelled.</summary>
    /// <param name="found">The event.</param>
    /// <param name="place">What begins the name of a place in a fault.</param>
    /// <param name="master">The series it is an instance of; null when it is none.</param>
    /// <param name="listZone">The zone for times that name none; null for UTC.</param>
    /// <param name="faults">Gets what is wrong, with its place.</param>
    /// <returns>Null when something is wrong.</returns>
    public static EventLines? Read(
        GoogleEvent found, string place, EventLines? master, CalendarZone? listZone,
        ICollection<string> faults)
    {
        var before = faults.Count;
        var fields = new Fields(found.Json, place, faults);
        var lines = new EventReading(fields, master, listZone).Read(found.MasterId is not null);
        return faults.Count == before ? lines : null;
    }

    private EventLines? Read(bool isInstance)
    {
        CheckKind();
        var uid = fields.Text("iCalUID");
        if (string.IsNullOrEmpty(uid))
            fields.Fault("iCalUID", "is missing: the account may only see when the event is");
        var start = Time("start");
        var end = Time("end");
        var original = isInstance ? Time("originalStartTime") : null;
        if (uid is null || start is null || end is null)
            return null;
        if (start.Until(end) is not { IsNegative: false })
            fields.Fault("end", "is not behind the start, or one is a day and the other is not");
        ReadContent();
        var alarms = GoogleReminders.Read(fields, _content);
        return new EventLines
        {
            Uid = uid,
            Start = start,
            End = end,
            Original = master is null ? original : original?.SeenLike(master.Start),
            Recurrence = isInstance ? RecurrenceLines.None : Recurrence(start),
            Revision = Revision(),
            Content = [.. _content],
            Alarms = alarms,
        };
    }

    /// <summary>Which kinds of event can be synced. Everything else Google makes by itself.</summary>
    private void CheckKind()
    {
        if (fields.Text("status") is not (null or "confirmed" or "tentative"))
            fields.Fault("status", "is not one of Google's");
        var words = fields.Text("eventType") switch
        {
            null or "default" => null,
            "birthday" => "says birthday: Google takes it from the contacts",
            "fromGmail" => "says fromGmail: Gmail made it from a message and nobody can edit it",
            "focusTime" => "says focusTime: no other calendar has that kind of event",
            "outOfOffice" => "says outOfOffice: no other calendar has that kind of event",
            "workingLocation" => "says workingLocation: no other calendar has that kind of event",
            _ => "is a kind of event that is not known",
        };
        if (words is not null)
            fields.Fault("eventType", words);
    }

    private GoogleTime? Time(string name)
    {
        var read = GoogleTime.Read(fields, name, listZone);
        if (read is null && fields.Sound && fields.IsAbsent(name))
            fields.Fault(name, "is missing");
        return read;
    }

    private RecurrenceLines Recurrence(GoogleTime start)
    {
        var zones = new ZoneFinder(
            start is GoogleTime.Timed timed ? timed.At.Zone : CalendarZone.Utc, new MappingNotes());
        var properties = new List<CalendarProperty>();
        foreach (var line in fields.Texts("recurrence"))
        {
            var document = CalendarDocument.Parse(line);
            var property = document.StrayProperties.FirstOrDefault();
            if (line.AsSpan().IndexOfAny('\r', '\n') >= 0 || property.Document is null
                || property.Name is not ("RRULE" or "EXRULE" or "RDATE" or "EXDATE"))
            {
                fields.Fault("recurrence", $"has a line that is no RRULE, RDATE or EXDATE: {Shown(line)}");
                return RecurrenceLines.None;
            }

            properties.Add(property);
        }

        var lines = RecurrenceLines.Read(properties, start, zones, out var fault);
        if (fault is { } wrong)
            fields.Fault("recurrence", $"cannot be read: {Shown(wrong.Content.ToString())}");
        return lines;
    }

    private static string Shown(string line)
    {
        const int LengthMax = 80;
        var flat = new string([.. line.Where(letter => !char.IsControl(letter))]);
        return flat.Length <= LengthMax ? flat : flat[..LengthMax];
    }

    private ImmutableArray<PropertyContent> Revision()
    {
        var created = Moment("created");
        var updated = Moment("updated");
        var lines = ImmutableArray.CreateBuilder<PropertyContent>();
        var stamp = updated ?? created ?? CalendarTime.Utc.From(DateTimeOffset.UnixEpoch);
        lines.Add(NewProperty.Time("DTSTAMP", stamp));
        if (created is not null)
            lines.Add(NewProperty.Time("CREATED", created));
        if (updated is not null)
            lines.Add(NewProperty.Time("LAST-MODIFIED", updated));
        switch (fields.Number("sequence"))
        {
            case > 0 and <= int.MaxValue and var sequence:
                lines.Add(NewProperty.Integer("SEQUENCE", (int)sequence));
                break;
            case 0:
                break;
            default:
                fields.Fault("sequence", "is not a number of changes");
                break;
        }

        return lines.ToImmutable();
    }

    private CalendarTime.Utc? Moment(string name) =>
        fields.Text(name) is { } text && Rfc3339.TryParse(text, out var moment)
            ? CalendarTime.Utc.From(moment)
            : null;

    private void ReadContent()
    {
        Text("SUMMARY", fields.Text("summary"));
        ReadDescription(fields.Text("description"));
        Text("LOCATION", fields.Text("location"));

        // Confirmed is what an event is that does not say otherwise.
        if (fields.Text("status") == "tentative")
            Keyword("STATUS", "TENTATIVE");
        switch (fields.Text("transparency"))
        {
            case null or "opaque":
                break;
            case "transparent":
                Keyword("TRANSP", "TRANSPARENT");
                break;
            default:
                fields.Fault("transparency", "is not one of Google's");
                break;
        }

        switch (fields.Text("visibility"))
        {
            case null or "default":
                break;
            case "public" or "private" or "confidential":
                Keyword("CLASS", fields.Text("visibility")!.ToUpperInvariant());
                break;
            default:
                fields.Fault("visibility", "is not one of Google's");
                break;
        }

        if (fields.Text("colorId") is { } color && GoogleColors.Name(color) is { } name)
            _content.Add(NewProperty.Text("COLOR", name));
        if (fields.Object("source")?.Text("url") is { Length: > 0 } url)
            _content.Add(NewProperty.Uri("URL", url));
        if (GoogleMark.Read(fields) is { Length: > 0 } copied)
            _content.Add(NewProperty.Text(BusyMark.Property, copied));
        ReadAttachments();
        ReadConference();
        GoogleGuests.Read(fields, _content);
    }

    private void ReadDescription(string? description)
    {
        if (description is null || !HtmlText.IsHtml(description))
        {
            Text("DESCRIPTION", description);
            return;
        }

        Text("DESCRIPTION", HtmlText.ToText(description));
        _content.Add(NewProperty.Text("X-ALT-DESC", description).With("FMTTYPE", "text/html"));
    }

    private void ReadAttachments()
    {
        foreach (var file in fields.Objects("attachments"))
        {
            if (file.Text("fileUrl") is not { Length: > 0 } url)
                continue;
            var attach = NewProperty.Uri("ATTACH", url);
            if (file.Text("mimeType") is { Length: > 0 } type)
                attach = attach.With("FMTTYPE", type);
            if (file.Text("title") is { Length: > 0 } title)
                attach = attach.With("FILENAME", title);
            _content.Add(attach);
        }
    }

    private void ReadConference()
    {
        var link = fields.Text("hangoutLink");
        foreach (var point in fields.Object("conferenceData")?.Objects("entryPoints") ?? [])
        {
            if (point.Text("entryPointType") == "video")
                link ??= point.Text("uri");
        }

        if (!string.IsNullOrEmpty(link))
            _content.Add(NewProperty.Uri("X-GOOGLE-CONFERENCE", link));
    }

    private void Text(string name, string? text)
    {
        if (!string.IsNullOrEmpty(text))
            _content.Add(NewProperty.Text(name, text));
    }

    private void Keyword(string name, string word) => _content.Add(new PropertyContent(name, word));
}
