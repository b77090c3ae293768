using CalSync.App.Api.Authentication;
using CalSync.App.Api.Problems;

namespace CalSync.App.Api;

/// <summary>What is known about a request before its handler runs.</summary>
/// <param name="CorrelationId">
/// From the client when it sent a sane one, else made here; on every answer, log line and journal entry.
/// </param>
/// <param name="Now">The clock, read once for the whole request, UTC.</param>
/// <param name="Caller">Who asks; null on open routes.</param>
internal sealed record RequestScope(string CorrelationId, DateTimeOffset Now, Caller? Caller)
{
    /// <summary>True when the client prefers 202 at once to waiting for the calendar (RFC 7240 section
    /// 4.1).</summary>
    public bool RespondsAsync { get; init; }

    /// <summary>True for HEAD, which the handlers see as GET: an endless body must not be begun.</summary>
    public bool AsksHead { get; init; }

    /// <summary>Who asks, on routes that need a token.</summary>
    /// <exception cref="InvalidOperationException">The route is open.</exception>
    public Caller Who => Caller ?? throw new InvalidOperationException("The route carries no access rule.");

    /// <summary>Answers with a problem.</summary>
    public Answer Refuse(Problem problem) => problem.ToAnswer(CorrelationId);

    /// <summary>Binds a handler's parameter.</summary>
    public static ValueTask<RequestScope> BindAsync(HttpContext context) => ValueTask.FromResult(Of(context));

    /// <summary>The scope of a request.</summary>
    public static RequestScope Of(HttpContext context) => context.Features.Get<RequestScope>()
        ?? throw new InvalidOperationException("The pipeline did not begin this request.");
}
