using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using CalSync.Client;

namespace CalSync.App.Demo;

/// <summary>The product's HTTP interface as one person uses it, with one idempotency key for each
/// intent.</summary>
internal sealed class DemoApi : IDisposable
{
    private readonly string _token;
    private readonly Func<string> _newKey;
    private readonly Patience? _patience;
    private HttpClient _http;
    private CalSyncClient _client;

    /// <param name="address">Where the product listens.</param>
    /// <param name="token">The person's bearer token.</param>
    /// <param name="newKey">Gives an idempotency key.</param>
    /// <param name="patience">Null: everything is sent once, for whoever wants to see each answer.</param>
    public DemoApi(Uri address, string token, Func<string> newKey, Patience? patience = null)
    {
        (_token, _newKey, _patience) = (token, newKey, patience);
        (_http, _client) = Connect(address);
    }

    /// <summary>The product listens somewhere else from now on; nothing may be under way.</summary>
    public void MoveTo(Uri address)
    {
        _http.Dispose();
        (_http, _client) = Connect(address);
    }

    /// <summary>Reads a resource.</summary>
    public async Task<DemoAnswer> GetAsync(string path, CancellationToken cancellation) =>
        DemoAnswer.Of(await _client.GetAsync(path, cancellation));

    /// <summary>Sends a new intent, or an old one again when its key is given.</summary>
    public Task<DemoAnswer> PostAsync(
        string path, JsonNode? body, CancellationToken cancellation, string? key = null,
        string? prefer = null, string? etag = null)
    {
        var intent = _client.NewIntent(HttpMethod.Post, path, body, etag);
        return SendAsync(
            intent with { Key = key ?? intent.Key, RespondsAsync = prefer == "respond-async" }, cancellation);
    }

    /// <summary>Sets a resource.</summary>
    public Task<DemoAnswer> PutAsync(string path, JsonNode body, CancellationToken cancellation) =>
        SendAsync(_client.NewIntent(HttpMethod.Put, path, body), cancellation);

    /// <summary>Changes a resource that was last seen with this ETag.</summary>
    public Task<DemoAnswer> PatchAsync(
        string path, string etag, JsonNode body, CancellationToken cancellation) =>
        SendAsync(_client.NewIntent(HttpMethod.Patch, path, body, etag), cancellation);

    /// <summary>Removes a resource that was last seen with this ETag.</summary>
    public Task<DemoAnswer> DeleteAsync(string path, string etag, CancellationToken cancellation) =>
        SendAsync(_client.NewIntent(HttpMethod.Delete, path, null, etag), cancellation);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private (HttpClient Http, CalSyncClient Client) Connect(Uri address)
    {
        var http = new HttpClient
        {
            BaseAddress = new Uri(address, "/api/v1/"),
            Timeout = TimeSpan.FromSeconds(30),
        };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        return (http, new CalSyncClient(http, _newKey, _patience));
    }

    private async Task<DemoAnswer> SendAsync(Intent intent, CancellationToken cancellation) =>
        DemoAnswer.Of(await _client.SendAsync(intent, cancellation));
}

/// <summary>One answer of the product.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">The JSON body; null for none.</param>
/// <param name="ETag">With quotes; null for none.</param>
/// <param name="Replayed">Whether it was given before.</param>
internal sealed record DemoAnswer(HttpStatusCode Status, JsonNode? Body, string? ETag, bool Replayed)
{
    /// <summary>What the client was answered.</summary>
    public static DemoAnswer Of(ClientAnswer answer) =>
        new((HttpStatusCode)answer.Status, answer.Body, answer.ETag, answer.Replayed);

    /// <summary>The status as a number.</summary>
    public int Code => (int)Status;

    /// <summary>A member of the body as text; empty when absent.</summary>
    public string Text(string member) => (Body as JsonObject)?[member]?.ToString() ?? "";

    /// <summary>The answer when it is a success.</summary>
    /// <exception cref="DemoFailedException">Any other status, with the body.</exception>
    public DemoAnswer Expect() =>
        Code is >= 200 and < 300
            ? this
            : throw new DemoFailedException($"The API answered {Code}: {Body?.ToJsonString()}");
}
