using System.Collections.Immutable;
using System.Globalization;

namespace CalSync.Sync.Connections;

/// <summary>Something about a connection that works but will need attention.</summary>
/// <param name="Code"><c>token_expires_soon</c>, <c>grant_expires_soon</c> or <c>breaker_open</c>.</param>
/// <param name="Message">One sentence.</param>
public sealed record ConnectionWarning(string Code, string Message);

/// <summary>How a connection stands, in words that a person can act on. Pure.</summary>
/// <param name="Word">
/// <c>healthy</c>, <c>expiring_soon</c>, <c>refreshing</c>, <c>degraded</c>, <c>needs_reauth</c> or
/// <c>disconnected</c>.
/// </param>
/// <param name="Message">Why it is so, one sentence; null when it is healthy.</param>
/// <param name="Action">What its owner can do; null when it mends itself.</param>
/// <param name="Warnings">What is to come.</param>
public sealed record ConnectionHealth(
    string Word, string? Message, string? Action, ImmutableArray<ConnectionWarning> Warnings)
{
    /// <summary>Works.</summary>
    public const string Healthy = "healthy";

    /// <summary>Works; its token or its grant ends soon.</summary>
    public const string ExpiringSoon = "expiring_soon";

    /// <summary>A new token is being asked for.</summary>
    public const string Refreshing = "refreshing";

    /// <summary>The last attempt failed; it is repeated.</summary>
    public const string Degraded = "degraded";

    /// <summary>Only its owner can help.</summary>
    public const string NeedsReauth = "needs_reauth";

    /// <summary>Its owner ended it.</summary>
    public const string Disconnected = "disconnected";

    /// <summary>So long before a grant ends its owner is warned. Two days: one of them is a working
    /// day.</summary>
    public static readonly TimeSpan GrantWarning = TimeSpan.FromDays(2);

    private const string Reconnect = "Reconnect it in Settings → Connected Accounts.";

    /// <summary>Whether only the owner can make it work again.</summary>
    public bool NeedsOwner => Word is NeedsReauth or Disconnected;

    /// <summary>Says how a stored connection stands.</summary>
    /// <param name="connection">As stored.</param>
    /// <param name="options">When a token counts as ending soon.</param>
    /// <param name="now">UTC.</param>
    public static ConnectionHealth Of(
        ConnectionListing connection, ConnectionOptions options, DateTimeOffset now)
    {
        var warnings = Warn(connection, options, now);
        return connection.State switch
        {
            Disconnected => new(
                Disconnected, "Its owner ended it.", "Connect the account again to use it.", []),
            NeedsReauth => NeedsTheOwner(connection.Reason),
            Refreshing when connection.LeaseUntil > now => new(
                Refreshing, "A new token is being asked for.", null, warnings),
            Refreshing => new(
                Degraded, "Renewing the token was cut off; it is done again.", null, warnings),
            Degraded => new(Degraded, Failure(connection.Reason), null, warnings),
            _ when connection.OpenUntil > now => new(
                Degraded, "Calls pause after several failures in a row.", null, warnings),
            _ when warnings.IsEmpty => new(Healthy, null, null, []),
            _ => new(
                ExpiringSoon, warnings[0].Message,
                warnings.Any(warning => warning.Code == "grant_expires_soon") ? Reconnect : null, warnings),
        };
    }

    /// <summary>Why only the owner can help, in a sentence.</summary>
    public static string Why(ConsentReason reason) => reason switch
    {
        ConsentReason.GrantRevoked =>
            "The provider no longer accepts the permission: it was taken back in the account's settings, or "
            + "the account's password was changed.",
        ConsentReason.RefreshTokenMissing =>
            "The provider gave no permission that lasts: access ended with the first token.",
        ConsentReason.Disconnected => "Its owner ended it.",
        ConsentReason.ScopeWithheld =>
            "A permission that is needed was not granted: a box was left unticked on the consent page.",
        ConsentReason.PasswordRejected =>
            "The server refuses the stored password: it was changed, or the app-specific password was "
            + "revoked.",
        ConsentReason.GrantExpired =>
            "The permission had an end and reached it: an app in Google's testing mode is given seven days.",
        ConsentReason.DifferentAccount =>
            "Reconnecting was tried with another account than the one that is connected.",
    };

    private static ConnectionHealth NeedsTheOwner(string? stored)
    {
        var reason = Enum.TryParse<ConsentReason>(stored, out var known) ? known : ConsentReason.GrantRevoked;
        var action = reason switch
        {
            ConsentReason.PasswordRejected => "Connect it again with a new password.",
            ConsentReason.ScopeWithheld => $"{Reconnect} Tick every box on the consent page.",
            ConsentReason.DifferentAccount => $"{Reconnect} Choose the account that is connected.",
            ConsentReason.GrantExpired =>
                $"{Reconnect} To end this for good, have the app published in Google's console.",
            ConsentReason.GrantRevoked or ConsentReason.RefreshTokenMissing
                or ConsentReason.Disconnected => Reconnect,
        };
        return new(NeedsReauth, Why(reason), action, []);
    }

    private static string Failure(string? reason) => reason switch
    {
        "RateLimited" or "QuotaExceeded" => "The provider asks to slow down; the next attempt waits.",
        "TimedOut" or "Unreachable" => "The provider does not answer; it is tried again.",
        "ServerError" => "The provider has a fault of its own; it is tried again.",
        "AccessNotConfigured" =>
            "The provider does not accept this installation's client: an administrator has to look at "
            + "google.client_id and google.client_secret.",
        "OutsideProtocol" or "AnswerUnusable" =>
            "The provider's answer made no sense; it is tried again.",
        _ => "Renewing the token failed; it is tried again.",
    };

    private static ImmutableArray<ConnectionWarning> Warn(
        ConnectionListing connection, ConnectionOptions options, DateTimeOffset now)
    {
        var warnings = ImmutableArray.CreateBuilder<ConnectionWarning>();
        if (connection.GrantExpiresAt is { } end && end - now <= GrantWarning)
        {
            warnings.Add(new(
                "grant_expires_soon",
                $"The permission ends at {Instant(end)}; then it has to be given again."));
        }

        if (connection.AccessExpiresAt is { } token && token - now <= options.ProactiveThreshold)
        {
            warnings.Add(new(
                "token_expires_soon", $"The access token ends at {Instant(token)}; it is renewed before."));
        }

        if (connection.OpenUntil is { } until && until > now)
        {
            warnings.Add(new(
                "breaker_open", $"Calls pause until {Instant(until)} after several failures in a row."));
        }

        return warnings.ToImmutable();
    }

    private static string Instant(DateTimeOffset at) =>
        at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
