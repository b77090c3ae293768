using System.Buffers.Text;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text;
using CalSync.App.Api.Authentication;
using CalSync.App.Api.Authentication.Jwt;
using CalSync.Lab;
using CalSync.Lab.Running;
using CalSync.Storage.Identity;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>JSON web tokens of both formats against the running product, and RFC 8725's attacks.</summary>
[Trait("Requirement", "R-JWT-T")]
public sealed class WebTokenTests : ProductTest
{
    private const string Secret = "a shared secret of the old system, long enough";
    private static readonly DateTimeOffset Now = new(2026, 12, 7, 9, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Sunset = new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly (string Made, string Code)[] Headers =
    [
        ("""{"alg":"none","typ":"at+jwt","kid":"KID"}""", "TOKEN_ALGORITHM_REFUSED"),
        ("""{"alg":"none"}""", "TOKEN_ALGORITHM_REFUSED"),
        ("""{"alg":"NoNe","typ":"JWT"}""", "TOKEN_ALGORITHM_REFUSED"),
        ("""{"alg":"HS256","typ":"at+jwt","kid":"KID"}""", "TOKEN_ALGORITHM_REFUSED"),
        ("""{"alg":"HS512","typ":"JWT"}""", "TOKEN_ALGORITHM_REFUSED"),
        ("""{"alg":"ES256","typ":"JWT"}""", "TOKEN_ALGORITHM_REFUSED"),
        ("""{"alg":"ES384","typ":"at+jwt","kid":"KID"}""", "TOKEN_ALGORITHM_REFUSED"),
        ("""{"alg":"es256","typ":"at+jwt","kid":"KID"}""", "TOKEN_ALGORITHM_REFUSED"),
        ("""{"alg":"HS256","typ":"JWT","kid":"KID"}""", "TOKEN_TYPE_UNKNOWN"),
        ("""{"alg":"ES256","kid":"KID"}""", "TOKEN_TYPE_UNKNOWN"),
        ("""{"alg":"ES256","typ":"id+jwt","kid":"KID"}""", "TOKEN_TYPE_UNKNOWN"),
        ("""{"alg":"ES256","typ":"at+jwt"}""", "TOKEN_KEY_UNKNOWN"),
        ("""{"alg":"ES256","typ":"at+jwt","kid":""}""", "TOKEN_KEY_UNKNOWN"),
        ("""{"alg":"ES256","typ":"at+jwt","kid":"../../dev/null"}""", "TOKEN_KEY_UNKNOWN"),
        ("""{"alg":"ES256","typ":"at+jwt","kid":"x' OR '1'='1"}""", "TOKEN_KEY_UNKNOWN"),
        ("""{"alg":"ES256","typ":"at+jwt","kid":"KID ok"}""", "TOKEN_KEY_UNKNOWN"),
        ("""{"alg":"ES256","typ":"at+jwt","kid":"KID","jku":"http://127.0.0.1/"}""", "TOKEN_HEADER_REFUSED"),
        ("""{"alg":"ES256","typ":"at+jwt","kid":"KID","jwk":{}}""", "TOKEN_HEADER_REFUSED"),
        ("""{"alg":"ES256","typ":"at+jwt","kid":"KID","x5u":"http://127.0.0.1/"}""", "TOKEN_HEADER_REFUSED"),
        ("""{"alg":"ES256","typ":"at+jwt","kid":"KID","x5c":[]}""", "TOKEN_HEADER_REFUSED"),
        ("""{"alg":"ES256","typ":"at+jwt","kid":"KID","crit":["exp"]}""", "TOKEN_HEADER_REFUSED"),
        ("""{"alg":"ES256","typ":"at+jwt","kid":"KID","zip":"DEF"}""", "TOKEN_HEADER_REFUSED"),
        ("""{"alg":"HS256","jwk":{"kty":"oct","k":"AA"}}""", "TOKEN_HEADER_REFUSED"),
        ("""{"alg":"ES256","alg":"none","typ":"at+jwt","kid":"KID"}""", "TOKEN_MALFORMED"),
        ("""{"alg":["ES256"],"typ":"at+jwt","kid":"KID"}""", "TOKEN_MALFORMED"),
        ("""{"alg":"ES256","typ":null,"kid":"KID"}""", "TOKEN_MALFORMED"),
        ("""{"alg":"ES256\ud800","typ":"at+jwt","kid":"KID"}""", "TOKEN_MALFORMED"),
        ("""{"typ":"at+jwt","kid":"KID"}""", "TOKEN_MALFORMED"),
        ("""[]""", "TOKEN_MALFORMED"),
        ("""{""", "TOKEN_MALFORMED"),
    ];

    private static readonly (string From, string To, string? Code)[] SignedClaims =
    [
        ("\"iss\":\"calsync\"", "\"iss\":\"https://evil.example\"", "TOKEN_ISSUER_REFUSED"),
        ("\"iss\":\"calsync\",", "", "TOKEN_ISSUER_REFUSED"),
        ("\"iss\":\"calsync\"", "\"iss\":[\"calsync\"]", "TOKEN_ISSUER_REFUSED"),
        ("\"aud\":\"calsync-api\"", "\"aud\":\"calsync-web\"", "TOKEN_AUDIENCE_REFUSED"),
        ("\"aud\":\"calsync-api\"", "\"aud\":[]", "TOKEN_AUDIENCE_REFUSED"),
        ("\"aud\":\"calsync-api\",", "", "TOKEN_AUDIENCE_REFUSED"),
        ("\"aud\":\"calsync-api\"", "\"aud\":[\"other\",\"calsync-api\"]", null),
        ("\"exp\":END", "\"exp\":NOW", "TOKEN_EXPIRED"),
        ("\"exp\":END", "\"exp\":-1", "TOKEN_CLAIMS_INVALID"),
        ("\"exp\":END", "\"exp\":\"END\"", "TOKEN_CLAIMS_INVALID"),
        ("\"exp\":END", "\"exp\":1e300", "TOKEN_CLAIMS_INVALID"),
        (",\"exp\":END", "", "TOKEN_CLAIMS_INVALID"),
        ("\"exp\":END", "\"exp\":253402300799", "TOKEN_LIFETIME_REFUSED"),
        ("\"exp\":END", "\"exp\":END,\"exp\":END", "TOKEN_CLAIMS_INVALID"),
        ("\"iat\":NOW", "\"iat\":SOON", "TOKEN_NOT_YET_VALID"),
        ("\"exp\":END", "\"exp\":END,\"nbf\":SOON", "TOKEN_NOT_YET_VALID"),
        ("\"exp\":END", "\"exp\":END,\"nbf\":\"no\"", "TOKEN_CLAIMS_INVALID"),
        ("\"role\":\"student\"", "\"role\":\"admin\"", "TOKEN_PERSON_CHANGED"),
        ("\"role\":\"student\",", "", "TOKEN_CLAIMS_INVALID"),
    ];

    private static readonly (string Made, string Code)[] LegacyOnes =
    [
        ("""{"sub":"usr_nobody","exp":END}""", "TOKEN_PERSON_CHANGED"),
        ("""{"sub":"BEA"}""", "TOKEN_CLAIMS_INVALID"),
        ("""{"exp":END}""", "TOKEN_CLAIMS_INVALID"),
        ("""{"sub":["BEA"],"exp":END}""", "TOKEN_CLAIMS_INVALID"),
        ("""{"sub":"BEA","exp":END,"iat":"x"}""", "TOKEN_CLAIMS_INVALID"),
        ("""{"sub":"BEA","exp":NOW}""", "TOKEN_EXPIRED"),
        ("""{"sub":"BEA","exp":END,"iat":SOON}""", "TOKEN_NOT_YET_VALID"),
        ("""{"sub":"BEA","exp":253402300799}""", "TOKEN_LIFETIME_REFUSED"),
        ("not json", "TOKEN_CLAIMS_INVALID"),
    ];

    private readonly ManualTimeProvider _clock = new(Now);

    protected override ProductSettings Settings => new()
    {
        RunsWorkers = false,
        VerificationWait = TimeSpan.Zero,
        Connects = false,
        Clock = _clock,
        Set = new Dictionary<string, string>
        {
            ["auth.legacy"] = "on",
            ["auth.legacy_secret"] = Secret,
            ["auth.legacy_sunset"] = "2027-01-01",
        },
    };

    private SessionStore Sessions => Product.Services.GetRequiredService<SessionStore>();

    private SigningKeyStore Keys => Product.Services.GetRequiredService<SigningKeyStore>();

    [Fact]
    [Trait("Requirement", "R-JWT-1")]
    public async Task BothFormats_ReachTheSameEndpoint_AndAreCountedApart()
    {
        var seen = new List<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, all) =>
        {
            if (instrument.Meter.Name == AuthMeter.Name)
                all.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) =>
        {
            lock (seen)
                seen.Add($"{instrument.Name} {tags[0].Value}");
        });
        listener.Start();
        foreach (var token in new[] { (await OpenAsync(Product.Bea)).Token, Legacy(Product.Bea.Id) })
        {
            var me = (await AskAsync(token, "me")).Expect(200);
            Assert.Equal((Product.Bea.Id, "student"), (me["id"], me["role"]));
        }

        // Other tests count in the same process.
        lock (seen)
        {
            Assert.Contains("auth_requests_total enhanced", seen);
            Assert.Contains("auth_requests_total legacy", seen);
        }
    }

    /// <summary>Roles come with the enhanced format alone; a shared secret makes nobody an
    /// administrator.</summary>
    [Fact]
    [Trait("Requirement", "R-JWT-4")]
    [Trait("Requirement", "R-JWT-5")]
    public async Task LegacyToken_OfAnAdministrator_ActsAsAStudentAndSaysItsSunset()
    {
        var enhanced = await AskAsync((await OpenAsync(Product.Admin)).Token, "admin/switches");
        Assert.Equal(
            (200, "", ""), (enhanced.Status, enhanced.Header("Deprecation"), enhanced.Header("Sunset")));
        foreach (var person in new[] { Product.Admin, Product.Operator, Product.Maya })
        {
            var refused = await AskAsync(Legacy(person.Id), "admin/switches");
            Assert.Equal((403, "forbidden"), (refused.Status, refused["code"]));
            Assert.Equal(
                ("@1795910400", "Fri, 01 Jan 2027 00:00:00 GMT"),
                (refused.Header("Deprecation"), refused.Header("Sunset")));
        }

        (await AskAsync(Legacy(Product.Admin.Id), $"admin/users/{Product.Bea.Id}/profile")).Expect(403);
        (await AskAsync(Legacy(Product.Admin.Id), "me/profile")).Expect(200);
    }

    [Fact]
    [Trait("Requirement", "R-JWT-5")]
    public async Task LegacyToken_FromItsSunsetOn_IsRefusedByName()
    {
        _clock.Advance(Sunset - Now - TimeSpan.FromSeconds(3));
        (await AskAsync(Legacy(Product.Bea.Id), "me")).Expect(200);
        _clock.Advance(TimeSpan.FromSeconds(3));
        await RefusedAsync(Legacy(Product.Bea.Id), "LEGACY_TOKEN_DISABLED");
    }

    [Fact]
    [Trait("Requirement", "R-JWT-6")]
    public async Task EndedSession_WithinFiveSeconds_OpensNothing()
    {
        var (session, token) = await OpenAsync(Product.Bea);
        var (_, other) = await OpenAsync(Product.Chen);
        (await AskAsync(token, "me")).Expect(200);
        Assert.Equal(1, await Sessions.EndAllAsync(Product.Bea.Id, "cli", "cor_test", default));
        Assert.Equal(0, await Sessions.EndAllAsync(Product.Bea.Id, "cli", "cor_test", default));
        _clock.Advance(TimeSpan.FromSeconds(5));
        await RefusedAsync(token, "TOKEN_REVOKED");
        (await AskAsync(other, "me")).Expect(200);
        // A token of a session that never was.
        await RefusedAsync(await IssueAsync(session with { Id = "ses_never" }), "TOKEN_REVOKED");
        await RefusedAsync(await IssueAsync(session with { UserId = Product.Chen.Id }), "TOKEN_REVOKED");
    }

    [Fact]
    [Trait("Requirement", "R-JWT-4")]
    public async Task EnhancedToken_AfterTheRoleChanged_IsRefused()
    {
        var (_, token) = await OpenAsync(Product.Operator);
        (await AskAsync(token, "admin/switches")).Expect(200);
        await Product.ExecuteAsync(
            "UPDATE users SET role = 'student' WHERE id = @id", new { id = Product.Operator.Id });
        _clock.Advance(TimeSpan.FromSeconds(2));
        await RefusedAsync(token, "TOKEN_PERSON_CHANGED");
    }

    /// <summary>Never believed for longer than it says, however short the time and whatever is
    /// remembered.</summary>
    [Fact]
    [Trait("Requirement", "R-JWT-3")]
    public async Task Token_AtItsEnd_IsRefusedThoughItWasJustAccepted()
    {
        var legacy = Legacy(Product.Bea.Id, $",\"exp\":{Seconds(1)}");
        var (_, token) = await OpenAsync(Product.Bea, TimeSpan.FromSeconds(1));
        (await AskAsync(token, "me")).Expect(200);
        (await AskAsync(legacy, "me")).Expect(200);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await RefusedAsync(token, "TOKEN_EXPIRED");
        await RefusedAsync(legacy, "TOKEN_EXPIRED");
    }

    [Fact]
    [Trait("Requirement", "R-JWT-3")]
    public async Task RotatedKeys_OverlapUnlessCompromised()
    {
        var (session, old) = await OpenAsync(Product.Bea);
        var first = KeyOf(old);
        var second = await Keys.RotateAsync(
            JwtOptions.EnhancedLifetimeMax, compromised: false, "cli", "cor_test", default);
        Assert.Equal([first, second], await PublishedAsync());
        // Published, but nobody's cache need know it yet.
        Assert.Equal(first, KeyOf(await IssueAsync(session)));
        _clock.Advance(SigningKeyStore.PublishedAhead);
        var fresh = await IssueAsync(session);
        Assert.Equal(second, KeyOf(fresh));
        (await AskAsync(old, "me")).Expect(200);
        (await AskAsync(fresh, "me")).Expect(200);

        var third = await Keys.RotateAsync(
            JwtOptions.EnhancedLifetimeMax, compromised: true, "cli", "cor_test", default);
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal([third], await PublishedAsync());
        await RefusedAsync(old, "TOKEN_KEY_UNKNOWN");
        await RefusedAsync(fresh, "TOKEN_KEY_UNKNOWN");
        (await AskAsync(await IssueAsync(session), "me")).Expect(200);
    }

    [Fact]
    [Trait("Requirement", "R-JWT-3")]
    public async Task OldKey_OnceItsLastTokenIsOver_IsForgotten()
    {
        await OpenAsync(Product.Bea);
        var second = await Keys.RotateAsync(
            JwtOptions.EnhancedLifetimeMax, compromised: false, "cli", "cor_test", default);
        _clock.Advance(SigningKeyStore.PublishedAhead + JwtOptions.EnhancedLifetimeMax);
        Assert.Equal([second], await PublishedAsync());
    }

    /// <summary>Headers of enhanced and legacy tokens, each spoilt in one way. None is tried as the other
    /// format, whatever key it is signed with.</summary>
    [Fact]
    [Trait("Requirement", "R-JWT-2")]
    [Trait("Requirement", "R-JWT-3")]
    public async Task Header_OfAnAttack_IsRefusedByName()
    {
        var (session, good) = await OpenAsync(Product.Admin);
        var claims = Claims(session);
        using var ours = await Keys.CurrentAsync("cli", "cor_test", default);
        using var theirs = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        foreach (var (made, code) in Headers)
        {
            var header = made.Replace("KID", KeyOf(good), StringComparison.Ordinal);
            await RefusedAsync(Sign(header, claims, signed => Es256(ours.Key, signed)), code, made);
            await RefusedAsync(Sign(header, claims, signed => Hs256(Secret, signed)), code, made);
            // A public key taken for an HMAC secret.
            await RefusedAsync(
                Sign(header, claims, signed => HMACSHA256.HashData(
                    ours.Key.ExportSubjectPublicKeyInfo(), signed)), code, made);
            await RefusedAsync(Sign(header, claims, signed => Es256(theirs, signed)), code, made);
        }
    }

    /// <summary>A good header and a signature that is not: never retried as legacy.</summary>
    [Fact]
    [Trait("Requirement", "R-JWT-2")]
    [Trait("Requirement", "R-JWT-3")]
    public async Task Signature_NotOfItsKey_IsRefusedByName()
    {
        var (session, good) = await OpenAsync(Product.Admin);
        var (header, claims) = (Header(good), Claims(session));
        using var ours = await Keys.CurrentAsync("cli", "cor_test", default);
        using var theirs = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var parts = good.Split('.');
        string[] forged =
        [
            Sign(header, claims, signed => Hs256(Secret, signed)),
            Sign(header, claims, signed => HMACSHA256.HashData(
                ours.Key.ExportSubjectPublicKeyInfo(), signed)),
            Sign(header, claims, signed => Es256(theirs, signed)),
            Sign(header, claims, _ => new byte[64]),
            Sign(header, claims, signed => [.. Es256(ours.Key, signed), 0]),
            Sign(header, claims, signed => ours.Key.SignData(
                signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)),
            $"{parts[0]}.{Part(claims.Replace("admin", "operator", StringComparison.Ordinal))}.{parts[2]}",
            Sign("""{"alg":"HS256"}""", LegacyClaims(Product.Bea.Id), signed => Hs256(Secret + "!", signed)),
            Sign("""{"alg":"HS256"}""", LegacyClaims(Product.Bea.Id), signed => Hs256(Secret, signed)[..31]),
            Sign("""{"alg":"HS256"}""", LegacyClaims(Product.Bea.Id), signed => Es256(ours.Key, signed)),
        ];
        foreach (var token in forged)
            await RefusedAsync(token, "TOKEN_SIGNATURE_INVALID");
        string[] malformed =
        [
            $"{parts[0]}.{parts[1]}.", $"{parts[0]}.{parts[1]}", $"{good}.x.x", $"{good}=", $".{parts[1]}.",
            $"{parts[0]}..{parts[2]}", $"{parts[0]}.{parts[1]}.{parts[2][..^1]}", "..", ".", "a.b.c",
        ];
        foreach (var token in malformed)
            await RefusedAsync(token, "TOKEN_MALFORMED");
        (await AskAsync(good, "admin/switches")).Expect(200);
    }

    /// <summary>Signed by us, and still not for this use.</summary>
    [Fact]
    [Trait("Requirement", "R-JWT-3")]
    public async Task Claims_OfASignedToken_AreEachLookedAt()
    {
        var (session, good) = await OpenAsync(Product.Bea);
        string Filled(string text) => text.Replace("END", Seconds(3600), StringComparison.Ordinal)
            .Replace("NOW", Seconds(0), StringComparison.Ordinal)
            .Replace("SOON", Seconds(31), StringComparison.Ordinal);
        var claims = Claims(session);
        using var ours = await Keys.CurrentAsync("cli", "cor_test", default);
        foreach (var (from, to, code) in SignedClaims)
        {
            Assert.Contains(Filled(from), claims, StringComparison.Ordinal);
            var spoilt = claims.Replace(Filled(from), Filled(to), StringComparison.Ordinal);
            var token = Sign(Header(good), spoilt, signed => Es256(ours.Key, signed));
            if (code is null)
                (await AskAsync(token, "me")).Expect(200);
            else
                await RefusedAsync(token, code, to);
        }
    }

    [Fact]
    [Trait("Requirement", "R-JWT-3")]
    public async Task Claims_OfALegacyToken_AreEachLookedAt()
    {
        foreach (var (made, code) in LegacyOnes)
        {
            var claims = made.Replace("END", Seconds(3600), StringComparison.Ordinal)
                .Replace("NOW", Seconds(0), StringComparison.Ordinal)
                .Replace("SOON", Seconds(31), StringComparison.Ordinal)
                .Replace("BEA", Product.Bea.Id, StringComparison.Ordinal);
            await RefusedAsync(
                Sign("""{"alg":"HS256"}""", claims, signed => Hs256(Secret, signed)), code, made);
        }
    }

    private async Task<(UserSession Session, string Token)> OpenAsync(
        Person person, TimeSpan? lifetime = null)
    {
        var session = (await Sessions.OpenAsync(
            person.Id, "cli", lifetime ?? TimeSpan.FromHours(1), "cli", "cor_test", default))!;
        return (session, await IssueAsync(session));
    }

    private Task<string> IssueAsync(UserSession session) =>
        Product.Services.GetRequiredService<JwtIssuer>().IssueAsync(session, "cli", "cor_test", default);

    private async Task<IReadOnlyList<string?>> PublishedAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/.well-known/jwks.json");
        var answer = (await Product.SendAsync(request)).Expect(200);
        Assert.DoesNotContain("\"d\"", answer.Text, StringComparison.Ordinal);
        return [.. answer.Body!["keys"]!.AsArray().Select(key => (string?)key!["kid"])];
    }

    private Task<ApiAnswer> AskAsync(string token, string path) =>
        (Product.Nobody with { Token = token }).GetAsync(path);

    private async Task RefusedAsync(string token, string code, string made = "")
    {
        var answer = await AskAsync(token, "me");
        Assert.Equal((401, code, made), (answer.Status, answer["code"], made));
        Assert.StartsWith(
            "Bearer realm=\"calsync\", error=\"invalid_token\", error_description=\"",
            answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
    }

    private string Claims(UserSession session) =>
        $"{{\"iss\":\"calsync\",\"aud\":\"calsync-api\",\"sub\":\"{session.UserId}\","
        + $"\"sid\":\"{session.Id}\",\"role\":\"{session.Role.ToString().ToLowerInvariant()}\","
        + $"\"auth_time\":{Seconds(0)},\"iat\":{Seconds(0)},\"exp\":{Seconds(3600)}}}";

    private string LegacyClaims(string userId, string? end = null) =>
        $"{{\"sub\":\"{userId}\"{end ?? $",\"exp\":{Seconds(3600)}"}}}";

    private string Legacy(string userId, string? end = null) => Sign(
        """{"alg":"HS256","typ":"JWT"}""", LegacyClaims(userId, end), signed => Hs256(Secret, signed));

    private string Seconds(int ahead) =>
        (_clock.GetUtcNow().ToUnixTimeSeconds() + ahead).ToString(
            System.Globalization.CultureInfo.InvariantCulture);

    private static string Header(string token) =>
        Encoding.UTF8.GetString(Base64Url.DecodeFromChars(token.Split('.')[0]));

    private static string? KeyOf(string token) =>
        (string?)System.Text.Json.Nodes.JsonNode.Parse(Header(token))!["kid"];

    private static string Part(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));

    private static string Sign(string header, string claims, Func<byte[], byte[]> sign)
    {
        var signed = $"{Part(header)}.{Part(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    private static byte[] Es256(ECDsa key, byte[] signed) => key.SignData(
        signed, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    private static byte[] Hs256(string secret, byte[] signed) =>
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), signed);
}
