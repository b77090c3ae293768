using CalSync.App.Api.Authentication;
using CalSync.App.Api.Idempotency;
using CalSync.Sync.Connections;

namespace CalSync.App.Api;

/// <summary>How the caller's connections stand. R-OAUTH-13.</summary>
/// <param name="Overall">
/// <c>healthy</c>, <c>degraded</c>, <c>needs_reauth</c>, or <c>not_connected</c> when there is none.
/// </param>
/// <param name="CheckedAt">UTC.</param>
/// <param name="Services">Oldest first.</param>
internal sealed record ConnectionHealthView(
    string Overall, DateTimeOffset CheckedAt, IReadOnlyList<ServiceHealthView> Services);

/// <summary>One connection.</summary>
/// <param name="Service">The provider.</param>
/// <param name="ConnectionId">The connection.</param>
/// <param name="Account">The account at the provider.</param>
/// <param name="Status">
/// <c>healthy</c>, <c>expiring_soon</c>, <c>refreshing</c>, <c>degraded</c>, <c>needs_reauth</c> or
/// <c>disconnected</c>.
/// </param>
/// <param name="Message">Why it is so; null when it is healthy.</param>
/// <param name="Action">What its owner can do; null when there is nothing to do.</param>
/// <param name="ExpiresAt">End of the access token, UTC; null without one.</param>
/// <param name="ExpiresInSeconds">The same from now; below zero when it is over.</param>
/// <param name="GrantExpiresAt">End of the permission itself, UTC; null when it has none.</param>
/// <param name="NextAttemptAt">When the next attempt is due, UTC.</param>
/// <param name="Warnings">What is to come.</param>
internal sealed record ServiceHealthView(
    string Service, string ConnectionId, string Account, string Status, string? Message, string? Action,
    DateTimeOffset? ExpiresAt, long? ExpiresInSeconds, DateTimeOffset? GrantExpiresAt,
    DateTimeOffset? NextAttemptAt, IReadOnlyList<ConnectionWarning> Warnings);

/// <summary>What renewing the caller's tokens gave. R-OAUTH-4.</summary>
/// <param name="RefreshedCount">Renewed now.</param>
/// <param name="Services">Each of the caller's Google connections.</param>
internal sealed record RefreshView(int RefreshedCount, IReadOnlyList<ServiceRefreshView> Services);

/// <summary>One connection whose token was to be renewed.</summary>
/// <param name="Service">The provider.</param>
/// <param name="ConnectionId">The connection.</param>
/// <param name="Account">The account at the provider.</param>
/// <param name="Result">
/// <c>refreshed</c>, <c>still_valid</c>, <c>under_way</c> when it takes longer than a request may,
/// <c>failed</c>, <c>needs_reauth</c> or <c>disconnected</c>.
/// </param>
/// <param name="ExpiresAt">End of the access token now, UTC.</param>
/// <param name="ExpiresInSeconds">The same from now.</param>
/// <param name="NextAttemptAt">When trying again makes sense, UTC.</param>
/// <param name="Message">Why it was not renewed; null when it was, or need not be.</param>
internal sealed record ServiceRefreshView(
    string Service, string ConnectionId, string Account, string Result, DateTimeOffset? ExpiresAt,
    long? ExpiresInSeconds, DateTimeOffset? NextAttemptAt, string? Message);

/// <summary>The caller's own tokens: how they stand, and renewing them now. Never a token itself.</summary>
internal static class OAuthApi
{
    /// <summary>Adds the routes.</summary>
    public static void MapOAuth(this IEndpointRouteBuilder api)
    {
        api.MapGet("/api/v1/oauth/google/health-check", CheckAsync).Allow(Roles.Any)
            .Gives<ConnectionHealthView>(200)
            .Says(
                "checkTokens", "How do my connections stand",
                "From what is stored; the provider is not asked. Warns of what ends soon.");
        api.MapPost("/api/v1/oauth/google/refresh-tokens", RefreshAsync)
            .Allow(Roles.Admin | Roles.Instructor).Gives<RefreshView>(200).KeyedHere()
            .Says(
                "refreshTokens", "Renew my tokens now",
                "Those that end within token.proactive_threshold; each with what became of it.");
    }

    private static async Task<Answer> CheckAsync(
        RequestScope scope, IConnectionStore store, ConnectionOptions options,
        CancellationToken cancellation)
    {
        var services = (await store.ListAsync(scope.Who.UserId, cancellation))
            .Select(connection => ViewOf(connection, options, scope.Now)).ToList();
        var view = new ConnectionHealthView(Overall(services), scope.Now, services);
        return Answer.Json(200, view, ApiJson.Default.ConnectionHealthView);
    }

    private static ServiceHealthView ViewOf(
        ConnectionListing connection, ConnectionOptions options, DateTimeOffset now)
    {
        var health = ConnectionHealth.Of(connection, options, now);
        return new(
            connection.Provider, connection.Id, connection.AccountEmail, health.Word, health.Message,
            health.Action, connection.AccessExpiresAt, SecondsTo(connection.AccessExpiresAt, now),
            connection.GrantExpiresAt, connection.NextAttemptAt, health.Warnings);
    }

    private static string Overall(List<ServiceHealthView> services)
    {
        var used = services.FindAll(service => service.Status != ConnectionHealth.Disconnected);
        return used.Count == 0 ? "not_connected"
            : used.Exists(service => service.Status == ConnectionHealth.NeedsReauth)
                ? ConnectionHealth.NeedsReauth
            : used.Exists(service => service.Status == ConnectionHealth.Degraded) ? ConnectionHealth.Degraded
            : ConnectionHealth.Healthy;
    }

    private static async Task<Answer> RefreshAsync(
        RequestKey _, RequestScope scope, IConnectionStore store, ProviderSet providers,
        ConnectionTokens tokens, ConnectionOptions options, ApiOptions api, TimeProvider clock,
        CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(api.RequestBudget * 0.8, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        var found = (await store.ListAsync(scope.Who.UserId, cancellation))
            .Where(connection => ProviderNames.IsGoogle(connection.Provider)
                && providers.Has(connection.Provider));
        var services = await Task.WhenAll(found.Select(async connection =>
        {
            if (connection.State == ConnectionHealth.Disconnected)
                return Tell(connection, ConnectionHealth.Disconnected, null, scope.Now);
            try
            {
                var outcome = await tokens.GetAsync(
                    connection.Id, options.ProactiveThreshold, either.Token);
                return Tell(connection, outcome, scope.Now);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                // The refresh itself goes on.
                return Tell(
                    connection, "under_way", "The provider takes longer than a request may.", scope.Now);
            }
        }));
        var count = services.Count(service => service.Result == "refreshed");
        return Answer.Json(200, new RefreshView(count, services), ApiJson.Default.RefreshView);
    }

    private static ServiceRefreshView Tell(
        ConnectionListing connection, TokenOutcome outcome, DateTimeOffset now) => outcome switch
        {
            TokenOutcome.Fresh fresh => Tell(
                connection with { AccessExpiresAt = fresh.ExpiresAt, NextAttemptAt = null },
                fresh.ExpiresAt == connection.AccessExpiresAt ? "still_valid" : "refreshed", null, now),
            TokenOutcome.NeedsConsent consent => Tell(
                connection, ConnectionHealth.NeedsReauth, ConnectionHealth.Why(consent.Reason), now),
            TokenOutcome.TryLater later => Tell(
                connection with { NextAttemptAt = later.At }, "failed",
                "The provider did not renew the token; it is tried again.", now),
            _ => throw new System.Diagnostics.UnreachableException(),
        };

    private static ServiceRefreshView Tell(
        ConnectionListing connection, string result, string? message, DateTimeOffset now) => new(
            connection.Provider, connection.Id, connection.AccountEmail, result, connection.AccessExpiresAt,
            SecondsTo(connection.AccessExpiresAt, now), connection.NextAttemptAt, message);

    private static long? SecondsTo(DateTimeOffset? at, DateTimeOffset now) =>
        at is { } end ? (long)Math.Floor((end - now).TotalSeconds) : null;
}
