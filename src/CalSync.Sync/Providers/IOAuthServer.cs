namespace CalSync.Sync.Providers;

/// <summary>The provider's OAuth 2 server (RFC 6749, RFC 7636, RFC 7009). Every expected failure is a
/// value.</summary>
public interface IOAuthServer
{
    /// <summary>The page to send a person's browser to.</summary>
    /// <param name="state">Unguessable, single use, bound to the person's session.</param>
    /// <param name="codeChallenge">S256 of the PKCE verifier.</param>
    /// <param name="redirectUri">Where the code is delivered; must be registered at the provider.</param>
    /// <param name="loginHint">Address to preselect; null for none.</param>
    Uri AuthorizationPage(string state, string codeChallenge, Uri redirectUri, string? loginHint);

    /// <summary>Trades an authorization code for tokens.</summary>
    Task<TokenAnswer> ExchangeCodeAsync(
        string code, string codeVerifier, Uri redirectUri, CancellationToken cancellation);

    /// <summary>Trades a refresh token for an access token. A cancelled refresh may have happened at the
    /// provider.</summary>
    Task<TokenAnswer> RefreshAsync(string refreshToken, CancellationToken cancellation);

    /// <summary>Revokes a grant (RFC 7009). An unknown token counts as revoked.</summary>
    /// <returns>Null when revoked, else why not.</returns>
    Task<ProviderFault?> RevokeAsync(string token, CancellationToken cancellation);

    /// <summary>Asks whose token this is.</summary>
    Task<IdentityAnswer> IdentifyAsync(string accessToken, CancellationToken cancellation);
}

/// <summary>What the token endpoint said.</summary>
public abstract record TokenAnswer
{
    private TokenAnswer()
    {
    }

    /// <summary>Tokens.</summary>
    /// <param name="AccessToken">Bearer token.</param>
    /// <param name="RefreshToken">Null when the answer has none: the old one stays valid and must be
    /// kept.</param>
    /// <param name="ExpiresIn">Lifetime from the moment of the answer; positive and at most 24 h.</param>
    /// <param name="Scope">Space-separated scopes really granted; null when the answer names none.</param>
    public sealed record Granted(
        string AccessToken, string? RefreshToken, TimeSpan ExpiresIn, string? Scope) : TokenAnswer
    {
        /// <summary>
        /// How long the grant itself lives, when the server says so (<c>refresh_token_expires_in</c>): Google
        /// ends those of an app in testing after seven days. Null when it has no end.
        /// </summary>
        public TimeSpan? GrantExpiresIn { get; init; }

        /// <summary>
        /// Who consented, as the issuer signed it; null when the answer has none. To be verified before it is
        /// believed.
        /// </summary>
        public string? IdToken { get; init; }

        /// <inheritdoc/>
        public override string ToString() => $"Granted {{ ExpiresIn = {ExpiresIn}, Scope = {Scope} }}";
    }

    /// <summary><c>invalid_grant</c>: only a person can help, by consenting again.</summary>
    /// <param name="Description">The server's words, safe to show.</param>
    public sealed record InvalidGrant(string Description) : TokenAnswer;

    /// <summary>Anything else; says nothing about the grant.</summary>
    public sealed record Failed(ProviderFault Fault) : TokenAnswer;
}

/// <summary>Whose token it is.</summary>
public abstract record IdentityAnswer
{
    private IdentityAnswer()
    {
    }

    /// <summary>The account.</summary>
    /// <param name="Subject">Stable account id (<c>sub</c>).</param>
    /// <param name="Email">The account's address, lower case.</param>
    public sealed record Known(string Subject, string Email) : IdentityAnswer;

    /// <summary>Not learned.</summary>
    public sealed record Failed(ProviderFault Fault) : IdentityAnswer;
}
