using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CalSync.Lab;

namespace CalSync.Tests.Api;

/// <summary>An issuer that signs whatever a test wants, and fails where it wants.</summary>
internal sealed class OpenIdIssuer : IAsyncDisposable
{
    private readonly ScriptedServer _server;
    private readonly RSA _key = RSA.Create(2048);
    private readonly ECDsa _curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private OpenIdIssuer() => _server = new ScriptedServer(Answer);

    /// <summary>Starts one; it listens at once.</summary>
    public static OpenIdIssuer Start() => new();

    /// <summary>The <c>iss</c>.</summary>
    public string Issuer => _server.Address;

    /// <summary>What the token endpoint gives.</summary>
    public string IdToken { get; set; } = "";

    /// <summary>Paths that answer 500.</summary>
    public HashSet<string> Away { get; } = [];

    /// <summary>Name of the RSA key that is published; another name is another generation.</summary>
    public string KeyId { get; set; } = "key-1";

    /// <summary>How often the keys were asked for.</summary>
    public int KeyRequestCount => _server.Requests.Count(request => request.Target == "/keys");

    /// <summary>Claims that are all right.</summary>
    public JsonObject Claims(string email, string nonce, DateTimeOffset now) => new()
    {
        ["iss"] = Issuer,
        ["aud"] = "calsync-sandbox",
        ["sub"] = "sub-" + email,
        ["email"] = email,
        ["email_verified"] = true,
        ["nonce"] = nonce,
        ["iat"] = now.ToUnixTimeSeconds(),
        ["exp"] = now.AddHours(1).ToUnixTimeSeconds(),
    };

    /// <summary>The header of a token of the published key.</summary>
    public JsonObject Header() => new() { ["alg"] = "RS256", ["kid"] = KeyId, ["typ"] = "JWT" };

    public string Sign(JsonObject header, JsonObject claims) => Signed(
        header, claims,
        signed => _key.SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    public string SignWithCurve(JsonObject claims) => Signed(
        new JsonObject { ["alg"] = "ES256", ["kid"] = "curve" }, claims,
        signed => _curve.SignData(
            signed, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));

    /// <summary>The classic confusion: an HMAC whose secret is the public key.</summary>
    public string SignWithPublicKey(JsonObject claims, byte[] publicKey) => Signed(
        new JsonObject { ["alg"] = "HS256", ["kid"] = KeyId, ["typ"] = "JWT" }, claims,
        signed => HMACSHA256.HashData(publicKey, signed));

    public byte[] PublicPem => Encoding.ASCII.GetBytes(_key.ExportSubjectPublicKeyInfoPem());

    public byte[] Modulus => _key.ExportParameters(false).Modulus!;

    public static string Signed(JsonObject header, JsonObject claims, Func<byte[], byte[]> sign)
    {
        var signed = $"{Part(header)}.{Part(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _key.Dispose();
        _curve.Dispose();
    }

    private static string Part(JsonObject json) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));

    private ScriptedAnswer.Send Answer(ScriptedRequest request)
    {
        if (Away.Contains(request.Target))
            return new ScriptedAnswer.Send(500);
        return request.Target switch
        {
            "/.well-known/openid-configuration" => Json(new JsonObject
            {
                ["issuer"] = Issuer,
                ["authorization_endpoint"] = Issuer + "/auth",
                ["token_endpoint"] = Issuer + "/token",
                ["jwks_uri"] = Issuer + "/keys",
            }),
            "/keys" => Json(new JsonObject { ["keys"] = Keys() }),
            "/token" => Json(new JsonObject
            {
                ["access_token"] = "a",
                ["token_type"] = "Bearer",
                ["expires_in"] = 3600,
                ["id_token"] = IdToken,
            }),
            _ => new ScriptedAnswer.Send(404),
        };
    }

    private JsonArray Keys()
    {
        var rsa = _key.ExportParameters(false);
        var point = _curve.ExportParameters(false).Q;
        return
        [
            new JsonObject
            {
                ["kty"] = "RSA",
                ["use"] = "sig",
                ["kid"] = KeyId,
                ["n"] = Base64Url.EncodeToString(rsa.Modulus),
                ["e"] = Base64Url.EncodeToString(rsa.Exponent),
            },
            new JsonObject
            {
                ["kty"] = "EC",
                ["crv"] = "P-256",
                ["kid"] = "curve",
                ["x"] = Base64Url.EncodeToString(point.X),
                ["y"] = Base64Url.EncodeToString(point.Y),
            },
            // Not for signing: nothing signed with it counts.
            new JsonObject
            {
                ["kty"] = "RSA",
                ["use"] = "enc",
                ["kid"] = "for-encryption",
                ["n"] = Base64Url.EncodeToString(rsa.Modulus),
                ["e"] = Base64Url.EncodeToString(rsa.Exponent),
            },
        ];
    }

    private static ScriptedAnswer.Send Json(JsonObject body) =>
        new(200, body.ToJsonString(), "Content-Type: application/json", "Cache-Control: max-age=3600");
}
