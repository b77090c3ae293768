using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.Json.Nodes;

namespace CalSync.Lab.Running;

/// <summary>One message of a stream.</summary>
/// <param name="Id">The last id the client had when it came.</param>
/// <param name="Type"><c>ready</c>, <c>reset</c>, or <c>message</c> for a change.</param>
/// <param name="Data">JSON.</param>
public sealed record StreamMessage(string Id, string Type, JsonNode Data)
{
    /// <summary>What happened; empty for what is no change.</summary>
    public string Kind => (string?)Data["kind"] ?? "";
}

/// <summary>A client of <c>GET /api/v1/me/events</c>, reading with the platform's own parser.</summary>
public sealed class EventListener : IAsyncDisposable
{
    /// <summary>The media type of a stream.</summary>
    public const string MediaType = "text/event-stream";

    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private readonly CancellationTokenSource _leave = new();
    private readonly Lock _gate = new();
    private readonly List<StreamMessage> _messages = [];
    private SseParser<string>? _parser;
    private Task _reading = Task.CompletedTask;
    private bool _hasLeft;

    private EventListener()
    {
    }

    /// <summary>Everything that came so far, in order.</summary>
    public ImmutableArray<StreamMessage> Messages
    {
        get
        {
            lock (_gate)
                return [.. _messages];
        }
    }

    /// <summary>The changes among them.</summary>
    public IEnumerable<StreamMessage> Changes => Messages.Where(message => message.Type == "message");

    /// <summary>What a browser would send to resume.</summary>
    public string LastEventId => _parser?.LastEventId ?? "";

    /// <summary>True once the server has ended the stream.</summary>
    public bool HasEnded => _reading.IsCompleted;

    /// <summary>Connects and waits until the stream has begun.</summary>
    /// <param name="address">The product.</param>
    /// <param name="token">Of the person.</param>
    /// <param name="lastEventId">Where to resume; null for from now on.</param>
    /// <exception cref="HttpRequestException">It was refused.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The caller disposes it.")]
    public static async Task<EventListener> OpenAsync(Uri address, string token, string? lastEventId)
    {
        var listener = new EventListener();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, "/api/v1/me/events"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.Accept.ParseAdd(MediaType);
        if (lastEventId is not null)
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        var response = await listener._http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (!response.IsSuccessStatusCode)
        {
            var status = response.StatusCode;
            response.Dispose();
            await listener.DisposeAsync();
            throw new HttpRequestException("The stream was refused.", null, status);
        }

        listener._reading = listener.ReadAsync(response);
        await RunningProduct.UntilAsync(
            () => Task.FromResult(!listener.Messages.IsEmpty), "the stream begins");
        return listener;
    }

    /// <summary>The first event of a stream as it came.</summary>
    internal static async Task<string> FirstAsync(
        HttpResponseMessage response, CancellationToken cancellation)
    {
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
        var text = "";
        while (await reader.ReadLineAsync(cancellation) is { Length: > 0 } line)
            text += line + "\n";
        return text;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // Leaving twice is leaving once: a test may end a stream early.
        if (_hasLeft)
            return;
        _hasLeft = true;
        await _leave.CancelAsync();
        await _reading;
        _http.Dispose();
        _leave.Dispose();
    }

    private async Task ReadAsync(HttpResponseMessage response)
    {
        using (response)
        {
            try
            {
                _parser = SseParser.Create(await response.Content.ReadAsStreamAsync(_leave.Token));
                await foreach (var item in _parser.EnumerateAsync(_leave.Token))
                {
                    lock (_gate)
                    {
                        _messages.Add(
                            new StreamMessage(
                            _parser.LastEventId, item.EventType, JsonNode.Parse(item.Data)!));
                    }
                }
            }
            catch (Exception fault) when (fault is OperationCanceledException or IOException)
            {
                // The listener left, or the server was killed.
            }
        }
    }
}
