using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CalSync.Lab.Running;

/// <summary>Somebody who uses a <see cref="RunningProduct"/> over HTTP.</summary>
/// <param name="Product">What they use.</param>
/// <param name="Id">The user; empty for nobody.</param>
/// <param name="Email">Account and calendar address.</param>
/// <param name="Token">Null for nobody.</param>
public sealed record Person(RunningProduct Product, string Id, string Email, string? Token)
{
    /// <summary>Reads a resource under /api/v1.</summary>
    public Task<ApiAnswer> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null);

    /// <summary>Sends an intent; a new one unless its key is given.</summary>
    public Task<ApiAnswer> PostAsync(
        string path, JsonNode? body, string? key = null, params (string, string)[] headers) =>
        SendAsync(
            HttpMethod.Post, path, body, [("Idempotency-Key", key ?? RunningProduct.NewKey()), .. headers]);

    /// <summary>Changes a resource that was seen with an ETag.</summary>
    public Task<ApiAnswer> PatchAsync(
        string path, string? etag, JsonNode body, params (string, string)[] headers) =>
        SendAsync(
            HttpMethod.Patch, path, body,
            [.. Precondition(etag), ("Idempotency-Key", RunningProduct.NewKey()), .. headers]);

    /// <summary>Removes a resource that was seen with an ETag.</summary>
    public Task<ApiAnswer> DeleteAsync(string path, string? etag) =>
        SendAsync(
            HttpMethod.Delete, path, null,
            [.. Precondition(etag), ("Idempotency-Key", RunningProduct.NewKey())]);

    /// <summary>Sets a resource.</summary>
    public Task<ApiAnswer> PutAsync(string path, JsonNode body) =>
        SendAsync(HttpMethod.Put, path, body, ("Idempotency-Key", RunningProduct.NewKey()));

    /// <summary>Sends exactly these headers.</summary>
    public Task<ApiAnswer> SendAsync(
        HttpMethod method, string path, JsonNode? body, params (string Name, string Value)[] headers) =>
        SendBytesAsync(
            method, path, body is null ? null : Encoding.UTF8.GetBytes(body.ToJsonString()),
            "application/json", headers);

    /// <summary>Sends exactly these bytes.</summary>
    public async Task<ApiAnswer> SendBytesAsync(
        HttpMethod method, string path, byte[]? body, string? contentType,
        params (string Name, string Value)[] headers)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(headers);
        using var request = new HttpRequestMessage(
            method, new Uri(path.StartsWith('/') ? path : "/api/v1/" + path, UriKind.Relative));
        if (Token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            // A body too long to be read is refused before it is sent, so that the answer is not lost with
            // the connection.
            request.Headers.ExpectContinue = body.Length > 64 * 1024;
            if (contentType is not null)
                request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await Product.SendAsync(request);
    }

    /// <summary>Listens to what concerns this person, from now on or from the event after one.</summary>
    public Task<EventListener> ListenAsync(string? lastEventId = null) =>
        EventListener.OpenAsync(Product.Address, Token!, lastEventId);

    private static (string, string)[] Precondition(string? etag) => etag is null ? [] : [("If-Match", etag)];
}

/// <summary>One answer of the product.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="MediaType">Of the body; null without one.</param>
/// <param name="Text">The body as it came.</param>
/// <param name="Headers">All headers, the content's among them.</param>
public sealed record ApiAnswer(
    int Status, string? MediaType, string Text, IReadOnlyDictionary<string, string> Headers)
{
    private readonly Lazy<JsonNode?> _body = new(() => Read(Text));

    /// <summary>The JSON body; null when it is none.</summary>
    public JsonNode? Body => _body.Value;

    /// <summary>A member of the body as text; empty when absent.</summary>
    public string this[string member] => (Body as JsonObject)?[member]?.ToString() ?? "";

    /// <summary>The ETag with its quotes; empty when absent.</summary>
    public string ETag => Header("ETag");

    /// <summary>A header; empty when absent.</summary>
    public string Header(string name) => Headers.TryGetValue(name, out var value) ? value : "";

    /// <summary>Itself when it has this status.</summary>
    /// <exception cref="InvalidOperationException">It has another one; the body is in the
    /// message.</exception>
    public ApiAnswer Expect(int status) => Status == status
        ? this
        : throw new InvalidOperationException($"{status} was expected, the answer is {Status}: {Text}");

    internal static ApiAnswer Of(HttpResponseMessage response, string text) => new(
        (int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, text,
        response.Headers.Concat(response.Content.Headers).ToDictionary(
            header => header.Key, header => string.Join(", ", header.Value),
            StringComparer.OrdinalIgnoreCase));

    private static JsonNode? Read(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
