using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using CalSync.Storage.Classes;
using CalSync.Storage.Running;

namespace CalSync.App.Api.Idempotency;

/// <summary>Idempotency for routes without a class command: claim, run, keep the answer or free the
/// key.</summary>
internal static class KeptAnswers
{
    /// <summary>Puts the route under a key: the mark of <c>Keyed</c>, and the work.</summary>
    public static RouteHandlerBuilder KeyedHere(this RouteHandlerBuilder route) =>
        route.Keyed().AddEndpointFilter(RunAsync);

    private static async ValueTask<object?> RunAsync(
        EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var context = call.HttpContext;
        var services = context.RequestServices;
        var key = call.Arguments.OfType<RequestKey>().Single().Value;
        if (key is null || !await services.GetRequiredService<SwitchReader>().IdempotencyIsOnAsync())
            return await next(call);

        var (scope, store) = (RequestScope.Of(context), services.GetRequiredService<RequestKeyStore>());
        var actor = scope.Who.Actor;
        var claim = new IdempotencyClaim(Template(context), key, Fingerprint(context));
        var found = await store.ClaimAsync(
            actor, claim, scope.CorrelationId, scope.Now, context.RequestAborted);
        switch (found)
        {
            case RequestClaim.Mine:
                break;
            case RequestClaim.Answered answered:
                return StoredAnswers.Read(answered.Status, answered.Headers, answered.Body);
            case RequestClaim.Running:
                return scope.Refuse(IdempotencyProblems.InProgress(IdempotencyStore.RetryAfter));
            case RequestClaim.Mismatch:
                return scope.Refuse(IdempotencyProblems.Mismatch());
            default:
                throw new UnreachableException($"Unknown claim {found.GetType().Name}.");
        }

        var answer = (Answer)(await next(call))!;
        // What was done is kept although its client may be gone: that is whom the key is for.
        if (answer is { Status: < 400, IsPassing: false })
        {
            await store.KeepAsync(
                actor, claim, answer.Status, StoredAnswers.WriteHeaders(answer), answer.Body,
                CancellationToken.None);
        }
        else
        {
            await store.ReleaseAsync(actor, claim, CancellationToken.None);
        }

        return answer;
    }

    private static string Template(HttpContext context) =>
        $"{context.Request.Method} {((RouteEndpoint)context.GetEndpoint()!).RoutePattern.RawText}";

    private static string Fingerprint(HttpContext context)
    {
        var target = string.Join('/', context.Request.RouteValues.Values);
        var body = context.Items[RequestKey.FingerprintItem] as string ?? "";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{target}\n{body}")));
    }
}
