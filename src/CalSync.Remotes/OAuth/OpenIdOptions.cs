namespace CalSync.Remotes.OAuth;

/// <summary>Where people prove who they are with OpenID Connect, and as which client we ask.</summary>
public sealed record OpenIdOptions
{
    /// <summary>
    /// The <c>iss</c> of its ID tokens, below which its discovery document is; no slash at the end. Default
    /// Google's.
    /// </summary>
    public string Issuer { get; init; } = "https://accounts.google.com";

    /// <summary>The <c>aud</c> of the ID tokens; public.</summary>
    public required string ClientId { get; init; }

    /// <summary>Secret: never logged or shown.</summary>
    public required string ClientSecret { get; init; }

    /// <summary>Where the browser is sent back to; registered with the client.</summary>
    public required Uri ReturnUrl { get; init; }

    /// <summary>All but the secret.</summary>
    public override string ToString() => $"OpenIdOptions {{ Issuer = {Issuer}, ClientId = {ClientId} }}";
}
