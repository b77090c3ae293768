using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Connections;

/// <summary>Connects, reconnects and disconnects accounts: OAuth 2 with state and PKCE (RFC 6749, RFC
/// 7636).</summary>
/// <param name="store">The rows.</param>
/// <param name="providers">Where to sign in.</param>
/// <param name="options">Limits and scopes.</param>
/// <param name="clock">Now.</param>
public sealed class ConnectionFlow(
    IConnectionStore store, ProviderSet providers, ConnectionOptions options, TimeProvider clock)
{
    /// <summary>Begins an authorization.</summary>
    /// <param name="tenantId">The user's tenant.</param>
    /// <param name="userId">Who connects; only they may finish.</param>
    /// <param name="provider">At which provider.</param>
    /// <param name="redirectUri">Where the code is delivered.</param>
    /// <param name="reconnectId">The connection to renew; null for a new one.</param>
    /// <param name="loginHint">Address to preselect; null for none.</param>
    /// <param name="cancellation">Cancelled, an unused attempt may stay until it expires.</param>
    /// <returns>The page to send the person's browser to.</returns>
    public async Task<Uri> StartAsync(
        string tenantId, string userId, string provider, Uri redirectUri, string? reconnectId,
        string? loginHint, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var (state, verifier) = (Unguessable(), Unguessable());
        var attempt = new ConnectionAttempt(
            state, tenantId, userId, provider, verifier, redirectUri.AbsoluteUri, reconnectId,
            now + options.AttemptLifetime);
        await store.BeginAsync(attempt, now, cancellation);
        var challenge = Url64(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
        return providers[provider].OAuth.AuthorizationPage(state, challenge, redirectUri, loginHint);
    }

    /// <summary>Finishes an authorization: tokens, account, scopes, calendars, and everything parked goes
    /// on.</summary>
    /// <param name="state">As it came back.</param>
    /// <param name="code">As it came back.</param>
    /// <param name="userId">Whose session it came back in; null when the browser has none: the state alone
    /// decides.</param>
    /// <param name="cancellation">Cancelled, the attempt is used up: the person starts again.</param>
    public async Task<ConnectOutcome> CompleteAsync(
        string state, string code, string? userId, CancellationToken cancellation)
    {
        if (await store.TakeAsync(state, userId, clock.GetUtcNow(), cancellation) is not { } attempt)
            return new ConnectOutcome.AttemptUnknown();
        var ports = providers[attempt.Provider];
        var exchanged = await ports.OAuth.ExchangeCodeAsync(
            code, attempt.CodeVerifier, new Uri(attempt.RedirectUri), cancellation);
        switch (exchanged)
        {
            case TokenAnswer.InvalidGrant refused:
                return new ConnectOutcome.Refused(refused.Description);
            case TokenAnswer.Failed failed:
                return new ConnectOutcome.Failed(failed.Fault);
        }

        var tokens = (TokenAnswer.Granted)exchanged;
        var missing = Missing(tokens.Scope);
        if (!missing.IsEmpty)
        {
            await NoteAsync(attempt, ConsentReason.ScopeWithheld, cancellation);
            return new ConnectOutcome.ScopeWithheld(missing);
        }

        if (!TokenRules.Sane(tokens.ExpiresIn))
            return new ConnectOutcome.Refused("The provider gave a token with an impossible lifetime.");
        return await IdentifyAsync(attempt, ports, tokens, cancellation);
    }

    /// <summary>Ends a connection. Works with a dead grant too: what the provider says to the revocation is
    /// not decisive.</summary>
    /// <param name="connectionId">The connection.</param>
    /// <param name="userId">Its owner.</param>
    /// <param name="cancellation">Cancelled between the steps, the grant is revoked and the connection still
    /// listed.</param>
    /// <returns>False when there is no such connection of this user.</returns>
    public async Task<bool> DisconnectAsync(
        string connectionId, string userId, CancellationToken cancellation)
    {
        var grant = await store.LoadAsync(connectionId, cancellation);
        if (grant is null || grant.UserId != userId)
            return false;
        if (!await store.DisconnectAsync(connectionId, userId, clock.GetUtcNow(), cancellation))
            return false;
        var token = grant.RefreshToken ?? grant.AccessToken;
        if (token is not null && providers.Has(grant.Provider))
            await providers[grant.Provider].OAuth.RevokeAsync(token, cancellation);
        return true;
    }

    /// <summary>Chooses where new events go; takes effect with the next class created, on every instance
    /// (R-CAL-05-A).</summary>
    /// <param name="connectionId">The connection.</param>
    /// <param name="userId">Its owner.</param>
    /// <param name="calendarId">Our id of one of its calendars.</param>
    /// <param name="cancellation">Cancelled, nothing is changed.</param>
    public Task<CalendarChoice> SelectCalendarAsync(
        string connectionId, string userId, string calendarId, CancellationToken cancellation) =>
        store.SelectCalendarAsync(connectionId, userId, calendarId, clock.GetUtcNow(), cancellation);

    private async Task<ConnectOutcome> IdentifyAsync(
        ConnectionAttempt attempt, ProviderPorts ports, TokenAnswer.Granted tokens,
        CancellationToken cancellation)
    {
        var identity = await ports.OAuth.IdentifyAsync(tokens.AccessToken, cancellation);
        if (identity is IdentityAnswer.Failed unknown)
            return new ConnectOutcome.Failed(unknown.Fault);
        var account = (IdentityAnswer.Known)identity;
        var call = new ProviderCall(attempt.State, tokens.AccessToken, Interactive: true, "connect");
        var listing = await ports.Calendar.ListCalendarsAsync(call, cancellation);
        if (listing is CalendarSearch.Failed unlisted)
            return new ConnectOutcome.Failed(unlisted.Fault);
        var calendars = ((CalendarSearch.Complete)listing).Calendars;
        var connection = new NewConnection(
            attempt.TenantId, attempt.UserId, attempt.Provider, account.Subject, account.Email, tokens,
            calendars, attempt.ReconnectId);
        if (await store.SaveConnectionAsync(connection, clock.GetUtcNow(), cancellation) is { } id)
            return new ConnectOutcome.Connected(id);
        await NoteAsync(attempt, ConsentReason.DifferentAccount, cancellation);
        return new ConnectOutcome.DifferentAccount();
    }

    // So that whoever looks at the connection later is told what went wrong, and not only once in a browser.
    private async Task NoteAsync(
        ConnectionAttempt attempt, ConsentReason reason, CancellationToken cancellation)
    {
        if (attempt.ReconnectId is { } connectionId)
        {
            await store.SaveReconnectFailedAsync(
                connectionId, attempt.UserId, reason, clock.GetUtcNow(), cancellation);
        }
    }

    private ImmutableArray<string> Missing(string? granted)
    {
        // A token answer without scope grants what was asked, RFC 6749 section 5.1.
        if (granted is null)
            return [];
        var scopes = granted.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .ToHashSet(StringComparer.Ordinal);
        return scopes.Contains("https://www.googleapis.com/auth/calendar")
            ? []
            : [.. options.RequiredScopes.Where(scope => !scopes.Contains(scope))];
    }

    private static string Unguessable() => Url64(RandomNumberGenerator.GetBytes(32));

    private static string Url64(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
}

/// <summary>How an authorization ended.</summary>
public abstract record ConnectOutcome
{
    private ConnectOutcome()
    {
    }

    /// <summary>Connected; parked work goes on.</summary>
    /// <param name="ConnectionId">New, or the one reconnected.</param>
    public sealed record Connected(string ConnectionId) : ConnectOutcome;

    /// <summary>The state is unknown, used, expired or another person's. Start again.</summary>
    public sealed record AttemptUnknown : ConnectOutcome;

    /// <summary>The provider refused the code.</summary>
    /// <param name="Description">Safe to show.</param>
    public sealed record Refused(string Description) : ConnectOutcome;

    /// <summary>The person consented with another account than the one being reconnected; nothing was
    /// stored.</summary>
    public sealed record DifferentAccount : ConnectOutcome;

    /// <summary>The person left out a permission that the product needs; nothing was stored.</summary>
    /// <param name="Missing">The scopes.</param>
    public sealed record ScopeWithheld(ImmutableArray<string> Missing) : ConnectOutcome;

    /// <summary>The provider did not answer as needed; the person may start again.</summary>
    /// <param name="Fault">Why.</param>
    public sealed record Failed(ProviderFault Fault) : ConnectOutcome;
}
