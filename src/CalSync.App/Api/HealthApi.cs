using CalSync.App.Api.Authentication;
using CalSync.App.Health;

namespace CalSync.App.Api;

/// <summary>The state of the whole, in one word and its parts.</summary>
/// <param name="Status"><c>ok</c>, <c>degraded</c> (works, with delays) or <c>down</c>.</param>
/// <param name="At">When this was looked at, UTC.</param>
/// <param name="Parts">What was looked at; empty for those who may not see it.</param>
internal sealed record HealthView(string Status, DateTimeOffset At, IReadOnlyList<HealthPart> Parts);

/// <summary>Health, for machines that restart or route, and with a token for those who run it.</summary>
internal static class HealthApi
{
    private const Roles Operators = Roles.Admin | Roles.Operator;

    /// <summary>Adds the routes.</summary>
    public static void MapHealth(this IEndpointRouteBuilder api)
    {
        api.MapGet("/health/live", Live).Open().Gives<HealthView>(200)
            .Says(
                "getLiveness", "Is the process alive", "Looks at nothing else; a failure means: restart me.");
        api.MapGet("/health/ready", ReadyAsync).Open().Gives<HealthView>(200).Gives<HealthView>(503)
            .Says(
                "getReadiness", "Can requests be served", "503 while the database is away or not upgraded.");
        api.MapGet("/health", HealthAsync).Open().Gives<HealthView>(200).Gives<HealthView>(503)
            .Says(
                "getHealth", "How is everything",
                "One word for everybody; with the token of an operator or admin each dependency, since when, "
                    + "what that means for people, and what to do.");
    }

    private static Answer Live(RequestScope scope) => Tell(200, "ok", scope.Now, []);

    // Nothing else counts: a provider that is away must not take the product out of service.
    private static async Task<Answer> ReadyAsync(
        HealthBoard board, RequestScope scope, CancellationToken cancellation) =>
        await board.IsReadyAsync(cancellation)
            ? Tell(200, "ok", scope.Now, [])
            : Tell(503, "down", scope.Now, []);

    private static async Task<Answer> HealthAsync(
        HttpContext context, BearerTokens bearers, RequestScope scope, HealthBoard board,
        CancellationToken cancellation)
    {
        var look = await board.LookAsync(cancellation);
        // Without the database nobody can be asked who the caller is; that it is down is no secret.
        IReadOnlyList<HealthPart> parts = !look.IsUp ? [look.Parts[0]]
            : await IsOperatorAsync(context, bearers, scope, cancellation) ? look.Parts
            : [];
        return Tell(look.Status == "down" ? 503 : 200, look.Status, look.At, parts);
    }

    private static async Task<bool> IsOperatorAsync(
        HttpContext context, BearerTokens bearers, RequestScope scope, CancellationToken cancellation) =>
        context.Request.Headers.Authorization.Count > 0
        && await bearers.AuthenticateAsync(context.Request.Headers.Authorization, scope.Now, cancellation)
            is BearerOutcome.Known { Caller: var caller }
        && (caller.Roles & Operators) != 0;

    private static Answer Tell(
        int status, string word, DateTimeOffset at, IReadOnlyList<HealthPart> parts) =>
        Answer.Json(status, new HealthView(word, at, parts), ApiJson.Default.HealthView);
}
