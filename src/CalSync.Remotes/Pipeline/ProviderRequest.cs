using System.Buffers;
using System.Collections.Immutable;
using System.Net.Http.Headers;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.Pipeline;

/// <summary>One request, made anew for every attempt.</summary>
/// <param name="Operation">The provider's method name, such as <c>events.patch</c>.</param>
/// <param name="Method">HTTP method.</param>
/// <param name="Target">Absolute address.</param>
/// <param name="IsWrite">True when repeating it blindly could do harm: it is never repeated here.</param>
/// <param name="AccessToken">Bearer token; null for none.</param>
/// <param name="Body">What to send; null for nothing.</param>
/// <param name="MediaType">Of the body.</param>
/// <param name="IfMatch">ETag; null for none.</param>
internal sealed record ProviderRequest(
    string Operation,
    HttpMethod Method,
    Uri Target,
    bool IsWrite,
    string? AccessToken = null,
    ReadOnlyMemory<byte>? Body = null,
    string MediaType = "application/json",
    string? IfMatch = null)
{
    /// <summary>What kind of answer is asked for. Default JSON.</summary>
    public string Accept { get; init; } = "application/json";

    /// <summary>The Authorization header where it is no bearer token; null for none. Never shown.</summary>
    public string? Authorization { get; init; }

    /// <summary>Further headers.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>All but what is secret.</summary>
    public override string ToString() => $"ProviderRequest {{ {Operation}, {Method} }}";

    /// <summary>Makes the message of one attempt.</summary>
    public HttpRequestMessage ToMessage()
    {
        var message = new HttpRequestMessage(Method, Target)
        {
            Version = System.Net.HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        message.Headers.TryAddWithoutValidation("Accept", Accept);
        message.Headers.TryAddWithoutValidation("User-Agent", "calsync");
        if (AccessToken is not null)
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", AccessToken);
        else if (Authorization is not null)
            message.Headers.TryAddWithoutValidation("Authorization", Authorization);
        foreach (var (name, value) in Headers)
            message.Headers.TryAddWithoutValidation(name, value);
        if (IfMatch is not null)
            message.Headers.TryAddWithoutValidation("If-Match", IfMatch);
        if (Body is { } body)
        {
            message.Content = new ReadOnlyMemoryContent(body);
            message.Content.Headers.TryAddWithoutValidation("Content-Type", MediaType + "; charset=utf-8");
        }
        else if (IsWrite || Target.Scheme == Uri.UriSchemeHttp)
        {
            // The handler silently sends a request again when a reused connection breaks before the answer,
            // unless the request has a body, even an empty one. Repeating is decided by RetryPolicy alone.
            message.Content = new ByteArrayContent([]);
        }

        return message;
    }
}

/// <summary>A complete answer.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">All of it.</param>
/// <param name="RetryAfter">From Retry-After, in seconds or as a date; null for none.</param>
internal sealed record ProviderAnswer(int Status, ReadOnlyMemory<byte> Body, TimeSpan? RetryAfter)
{
    /// <summary>Whether the status is 2xx.</summary>
    public bool Succeeded => Status is >= 200 and <= 299;
}

/// <summary>An answer whose body is still on its way.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="RetryAfter">From Retry-After, in seconds or as a date; null for none.</param>
/// <param name="Headers">Of the message, not of its body.</param>
/// <param name="MediaType">Of the body, without parameters; null when the answer names none.</param>
/// <param name="Body">Read once, to its end, so that the socket can be used again.</param>
internal sealed record StreamedAnswer(
    int Status, TimeSpan? RetryAfter, HttpResponseHeaders Headers, string? MediaType, Stream Body)
{
    /// <summary>Reads the body into memory.</summary>
    /// <exception cref="AnswerTooLargeException">There is more than that.</exception>
    public async Task<ReadOnlyMemory<byte>> ReadAllAsync(
        int sizeBytesMax, CancellationToken cancellation)
    {
        var block = ArrayPool<byte>.Shared.Rent(4 * 1024);
        try
        {
            // Nearly every answer to a write has no body.
            if (await Body.ReadAsync(block, cancellation) is not (> 0 and var count))
                return default;
            var kept = new ArrayBufferWriter<byte>();
            do
            {
                if (kept.WrittenCount + count > sizeBytesMax)
                    throw new AnswerTooLargeException();
                kept.Write(block.AsSpan(0, count));
                count = await Body.ReadAsync(block, cancellation);
            }
            while (count > 0);
            return kept.WrittenMemory;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }
}

/// <summary>Reads an answer while it comes; its fault, or null when it is what was asked for.</summary>
internal delegate Task<ProviderFault?> AnswerReader(StreamedAnswer answer, CancellationToken cancellation);

/// <summary>An answer is larger than its reader allows.</summary>
internal sealed class AnswerTooLargeException : Exception
{
}

/// <summary>For whom a request is made.</summary>
/// <param name="ConnectionId">Whose breaker and quota apply; null for none.</param>
/// <param name="Interactive">True when a person waits.</param>
/// <param name="Timeout">Limit of each attempt; null for the configured one.</param>
/// <param name="ReadAttempts">How often a read may be tried in all.</param>
/// <param name="Trace">Every attempt is appended.</param>
internal sealed record Caller(
    string? ConnectionId, bool Interactive, TimeSpan? Timeout, int ReadAttempts, List<CallTrace> Trace)
{
    public static Caller Of(ProviderCall call) =>
        new(call.ConnectionId, call.Interactive, call.Timeout, call.ReadAttempts, call.Trace);
}
