using CalSync.App.Api.Bodies;
using CalSync.App.Api.Problems;

namespace CalSync.App.Api.Idempotency;

/// <summary>The idempotency key of a change, as a handler's parameter.</summary>
internal sealed class RequestKey : IRefusable
{
    /// <summary>Where the fingerprint of the body is kept during a request.</summary>
    public const string FingerprintItem = "calsync.fingerprint";

    /// <summary>
    /// The warning sent with every answer to a change that came without a key (RFC 7234 section 5.5, code
    /// 299).
    /// </summary>
    public const string Warning =
        "299 calsync \"No Idempotency-Key: repeating this request may do it twice\"";

    private RequestKey(string? value, Problem? problem)
    {
        Value = value;
        Problem = problem;
    }

    /// <summary>Null when the client sent none and that is allowed.</summary>
    public string? Value { get; }

    /// <inheritdoc/>
    public Problem? Problem { get; }

    /// <summary>Binds a handler's parameter.</summary>
    public static ValueTask<RequestKey> BindAsync(HttpContext context)
    {
        var required = context.RequestServices.GetRequiredService<ApiOptions>().IdempotencyKeyRequired;
        return ValueTask.FromResult(IdempotencyHeader.Read(context.Request.Headers) switch
        {
            IdempotencyHeader.Key key => new RequestKey(key.Value, null),
            IdempotencyHeader.Refused refused => new RequestKey(null, refused.Problem),
            IdempotencyHeader.Missing when required => new RequestKey(
                null, ProblemCatalogue.IdempotencyKeyRequired.With(
                    "Neither Idempotency-Key nor X-Idempotency-Key was sent.") with
                {
                    Headers =
                        [("Link", $"<{ProblemCatalogue.IdempotencyKeyRequired.Uri}>; rel=\"describedby\"")],
                }),
            _ => Absent(context),
        });
    }

    private static RequestKey Absent(HttpContext context)
    {
        context.Response.Headers.Warning = Warning;
        var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "-";
        ApiLog.KeyMissing(
            context.RequestServices.GetRequiredService<ILogger<ApiOptions>>(), context.Request.Method, route,
            RequestScope.Of(context).CorrelationId);
        return new RequestKey(null, null);
    }
}
