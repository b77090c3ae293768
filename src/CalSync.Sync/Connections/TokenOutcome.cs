using System.Diagnostics;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Connections;

/// <summary>What asking a connection for a token gives. The only way to get a token for a provider
/// call.</summary>
public abstract record TokenOutcome
{
    private TokenOutcome()
    {
    }

    /// <summary>A token that stays valid for at least as long as was asked.</summary>
    /// <param name="AccessToken">Bearer token. Never logged, never journalled.</param>
    /// <param name="ExpiresAt">UTC, as the provider said; the clock skew is not taken off.</param>
    public sealed record Fresh(string AccessToken, DateTimeOffset ExpiresAt) : TokenOutcome
    {
        /// <inheritdoc/>
        public override string ToString() => $"Fresh {{ ExpiresAt = {ExpiresAt:O} }}";
    }

    /// <summary>Only the owner can help, by consenting again. Waiting does not.</summary>
    /// <param name="Reason">Why.</param>
    public sealed record NeedsConsent(ConsentReason Reason) : TokenOutcome;

    /// <summary>No token now; says nothing about the grant.</summary>
    /// <param name="At">When asking again makes sense, UTC.</param>
    /// <param name="Reason">Why.</param>
    public sealed record TryLater(DateTimeOffset At, DelayReason Reason) : TokenOutcome
    {
        /// <summary>What the token endpoint did when it was asked last; null when not known.</summary>
        public ProviderReason? Cause { get; init; }
    }
}

/// <summary>Why a connection needs its owner. Stored by name, append only.</summary>
public enum ConsentReason
{
    /// <summary>The provider answered <c>invalid_grant</c>: revoked, expired, or replaced.</summary>
    GrantRevoked = 1,

    /// <summary>There is no refresh token to renew with.</summary>
    RefreshTokenMissing = 2,

    /// <summary>The owner disconnected it, or it never existed.</summary>
    Disconnected = 3,

    /// <summary>The grant lacks a scope that the calendar needs.</summary>
    ScopeWithheld = 4,

    /// <summary>The server refuses the password of an account that has one.</summary>
    PasswordRejected = 5,

    /// <summary>The grant had an end, named when it was given, and reached it.</summary>
    GrantExpired = 6,

    /// <summary>Reconnecting was tried with another account than the one that is connected.</summary>
    DifferentAccount = 7,
}

/// <summary>Why there is no token now. Stored by name, append only.</summary>
public enum DelayReason
{
    /// <summary>The token endpoint failed; the next attempt waits out its back-off.</summary>
    RefreshFailed = 1,

    /// <summary>Somebody else is refreshing and had not finished when the wait ended. Never a matter of
    /// consent.</summary>
    RefreshUnderWay = 2,

    /// <summary>The answer made no sense, such as a lifetime of zero or of years.</summary>
    AnswerUnusable = 3,

    /// <summary>The connection's breaker is open.</summary>
    BreakerOpen = 4,
}

/// <summary>A missing token in the words people and programs are told.</summary>
/// <param name="Code"><c>GOOGLE_AUTH_REQUIRED</c>, <c>GOOGLE_AUTH_FAILED</c>, or
/// <c>CALENDAR_AUTH_REQUIRED</c> for an account with a password.</param>
/// <param name="RequiresReauth">Whether the owner must consent again.</param>
/// <param name="Message">One sentence.</param>
/// <param name="Action">What a person can do.</param>
/// <param name="At">When it was found, UTC.</param>
/// <param name="RetryAt">When trying again makes sense; null when only consent helps.</param>
public sealed record TokenProblem(
    string Code, bool RequiresReauth, string Message, string Action, DateTimeOffset At,
    DateTimeOffset? RetryAt)
{
    /// <summary>Says a failed outcome in words.</summary>
    /// <param name="outcome">What the connection answered.</param>
    /// <param name="now">UTC.</param>
    /// <returns>Null when there is a token.</returns>
    public static TokenProblem? From(TokenOutcome outcome, DateTimeOffset now) => outcome switch
    {
        TokenOutcome.Fresh => null,
        TokenOutcome.NeedsConsent { Reason: ConsentReason.PasswordRejected } => new(
            "CALENDAR_AUTH_REQUIRED", true, "Your calendar account no longer accepts the stored password.",
            "Connect it again with a new one", now, null),
        TokenOutcome.NeedsConsent => new(
            "GOOGLE_AUTH_REQUIRED", true, "Your Google Calendar connection has expired. Please reconnect.",
            "Go to Settings → Connected Accounts → Reconnect Google Calendar", now, null),
        TokenOutcome.TryLater later => new(
            "GOOGLE_AUTH_FAILED", false, "Your Google Calendar could not be reached just now.",
            "Please try again. If the problem persists, reconnect your Google account.", now, later.At),
        _ => throw new UnreachableException(),
    };
}
