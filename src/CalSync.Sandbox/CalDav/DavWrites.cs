using System.Buffers;
using System.Xml.Linq;
using CalSync.Calendar.Document;
using static CalSync.Sandbox.CalDav.DavNames;

namespace CalSync.Sandbox.CalDav;

/// <summary>PUT, DELETE, MKCALENDAR and PROPPATCH.</summary>
internal sealed class DavWrites(DavModel model, DavAccount caller, DavReads reads)
{
    private const int CalendarNameLengthMin = 4;

    private static readonly SearchValues<char> OddLetters = SearchValues.Create("/\\<>&\"");

    public DavAnswer Put(DavRequest request)
    {
        if (request.Path.Kind != DavKind.Resource)
            return new DavAnswer(405) { Allow = "OPTIONS, PROPFIND, REPORT" };
        if (reads.Calendar(request.Path) is not { } calendar)
            return DavAnswer.NotFound;
        if (calendar.IsReadOnly)
            return DavAnswer.NeedsPrivileges;
        var existing = calendar.Find(request.Path.Name);
        if (request.IfNoneMatch is not null && existing is not null || !Meets(request, calendar, existing))
            return DavAnswer.PreconditionFailed;
        if (request.ContentType is not (null or "text/calendar"))
            return DavAnswer.RefusedObject("supported-calendar-data");
        if (request.Body.Length > DavProperties.ResourceSizeBytesMax)
            return DavAnswer.RefusedObject("max-resource-size");
        var sent = CalendarDocument.Parse(request.Body);
        return StoredForm.Check(sent, calendar.Component, model.Quirks)
            ?? UidConflict(calendar, request.Path.Name, existing, StoredForm.UidOf(sent))
            ?? Store(request, calendar, existing, sent);
    }

    public DavAnswer Delete(DavRequest request)
    {
        if (reads.Calendar(request.Path) is not { } calendar)
            return reads.Target(request.Path) is null ? DavAnswer.NotFound : new DavAnswer(403);
        if (calendar.IsReadOnly)
            return DavAnswer.NeedsPrivileges;
        if (request.Path.Kind == DavKind.Calendar)
        {
            if (request.Effect?.Swallow != true)
                DavModel.DeleteCalendar(calendar);
            return new DavAnswer(204);
        }

        if (calendar.Find(request.Path.Name) is not { } resource)
            return request.IfMatch is null ? DavAnswer.NotFound : DavAnswer.PreconditionFailed;
        if (!Meets(request, calendar, resource))
            return DavAnswer.PreconditionFailed;
        if (request.Effect?.Swallow == true)
            return new DavAnswer(204);
        new DavScheduling(model).Note(
            calendar, resource.Name, CalendarDocument.Parse(resource.Current.Octets), null,
            request.AnswersOrganizer);
        model.Delete(calendar, resource);
        return new DavAnswer(204);
    }

    public DavAnswer MkCalendar(DavRequest request)
    {
        if (request.Path.Kind != DavKind.Calendar || request.Path.Dsid != caller.Dsid)
            return DavAnswer.RefusedObject("calendar-collection-location-ok");
        if (reads.Target(request.Path) is not null)
            return DavAnswer.Refused(403, D + "resource-must-be-null");
        var set = request.Xml?.Element(D + "set")?.Element(Prop);
        var component = (string?)set?.Element(C + "supported-calendar-component-set")
            ?.Elements(C + "comp").FirstOrDefault()?.Attribute("name") ?? "VEVENT";
        var name = set?.Element(DisplayName)?.Value ?? request.Path.CalendarId;
        if (model.Quirks.RefusesOddCalendars
            && (name.Length < CalendarNameLengthMin || name.AsSpan().ContainsAny(OddLetters)
                || component != "VEVENT"))
        {
            return new DavAnswer(403);
        }

        if (request.Effect?.Swallow == true)
            return new DavAnswer(201);
        var calendar = model.AddCalendar(caller, request.Path.CalendarId, name, component);
        foreach (var property in set?.Elements() ?? [])
            _ = Set(calendar, property.Name, property.Value);
        if (model.Quirks.RemembersDeletedCalendars)
            BringBack(calendar);
        return new DavAnswer(201);
    }

    public DavAnswer PropPatch(DavRequest request)
    {
        if (request.Xml is not { } body || body.Name != D + "propertyupdate")
            return new DavAnswer(400);
        if (reads.Target(request.Path) is not { } target)
            return DavAnswer.NotFound;
        if (target is not DavTarget.Collection { Calendar: var calendar })
            return new DavAnswer(403);
        if (calendar.IsReadOnly)
            return DavAnswer.NeedsPrivileges;
        var changes = body.Elements()
            .SelectMany(part => (part.Element(Prop)?.Elements() ?? [])
                .Select(property => (property.Name, Value: part.Name == D + "set" ? property.Value : null)))
            .ToList();
        var isRefused = changes.Any(change => !IsWritable(change.Name));
        foreach (var (name, value) in isRefused || request.Effect?.Swallow == true ? [] : changes)
            Set(calendar, name, value);
        if (!isRefused)
            calendar.Revision = model.NextRevision();
        var rows = changes.Select(change => DavProperties.PropStat(
            new XElement(Prop, new XElement(change.Name)),
            !isRefused ? "HTTP/1.1 200 OK"
            : IsWritable(change.Name) ? "HTTP/1.1 424 Failed Dependency"
            : "HTTP/1.1 403 Forbidden"));
        return new DavAnswer(207)
        {
            Xml = new XElement(
                D + "multistatus",
                new XElement(Response, new XElement(Href, target.Path.ToString()), rows)),
        };
    }

    private DavAnswer Store(
        DavRequest request, DavCalendar calendar, DavResource? existing, CalendarDocument sent)
    {
        var name = request.Path.Name;
        var isNew = existing is null;
        var answer = new DavAnswer(isNew ? 201 : 204);
        if (request.Effect?.Swallow == true)
            return answer;
        var before = existing is null ? null : CalendarDocument.Parse(existing.Current.Octets);
        var stored = new DavScheduling(model).Note(calendar, name, before, sent, request.AnswersOrganizer)!;
        if (model.Quirks.RewritesOnPut)
            stored = StoredForm.Rewrite(stored, model.Now);
        if (request.Effect?.ChangeField is { } field)
            stored = StoredForm.Alter(stored, field.Path, field.Value?.ToString());
        var target = request.Effect?.StoreIn is { } elsewhere
            ? caller.Calendars.GetValueOrDefault(elsewhere) ?? calendar
            : calendar;
        var resource = model.Store(target, name, stored.Bytes, StoredForm.UidOf(stored));
        if (request.Effect?.StaleSeconds is { } seconds)
            resource.DelayReadsUntil(model.Now.AddSeconds(seconds));
        var isAsSent = stored.Bytes.Span.SequenceEqual(request.Body);
        var showsETag = model.Quirks.PutETag switch
        {
            PutETag.WhenStoredAsSent => isAsSent,
            PutETag.Always => true,
            PutETag.Never => false,
        };
        return showsETag ? answer with { ETag = model.ShownETag(target, resource.Current) } : answer;
    }

    // RFC 4791 section 5.3.2.1: the refusal names the resource that has the UID.
    private DavAnswer? UidConflict(DavCalendar calendar, string name, DavResource? existing, string uid)
    {
        if (existing is not null && existing.Current.Uid != uid)
            return Conflict(calendar, name);
        if (calendar.NameOf(uid) is { } other && other != name)
            return Conflict(calendar, other);
        var elsewhere = caller.Calendars.Values.FirstOrDefault(each => each != calendar
            && model.Quirks.KeepsUidOncePerAccount && each.NameOf(uid) is not null);
        return elsewhere is null ? null : Conflict(elsewhere, elsewhere.NameOf(uid)!);
    }

    private static DavAnswer Conflict(DavCalendar calendar, string name) => DavAnswer.RefusedObject(
        "no-uid-conflict", new XElement(Href, DavPath.Of(calendar, name).ToString()));

    private static bool Meets(DavRequest request, DavCalendar calendar, DavResource? existing) =>
        request.IfMatch is not { } asked || existing is not null && (asked == "*"
            || asked.Split(',').Any(one => Opaque(one) == DavModel.ETagOf(calendar, existing.Current)));

    private static string Opaque(string etag)
    {
        var trimmed = etag.Trim();
        return trimmed.StartsWith("W/", StringComparison.Ordinal) ? trimmed[2..] : trimmed;
    }

    private static bool IsWritable(XName name) =>
        name == DisplayName || name == CalendarColor || name == Apple + "calendar-order"
        || name == C + "calendar-description" || name == C + "calendar-timezone";

    private static bool Set(DavCalendar calendar, XName name, string? value)
    {
        if (name == DisplayName)
            calendar.Name = value ?? "";
        else if (name == CalendarColor)
            calendar.Color = value ?? "";
        else if (name == Apple + "calendar-order")
            calendar.Order = value;
        else if (name == C + "calendar-description")
            calendar.Description = value;
        else if (name == C + "calendar-timezone")
            calendar.TimeZone = value;
        else
            return false;
        return true;
    }

    private void BringBack(DavCalendar calendar)
    {
        var old = caller.DeletedCalendars.LastOrDefault(each => each.Id == calendar.Id);
        foreach (var resource in old?.Resources ?? [])
            model.Store(calendar, resource.Name, resource.Current.Octets, resource.Current.Uid);
    }
}
