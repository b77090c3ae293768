using System.Text;
using System.Text.Json;
using CalSync.Remotes.Google;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.OAuth;

/// <summary>Google's OAuth 2 server, or one that behaves like it.</summary>
/// <remarks>
/// The client secret goes into the body (RFC 6749 section 2.3.1). Only <c>invalid_grant</c> with 400 or 401
/// says something about the grant; every other failure is one of this call alone.
/// </remarks>
internal sealed class GoogleOAuthServer(ProviderPipeline pipeline, OAuthOptions options) : IOAuthServer
{
    private const int TokenLengthMax = 8192;
    private const int DescriptionLengthMax = 200;
    // Ten years: what is said to live longer is said to live for ever.
    private const long GrantSecondsMax = 315_360_000;

    /// <inheritdoc/>
    public Uri AuthorizationPage(string state, string codeChallenge, Uri redirectUri, string? loginHint)
    {
        var parameters = new List<KeyValuePair<string, string>>
        {
            new("response_type", "code"),
            new("client_id", options.ClientId),
            new("redirect_uri", redirectUri.AbsoluteUri),
            new("scope", string.Join(' ', options.Scopes)),
            new("state", state),
            new("code_challenge", codeChallenge),
            new("code_challenge_method", "S256"),

            // Without both, Google gives a refresh token only the very first time.
            new("access_type", "offline"),
            new("prompt", "consent"),
            new("include_granted_scopes", "true"),
        };
        if (loginHint is not null)
            parameters.Add(new("login_hint", loginHint));
        return Page(options.AuthorizationEndpoint, parameters);
    }

    /// <summary>A page with what it is asked.</summary>
    internal static Uri Page(Uri endpoint, IEnumerable<KeyValuePair<string, string>> parameters) =>
        new UriBuilder(endpoint)
        {
            Query = string.Join('&', parameters.Select(parameter =>
                $"{parameter.Key}={Uri.EscapeDataString(parameter.Value)}")),
        }.Uri;

    /// <inheritdoc/>
    public Task<TokenAnswer> ExchangeCodeAsync(
        string code, string codeVerifier, Uri redirectUri, CancellationToken cancellation) =>
        TokenAsync(
            "oauth.exchange",
            [
                new("grant_type", "authorization_code"),
                new("code", code),
                new("code_verifier", codeVerifier),
                new("redirect_uri", redirectUri.AbsoluteUri),
            ],
            cancellation);

    /// <inheritdoc/>
    public Task<TokenAnswer> RefreshAsync(string refreshToken, CancellationToken cancellation) =>
        TokenAsync(
            "oauth.refresh",
            [new("grant_type", "refresh_token"), new("refresh_token", refreshToken)],
            cancellation);

    /// <inheritdoc/>
    public async Task<ProviderFault?> RevokeAsync(string token, CancellationToken cancellation)
    {
        var request = Form("oauth.revoke", options.RevocationEndpoint, [new("token", token)]);
        return await pipeline.SendAsync(
            request, Nobody(), answer => ReadRevocation(request, answer), cancellation);
    }

    /// <inheritdoc/>
    public async Task<IdentityAnswer> IdentifyAsync(string accessToken, CancellationToken cancellation)
    {
        var request = new ProviderRequest(
            "oauth.userinfo", HttpMethod.Get, options.UserInfoEndpoint, IsWrite: false, accessToken);
        IdentityAnswer.Known? known = null;
        var fault = await pipeline.SendAsync(
            request, Nobody(), answer => ReadIdentity(request, answer, out known), cancellation);
        return fault is null ? known! : new IdentityAnswer.Failed(fault);
    }

    private async Task<TokenAnswer> TokenAsync(
        string operation, List<KeyValuePair<string, string>> parameters, CancellationToken cancellation)
    {
        parameters.Add(new("client_id", options.ClientId));
        parameters.Add(new("client_secret", options.ClientSecret));
        var request = Form(operation, options.TokenEndpoint, parameters);
        TokenAnswer? given = null;
        var fault = await pipeline.SendAsync(
            request, Nobody() with { Timeout = options.TokenTimeout },
            answer => ReadTokens(request, answer, parameters, out given), cancellation);
        return given ?? new TokenAnswer.Failed(fault!);
    }

    private ProviderFault? ReadTokens(
        ProviderRequest request,
        ProviderAnswer answer,
        List<KeyValuePair<string, string>> sent,
        out TokenAnswer? given)
    {
        given = null;
        using var document = Json.Parse(answer.Body);
        var root = document?.RootElement is { ValueKind: JsonValueKind.Object } found
            ? found
            : (JsonElement?)null;
        if (!answer.Succeeded)
        {
            var code = root is { } error ? Json.Text(error, "error") : null;
            var fault = OAuthErrors.Classify(request, answer, code);
            if (code == "invalid_grant" && answer.Status is 400 or 401)
            {
                var description = Json.Text(root!.Value, "error_description");
                given = new TokenAnswer.InvalidGrant(Safe(description, sent));
            }

            return fault;
        }

        if (root is not { } json)
            return Faults.OutsideProtocol(request, answer.Status, "the answer is not JSON");
        var fields = new Fields(json);
        var access = fields.Text("access_token");
        var refresh = fields.Text("refresh_token");
        var kind = fields.Text("token_type");
        var seconds = fields.Number("expires_in");
        var grantSeconds = root is { } whole && whole.TryGetProperty("refresh_token_expires_in", out var left)
            && left.ValueKind == JsonValueKind.Number && left.TryGetInt64(out var named) && named > 0
            ? named
            : (long?)null;
        var scope = fields.Text("scope");
        if (!fields.Sound || !IsToken(access) || (refresh is not null && !IsToken(refresh))
            || !string.Equals(kind, "Bearer", StringComparison.OrdinalIgnoreCase))
        {
            return Faults.OutsideProtocol(request, answer.Status, "the token answer has another shape");
        }

        if (seconds <= 0 || seconds > options.AccessTokenLifetimeMax.TotalSeconds)
            return Faults.OutsideProtocol(request, answer.Status, "the token's lifetime is not believable");
        given = new TokenAnswer.Granted(access!, refresh, TimeSpan.FromSeconds(seconds), scope)
        {
            GrantExpiresIn = grantSeconds is { } whileLong and < GrantSecondsMax
                ? TimeSpan.FromSeconds(whileLong)
                : null,
            IdToken = Json.Text(json, "id_token") is { } idToken && IsToken(idToken) ? idToken : null,
        };
        return null;
    }

    private static ProviderFault? ReadRevocation(ProviderRequest request, ProviderAnswer answer)
    {
        if (answer.Succeeded)
            return null;
        using var document = Json.Parse(answer.Body);
        var code = document?.RootElement is { ValueKind: JsonValueKind.Object } root
            ? Json.Text(root, "error")
            : null;

        // A token the server does not know, or knows as dead, needs no revoking.
        return code == "invalid_token" && answer.Status == 400
            ? null
            : OAuthErrors.Classify(request, answer, code);
    }

    private static ProviderFault? ReadIdentity(
        ProviderRequest request, ProviderAnswer answer, out IdentityAnswer.Known? known)
    {
        known = null;
        if (!answer.Succeeded)
            return GoogleErrors.Classify(request, answer);
        using var document = Json.Parse(answer.Body);
        if (document?.RootElement is not { ValueKind: JsonValueKind.Object } root)
            return Faults.OutsideProtocol(request, answer.Status, "the answer is not JSON");
        var subject = Json.Text(root, "sub");
        var email = Json.Text(root, "email");
        if (string.IsNullOrEmpty(subject) || string.IsNullOrEmpty(email))
            return Faults.OutsideProtocol(request, answer.Status, "the answer names no account");
        known = new(subject, email.ToLowerInvariant());
        return null;
    }

    private static ProviderRequest Form(
        string operation, Uri target, IEnumerable<KeyValuePair<string, string>> parameters)
    {
        var body = string.Join('&', parameters.Select(parameter =>
            $"{Uri.EscapeDataString(parameter.Key)}={Uri.EscapeDataString(parameter.Value)}"));
        return new(
            operation, HttpMethod.Post, target, IsWrite: true, Body: Encoding.ASCII.GetBytes(body),
            MediaType: "application/x-www-form-urlencoded");
    }

    private static Caller Nobody() => new(null, Interactive: true, Timeout: null, ReadAttempts: 1, Trace: []);

    /// <summary>A token goes into a header: visible ASCII only (RFC 6750 section 2.1).</summary>
    private static bool IsToken(string? text) =>
        text is { Length: > 0 and <= TokenLengthMax } && text.All(c => c is > ' ' and <= '~');

    /// <summary>The server's words, unless they could carry what we sent or something unprintable.</summary>
    private static string Safe(string? description, List<KeyValuePair<string, string>> sent)
    {
        var showable = description is { Length: > 0 and <= DescriptionLengthMax }
            && description.All(
                c => char.IsAsciiLetterOrDigit(c) || c is ' ' or '.' or ',' or '\'' or '-' or '_')
            && !sent.Any(parameter => parameter.Key is not ("grant_type" or "client_id")
                && parameter.Value.Length > 0
                && description.Contains(parameter.Value, StringComparison.Ordinal));
        return showable ? description! : "The grant is no longer valid.";
    }
}
