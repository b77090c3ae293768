using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CalSync.Sandbox.Google;

namespace CalSync.Sandbox.OAuth;

/// <summary>Codes, refresh tokens and access tokens. Callers hold the model's lock.</summary>
internal sealed class OAuthModel(GoogleModel model, TimeProvider clock, SandboxOptions options)
{
    private const int RefreshTokenCountMax = 100;
    private static readonly TimeSpan CodeLifetime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan UnusedMax = TimeSpan.FromDays(180);

    private readonly Dictionary<string, Code> _codes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, AccessToken> _accessTokens = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RefreshToken> _refreshTokens = new(StringComparer.Ordinal);
    private readonly Dictionary<(string User, string Client), Grant> _grants = [];

    public SandboxOAuthClient? Client(string id) =>
        options.Clients.FirstOrDefault(client => client.ClientId == id);

    public static bool IsRedirectAllowed(SandboxOAuthClient client, string redirectUri) =>
        client.RedirectUris.Count > 0
            ? client.RedirectUris.Contains(redirectUri, StringComparer.Ordinal)
            : Uri.TryCreate(redirectUri, UriKind.Absolute, out var uri) && uri.IsLoopback
                && uri.Scheme is "http" or "https" && uri.Fragment.Length == 0;

    /// <summary>A person agreed: the code that goes back to the application.</summary>
    public string Agree(Consent consent)
    {
        var key = (consent.User.Email, consent.ClientId);
        if (!_grants.TryGetValue(key, out var grant) || grant.IsRevoked)
            _grants[key] = grant = new Grant(consent.User, consent.ClientId);
        var isFirst = !grant.WasExchanged;
        var scopes = consent.Scopes.ToHashSet(StringComparer.Ordinal);
        if (consent.IncludeGranted)
            scopes.UnionWith(grant.Scopes);
        grant.Scopes.UnionWith(scopes);
        var code = model.Ids.NextSecret("4/0A");
        var givesRefresh = consent.IsOffline && (isFirst || consent.IsPrompted);
        _codes.Add(code, new Code(consent, grant, scopes, clock.GetUtcNow() + CodeLifetime, givesRefresh));
        return code;
    }

    /// <summary>The token endpoint.</summary>
    /// <remarks>
    /// <c>basic</c>: User and password of an Authorization: Basic header; null without one.
    /// <c>issuer</c>: The sandbox's own address, for ID tokens.
    /// </remarks>
    public Answer Token(
        IReadOnlyDictionary<string, string> form, (string Id, string Secret)? basic, string issuer)
    {
        var clientId = basic?.Id ?? form.GetValueOrDefault("client_id");
        var secret = basic?.Secret ?? form.GetValueOrDefault("client_secret");
        if (clientId is null)
            return Error(400, "invalid_request", "Could not determine client ID from request.");
        if (Client(clientId) is not { } client)
            return Error(401, "invalid_client", "The OAuth client was not found.");
        if (client.Secret is not null && client.Secret != secret)
            return Error(401, "invalid_client", "Unauthorized");
        return form.GetValueOrDefault("grant_type") switch
        {
            "authorization_code" => Exchange(form, client, issuer),
            "refresh_token" => Refresh(form, client),
            null => Error(400, "invalid_request", "Missing required parameter: grant_type"),
            var other => Error(400, "unsupported_grant_type", $"Invalid grant_type: {other}"),
        };
    }

    /// <summary>Revokes the whole grant behind either kind of token.</summary>
    public Answer Revoke(string? token)
    {
        if (string.IsNullOrEmpty(token))
            return Error(400, "invalid_request", "Missing required parameter: token");
        var grant = _refreshTokens.GetValueOrDefault(
            token)?.Grant ?? _accessTokens.GetValueOrDefault(token)?.Grant;
        if (grant is null || grant.IsRevoked)
            return Error(400, "invalid_token", "Token expired or revoked");
        grant.IsRevoked = true;
        return Answer.Ok([]);
    }

    /// <summary>The person took the permission back in the account's settings.</summary>
    public int RevokeAll(string user)
    {
        var grants = _grants.Values.Where(grant => IsOf(grant, user) && !grant.IsRevoked).ToList();
        foreach (var grant in grants)
            grant.IsRevoked = true;
        return grants.Count;
    }

    /// <summary>Every access token of the account expires now; refresh tokens stay good.</summary>
    public int ExpireAccessTokens(string user)
    {
        var expired = 0;
        foreach (
            var token in _accessTokens.Values.Where(token => IsOf(token.Grant, user) && !IsExpired(token)))
        {
            token.ExpiresAt = clock.GetUtcNow();
            expired++;
        }

        return expired;
    }

    /// <summary>The account behind either kind of token; null when unknown.</summary>
    public string? UserOf(string? token)
    {
        if (token is null)
            return null;
        var grant = _refreshTokens.GetValueOrDefault(
            token)?.Grant ?? _accessTokens.GetValueOrDefault(token)?.Grant;
        return grant?.User.Email;
    }

    /// <summary>Whose token this is and what it may do.</summary>
    public TokenCheck Check(string? bearer)
    {
        if (bearer is null)
            return new TokenCheck("absent", null, []);
        if (!_accessTokens.TryGetValue(bearer, out var token))
            return new TokenCheck("unknown", null, []);
        var isDead = token.Grant.IsRevoked || IsExpired(token);
        return new TokenCheck(isDead ? "expired" : "valid", token.Grant.User, token.Scopes);
    }

    private Answer Exchange(
        IReadOnlyDictionary<string, string> form, SandboxOAuthClient client, string issuer)
    {
        if (form.GetValueOrDefault("code") is not { Length: > 0 } text)
            return Error(400, "invalid_request", "Missing required parameter: code");
        if (!_codes.TryGetValue(text, out var code))
            return Error(400, "invalid_grant", "Malformed auth code.");
        if (code.IsUsed || code.ExpiresAt <= clock.GetUtcNow() || code.Consent.ClientId != client.ClientId
            || code.Grant.IsRevoked)
        {
            return Error(400, "invalid_grant", "Bad Request");
        }

        if (code.Consent.RedirectUri != form.GetValueOrDefault("redirect_uri"))
            return Error(400, "redirect_uri_mismatch", "Bad Request");
        // A code is spent by the first attempt, also by one with the wrong verifier.
        code.IsUsed = true;
        if (!IsVerified(code.Consent, form.GetValueOrDefault("code_verifier"), client))
            return Error(400, "invalid_grant", "Invalid code verifier.");
        code.Grant.WasExchanged = true;
        var answer = NewAccessToken(code.Grant, code.Scopes);
        if (code.GivesRefresh)
            answer["refresh_token"] = NewRefreshToken(code.Grant, code.Scopes);
        if (code.Consent.Scopes.Contains("openid"))
        {
            answer["id_token"] = IdTokenSigning.Sign(
                issuer, client.ClientId, code.Consent.User, code.Consent.Nonce, clock.GetUtcNow());
        }

        return Answer.Ok(answer);
    }

    private Answer Refresh(IReadOnlyDictionary<string, string> form, SandboxOAuthClient client)
    {
        if (form.GetValueOrDefault("refresh_token") is not { Length: > 0 } text)
            return Error(400, "invalid_request", "Missing required parameter: refresh_token");
        var now = clock.GetUtcNow();
        if (!_refreshTokens.TryGetValue(text, out var token) || token.Grant.IsRevoked
            || token.Grant.ClientId != client.ClientId || now - token.LastUsed > UnusedMax)
        {
            return Error(400, "invalid_grant", "Token has been expired or revoked.");
        }

        token.LastUsed = now;
        if (token.Before is { } before)
            _refreshTokens.Remove(before);
        var answer = NewAccessToken(token.Grant, token.Scopes);
        // Google gives no new refresh token here; a client that stores this answer whole loses the old one.
        if (model.Settings.RotatesRefreshTokens)
            answer["refresh_token"] = NewRefreshToken(token.Grant, token.Scopes, before: text);
        return Answer.Ok(answer);
    }

    private JsonObject NewAccessToken(Grant grant, IReadOnlySet<string> scopes)
    {
        var text = model.Ids.NextSecret("ya29.");
        _accessTokens.Add(
            text, new AccessToken(grant, scopes, clock.GetUtcNow() + options.AccessTokenLifetime));
        return new JsonObject
        {
            ["access_token"] = text,
            ["expires_in"] = (int)options.AccessTokenLifetime.TotalSeconds,
            ["scope"] = string.Join(' ', scopes),
            ["token_type"] = "Bearer",
        };
    }

    private string NewRefreshToken(Grant grant, IReadOnlySet<string> scopes, string? before = null)
    {
        var text = model.Ids.NextSecret("1//0");
        _refreshTokens.Add(text, new RefreshToken(grant, scopes, clock.GetUtcNow()) { Before = before });
        grant.RefreshTokens.Enqueue(text);
        // The oldest dies without a word once an account holds a hundred for one client.
        if (grant.RefreshTokens.Count > RefreshTokenCountMax)
            _refreshTokens.Remove(grant.RefreshTokens.Dequeue());
        return text;
    }

    private static bool IsVerified(Consent consent, string? verifier, SandboxOAuthClient client)
    {
        if (consent.Challenge is null)
            return client.Secret is not null;
        if (verifier is null)
            return false;
        var shown = consent.ChallengeMethod == "S256"
            ? Convert.ToBase64String(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)))
                .TrimEnd('=').Replace('+', '-').Replace('/', '_')
            : verifier;
        return shown == consent.Challenge;
    }

    private bool IsExpired(AccessToken token) => token.ExpiresAt <= clock.GetUtcNow();

    private static bool IsOf(Grant grant, string user) =>
        string.Equals(grant.User.Email, user, StringComparison.OrdinalIgnoreCase);

    public static Answer Error(int status, string error, string description) =>
        new(status, new JsonObject { ["error"] = error, ["error_description"] = description });

    private sealed class Grant(AccountState user, string clientId)
    {
        public AccountState User { get; } = user;

        public string ClientId { get; } = clientId;

        public HashSet<string> Scopes { get; } = new(StringComparer.Ordinal);

        public Queue<string> RefreshTokens { get; } = new();

        public bool WasExchanged { get; set; }

        public bool IsRevoked { get; set; }
    }

    private sealed class Code(
        Consent consent, Grant grant, IReadOnlySet<string> scopes, DateTimeOffset expiresAt,
            bool givesRefresh)
    {
        public Consent Consent { get; } = consent;

        public Grant Grant { get; } = grant;

        public IReadOnlySet<string> Scopes { get; } = scopes;

        public DateTimeOffset ExpiresAt { get; } = expiresAt;

        public bool GivesRefresh { get; } = givesRefresh;

        public bool IsUsed { get; set; }
    }

    private sealed class AccessToken(Grant grant, IReadOnlySet<string> scopes, DateTimeOffset expiresAt)
    {
        public Grant Grant { get; } = grant;

        public IReadOnlySet<string> Scopes { get; } = scopes;

        public DateTimeOffset ExpiresAt { get; set; } = expiresAt;
    }

    private sealed class RefreshToken(Grant grant, IReadOnlySet<string> scopes, DateTimeOffset lastUsed)
    {
        public Grant Grant { get; } = grant;

        public IReadOnlySet<string> Scopes { get; } = scopes;

        public DateTimeOffset LastUsed { get; set; } = lastUsed;

        /// <summary>The token it came in place of; dies when this one is used.</summary>
        public string? Before { get; init; }
    }
}

/// <summary>What a person agreed to on the consent page.</summary>
internal sealed record Consent(
    AccountState User, string ClientId, string RedirectUri, IReadOnlyList<string> Scopes, string? Challenge,
    string? ChallengeMethod, bool IsOffline, bool IsPrompted, bool IncludeGranted,
    string? Nonce = null);

/// <summary>A bearer token looked up.</summary>
/// <remarks>
/// <c>State</c>: valid, expired (also revoked), unknown or absent.
/// </remarks>
internal sealed record TokenCheck(string State, AccountState? User, IReadOnlySet<string> Scopes)
{
    public TokenCheck(string state, AccountState? user, string[] scopes)
        : this(state, user, scopes.ToHashSet(StringComparer.Ordinal))
    {
    }
}
