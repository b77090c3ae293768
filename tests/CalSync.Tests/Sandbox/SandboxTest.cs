using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using CalSync.Lab;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Sandbox;

/// <summary>
/// Starts a sandbox on a clock that stands still and talks to it over real loopback HTTP, as any client
/// would.
/// </summary>
public abstract class SandboxTest : IAsyncLifetime, IDisposable
{
    protected const string Maya = "maya@studio.test";
    protected const string Arjun = "arjun@studio.test";
    protected const string Sam = "sam@student.test";
    protected const string AllCalendar = "https://www.googleapis.com/auth/calendar";
    protected const string Redirect = "http://127.0.0.1:9/callback";

    private readonly HttpClientHandler _handler = new() { AllowAutoRedirect = false, UseCookies = false };
    private readonly Dictionary<string, string> _tokens = [];
    private SandboxServer _server = null!;

    protected static CancellationToken None => CancellationToken.None;

    protected ManualTimeProvider Clock { get; } = new();

    protected HttpClient Http { get; private set; } = null!;

    protected SandboxControl Control { get; private set; } = null!;

    protected Uri BaseAddress => _server.BaseAddress;

    protected Uri CalDavAddress => _server.CalDavAddress;

    /// <summary>Where Calendar calls go; a proxy in between may be put here.</summary>
    protected virtual Uri CalendarBase => new(BaseAddress, "calendar/v3/");

    public async Task InitializeAsync()
    {
        _server = await SandboxServer.StartAsync(Options(), None);
        Http = new HttpClient(_handler, disposeHandler: false)
        {
            BaseAddress = _server.BaseAddress,
            Timeout = TimeSpan.FromSeconds(20),
        };
        Control = new SandboxControl(Http);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose()
    {
        Http.Dispose();
        _handler.Dispose();
        GC.SuppressFinalize(this);
    }

    protected virtual SandboxOptions Options() => new(Clock);

    /// <summary>
    /// An access token of the account, with the given scopes, through the whole consent round trip.
    /// </summary>
    protected async Task<string> TokenAsync(string user, string scope = AllCalendar)
    {
        if (_tokens.TryGetValue(user + scope, out var known))
            return known;
        var answer = await ExchangeAsync(await CodeAsync(user, scope));
        return _tokens[user + scope] = answer["access_token"]!.GetValue<string>();
    }

    protected async Task<string> CodeAsync(string user, string scope = AllCalendar, string more = "")
    {
        using var response = await Http.GetAsync(

                           "o/oauth2/v2/auth?response_type=code&client_id=calsync-sandbox"
            + $"&redirect_uri={Uri.EscapeDataString(Redirect)}&scope={Uri.EscapeDataString(
                scope)}&state=s1&sandbox_consent=allow&sandbox_user={user}{more}");
        Assert.Equal(HttpStatusCode.Found, response.StatusCode);
        var query = response.Headers.Location!.Query.TrimStart(
            '?').Split('&').Select(pair => pair.Split('='));
        return Uri.UnescapeDataString(query.Single(pair => pair[0] == "code")[1]);
    }

    protected async Task<JsonObject> ExchangeAsync(string code)
    {
        var reply = await FormAsync("token", new()
        {
            ["grant_type"] = "authorization_code",
            ["code"] = code,
            ["redirect_uri"] = Redirect,
            ["client_id"] = "calsync-sandbox",
            ["client_secret"] = "calsync-sandbox-secret",
        });
        Assert.Equal(200, reply.Status);
        return reply.Body!;
    }

    protected async Task<Reply> FormAsync(string path, Dictionary<string, string> form)
    {
        using var content = new FormUrlEncodedContent(form);
        using var response = await Http.PostAsync(path, content);
        return await ReadAsync(response);
    }

    /// <summary>One Calendar call; paths are relative to /calendar/v3/.</summary>
    protected async Task<Reply> CallAsync(
        string method, string path, JsonNode? body = null, string user = Maya, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(CalendarBase, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync(user));
        if (ifMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        if (body is not null)
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await Http.SendAsync(request);
        return await ReadAsync(response);
    }

    protected async Task<JsonObject> InsertAsync(
        JsonObject body, string user = Maya, string calendar = "primary", string query = "")
    {
        var reply = await CallAsync("POST", $"calendars/{calendar}/events{query}", body, user);
        Assert.True(reply.Status == 200, reply.Text);
        return reply.Body!;
    }

    protected Task<Reply> GetAsync(string id, string user = Maya, string calendar = "primary") =>
        CallAsync("GET", $"calendars/{calendar}/events/{id}", user: user);

    protected Task<Reply> PatchAsync(string id, JsonObject body, string? ifMatch = null, string query = "") =>
        CallAsync("PATCH", $"calendars/primary/events/{id}{query}", body, ifMatch: ifMatch);

    protected Task<Reply> ListAsync(string query = "", string user = Maya, string calendar = "primary") =>
        CallAsync("GET", $"calendars/{calendar}/events{query}", user: user);

    /// <summary>A class on 12 January 2026, 10:00 to 11:00 New York time.</summary>
    protected static JsonObject Class(string? id = null, params string[] attendees)
    {
        var body = new JsonObject
        {
            ["summary"] = "Yoga",
            ["start"] = new JsonObject { ["dateTime"] = "2026-01-12T10:00:00-05:00" },
            ["end"] = new JsonObject { ["dateTime"] = "2026-01-12T11:00:00-05:00" },
        };
        if (id is not null)
            body["id"] = id;
        if (attendees.Length > 0)
            body["attendees"] = Guests(attendees);
        return body;
    }

    protected static JsonArray Guests(params string[] emails) =>
        new([.. emails.Select(email => new JsonObject { ["email"] = email })]);

    protected static void AssertError(Reply reply, int status, string reason)
    {
        Assert.True(reply.Status == status, reply.Text);
        var error = reply.Body!["error"]!;
        Assert.Equal(status, error["code"]!.GetValue<int>());
        Assert.Equal(reason, error["errors"]![0]!["reason"]!.GetValue<string>());
    }

    protected static string Text(JsonNode node, string name) => node[name]!.GetValue<string>();

    protected static List<string> Ids(Reply listing)
    {
        Assert.True(listing.Status == 200, listing.Text);
        return [.. listing.Body!["items"]!.AsArray().Select(item => Text(item!, "id"))];
    }

    protected static async Task<Reply> ReadAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();

        var isJson = response.Content.Headers.ContentType?.MediaType?.EndsWith(
            "json", StringComparison.Ordinal);
        var body = isJson == true ? JsonNode.Parse(text) as JsonObject : null;
        return new Reply(
            (int)response.StatusCode, body, text, response.Headers.ETag?.ToString(), response.Headers);
    }

    protected sealed record Reply(
        int Status, JsonObject? Body, string Text, string? ETag, HttpResponseHeaders Headers);
}
