using CalSync.Sync.Providers;

namespace CalSync.Sync.Connections;

/// <summary>Where a connection stands. Stored by the lower-case words of the schema.</summary>
public enum ConnectionState
{
    /// <summary>Works.</summary>
    Healthy = 1,

    /// <summary>Somebody holds the lease and asks for a new token.</summary>
    Refreshing = 2,

    /// <summary>The last refresh failed; the grant is not in doubt.</summary>
    Degraded = 3,

    /// <summary>The owner must consent again.</summary>
    NeedsReauth = 4,

    /// <summary>The owner ended it.</summary>
    Disconnected = 5,
}

/// <summary>A connection's grant as stored, with its tokens opened.</summary>
/// <param name="Id">The connection.</param>
/// <param name="TenantId">Its tenant.</param>
/// <param name="UserId">Its owner.</param>
/// <param name="Provider"><c>google</c> or <c>google-sandbox</c>.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Reason">Why, when it does not work.</param>
/// <param name="AccessToken">Null when there never was one.</param>
/// <param name="AccessExpiresAt">UTC.</param>
/// <param name="RefreshToken">Null when the provider never gave one.</param>
/// <param name="TokenVersion">Raised by every stored token; guards every change.</param>
/// <param name="LeaseUntil">Until when somebody may be refreshing.</param>
/// <param name="ConsecutiveFailures">Failed refreshes and calls in a row.</param>
/// <param name="NextAttemptAt">No refresh before this.</param>
public sealed record ConnectionGrant(
    string Id,
    string TenantId,
    string UserId,
    string Provider,
    ConnectionState State,
    string? Reason,
    string? AccessToken,
    DateTimeOffset? AccessExpiresAt,
    string? RefreshToken,
    long TokenVersion,
    DateTimeOffset? LeaseUntil,
    int ConsecutiveFailures,
    DateTimeOffset? NextAttemptAt)
{
    /// <summary>
    /// The refresh token before the last rotation; null when there was none. Tried once when the provider
    /// refuses the current one: the answer that replaced it may be the one that was not meant to count.
    /// </summary>
    public string? PreviousRefreshToken { get; init; }

    /// <summary>When the grant itself ends, UTC; null when the provider named no end.</summary>
    public DateTimeOffset? GrantExpiresAt { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"ConnectionGrant {{ Id = {Id}, State = {State} }}";
}

/// <summary>What to do to have a token.</summary>
internal abstract record TokenStep
{
    private TokenStep()
    {
    }

    /// <summary>The stored one will do.</summary>
    public sealed record Use(string AccessToken, DateTimeOffset ExpiresAt) : TokenStep;

    /// <summary>Take the lease and renew.</summary>
    public sealed record Refresh(string RefreshToken) : TokenStep;

    /// <summary>Somebody is renewing: look again soon.</summary>
    public sealed record Watch : TokenStep;

    /// <summary>Nothing to be had now.</summary>
    public sealed record Delay(DateTimeOffset At, DelayReason Reason, ProviderReason? Cause = null)
        : TokenStep;

    /// <summary>Only the owner can help.</summary>
    public sealed record Consent(ConsentReason Reason, bool Discovered) : TokenStep;
}

/// <summary>The token life cycle as a decision over the stored grant. Pure.</summary>
internal static class TokenRules
{
    /// <summary>A token that claims to live longer than this was stored wrongly (D-13).</summary>
    public static readonly TimeSpan LifetimeMax = TimeSpan.FromHours(24);

    /// <summary>Decides what a caller that needs a token does next.</summary>
    /// <param name="grant">The grant as just read; null when there is no such connection.</param>
    /// <param name="minValidity">How long the token must stay valid.</param>
    /// <param name="clockSkew">By how much the provider's clock may run ahead of ours.</param>
    /// <param name="rejected">A token the provider has just refused; never used again.</param>
    /// <param name="now">UTC.</param>
    public static TokenStep Decide(
        ConnectionGrant? grant, TimeSpan minValidity, TimeSpan clockSkew, string? rejected,
        DateTimeOffset now)
    {
        if (grant is null || grant.State == ConnectionState.Disconnected)
            return new TokenStep.Consent(ConsentReason.Disconnected, Discovered: false);
        if (grant.State == ConnectionState.NeedsReauth)
            return new TokenStep.Consent(ReasonOf(grant), Discovered: false);
        if (Usable(grant, minValidity, clockSkew, rejected, now))
            return new TokenStep.Use(grant.AccessToken!, grant.AccessExpiresAt!.Value);
        if (grant.RefreshToken is null)
            return new TokenStep.Consent(ConsentReason.RefreshTokenMissing, Discovered: true);
        if (grant.LeaseUntil > now)
            return new TokenStep.Watch();
        if (grant.NextAttemptAt > now)
        {
            return new TokenStep.Delay(
                grant.NextAttemptAt.Value, DelayReason.RefreshFailed,
                Enum.TryParse<ProviderReason>(grant.Reason, out var cause) ? cause : null);
        }

        return new TokenStep.Refresh(grant.RefreshToken);
    }

    /// <summary>Why a provider refuses a grant, as far as what is stored tells.</summary>
    public static ConsentReason WhyRefused(ConnectionGrant grant, DateTimeOffset now) =>
        grant.GrantExpiresAt <= now ? ConsentReason.GrantExpired : ConsentReason.GrantRevoked;

    /// <summary>Whether a lifetime can be believed.</summary>
    public static bool Sane(TimeSpan expiresIn) => expiresIn > TimeSpan.Zero && expiresIn <= LifetimeMax;

    private static bool Usable(
        ConnectionGrant grant, TimeSpan minValidity, TimeSpan clockSkew, string? rejected,
        DateTimeOffset now) =>
        grant.AccessToken is { } token
        && grant.AccessExpiresAt is { } expires
        && !string.Equals(token, rejected, StringComparison.Ordinal)
        && expires - now <= LifetimeMax
        && expires - now - clockSkew >= minValidity;

    private static ConsentReason ReasonOf(ConnectionGrant grant) =>
        Enum.TryParse<ConsentReason>(grant.Reason, out var reason) ? reason : ConsentReason.GrantRevoked;
}
