namespace CalSync.App.Api.Problems;

/// <summary>What a program should do before it sends the same request again.</summary>
internal enum RetryAdvice
{
    /// <summary>Never the same request: it has to be changed first.</summary>
    ChangeTheRequest = 0,

    /// <summary>Read the resource again, decide again, then send.</summary>
    ReadAgain = 1,

    /// <summary>The same request, after the delay in Retry-After.</summary>
    Later = 2,

    /// <summary>Only after a person did something.</summary>
    AfterAPerson = 3,
}

/// <summary>One entry of the catalogue of everything that can be answered with an error (RFC 9457).</summary>
/// <param name="Name">Last part of the type URI and name of its page under docs/errors.</param>
/// <param name="Status">The HTTP status it is always answered with.</param>
/// <param name="Title">One sentence, the same on every occurrence.</param>
/// <param name="Action">What the caller can do about it, in words for a person.</param>
/// <param name="Retry">What a program should do before trying again.</param>
internal sealed record ProblemType(string Name, int Status, string Title, string Action, RetryAdvice Retry)
{
    /// <summary>
    /// The <c>code</c> member: the name, except where an older contract fixed another spelling.
    /// </summary>
    public string Code { get; init; } = Name;

    /// <summary>The <c>type</c> member, relative to the server, where its page is served.</summary>
    public string Uri => $"/errors/{Name}";

    /// <summary>Begins an occurrence.</summary>
    /// <param name="detail">
    /// What happened this time; no tokens, no addresses of other people, no provider bodies.
    /// </param>
    public Problem With(string detail) => new(this, detail);
}
