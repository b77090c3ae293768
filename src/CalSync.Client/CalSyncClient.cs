using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CalSync.Client;

/// <summary>The HTTP interface for programs: one key an intent, the same on every retry.</summary>
/// <remarks>
/// R-FIX-4-H. Sent again: what got no answer (lost, timed out), what is still being processed (409
/// <c>idempotency-in-progress</c>), 502, 503 and 504, and any 429 or 5xx that names a delay. Every other
/// answer is an answer. Thread-safe.
/// </remarks>
public sealed class CalSyncClient
{
    private readonly HttpClient _http;
    private readonly Func<string> _newKey;
    private readonly Patience? _patience;

    /// <param name="http">
    /// Whose base address ends with <c>/api/v1/</c> and whose default headers carry the bearer token; it
    /// stays the caller's. Its timeout is that of one attempt, and should be longer than the 10 s a server
    /// takes at most.
    /// </param>
    /// <param name="newKey">Makes a random key nobody made before, such as a UUID; thread-safe.</param>
    /// <param name="patience">Null: everything is sent once.</param>
    public CalSyncClient(HttpClient http, Func<string> newKey, Patience? patience)
    {
        (_http, _newKey, _patience) = (http, newKey, patience);
    }

    /// <summary>Names something a person wants now. Nothing is sent yet.</summary>
    /// <param name="method">POST, PUT, PATCH or DELETE.</param>
    /// <param name="path">Relative to <c>/api/v1/</c>.</param>
    /// <param name="body">Null for none.</param>
    /// <param name="ifMatch">The ETag the change was decided on; null for none.</param>
    public Intent NewIntent(HttpMethod method, string path, JsonNode? body = null, string? ifMatch = null) =>
        new(method, path, body?.ToJsonString(), _newKey()) { IfMatch = ifMatch };

    /// <summary>Reads a resource.</summary>
    /// <param name="path">Relative to <c>/api/v1/</c>.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    /// <exception cref="NoAnswerException">The server cannot be reached.</exception>
    public Task<ClientAnswer> GetAsync(string path, CancellationToken cancellation) =>
        SendAsync(new Intent(HttpMethod.Get, path, null, null), cancellation);

    /// <summary>Sends an intent until it is answered, or patience ends.</summary>
    /// <param name="intent">New, or one whose answer never came.</param>
    /// <param name="cancellation">A cancelled intent may have been done; a repeat does not double it.</param>
    /// <returns>The answer; one that asks to come back later when patience ended with it.</returns>
    /// <exception cref="NoAnswerException">No attempt was answered.</exception>
    public async Task<ClientAnswer> SendAsync(Intent intent, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(intent);
        var started = _patience?.Clock.GetTimestamp() ?? 0;
        for (var attempt = 1; ; attempt++)
        {
            var (answer, fault) = await TryAsync(intent, attempt, cancellation);
            if (answer is not null && !AsksToComeBack(answer))
                return answer;
            var pause = _patience?.PauseAfter(
                attempt, _patience.Clock.GetElapsedTime(started), answer?.RetryAfter);
            if (pause is null)
                return answer ?? throw new NoAnswerException(intent, attempt, fault!);
            await Task.Delay(pause.Value, _patience!.Clock, cancellation);
        }
    }

    private static bool AsksToComeBack(ClientAnswer answer) => answer.Status switch
    {
        409 => answer.Code == "idempotency-in-progress",
        502 or 503 or 504 => true,
        429 or >= 500 => answer.RetryAfter is not null,
        _ => false,
    };

    private async Task<(ClientAnswer? Answer, Exception? Fault)> TryAsync(
        Intent intent, int attempt, CancellationToken cancellation)
    {
        try
        {
            using var request = Request(intent);
            using var response = await _http.SendAsync(request, cancellation);
            var text = await response.Content.ReadAsStringAsync(cancellation);
            var answer = new ClientAnswer(
                (int)response.StatusCode, Read(text), response.Headers.ETag?.ToString(),
                response.Headers.Contains("Idempotent-Replayed"), response.Headers.RetryAfter?.Delta,
                attempt);
            return (answer, null);
        }
        catch (HttpRequestException fault)
        {
            return (null, fault);
        }
        catch (TaskCanceledException fault) when (!cancellation.IsCancellationRequested)
        {
            // The client's own timeout.
            return (null, fault);
        }
    }

    private static HttpRequestMessage Request(Intent intent)
    {
        var request = new HttpRequestMessage(intent.Method, new Uri(intent.Path, UriKind.RelativeOrAbsolute));
        if (intent.Json is not null)
            request.Content = new StringContent(intent.Json, Encoding.UTF8, "application/json");
        if (intent.Key is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", intent.Key);
        if (intent.IfMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", intent.IfMatch);
        if (intent.RespondsAsync)
            request.Headers.TryAddWithoutValidation("Prefer", "respond-async");
        return request;
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
