using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using CalSync.Sync.Connections;
using CalSync.Sync.Providers;

namespace CalSync.App.Api.Problems;

/// <summary>
/// Problems with a person's provider connection, with the members of both older contracts. Decision C-07.
/// </summary>
internal static class ProviderProblems
{
    /// <summary>The exact sentence the older contract answers for a dead grant. R-OAUTH-11.</summary>
    public const string ExpiredInFull =
        "Your Google Calendar connection has expired. Please reconnect your account.";

    private const string Expired = "Your Google Calendar connection has expired. Please reconnect.";
    private const string Busy =
        "Google Calendar is temporarily busy. Please try again in a few minutes.";

    private const string ErrorType = "error_type";
    private const string SyncStatus = "sync_status";
    private const string Message = "message";
    private static readonly TimeSpan BusyFor = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AwayFor = TimeSpan.FromSeconds(30);

    /// <summary>Only the owner can help: the grant is gone. R-FIX-2-C, R-FIX-2-D.</summary>
    /// <param name="options">Says whether 401 is wanted instead of 409.</param>
    /// <param name="now">Written as <c>details.timestamp</c>.</param>
    public static Problem NeedsConsent(ApiOptions options, DateTimeOffset now) =>
        Dress(
            ProblemCatalogue.GoogleReauthRequired.With(
                "Your Google Calendar connection has expired. Please reconnect. "
                + "What you asked for is kept and goes on then."),
            now, true, Expired, ProviderErrors.AuthenticationExpired, "token_unavailable") with
        { Status = options.ProviderAuthStatus };

    /// <summary>The token endpoint failed in a way that says nothing about the grant. R-FIX-2-D.</summary>
    public static Problem RefreshFailed(ApiOptions options, DateTimeOffset now, TimeSpan? retryAfter) =>
        Dress(
            ProblemCatalogue.GoogleRefreshFailed.With("Failed to refresh your Google Calendar connection."),
            now, false, "Failed to refresh your Google Calendar connection.", "refresh_failed",
            "token_unavailable") with
        { RetryAfter = retryAfter, Status = options.ProviderAuthStatus };

    /// <summary>The grant does not cover what is needed.</summary>
    public static Problem PermissionMissing(DateTimeOffset now) =>
        Dress(
            ProblemCatalogue.GooglePermissionMissing.With("Google refused for lack of a permission."),
            now, true, "Your Google Calendar may not be used. Please reconnect and allow access.",
            ProviderErrors.PermissionDenied, "forbidden");

    /// <summary>The provider asks to slow down.</summary>
    public static Problem RateLimited(DateTimeOffset now, TimeSpan? retryAfter) =>
        Dress(
            ProblemCatalogue.ProviderBusy.With("Google asks to slow down."), now, false, Busy,
            ProviderErrors.RateLimited, "rate_limited") with
        { RetryAfter = retryAfter ?? BusyFor };

    /// <summary>The provider does not answer, or not in its protocol.</summary>
    public static Problem Unreachable(DateTimeOffset now, TimeSpan? retryAfter) =>
        Dress(
            ProblemCatalogue.ProviderUnavailable.With("Google did not answer as it should."), now, false,
            "Google Calendar cannot be reached just now. Please try again in a few minutes.",
            ProviderErrors.ServiceUnavailable, "unavailable") with
        { RetryAfter = retryAfter ?? AwayFor };

    /// <summary>There is no connection to use.</summary>
    public static Problem NotConnected(DateTimeOffset now) =>
        Dress(
            ProblemCatalogue.NoCalendar.With("No Google account is connected."), now, false,
            "No Google Calendar is connected. Please connect one.", "not_connected", "not_connected");

    /// <summary>The problem of a connection that was asked and does not work.</summary>
    /// <param name="outcome">Not <see cref="ProbeOutcome.Works"/>.</param>
    /// <param name="options">As in <see cref="NeedsConsent"/>.</param>
    /// <param name="now">UTC.</param>
    public static Problem Of(ProbeOutcome outcome, ApiOptions options, DateTimeOffset now) => outcome switch
    {
        ProbeOutcome.NoToken { Why: TokenOutcome.NeedsConsent { Reason: ConsentReason.ScopeWithheld } } =>
            PermissionMissing(now),
        ProbeOutcome.NoToken { Why: TokenOutcome.NeedsConsent } => NeedsConsent(options, now),
        ProbeOutcome.NoToken { Why: TokenOutcome.TryLater later } => later.Cause switch
        {
            ProviderReason.RateLimited or ProviderReason.QuotaExceeded =>
                RateLimited(now, later.At - now),
            ProviderReason.AccessNotConfigured or ProviderReason.OutsideProtocol =>
                RefreshFailed(options, now, later.At - now),
            _ => Unreachable(now, later.At - now),
        },
        ProbeOutcome.Refused refused => refused.Fault.Reason switch
        {
            ProviderReason.RateLimited or ProviderReason.QuotaExceeded or ProviderReason.QuotaWait =>
                RateLimited(now, refused.Fault.RetryAfter),
            ProviderReason.CredentialsRejected => NeedsConsent(options, now),
            ProviderReason.InsufficientScope or ProviderReason.NotWritable => PermissionMissing(now),
            _ => Unreachable(now, refused.Fault.RetryAfter),
        },
        _ => throw new UnreachableException($"Unknown outcome {outcome.GetType().Name}."),
    };

    /// <summary>The body of the older contract, exactly its three members. Decision C-09.</summary>
    /// <param name="problem">One of those made here.</param>
    /// <param name="status">The HTTP status to answer with.</param>
    public static Answer Legacy(Problem problem, int status)
    {
        var (type, message) = (Member(problem, ErrorType), Member(problem, Message));
        var body = new JsonObject
        {
            ["status"] = Member(problem, SyncStatus),
            [Message] = type == ProviderErrors.AuthenticationExpired ? ExpiredInFull : message,
            [ErrorType] = type,
        };
        var answer = new Answer(status, body.ToJsonString(), "application/json", []) { IsPassing = true };
        return problem.RetryAfter is { } delay ? answer.With("Retry-After", Answer.Seconds(delay)) : answer;
    }

    private static string Member(Problem problem, string name) =>
        (string)problem.Members.First(member => member.Name == name).Value!;

    private static Problem Dress(
        Problem problem, DateTimeOffset now, bool requiresReauth, string message, string errorType,
        string syncStatus) =>
        problem
            .And("requiresReauth", requiresReauth)
            .And(Message, message)
            .And(ErrorType, errorType)
            .And(SyncStatus, syncStatus)
            .And("details", new JsonObject
            {
                ["timestamp"] = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'",
                    CultureInfo.InvariantCulture),
            });
}

/// <summary>What can be wrong with a provider, as the older contract classifies it. R-OAUTH-12.</summary>
internal static class ProviderErrors
{
    /// <summary>The owner must consent again.</summary>
    public const string AuthenticationExpired = "authentication_expired";

    /// <summary>A permission is missing: of the grant, or on the calendar.</summary>
    public const string PermissionDenied = "permission_denied";

    /// <summary>The provider asks to slow down.</summary>
    public const string RateLimited = "rate_limited";

    /// <summary>The provider does not answer, or with a fault of its own.</summary>
    public const string ServiceUnavailable = "service_unavailable";

    /// <summary>The class of the reason that is stored with an event that is not as it should be.</summary>
    /// <param name="reason">A provider's reason by name, or one of the mirrors' words; null: none.</param>
    public static string ClassOf(string? reason) => reason switch
    {
        nameof(ProviderReason.RateLimited) or nameof(ProviderReason.QuotaExceeded)
            or nameof(ProviderReason.QuotaWait) => RateLimited,
        nameof(ProviderReason.CredentialsRejected) or "needs_consent" or "token_unavailable" =>
            AuthenticationExpired,
        nameof(ProviderReason.InsufficientScope) or nameof(ProviderReason.NotWritable)
            or "calendar_unwritable" => PermissionDenied,
        nameof(ProviderReason.NotFound) or nameof(ProviderReason.Deleted) or "calendar_gone" => "not_found",
        nameof(ProviderReason.Unreachable) or nameof(ProviderReason.TimedOut)
            or nameof(ProviderReason.ServerError) or nameof(ProviderReason.BreakerOpen)
            or nameof(ProviderReason.OutsideProtocol) => ServiceUnavailable,
        nameof(ProviderReason.InvalidRequest) or nameof(ProviderReason.AttendeeRejected) => "refused",
        _ => "not_verified",
    };
}
