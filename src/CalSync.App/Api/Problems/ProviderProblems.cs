using System.Globalization;
using System.Text.Json.Nodes;

namespace CalSync.App.Api.Problems;

/// <summary>
/// Problems with a person's provider connection, with the members of both older contracts. Decision C-07.
/// </summary>
internal static class ProviderProblems
{
    /// <summary>Only the owner can help: the grant is gone. R-FIX-2-C, R-FIX-2-D.</summary>
    /// <param name="options">Says whether 401 is wanted instead of 409.</param>
    /// <param name="now">Written as <c>details.timestamp</c>.</param>
    public static Problem NeedsConsent(ApiOptions options, DateTimeOffset now) =>
        Dress(
            ProblemCatalogue.GoogleReauthRequired.With(
                "Your Google Calendar connection has expired. Please reconnect. "
                + "What you asked for is kept and goes on then."),
            options, now, true, "Your Google Calendar connection has expired. Please reconnect.",
            "authentication_expired");

    /// <summary>The token endpoint failed in a way that says nothing about the grant. R-FIX-2-D.</summary>
    public static Problem RefreshFailed(ApiOptions options, DateTimeOffset now, TimeSpan? retryAfter) =>
        Dress(
            ProblemCatalogue.GoogleRefreshFailed.With("Failed to refresh your Google Calendar connection."),
            options, now, false, "Failed to refresh your Google Calendar connection.", "refresh_failed") with
        { RetryAfter = retryAfter };

    private static Problem Dress(
        Problem problem, ApiOptions options, DateTimeOffset now, bool requiresReauth, string message,
            string errorType) =>
        problem
            .And("requiresReauth", requiresReauth)
            .And("message", message)
            .And("error_type", errorType)
            .And("sync_status", "token_unavailable")
            .And("details", new JsonObject
            {
                ["timestamp"] = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'",
                    CultureInfo.InvariantCulture),
            }) with
        { Status = options.ProviderAuthStatus };
}
