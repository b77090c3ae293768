using System.Text.Json.Nodes;
using CalSync.Lab;
using CalSync.Lab.Running;
using CalSync.Remotes.OAuth;
using Xunit;
using static CalSync.Tests.Api.GoogleSignInRig;

namespace CalSync.Tests.Api;

/// <summary>
/// Goal: an ID token signs somebody in only when its issuer signed it, for us, for this sign-in, now (OpenID
/// Connect Core section 3.1.3.7, RFC 8725). Method: an issuer that signs whatever the table says.
/// </summary>
public sealed class GoogleSignInAttackTests : ProductTest
{
    private static readonly DateTimeOffset Now = new(2026, 12, 7, 9, 0, 0, TimeSpan.Zero);

    private static readonly (string Name, Action<JsonObject> Change, string? Reason)[] Claims =
    [
        ("as it should be", _ => { }, null),
        ("for us among others, given to us", json =>
        {
            json["aud"] = new JsonArray("other", "calsync-sandbox");
            json["azp"] = "calsync-sandbox";
        }, null),
        ("another nonce", json => json["nonce"] = "another", "TOKEN_NONCE_REFUSED"),
        ("no nonce", json => json.Remove("nonce"), "TOKEN_NONCE_REFUSED"),
        ("another client", json => json["aud"] = "other", "TOKEN_AUDIENCE_REFUSED"),
        ("no client", json => json.Remove("aud"), "TOKEN_AUDIENCE_REFUSED"),
        ("for us among others, given to nobody",
            json => json["aud"] = new JsonArray("other", "calsync-sandbox"), "TOKEN_AUDIENCE_REFUSED"),
        ("given to another", json => json["azp"] = "other", "TOKEN_AUDIENCE_REFUSED"),
        ("another issuer", json => json["iss"] = "https://evil.example", "TOKEN_ISSUER_REFUSED"),
        ("Google's other name", json => json["iss"] = "accounts.google.com", "TOKEN_ISSUER_REFUSED"),
        ("no issuer", json => json.Remove("iss"), "TOKEN_ISSUER_REFUSED"),
        ("over", json => json["exp"] = Now.ToUnixTimeSeconds(), "TOKEN_EXPIRED"),
        ("without end", json => json.Remove("exp"), "TOKEN_CLAIMS_INVALID"),
        ("of the future", json => json["iat"] = Now.AddMinutes(5).ToUnixTimeSeconds(),
            "TOKEN_NOT_YET_VALID"),
        ("living too long", json => json["exp"] = Now.AddDays(2).ToUnixTimeSeconds(),
            "TOKEN_LIFETIME_REFUSED"),
        ("address not verified", json => json["email_verified"] = false, "TOKEN_ADDRESS_UNVERIFIED"),
        ("address verified in words", json => json["email_verified"] = "true", "TOKEN_ADDRESS_UNVERIFIED"),
        ("nothing said of the address", json => json.Remove("email_verified"), "TOKEN_ADDRESS_UNVERIFIED"),
        ("no address", json => json.Remove("email"), "TOKEN_ADDRESS_UNVERIFIED"),
        ("an address that folds to hers", json => json["email"] = "bea@mail.te\u017Ft",
            "TOKEN_ADDRESS_UNVERIFIED"),
        ("no account", json => json.Remove("sub"), "TOKEN_CLAIMS_INVALID"),
        ("another account", json => json["sub"] = "sub-another", "another-google-account"),
    ];

    private static readonly (string Name, Func<OpenIdIssuer, JsonObject, string> Make, string? Reason)[]
        Signatures =
    [
        ("the curve", (issuer, claims) => issuer.SignWithCurve(claims), null),
        ("none", (issuer, claims) => OpenIdIssuer.Signed(
            new JsonObject { ["alg"] = "none", ["kid"] = "key-1" }, claims, _ => []), "TOKEN_MALFORMED"),
        ("none with a signature", (issuer, claims) => OpenIdIssuer.Signed(
            new JsonObject { ["alg"] = "none", ["kid"] = "key-1" }, claims, _ => [1]),
            "TOKEN_ALGORITHM_REFUSED"),
        ("HMAC with the public key", (issuer, claims) =>
            issuer.SignWithPublicKey(claims, issuer.PublicPem), "TOKEN_ALGORITHM_REFUSED"),
        ("HMAC with the modulus", (issuer, claims) =>
            issuer.SignWithPublicKey(claims, issuer.Modulus), "TOKEN_ALGORITHM_REFUSED"),
        ("an RSA key named as the curve's", (issuer, claims) => issuer.Sign(
            new JsonObject { ["alg"] = "RS256", ["kid"] = "curve" }, claims), "TOKEN_SIGNATURE_INVALID"),
        ("a key that is not for signing", (issuer, claims) => issuer.Sign(
            new JsonObject { ["alg"] = "RS256", ["kid"] = "for-encryption" }, claims), "TOKEN_KEY_UNKNOWN"),
        ("an unknown key", (issuer, claims) => issuer.Sign(
            new JsonObject { ["alg"] = "RS256", ["kid"] = "other" }, claims), "TOKEN_KEY_UNKNOWN"),
        ("no key", (issuer, claims) => issuer.Sign(
            new JsonObject { ["alg"] = "RS256" }, claims), "TOKEN_KEY_UNKNOWN"),
        ("a key of its own", (issuer, claims) => issuer.Sign(
            new JsonObject { ["alg"] = "RS256", ["kid"] = "key-1", ["jwk"] = new JsonObject() }, claims),
            "TOKEN_HEADER_REFUSED"),
        ("an access token", (issuer, claims) => issuer.Sign(
            new JsonObject { ["alg"] = "RS256", ["kid"] = "key-1", ["typ"] = "at+jwt" }, claims),
            "TOKEN_TYPE_UNKNOWN"),
        ("somebody else's signature", (issuer, claims) => OpenIdIssuer.Signed(
            issuer.Header(), claims, _ => new byte[256]), "TOKEN_SIGNATURE_INVALID"),
        ("no token", (_, _) => "", "no-id-token"),
        ("rubbish", (_, _) => "rubbish", "TOKEN_MALFORMED"),
    ];

    private readonly ManualTimeProvider _clock = new(Now);
    private OpenIdIssuer _issuer = null!;

    protected override ProductSettings Settings => new()
    {
        RunsWorkers = false,
        VerificationWait = TimeSpan.Zero,
        Clock = _clock,
        Connects = false,
        Set = new Dictionary<string, string>(Set)
        {
            ["sign_in.google_issuer"] = _issuer.Issuer,
            ["sign_in.per_address"] = "1000",
        },
    };

    public override Task InitializeAsync()
    {
        _issuer = OpenIdIssuer.Start();
        return base.InitializeAsync();
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    [Trait("Requirement", "R-OAUTH-18")]
    [Trait("Requirement", "R-JWT-3")]
    public async Task Token_ThatIsNotIssuedForThisSignIn_SignsNobodyInAndIsAnsweredAlike()
    {
        var (failures, answers) = (new List<string>(), new List<string>());
        foreach (var (name, change, reason) in Claims)
        {
            await TryAsync(name, reason, failures, answers, claims =>
            {
                change(claims);
                return _issuer.Sign(_issuer.Header(), claims);
            });
        }

        foreach (var (name, make, reason) in Signatures)
            await TryAsync(name, reason, failures, answers, claims => make(_issuer, claims));
        Assert.Equal([], failures);
        Assert.Single(answers.Distinct());
    }

    /// <summary>Keys rotate without a word; a name nobody knows is not asked for again and again.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-18")]
    public async Task Keys_AreKept_AndAskedForAgainWhenTheyRotate()
    {
        Assert.Equal(201, await SignInAsync());
        Assert.Equal(201, await SignInAsync());
        Assert.Equal(1, _issuer.KeyRequestCount);
        _issuer.KeyId = "key-2";
        Assert.Equal(401, await SignInAsync());
        Assert.Equal(1, _issuer.KeyRequestCount);
        _clock.Advance(OpenIdServer.KeyPause);
        Assert.Equal(201, await SignInAsync());
        Assert.Equal(2, _issuer.KeyRequestCount);
        // As long as the issuer allows, and not longer.
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(201, await SignInAsync());
        Assert.Equal(3, _issuer.KeyRequestCount);
    }

    /// <summary>Whatever of the issuer is away, the answer says so, and its coming back is all it
    /// takes.</summary>
    [Theory]
    [InlineData("/keys")]
    [InlineData("/token")]
    [Trait("Requirement", "R-OAUTH-18")]
    public async Task Issuer_ThatIsAway_IsAClear503(string path)
    {
        _issuer.Away.Add(path);
        var begun = await BeginAsync(Product);
        _issuer.IdToken = Good(begun);
        var answer = await FinishAsync(Product, begun.State, "code", begun.AttemptKey);
        Assert.Equal("sign-in-unavailable", answer.Expect(503)["code"]);
        Assert.Equal("30", answer.Header("Retry-After"));
        Assert.Equal("google-away", await LastReasonAsync(Product));
        _issuer.Away.Clear();
        Assert.Equal(201, await SignInAsync());
    }

    [Fact]
    [Trait("Requirement", "R-OAUTH-18")]
    public async Task Issuer_WhoseDiscoveryIsAway_IsAClear503AtTheStart()
    {
        _issuer.Away.Add("/.well-known/openid-configuration");
        var answer = await Product.Nobody.SendAsync(
            HttpMethod.Post, "auth/google/attempts", new JsonObject());
        Assert.Equal("sign-in-unavailable", answer.Expect(503)["code"]);
        _issuer.Away.Clear();
        Assert.Equal(201, await SignInAsync());
    }

    private async Task TryAsync(
        string name, string? reason, List<string> failures, List<string> answers,
        Func<JsonObject, string> make)
    {
        var begun = await BeginAsync(Product);
        _issuer.IdToken = make(_issuer.Claims(Product.Bea.Email, begun.Ask("nonce"), Now));
        var answer = await FinishAsync(Product, begun.State, "code", begun.AttemptKey);
        var told = answer.Status == 201 ? null : await LastReasonAsync(Product);
        if (told != reason || answer.Status is not (201 or 401))
            failures.Add($"{name}: {answer.Status}, {told ?? "let in"} instead of {reason ?? "let in"}");
        if (answer.Status != 201)
            answers.Add(Comparable(answer));
    }

    private async Task<int> SignInAsync()
    {
        var begun = await BeginAsync(Product);
        _issuer.IdToken = Good(begun);
        return (await FinishAsync(Product, begun.State, "code", begun.AttemptKey)).Status;
    }

    private string Good(BegunSignIn begun) => _issuer.Sign(
        _issuer.Header(), _issuer.Claims(Product.Bea.Email, begun.Ask("nonce"), _clock.GetUtcNow()));
}
