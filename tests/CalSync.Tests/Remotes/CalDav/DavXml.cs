using CalSync.Lab;

namespace CalSync.Tests.Remotes.CalDav;

/// <summary>Answers of a CalDAV server, as the scripted server sends them.</summary>
internal static class DavXml
{
    /// <summary>What a request asks for, in a word.</summary>
    public static string Kind(ScriptedRequest request) => (request.Method, request.Body) switch
    {
        ("PROPFIND", _) when request.Headers["Depth"] == "1" => "members",
        ("PROPFIND", _) => "state",
        ("REPORT", var body) when body.Contains("sync-collection", StringComparison.Ordinal) => "sync",
        ("REPORT", var body) when body.Contains("multiget", StringComparison.Ordinal) => "multiget",
        ("REPORT", _) => "query",
        (var method, _) => method.ToLowerInvariant(),
    };

    public static ScriptedAnswer Rows(params IEnumerable<string> rows) => new ScriptedAnswer.Send(
        207, Text(rows), "Content-Type: application/xml; charset=utf-8", "Server: Scripted");

    public static string Text(params IEnumerable<string> rows) =>
        """<?xml version="1.0" encoding="utf-8"?><D:multistatus xmlns:D="DAV:" """
        + """xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/">"""
        + string.Concat(rows) + "</D:multistatus>";

    /// <summary>The calendar itself, as a probe and a listing name it.</summary>
    public static string State(string? token = null, string? ctag = "ctag-1", string more = "") => Row(
        CalDavRig.Path,
        "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>"
        + (token is null ? "" : $"<D:sync-token>{token}</D:sync-token>")
        + (ctag is null ? "" : $"<S:getctag>{ctag}</S:getctag>") + more);

    public static string Member(string name, string tag) =>
        Row(CalDavRig.Path + name, $"<D:getetag>\"{tag}\"</D:getetag><D:resourcetype/>");

    public static string Content(string name, string tag, string uid) => Row(
        CalDavRig.Path + name,
        $"<D:getetag>\"{tag}\"</D:getetag><C:calendar-data>{Event(uid)}</C:calendar-data>");

    /// <summary>What a GET or each row of a multiget asks for, as if it were there.</summary>
    public static ScriptedAnswer Contents(ScriptedRequest request, string tag = "1") =>
        request.Method == "GET" ? Body(Uid(request.Target), tag) : Rows(Hrefs(request).Select(href => Row(
            href,
            $"<D:getetag>\"{tag}\"</D:getetag><C:calendar-data>{Event(Uid(href))}</C:calendar-data>")));

    public static IEnumerable<string> Hrefs(ScriptedRequest request) =>
        request.Body.Split("<D:href>").Skip(1).Select(part => part.Split('<')[0]);

    public static string Gone(string name) => Failed(CalDavRig.Path + name, 404);

    public static string Failed(string href, int status, string condition = "") =>
        $"<D:response><D:href>{href}</D:href><D:status>HTTP/1.1 {status} No</D:status>{condition}"
        + "</D:response>";

    public static string Row(string href, string properties) =>
        $"<D:response><D:href>{href}</D:href><D:propstat><D:prop>{properties}</D:prop>"
        + "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>";

    public static string Token(string token) => $"<D:sync-token>{token}</D:sync-token>";

    public static ScriptedAnswer Error(int status, string condition) => new ScriptedAnswer.Send(
        status, $"""<D:error xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">{condition}</D:error>""");

    public static ScriptedAnswer Status(int status, params string[] headers) =>
        new ScriptedAnswer.Send(status, "", headers);

    public static ScriptedAnswer Page() => new ScriptedAnswer.Send(
        200, "<!DOCTYPE html><html><body>Please sign in<br></body></html>", "Content-Type: text/html");

    public static ScriptedAnswer Body(string uid, string? tag = "1") => new ScriptedAnswer.Send(
        200, Event(uid).ReplaceLineEndings("\r\n"),
        ["Content-Type: text/calendar", .. tag is null ? Array.Empty<string>() : [$"ETag: \"{tag}\""]]);

    public static string Event(string uid, string more = "") =>
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Test//EN\nBEGIN:VEVENT\n"
        + $"UID:{uid}\nDTSTAMP:20260301T080000Z\nDTSTART:20260504T090000Z\nDTEND:20260504T100000Z\n"
        + $"SUMMARY:Lesson\n{more}END:VEVENT\nEND:VCALENDAR\n";

    private static string Uid(string href) =>
        href[(href.LastIndexOf('/') + 1)..].Replace(".ics", "", StringComparison.Ordinal);
}
