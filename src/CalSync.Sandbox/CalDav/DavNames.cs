using System.Xml.Linq;

namespace CalSync.Sandbox.CalDav;

/// <summary>Namespaces and the names used more than once.</summary>
internal static class DavNames
{
    /// <summary>RFC 4918.</summary>
    public static readonly XNamespace D = "DAV:";

    /// <summary>RFC 4791.</summary>
    public static readonly XNamespace C = "urn:ietf:params:xml:ns:caldav";

    /// <summary>The calendar server's extensions: getctag.</summary>
    public static readonly XNamespace Cs = "http://calendarserver.org/ns/";

    /// <summary>Apple's extensions: calendar-color.</summary>
    public static readonly XNamespace Apple = "http://apple.com/ns/ical/";

    public static readonly XName Href = D + "href";
    public static readonly XName Prop = D + "prop";
    public static readonly XName Response = D + "response";
    public static readonly XName Status = D + "status";
    public static readonly XName SyncToken = D + "sync-token";
    public static readonly XName GetETag = D + "getetag";
    public static readonly XName DisplayName = D + "displayname";
    public static readonly XName CalendarData = C + "calendar-data";
    public static readonly XName CalendarColor = Apple + "calendar-color";
}
