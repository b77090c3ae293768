using System.Collections.Frozen;
using System.Text.Json;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.OAuth;

/// <summary>The page to send a person's browser to, or why there is none.</summary>
public abstract record SignInPage
{
    private SignInPage()
    {
    }

    /// <summary>Send the browser there.</summary>
    public sealed record At(Uri Address) : SignInPage;

    /// <summary>The issuer does not say where.</summary>
    public sealed record Failed(ProviderFault Fault) : SignInPage;
}

/// <summary>A key of the issuer, looked up.</summary>
public abstract record KeySearch
{
    private KeySearch()
    {
    }

    /// <summary>In its set now.</summary>
    public sealed record Found(OpenIdKey Key) : KeySearch;

    /// <summary>Not in its set.</summary>
    public sealed record Unknown : KeySearch;

    /// <summary>The set was not had.</summary>
    public sealed record Failed(ProviderFault Fault) : KeySearch;
}

/// <summary>An OpenID Connect issuer: its pages, tokens and keys. Thread-safe.</summary>
/// <remarks>
/// Where its endpoints are it says itself (OpenID Connect Discovery 1.0). Its keys are kept as long as it
/// allows, within bounds; a <c>kid</c> that is not among them is looked for again, since keys rotate, but not
/// more often than every <see cref="KeyPause"/>.
/// </remarks>
public sealed class OpenIdServer : IDisposable
{
    /// <summary>The shortest time between two requests for the keys.</summary>
    public static readonly TimeSpan KeyPause = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan PlacesLifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan KeysLifetimeMin = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan KeysLifetimeMax = TimeSpan.FromHours(24);

    // Three calls in a row leave something of a request's ten seconds.
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(3);
    private const int DocumentSizeBytesMax = 256 * 1024;

    private readonly ProviderPipeline _pipeline;
    private readonly OpenIdOptions _options;
    private readonly KeptDocument<Places> _places;
    private readonly KeptDocument<FrozenDictionary<string, OpenIdKey>> _keys;

    internal OpenIdServer(ProviderPipeline pipeline, OpenIdOptions options, TimeProvider clock)
    {
        (_pipeline, _options) = (pipeline, options);
        _places = new(FetchPlacesAsync, clock);
        _keys = new(FetchKeysAsync, clock);
    }

    /// <summary>Who it is, and who we are to it.</summary>
    public OpenIdOptions Options => _options;

    /// <summary>The page on which a person chooses an account.</summary>
    /// <param name="state">Unguessable, single use.</param>
    /// <param name="nonce">Comes back in the ID token.</param>
    /// <param name="codeChallenge">S256 of the PKCE verifier.</param>
    /// <param name="loginHint">Address to preselect; null for none.</param>
    /// <param name="cancellation">Cancelling changes nothing.</param>
    public async Task<SignInPage> PageAsync(
        string state, string nonce, string codeChallenge, string? loginHint, CancellationToken cancellation)
    {
        var places = await PlacesAsync(cancellation);
        if (places.Value is not { } found)
            return new SignInPage.Failed(places.Fault!);
        var parameters = new List<KeyValuePair<string, string>>
        {
            new("response_type", "code"),
            new("client_id", _options.ClientId),
            new("redirect_uri", _options.ReturnUrl.AbsoluteUri),
            new("scope", "openid email"),
            new("state", state),
            new("nonce", nonce),
            new("code_challenge", codeChallenge),
            new("code_challenge_method", "S256"),

            // Whoever used this browser before is not signed in without being asked.
            new("prompt", "select_account"),
        };
        if (loginHint is not null)
            parameters.Add(new("login_hint", loginHint));
        return new SignInPage.At(GoogleOAuthServer.Page(found.Authorization, parameters));
    }

    /// <summary>Trades a code for tokens, the ID token among them.</summary>
    /// <param name="code">As it came back.</param>
    /// <param name="codeVerifier">Of PKCE.</param>
    /// <param name="cancellation">The code may be used up.</param>
    public async Task<TokenAnswer> ExchangeCodeAsync(
        string code, string codeVerifier, CancellationToken cancellation)
    {
        var places = await PlacesAsync(cancellation);
        if (places.Value is not { } found)
            return new TokenAnswer.Failed(places.Fault!);
        var client = new OAuthOptions
        {
            ClientId = _options.ClientId,
            ClientSecret = _options.ClientSecret,
            TokenEndpoint = found.Token,
            TokenTimeout = CallTimeout,
        };
        return await new GoogleOAuthServer(_pipeline, client)
            .ExchangeCodeAsync(code, codeVerifier, _options.ReturnUrl, cancellation);
    }

    /// <summary>The key a token names.</summary>
    /// <param name="keyId">Its <c>kid</c>; never more than a name to look up.</param>
    /// <param name="cancellation">Cancelling changes nothing.</param>
    public async Task<KeySearch> FindKeyAsync(string keyId, CancellationToken cancellation)
    {
        var keys = await _keys.GetAsync(
            (known, age) => known.ContainsKey(keyId) || age < KeyPause, cancellation);
        return keys.Value is not { } found ? new KeySearch.Failed(keys.Fault!)
            : found.GetValueOrDefault(keyId) is { } key ? new KeySearch.Found(key)
            : new KeySearch.Unknown();
    }

    /// <summary>Forgets what is kept.</summary>
    public void Dispose()
    {
        _places.Dispose();
        _keys.Dispose();
    }

    private Task<Fetched<Places>> PlacesAsync(CancellationToken cancellation) =>
        _places.GetAsync((_, _) => true, cancellation);

    private Task<Fetched<Places>> FetchPlacesAsync(CancellationToken cancellation)
    {
        var request = Get("openid.discover", new Uri(_options.Issuer + "/.well-known/openid-configuration"));
        return FetchAsync(
            request,
            json => Json.Text(json, "issuer") == _options.Issuer
                && Address(json, "authorization_endpoint") is { } authorization
                && Address(json, "token_endpoint") is { } token && Address(json, "jwks_uri") is { } keys
                    ? new Places(authorization, token, keys)
                    : null,
            _ => PlacesLifetime, cancellation);
    }

    private async Task<Fetched<FrozenDictionary<string, OpenIdKey>>> FetchKeysAsync(
        CancellationToken cancellation)
    {
        var places = await PlacesAsync(cancellation);
        if (places.Value is not { } found)
            return new(null, TimeSpan.Zero, places.Fault);
        return await FetchAsync(
            Get("openid.keys", found.Keys), OpenIdKey.ReadAll,
            allowed => allowed is not { } age || age < KeysLifetimeMin ? KeysLifetimeMin
                : age > KeysLifetimeMax ? KeysLifetimeMax
                : age,
            cancellation);
    }

    private async Task<Fetched<T>> FetchAsync<T>(
        ProviderRequest request, Func<JsonElement, T?> read, Func<TimeSpan?, TimeSpan> lifetime,
        CancellationToken cancellation)
        where T : class
    {
        T? value = null;
        var kept = TimeSpan.Zero;
        var fault = await _pipeline.SendAsync(
            request, new Caller(null, Interactive: true, CallTimeout, ReadAttempts: 1, Trace: []),
            async (answer, inner) =>
            {
                var body = await answer.ReadAllAsync(DocumentSizeBytesMax, inner);
                if (answer.Status is not (>= 200 and <= 299))
                {
                    return OAuthErrors.Classify(
                        request, new ProviderAnswer(answer.Status, body, answer.RetryAfter), null);
                }

                using var document = Json.Parse(body);
                value = document?.RootElement is { ValueKind: JsonValueKind.Object } root ? read(root) : null;
                kept = lifetime(answer.Headers.CacheControl?.MaxAge);
                return value is null
                    ? Faults.OutsideProtocol(request, answer.Status, "the document has another shape")
                    : null;
            },
            cancellation);
        return fault is null ? new(value, kept, null) : new(null, TimeSpan.Zero, fault);
    }

    // What a document says goes on to other addresses: never from a protected one to an open one.
    private Uri? Address(JsonElement json, string name) =>
        Uri.TryCreate(Json.Text(json, name), UriKind.Absolute, out var address)
        && (address.Scheme == Uri.UriSchemeHttps
            || (address.Scheme == Uri.UriSchemeHttp
                && _options.Issuer.StartsWith("http://", StringComparison.Ordinal)))
            ? address
            : null;

    private static ProviderRequest Get(string operation, Uri target) =>
        new(operation, HttpMethod.Get, target, IsWrite: false);

    private sealed record Places(Uri Authorization, Uri Token, Uri Keys);
}
