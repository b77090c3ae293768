using System.Text.Json.Nodes;
using CalSync.App.Api.Problems;

namespace CalSync.App.Api.Idempotency;

/// <summary>Answers as they are kept under an idempotency key.</summary>
internal static class StoredAnswers
{
    /// <summary>Marks a repeated answer. R-FIX-4-C.</summary>
    public const string ReplayHeader = "Idempotent-Replayed";

    private const string MediaType = "Content-Type";

    /// <summary>The headers of an answer as one JSON object, its media type among them.</summary>
    public static string WriteHeaders(Answer answer)
    {
        var headers = new JsonObject { [MediaType] = answer.ContentType };
        foreach (var (name, value) in answer.Headers)
            headers[name] = value;
        return headers.ToJsonString();
    }

    /// <summary>The answer again, marked as a repetition.</summary>
    public static Answer Read(int status, string? headers, string? body)
    {
        var stored = headers is null ? [] : JsonNode.Parse(headers)!.AsObject();
        var answer = new Answer(status, body, (string?)stored[MediaType] ?? "application/json", []);
        foreach (var (name, value) in stored)
        {
            if (name != MediaType && value is not null)
                answer = answer.With(name, value.GetValue<string>());
        }

        return answer.With(ReplayHeader, "true");
    }
}

/// <summary>What a repeated key can be refused with.</summary>
internal static class IdempotencyProblems
{
    /// <summary>The first request is still running. R-FIX-4-B fixes the three extra members.</summary>
    /// <remarks>
    /// <c>status</c> is a word here, as the older contract says; RFC 9457 section 3.1 has readers ignore a
    /// member of the
    /// wrong type, and the number is on the status line.
    /// </remarks>
    public static Problem InProgress(TimeSpan retryAfter) =>
        ProblemCatalogue.IdempotencyInProgress.With(
            "The first request with this key has not been answered yet.")
            .And("status", "duplicate")
            .And("message", "This request is currently being processed")
            .And("retryAfter", JsonValue.Create((long)Math.Ceiling(retryAfter.TotalSeconds))) with
        { RetryAfter = retryAfter };

    /// <summary>The key belongs to another request.</summary>
    public static Problem Mismatch() =>
        ProblemCatalogue.IdempotencyMismatch.With(
            "The key was first used with another body or for another object.");
}
