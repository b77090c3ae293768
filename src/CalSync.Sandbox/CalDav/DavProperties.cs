using System.Globalization;
using System.Xml.Linq;
using static CalSync.Sandbox.CalDav.DavNames;

namespace CalSync.Sandbox.CalDav;

/// <summary>The properties of everything, as one account sees them.</summary>
/// <remarks>
/// <c>shard</c>: Where the home is said to be when the quirk moves it; with a slash at the end.
/// </remarks>
internal sealed class DavProperties(DavModel model, DavAccount caller, Uri shard)
{
    public const int ResourceSizeBytesMax = 20 * 1024 * 1024;

    private static readonly XName[] OfAll =
        [D + "resourcetype", DisplayName, GetETag, D + "getcontenttype", D + "getlastmodified"];

    private static readonly XName[] OfEvery =
        [D + "resourcetype", D + "current-user-principal", D + "current-user-privilege-set", D + "owner"];

    private static readonly XName[] OfCalendar =
    [
        .. OfEvery, DisplayName, CalendarColor, Apple + "calendar-order", C + "calendar-description",
        C + "calendar-timezone", C + "supported-calendar-component-set", C + "max-resource-size",
        C + "supported-calendar-data", Cs + "getctag", SyncToken, D + "supported-report-set",
    ];

    private static readonly XName[] OfItem =
        [.. OfEvery, GetETag, D + "getcontenttype", D + "getcontentlength", D + "getlastmodified"];

    private static readonly XName[] OfPrincipal =
    [
        .. OfEvery, DisplayName, D + "principal-URL", C + "calendar-home-set",
        C + "calendar-user-address-set", C + "schedule-inbox-URL", C + "schedule-outbox-URL",
    ];

    private static readonly string[] Reading = ["read", "read-current-user-privilege-set"];

    private static readonly string[] Writing =
        [.. Reading, "write", "write-properties", "write-content", "bind", "unbind"];

    /// <summary>The response of one thing to a PROPFIND or a report.</summary>
    /// <remarks>
    /// <c>asked</c>: The prop element; null asks for a usual choice.
    /// <c>data</c>: The calendar data, where they were asked for and may be seen.
    /// </remarks>
    public XElement Respond(DavTarget target, XElement? asked, XElement? data = null, bool isOdd = false)
    {
        var names = asked?.Elements().Select(element => element.Name) ?? OfAll;
        var found = new XElement(Prop);
        var missing = new XElement(Prop);
        foreach (var name in names.Distinct())
        {
            var value = name == CalendarData ? data : Find(target, name);
            if (value is not null)
                found.Add(value);
            else if (asked is not null)
                missing.Add(new XElement(name));
        }

        var response = new XElement(Response, new XElement(Href, target.Path.ToString()));
        if (found.HasElements || !missing.HasElements)
            response.Add(PropStat(found, model.Quirks.LeavesStatusEmpty && isOdd ? "" : "HTTP/1.1 200 OK"));
        if (missing.HasElements || model.Quirks.WritesUnprefixedXml)
            response.Add(PropStat(missing, "HTTP/1.1 404 Not Found"));
        return response;
    }

    /// <summary>The names of all properties of one thing: PROPFIND with propname.</summary>
    public XElement RespondWithNames(DavTarget target)
    {
        var names = target switch
        {
            DavTarget.Collection => OfCalendar,
            DavTarget.Item => OfItem,
            DavTarget.Principal => OfPrincipal,
            _ => OfEvery,
        };
        return new XElement(
            Response, new XElement(Href, target.Path.ToString()),
            PropStat(
                new XElement(Prop, names.Where(name => Find(target, name) is not null)
                    .Select(name => new XElement(name))),
                "HTTP/1.1 200 OK"));
    }

    public static XElement PropStat(XElement prop, string status) =>
        new(D + "propstat", prop, new XElement(Status, status));

    private XElement? Find(DavTarget target, XName name)
    {
        if (name == D + "resourcetype")
            return ResourceType(target);
        if (name == D + "current-user-principal")
            return WithHref(name, DavPath.Of(caller, DavKind.Principal));
        if (name == D + "current-user-privilege-set")
            return Privileges(target);
        if (name == D + "owner" && target is not DavTarget.Root)
            return WithHref(name, DavPath.Of(caller, DavKind.Principal));
        return target switch
        {
            DavTarget.Principal principal => FindOfPrincipal(principal.Account, name),
            DavTarget.Home home => name == DisplayName ? new XElement(name, home.Account.Name) : null,
            DavTarget.Collection collection => FindOfCalendar(collection.Calendar, name),
            DavTarget.Item item => FindOfItem(item, name),
            _ => null,
        };
    }

    private XElement? FindOfPrincipal(DavAccount account, XName name)
    {
        var home = DavPath.Of(account, DavKind.Home).ToString();
        if (name == DisplayName)
            return new XElement(name, account.Name);
        if (name == D + "principal-URL")
            return WithHref(name, DavPath.Of(account, DavKind.Principal));
        if (name == C + "calendar-home-set")
        {
            var address = model.Quirks.MovesToShard ? new Uri(shard, home).AbsoluteUri : home;
            return new XElement(name, new XElement(Href, address));
        }

        if (name == C + "calendar-user-address-set")
        {
            return new XElement(
                name, new XElement(Href, "mailto:" + account.Email),
                new XElement(Href, $"urn:uuid:{account.Dsid}"));
        }

        if (name == C + "schedule-inbox-URL")
            return new XElement(name, new XElement(Href, home + "inbox/"));
        return name == C + "schedule-outbox-URL"
            ? new XElement(name, new XElement(Href, home + "outbox/"))
            : null;
    }

    private XElement? FindOfCalendar(DavCalendar calendar, XName name)
    {
        if (name == D + "supported-report-set")
            return Reports();
        if (name == SyncToken && !model.Quirks.LacksSyncCollection)
            return new XElement(name, DavModel.TokenOf(calendar, calendar.Revision));
        if (name == Cs + "getctag")
            return new XElement(name, DavModel.CTagOf(calendar));
        if (name == C + "supported-calendar-component-set")
            return new XElement(name, new XElement(C + "comp", new XAttribute("name", calendar.Component)));
        if (name == C + "max-resource-size")
            return new XElement(name, ResourceSizeBytesMax);
        if (name == C + "supported-calendar-data")
        {
            return new XElement(
                name, new XElement(
                    CalendarData, new XAttribute("content-type", "text/calendar"),
                    new XAttribute("version", "2.0")));
        }

        var text = name == DisplayName ? calendar.Name
            : name == CalendarColor ? calendar.Color
            : name == Apple + "calendar-order" ? calendar.Order
            : name == C + "calendar-description" ? calendar.Description
            : name == C + "calendar-timezone" ? calendar.TimeZone
            : null;
        return text is null ? null : new XElement(name, text);
    }

    private XElement? FindOfItem(DavTarget.Item item, XName name)
    {
        var text = name == GetETag ? model.ShownETag(item.Calendar, item.Version)
            : name == D + "getcontenttype" ? "text/calendar; charset=utf-8"
            : name == D + "getcontentlength"
                ? item.Version.Octets.Length.ToString(CultureInfo.InvariantCulture)
            : name == D + "getlastmodified"
                ? item.Version.ModifiedAt.ToString("R", CultureInfo.InvariantCulture)
            : null;
        return text is null ? null : new XElement(name, text);
    }

    private XElement Reports()
    {
        XName[] names = [C + "calendar-query", C + "calendar-multiget", D + "sync-collection"];
        return new XElement(
            D + "supported-report-set",
            names.Where(name => !model.Quirks.LacksSyncCollection || name.Namespace == C)
                .Select(name => new XElement(
                    D + "supported-report", new XElement(D + "report", new XElement(name)))));
    }

    private static XElement ResourceType(DavTarget target)
    {
        var type = new XElement(D + "resourcetype");
        if (target is not DavTarget.Item)
            type.Add(new XElement(D + "collection"));
        if (target is DavTarget.Principal)
            type.Add(new XElement(D + "principal"));
        if (target is DavTarget.Collection)
            type.Add(new XElement(C + "calendar"));
        if (target is DavTarget.Other { Path.CalendarId: var id })
        {
            type.Add(new XElement(
                id == "notification" ? Cs + "notification" : C + ("schedule-" + id)));
        }

        return type;
    }

    private static XElement Privileges(DavTarget target)
    {
        var isReadOnly = target switch
        {
            DavTarget.Collection collection => collection.Calendar.IsReadOnly,
            DavTarget.Item item => item.Calendar.IsReadOnly,
            DavTarget.Home => false,
            _ => true,
        };
        return new XElement(
            D + "current-user-privilege-set",
            (isReadOnly ? Reading : Writing).Select(
                name => new XElement(D + "privilege", new XElement(D + name))));
    }

    private static XElement WithHref(XName name, DavPath path) =>
        new(name, new XElement(Href, path.ToString()));
}
