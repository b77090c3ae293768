using System.Net.Http.Headers;
using System.Text;
using System.Xml.Linq;
using CalSync.Lab;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Sandbox.CalDav;

/// <summary>
/// Starts a sandbox on a clock that stands still and talks CalDAV to its practice iCloud over real loopback
/// HTTP. Without habits unless a test switches one on.
/// </summary>
public abstract class CalDavTest : IAsyncLifetime, IDisposable
{
    protected const string Maya = "maya@icloud.test";
    protected const string Arjun = "arjun@icloud.test";
    protected const string AppPassword = "maya-aaaa-bbbb-cccc";

    protected static readonly XNamespace D = "DAV:";
    protected static readonly XNamespace C = "urn:ietf:params:xml:ns:caldav";
    protected static readonly XNamespace Cs = "http://calendarserver.org/ns/";

    private readonly HttpClientHandler _handler = new() { AllowAutoRedirect = false, UseCookies = false };
    private SandboxServer _server = null!;
    private HttpClient _control = null!;

    protected static CancellationToken None => CancellationToken.None;

    protected ManualTimeProvider Clock { get; } = new();

    protected HttpClient Http { get; private set; } = null!;

    protected SandboxControl Control { get; private set; } = null!;

    protected CalDavControl CalDav { get; private set; } = null!;

    /// <summary>The control plane and the practice Google.</summary>
    protected Uri BaseAddress => _server.BaseAddress;

    protected Uri Entry => _server.CalDavAddress;

    /// <summary>The path of Maya's calendar home.</summary>
    protected string Home { get; private set; } = "";

    protected string Work => Home + "work/";

    public async Task InitializeAsync()
    {
        _server = await SandboxServer.StartAsync(
            new SandboxOptions(Clock) { Quirks = CalDavQuirks.None }, None);
        Http = new HttpClient(_handler, disposeHandler: false)
        {
            BaseAddress = _server.CalDavAddress,
            Timeout = TimeSpan.FromSeconds(20),
        };
        _control = new HttpClient { BaseAddress = _server.BaseAddress };
        Control = new SandboxControl(_control);
        CalDav = new CalDavControl(_control);
        var home = (await CalDav.GetTruthAsync(None)).Calendars.First(each => each.User == Maya).Href;
        Home = home[..(home.TrimEnd('/').LastIndexOf('/') + 1)];
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose()
    {
        Http?.Dispose();
        _control?.Dispose();
        _handler.Dispose();
        GC.SuppressFinalize(this);
    }

    protected Task QuirksAsync(CalDavQuirks quirks) => CalDav.SetQuirksAsync(quirks, None);

    /// <summary>One call with the password; headers as "Name: value".</summary>
    protected async Task<Reply> SendAsync(
        string method, string path, string? body = null, params string[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (!headers.Any(header => header.StartsWith("Authorization", StringComparison.Ordinal)))
            request.Headers.Authorization = Basic(Maya, AppPassword);
        if (body is not null)
        {
            var type = method == "PUT" ? "text/calendar" : "text/xml";
            request.Content = new StringContent(body, new UTF8Encoding(false), type);
        }

        foreach (var header in headers)
            request.Headers.TryAddWithoutValidation(header.Split(": ")[0], header.Split(": ")[1]);
        using var response = await Http.SendAsync(request);
        return new Reply(
            (int)response.StatusCode, await response.Content.ReadAsStringAsync(),
            response.Headers.TryGetValues("ETag", out var etag) ? etag.Single() : null, response.Headers);
    }

    protected static AuthenticationHeaderValue Basic(string user, string password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));

    protected Task<Reply> PropFindAsync(string path, string depth, params string[] names) =>
        SendAsync("PROPFIND", path, $"<propfind xmlns='DAV:'>{Prop(names)}</propfind>", "Depth: " + depth);

    protected Task<Reply> SyncAsync(string token, string more = "", string prop = "getetag") => SendAsync(
        "REPORT", Work,
        $"<sync-collection xmlns='DAV:'><sync-token>{token}</sync-token><sync-level>1</sync-level>{more}"
            + $"{Prop(prop)}</sync-collection>");

    protected Task<Reply> MultigetAsync(params string[] hrefs) => SendAsync(
        "REPORT", Work,
        $"<c:calendar-multiget xmlns='DAV:' xmlns:c='{C}'><prop><getetag/><c:calendar-data/></prop>"
            + string.Concat(hrefs.Select(href => $"<href>{href}</href>")) + "</c:calendar-multiget>",
        "Depth: 1");

    protected Task<Reply> QueryAsync(string filter) => SendAsync(
        "REPORT", Work,
        $"<c:calendar-query xmlns='DAV:' xmlns:c='{C}'><prop><getetag/></prop><c:filter>"
            + $"<c:comp-filter name='VCALENDAR'>{filter}</c:comp-filter></c:filter></c:calendar-query>",
        "Depth: 1");

    protected async Task<Reply> PutAsync(string name, string body, params string[] headers) =>
        await SendAsync("PUT", Work + name, body, headers);

    /// <summary>Creates an event that must be accepted; its ETag from a listing.</summary>
    protected async Task<string?> CreateAsync(string name, string body)
    {
        var reply = await PutAsync(name, body, "If-None-Match: *");
        Assert.True(reply.Status == 201, $"{reply.Status} {reply.Text}");
        return await ETagAsync(name);
    }

    protected async Task<string?> ETagAsync(string name) =>
        (await PropFindAsync(Work + name, "0", "getetag")).Xml.Descendants(D + "getetag")
            .Select(element => element.Value).SingleOrDefault(value => value.Length > 0);

    protected static string Event(
        string uid, string more = "SUMMARY:Yoga", string end = "DTEND:20260112T160000Z") =>
        Lines(
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", "UID:" + uid,
            "DTSTAMP:20260101T000000Z", "DTSTART:20260112T150000Z", end, more, "END:VEVENT",
            "END:VCALENDAR");

    protected static string Lines(params string[] lines) =>
        string.Concat(lines.Where(line => line.Length > 0).Select(line => line + "\r\n"));

    /// <summary>Names of the resources a multistatus reports as there.</summary>
    protected static List<string> Present(Reply reply) => Rows(reply, present: true);

    /// <summary>Names of the resources a multistatus reports as gone.</summary>
    protected static List<string> Gone(Reply reply) => Rows(reply, present: false);

    protected static string Token(Reply reply) => reply.Xml.Element(D + "sync-token")!.Value;

    protected static void AssertRefused(Reply reply, int status, XName condition)
    {
        Assert.True(reply.Status == status, $"{reply.Status} {reply.Text}");
        Assert.Equal(D + "error", reply.Xml.Name);
        Assert.Equal(condition, reply.Xml.Elements().Single().Name);
    }

    private static List<string> Rows(Reply reply, bool present)
    {
        Assert.True(reply.Status == 207, $"{reply.Status} {reply.Text}");
        return
        [
            .. reply.Xml.Elements(D + "response")
                .Where(row => row.Element(D + "status") is null == present)
                .Select(row => row.Element(D + "href")!.Value)
                .Where(href => !href.EndsWith('/'))
                .Select(href => Uri.UnescapeDataString(href[(href.LastIndexOf('/') + 1)..])),
        ];
    }

    private static string Prop(params string[] names) =>
        "<prop>" + string.Concat(names.Select(name => name.Split(' ') is [var local, var space]
            ? $"<{local} xmlns='{space}'/>"
            : $"<{name}/>")) + "</prop>";

    protected sealed record Reply(int Status, string Text, string? ETag, HttpResponseHeaders Headers)
    {
        public XElement Xml => XElement.Parse(Text);
    }
}
