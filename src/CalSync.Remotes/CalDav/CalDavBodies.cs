using System.Buffers;
using System.Text;

namespace CalSync.Remotes.CalDav;

/// <summary>The bodies of the requests. No white space before the declaration: one server refuses
/// it.</summary>
internal static class CalDavBodies
{
    private const string Head = """<?xml version="1.0" encoding="utf-8"?>""" + "\n";

    private const string Spaces =
        """ xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" """
        + """xmlns:S="http://calendarserver.org/ns/" xmlns:A="http://apple.com/ns/ical/">""";

    /// <summary>What a place is, and where the account is from there.</summary>
    public static byte[] Place { get; } = PropFind(
        "<D:resourcetype/><D:current-user-principal/><C:calendar-home-set/>"
        + "<C:calendar-user-address-set/>");

    /// <summary>What a calendar is, and what is beside it in a home.</summary>
    /// <remarks>Not of a server's root: DAViCal fails when that is asked for a token.</remarks>
    public static byte[] Collection { get; } = PropFind(
        "<D:resourcetype/><D:displayname/><D:sync-token/><D:supported-report-set/>"
        + "<D:current-user-principal/><D:current-user-privilege-set/><S:getctag/><A:calendar-color/>"
        + "<C:supported-calendar-component-set/>");

    /// <summary>What state a calendar is in.</summary>
    public static byte[] State { get; } = PropFind(
        "<D:resourcetype/><D:sync-token/><D:supported-report-set/><S:getctag/>");

    /// <summary>What a calendar holds, without contents.</summary>
    public static byte[] Members { get; } = PropFind(
        "<D:getetag/><D:resourcetype/><D:getcontenttype/><D:getcontentlength/>");

    /// <summary>calendar-multiget, RFC 4791 section 7.9.</summary>
    /// <param name="hrefs">Absolute paths.</param>
    /// <param name="withContents">Whether the contents are asked for, or only the ETags.</param>
    public static byte[] MultiGet(IEnumerable<string> hrefs, bool withContents = true)
    {
        var body = new StringBuilder(Head).Append("<C:calendar-multiget").Append(Spaces)
            .Append("<D:prop><D:getetag/>").Append(withContents ? "<C:calendar-data/>" : "")
            .Append("</D:prop>");
        foreach (var href in hrefs)
            body.Append("<D:href>").Append(Escaped(href)).Append("</D:href>");
        return Octets(body.Append("</C:calendar-multiget>").ToString());
    }

    /// <summary>sync-collection, RFC 6578 section 3.2. One server fails without sync-level.</summary>
    public static byte[] SyncCollection(string token) => Octets(
        $"{Head}<D:sync-collection{Spaces}<D:sync-token>{Escaped(token)}</D:sync-token>"
        + "<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>");

    /// <summary>calendar-query for one UID, RFC 4791 section 7.8. One server refuses it without the
    /// component.</summary>
    /// <param name="uid">Has only characters that XML can carry.</param>
    public static byte[] FindUid(string uid) => Octets(
        $"{Head}<C:calendar-query{Spaces}<D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter>"
        + """<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="UID">"""
        + $"""<C:text-match collation="i;octet">{Escaped(uid)}</C:text-match>"""
        + "</C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>");

    private static byte[] PropFind(string properties) =>
        Octets($"{Head}<D:propfind{Spaces}<D:prop>{properties}</D:prop></D:propfind>");

    private static byte[] Octets(string text) => Encoding.UTF8.GetBytes(text);

    private static string Escaped(string text) => text.AsSpan().IndexOfAny(Special) < 0
        ? text
        : text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal);

    private static readonly SearchValues<char> Special = SearchValues.Create("&<>");
}
