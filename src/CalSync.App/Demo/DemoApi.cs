using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CalSync.App.Demo;

/// <summary>The product's HTTP interface as one person uses it, with one idempotency key for each
/// intent.</summary>
internal sealed class DemoApi : IDisposable
{
    private readonly HttpClient _http;
    private readonly Func<string> _newKey;

    /// <param name="address">Where the product listens.</param>
    /// <param name="token">The person's bearer token.</param>
    /// <param name="newKey">Gives an idempotency key.</param>
    public DemoApi(Uri address, string token, Func<string> newKey)
    {
        _http =
            new HttpClient { BaseAddress = new Uri(address, "/api/v1/"), Timeout = TimeSpan.FromSeconds(30) };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        _newKey = newKey;
    }

    /// <summary>Reads a resource.</summary>
    public Task<DemoAnswer> GetAsync(string path, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Get, path, null, null, null, cancellation);

    /// <summary>Sends a new intent, or an old one again when its key is given.</summary>
    public Task<DemoAnswer> PostAsync(
        string path, JsonNode? body, CancellationToken cancellation, string? key = null,
        string? prefer = null) =>
        SendAsync(HttpMethod.Post, path, body, null, key ?? _newKey(), cancellation, prefer);

    /// <summary>Sets a resource.</summary>
    public Task<DemoAnswer> PutAsync(string path, JsonNode body, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Put, path, body, null, _newKey(), cancellation);

    /// <summary>Changes a resource that was last seen with this ETag.</summary>
    public Task<DemoAnswer> PatchAsync(
        string path, string etag, JsonNode body, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Patch, path, body, etag, _newKey(), cancellation);

    /// <summary>Removes a resource that was last seen with this ETag.</summary>
    public Task<DemoAnswer> DeleteAsync(string path, string etag, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Delete, path, null, etag, _newKey(), cancellation);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<DemoAnswer> SendAsync(
        HttpMethod method, string path, JsonNode? body, string? etag, string? key,
        CancellationToken cancellation,
        string? prefer = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        if (etag is not null)
            request.Headers.TryAddWithoutValidation("If-Match", etag);
        if (key is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        if (prefer is not null)
            request.Headers.TryAddWithoutValidation("Prefer", prefer);
        using var response = await _http.SendAsync(request, cancellation);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        return new DemoAnswer(
            response.StatusCode, Read(text), response.Headers.ETag?.ToString(),
            response.Headers.Contains("Idempotent-Replayed"));
    }

    private static JsonNode? Read(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}

/// <summary>One answer of the product.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">The JSON body; null for none.</param>
/// <param name="ETag">With quotes; null for none.</param>
/// <param name="Replayed">Whether it was given before.</param>
internal sealed record DemoAnswer(HttpStatusCode Status, JsonNode? Body, string? ETag, bool Replayed)
{
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
