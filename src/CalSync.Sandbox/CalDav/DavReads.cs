using System.Xml.Linq;
using CalSync.Calendar.Document;
using static CalSync.Sandbox.CalDav.DavNames;

namespace CalSync.Sandbox.CalDav;

/// <summary>PROPFIND, GET and the reports.</summary>
internal sealed class DavReads(DavModel model, DavAccount caller, DavProperties properties)
{
    private static readonly string[] Others = ["inbox", "outbox", "notification"];

    private CalDavQuirks Quirks => model.Quirks;

    public DavAnswer PropFind(DavRequest request)
    {
        if (request.Depth is not ("0" or "1"))
            return DavAnswer.Refused(403, D + "propfind-finite-depth");
        if (request.Xml is { } body && body.Name != D + "propfind")
            return new DavAnswer(400);
        if (Target(request.Path) is not { } target)
            return DavAnswer.NotFound;
        var targets = request.Depth == "1" ? Children(target).Prepend(target) : [target];
        var asked = request.Xml?.Element(Prop);
        var isByName = request.Xml?.Element(D + "propname") is not null;
        return Multistatus(targets.Select((each, index) => isByName
            ? properties.RespondWithNames(each)
            : properties.Respond(each, asked, isOdd: index % 2 == 1)));
    }

    public DavAnswer Get(DavRequest request)
    {
        if (request.Path.Kind != DavKind.Resource)
            return Target(request.Path) is null ? DavAnswer.NotFound : new DavAnswer(403);
        if (Calendar(request.Path) is not { } calendar
            || calendar.Find(request.Path.Name)?.SeenAt(model.Now) is not { } version)
        {
            return DavAnswer.NotFound;
        }

        var etag = model.ShownETag(calendar, version);
        return etag is not null && request.IfNoneMatch == etag
            ? new DavAnswer(304) { ETag = etag }
            : new DavAnswer(200) { Calendar = Shown(version, request.Effect), ETag = etag };
    }

    public DavAnswer Report(DavRequest request)
    {
        if (request.Xml is not { } report)
            return new DavAnswer(400);
        if (Calendar(request.Path) is not { } calendar)
            return Target(request.Path) is null ? DavAnswer.NotFound : NotSupported;
        if (report.Name == C + "calendar-multiget")
            return Multiget(calendar, report, request);
        if (report.Name == C + "calendar-query")
            return Query(calendar, report, request);
        return report.Name == D + "sync-collection" && !Quirks.LacksSyncCollection
            ? Sync(calendar, report, request)
            : NotSupported;
    }

    /// <summary>What a path names for this account; null when it does not exist.</summary>
    public DavTarget? Target(DavPath path) => path.Kind switch
    {
        DavKind.Root => new DavTarget.Root(path),
        DavKind.Principal when path.Dsid == caller.Dsid => new DavTarget.Principal(caller, path),
        DavKind.Home when path.Dsid == caller.Dsid => new DavTarget.Home(caller, path),
        DavKind.Calendar when Calendar(path) is { } calendar => new DavTarget.Collection(calendar),
        DavKind.Calendar when path.Dsid == caller.Dsid && Others.Contains(path.CalendarId) =>
            new DavTarget.Other(caller, path),
        DavKind.Resource when Calendar(path)?.Find(path.Name) is { } resource =>
            new DavTarget.Item(Calendar(path)!, path.Name, resource.Current),
        _ => null,
    };

    public DavCalendar? Calendar(DavPath path) =>
        path.Dsid == caller.Dsid ? caller.Calendars.GetValueOrDefault(path.CalendarId) : null;

    private static DavAnswer NotSupported => DavAnswer.Refused(403, D + "supported-report");

    private IEnumerable<DavTarget> Children(DavTarget target) => target switch
    {
        DavTarget.Home home => Others.Where(_ => Quirks.ListsOtherCollections)
            .Select(DavTarget (id) => new DavTarget.Other(
                caller, home.Path with { Kind = DavKind.Calendar, CalendarId = id }))
            .Concat(caller.Calendars.Values.Select(calendar => new DavTarget.Collection(calendar))),
        DavTarget.Collection { Calendar: var calendar } => calendar.Resources.Select(
            resource => new DavTarget.Item(calendar, resource.Name, resource.Current)),
        _ => [],
    };

    private DavAnswer Multiget(DavCalendar calendar, XElement report, DavRequest request) => Multistatus(
        report.Elements(Href).Select(href => href.Value.Trim()).Select((href, index) =>
        {
            var path = DavPath.Parse(href);
            return path.Kind == DavKind.Resource && Calendar(path) == calendar
                && calendar.Find(path.Name) is { } resource
                    ? Row(calendar, resource, report.Element(Prop), request, index % 2 == 1)
                    : StatusRow(href, "404 Not Found");
        }));

    private DavAnswer Query(DavCalendar calendar, XElement report, DavRequest request)
    {
        if (CalendarFilter.Read(report, Quirks) is not { } filter)
            return Quirks.QueryNeedsComponent ? new DavAnswer(400) : DavAnswer.RefusedObject("valid-filter");
        if (filter.Component is null && Quirks.QueryNeedsComponent)
            return new DavAnswer(400);
        var isBlind = filter.AsksForUid && Quirks.QueryByUidFindsNothing;
        var found = calendar.Resources.Where(resource => !isBlind
            && resource.SeenAt(model.Now) is { } version
            && filter.Matches(CalendarDocument.Parse(version.Octets)));
        var itself = Quirks.ReportsCollectionItself ? [Itself(calendar, report)] : Array.Empty<XElement>();
        return Multistatus(itself.Concat(found.Select((resource, index) =>
            Row(calendar, resource, report.Element(Prop), request, index % 2 == 1))));
    }

    private DavAnswer Sync(DavCalendar calendar, XElement report, DavRequest request)
    {
        var token = report.Element(SyncToken)?.Value.Trim() ?? "";
        if (report.Element(D + "sync-level")?.Value.Trim() is not (null or "1"))
            return DavAnswer.Refused(403, D + "sync-traversal-supported");
        var since = token.Length == 0 ? 0 : model.RevisionOf(calendar, token);
        if (since is null && DeadToken() is { } refusal)
            return refusal;
        var isInitial = token.Length == 0 || since is null;
        var from = since ?? (Quirks.DeadSyncToken == DeadSyncToken.Nothing ? calendar.Revision : 0);
        var changes = calendar.ChangedSince(from)
            .Where(change => change.Resource is not null || !isInitial).ToList();
        var isCut = Limit(report) is { } limit && changes.Count > limit;
        if (isCut)
            changes.RemoveRange(Limit(report)!.Value, changes.Count - Limit(report)!.Value);
        var rows = changes.Select((change, index) => change.Resource is { } resource
            ? Row(calendar, resource, report.Element(Prop), request, index % 2 == 1)
            : StatusRow(DavPath.Of(calendar, change.Name).ToString(), "404 Not Found"));
        if (Quirks.RepeatsHrefs)
            rows = rows.SelectMany(row => new[] { row, new XElement(row) });
        if (Quirks.ReportsCollectionItself)
            rows = rows.Prepend(Itself(calendar, report));
        if (isCut)
        {
            rows = rows.Append(StatusRow(
                DavPath.Of(calendar).ToString(), "507 Insufficient Storage",
                new XElement(D + "error", new XElement(D + "number-of-matches-within-limits"))));
        }

        var next = DavModel.TokenOf(calendar, isCut ? changes[^1].Revision : calendar.Revision);
        return Multistatus(rows.Append(new XElement(SyncToken, next))) with
        {
            Detail = $"{changes.Count} changes",
        };
    }

    private int? Limit(XElement report)
    {
        var asked = int.TryParse(
            report.Element(D + "limit")?.Element(D + "nresults")?.Value.Trim(), out var count) && count > 0
                ? count
                : (int?)null;
        return Quirks.SyncPageCountMax is { } own && !(asked < own) ? own : asked;
    }

    private DavAnswer? DeadToken() => Quirks.DeadSyncToken switch
    {
        DeadSyncToken.Precondition => DavAnswer.Refused(403, D + "valid-sync-token"),
        DeadSyncToken.BareForbidden => new DavAnswer(403),
        DeadSyncToken.Gone => new DavAnswer(410),
        DeadSyncToken.Error => new DavAnswer(500),
        DeadSyncToken.FullListing or DeadSyncToken.Nothing => null,
    };

    private XElement Row(
        DavCalendar calendar, DavResource resource, XElement? asked, DavRequest request, bool isOdd)
    {
        var wantsData = asked?.Element(CalendarData) is not null;
        var version = wantsData ? resource.SeenAt(model.Now) : resource.Current;
        var path = DavPath.Of(calendar, resource.Name);
        var fault = request.RowFault(resource.Name);
        if (fault?.Status is { } status)
            return StatusRow(path.ToString(), $"{status} Refused");
        if (version is null)
            return StatusRow(path.ToString(), "404 Not Found");
        var data = wantsData ? Data(Shown(version, fault ?? request.Effect)) : null;
        return properties.Respond(
            new DavTarget.Item(calendar, resource.Name, version), asked, data, isOdd);
    }

    private XElement Data(ReadOnlyMemory<byte> octets)
    {
        var text = System.Text.Encoding.UTF8.GetString(octets.Span);
        return new XElement(
            CalendarData, Quirks.WritesUnprefixedXml ? new XCData(text) : new XText(text));
    }

    // The collection in its own report, as it is: it has no ETag and no data.
    private XElement Itself(DavCalendar calendar, XElement report) =>
        properties.Respond(new DavTarget.Collection(calendar), report.Element(Prop));

    private static ReadOnlyMemory<byte> Shown(DavVersion version, FaultEffect? effect) =>
        effect?.ChangeField is { } field
            ? StoredForm.Alter(
                CalendarDocument.Parse(version.Octets), field.Path, field.Value?.ToString()).Bytes
            : version.Octets;

    private static XElement StatusRow(string href, string status, params object[] more) =>
        new(Response, new XElement(Href, href), new XElement(Status, "HTTP/1.1 " + status), more);

    private static DavAnswer Multistatus(IEnumerable<XElement> rows)
    {
        var answer = new XElement(D + "multistatus", rows);
        return new DavAnswer(207) { Xml = answer, Detail = $"{answer.Elements(Response).Count()} responses" };
    }
}
