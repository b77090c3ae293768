using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace CalSync.App.Api.Problems;

/// <summary>One occurrence of a problem, as a value that handlers return (RFC 9457).</summary>
/// <param name="Type">Its entry of the catalogue.</param>
/// <param name="Detail">What happened this time, safe to show to the caller.</param>
internal sealed record Problem(ProblemType Type, string Detail)
{
    /// <summary>
    /// Extension members, written after the standard ones; a member of the same name replaces one.
    /// </summary>
    public ImmutableArray<(string Name, JsonNode? Value)> Members { get; init; } = [];

    /// <summary>Sent as Retry-After, whole seconds, rounded up; null for none.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// The status to answer with; the type's unless a compatibility setting says otherwise.
    /// </summary>
    public int Status { get; init; } = Type.Status;

    /// <summary>Further headers.</summary>
    public ImmutableArray<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>Adds an extension member.</summary>
    public Problem And(string name, JsonNode? value) => this with { Members = Members.Add((name, value)) };

    /// <summary>Writes the document.</summary>
    /// <param name="correlationId">The id under which the logs and the journal know this request.</param>
    public Answer ToAnswer(string correlationId)
    {
        var body = new JsonObject
        {
            ["type"] = Type.Uri,
            ["title"] = Type.Title,
            ["status"] = Status,
            ["detail"] = Detail,
            ["code"] = Type.Code,
            ["action"] = Type.Action,
            ["retry"] = Advice(Type.Retry),
            ["correlationId"] = correlationId,
        };
        foreach (var (name, value) in Members)
            body[name] = value?.DeepClone();
        var headers = Headers;
        if (RetryAfter is { } delay)
            headers = headers.Add(("Retry-After", Answer.Seconds(delay)));
        return new Answer(Status, body.ToJsonString(), "application/problem+json", headers);
    }

    private static string Advice(RetryAdvice retry) => retry switch
    {
        RetryAdvice.ChangeTheRequest => "change-the-request",
        RetryAdvice.ReadAgain => "read-again",
        RetryAdvice.Later => "later",
        RetryAdvice.AfterAPerson => "after-a-person",
    };
}
