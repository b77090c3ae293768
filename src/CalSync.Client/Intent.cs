using System.Text.Json.Nodes;

namespace CalSync.Client;

/// <summary>One thing a person wants, under one name for as long as it takes. R-FIX-4-H.</summary>
/// <remarks>
/// Immutable. Sent again, by another process too, it is still the same intent: the server does it once.
/// Keep it until its answer is there. Wanting the same thing once more is a new intent.
/// </remarks>
/// <param name="Method">HTTP method.</param>
/// <param name="Path">Relative to <c>/api/v1/</c>, such as <c>classes</c>.</param>
/// <param name="Json">The body, the same text on every attempt; null for none.</param>
/// <param name="Key">The idempotency key, 1 to 255 visible ASCII characters; null for a read.</param>
public sealed record Intent(HttpMethod Method, string Path, string? Json, string? Key)
{
    /// <summary>The ETag of the version a change was decided on, with its quotes; null for none.</summary>
    public string? IfMatch { get; init; }

    /// <summary>True: answered 202 at once, whatever the calendar does (RFC 7240 section 4.1).</summary>
    public bool RespondsAsync { get; init; }
}

/// <summary>What the server answered to an intent.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">The JSON body, or its text as a JSON string when it is no JSON; null for none.</param>
/// <param name="ETag">With quotes; null for none.</param>
/// <param name="Replayed">True when this answer was given before and nothing was done now.</param>
/// <param name="RetryAfter">From the moment of the answer; null when the server named no delay.</param>
/// <param name="AttemptCount">How often the intent was sent for it, from 1.</param>
public sealed record ClientAnswer(
    int Status, JsonNode? Body, string? ETag, bool Replayed, TimeSpan? RetryAfter, int AttemptCount)
{
    /// <summary>The problem's name for programs (<c>code</c>); empty when the answer is no problem.</summary>
    public string Code => (string?)((Body as JsonObject)?["code"] as JsonValue) ?? "";
}

/// <summary>No answer came, however often the intent was sent. Whether it was done is not known.</summary>
public sealed class NoAnswerException : HttpRequestException
{
    internal NoAnswerException(Intent intent, int attemptCount, Exception last)
        : base(
            (last as HttpRequestException)?.HttpRequestError ?? HttpRequestError.Unknown,
            $"No answer after {attemptCount} attempts: {last.Message}", last) =>
        (Intent, AttemptCount) = (intent, attemptCount);

    /// <summary>Send it again later: under its key it is done at most once.</summary>
    public Intent Intent { get; }

    /// <summary>How often it was sent.</summary>
    public int AttemptCount { get; }
}
