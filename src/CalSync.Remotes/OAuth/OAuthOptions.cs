using System.Collections.Immutable;
using CalSync.Sync;

namespace CalSync.Remotes.OAuth;

/// <summary>The OAuth client and where its server is. Defaults are Google's addresses.</summary>
public sealed record OAuthOptions
{
    /// <summary>Identifies the product at the provider; public.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>Sent in the body of token requests. Secret: never logged or shown.</summary>
    public string ClientSecret { get; init; } = "";

    /// <summary>
    /// The page a person consents on. Default <c>https://accounts.google.com/o/oauth2/v2/auth</c>.
    /// </summary>
    public Uri AuthorizationEndpoint { get; init; } = new("https://accounts.google.com/o/oauth2/v2/auth");

    /// <summary>Default <c>https://oauth2.googleapis.com/token</c>.</summary>
    public Uri TokenEndpoint { get; init; } = new("https://oauth2.googleapis.com/token");

    /// <summary>RFC 7009. Default <c>https://oauth2.googleapis.com/revoke</c>.</summary>
    public Uri RevocationEndpoint { get; init; } = new("https://oauth2.googleapis.com/revoke");

    /// <summary>OpenID Connect. Default <c>https://openidconnect.googleapis.com/v1/userinfo</c>.</summary>
    public Uri UserInfoEndpoint { get; init; } = new("https://openidconnect.googleapis.com/v1/userinfo");

    /// <summary>
    /// What is asked for: the account's identity, its events, and the list of its calendars.
    /// </summary>
    public ImmutableArray<string> Scopes { get; init; } =
    [
        "openid",
        "email",
        "https://www.googleapis.com/auth/calendar.events",
        "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
    ];

    /// <summary>
    /// A longer lifetime of an access token is refused: it would be believed long after it died. Default 24
    /// h.
    /// </summary>
    [Limit("h", 1, 24)]
    public TimeSpan AccessTokenLifetimeMax { get; init; } = TimeSpan.FromHours(24);

    /// <summary>
    /// Limit of one token request. Longer than that of other calls, because the answer to a refresh may hold
    /// the only valid refresh token; less than the lease of the refresh. Default 20 s.
    /// </summary>
    [Limit("s", 1, 120)]
    public TimeSpan TokenTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The options for a server with Google's paths at another place, such as the sandbox.</summary>
    /// <param name="root">Scheme, host and port.</param>
    public static OAuthOptions At(Uri root) => new()
    {
        AuthorizationEndpoint = new(root, "/o/oauth2/v2/auth"),
        TokenEndpoint = new(root, "/token"),
        RevocationEndpoint = new(root, "/revoke"),
        UserInfoEndpoint = new(root, "/oauth2/v3/userinfo"),
    };

    /// <summary>All but the secret.</summary>
    public override string ToString() =>
        $"OAuthOptions {{ ClientId = {ClientId}, TokenEndpoint = {TokenEndpoint} }}";
}
