using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CalSync.Sandbox.Google;

namespace CalSync.Sandbox.OAuth;

/// <summary>OpenID Connect as far as the sandbox has it: discovery, keys and RS256 ID tokens.</summary>
/// <remarks>The key is made with the process and never kept: nothing it signs is worth anything.</remarks>
internal static class IdTokenSigning
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    private static readonly Lazy<RSA> Key = new(() => RSA.Create(2048));
    private static readonly Lock Signing = new();

    /// <summary>Who consented, signed.</summary>
    /// <param name="issuer">The sandbox's own address, without a slash at the end.</param>
    /// <param name="clientId">For whom.</param>
    /// <param name="user">Who.</param>
    /// <param name="nonce">As it was asked with; null for none.</param>
    /// <param name="now">The sandbox's clock.</param>
    public static string Sign(
        string issuer, string clientId, AccountState user, string? nonce, DateTimeOffset now)
    {
        var header = new JsonObject { ["alg"] = "RS256", ["kid"] = KeyId(), ["typ"] = "JWT" };
        var claims = new JsonObject
        {
            ["iss"] = issuer,
            ["azp"] = clientId,
            ["aud"] = clientId,
            ["sub"] = user.Subject,
            ["email"] = user.Email,
            ["email_verified"] = true,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = (now + Lifetime).ToUnixTimeSeconds(),
        };
        if (nonce is not null)
            claims["nonce"] = nonce;
        var signed = $"{Part(header)}.{Part(claims)}";
        lock (Signing)
        {
            var signature = Key.Value.SignData(
                Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            return $"{signed}.{Base64Url.EncodeToString(signature)}";
        }
    }

    /// <summary>The discovery document.</summary>
    /// <param name="issuer">The sandbox's own address, without a slash at the end.</param>
    public static JsonObject Discovery(string issuer) => new()
    {
        ["issuer"] = issuer,
        ["authorization_endpoint"] = issuer + "/o/oauth2/v2/auth",
        ["token_endpoint"] = issuer + "/token",
        ["revocation_endpoint"] = issuer + "/revoke",
        ["userinfo_endpoint"] = issuer + "/oauth2/v3/userinfo",
        ["jwks_uri"] = issuer + "/oauth2/v3/certs",
        ["response_types_supported"] = new JsonArray("code"),
        ["subject_types_supported"] = new JsonArray("public"),
        ["id_token_signing_alg_values_supported"] = new JsonArray("RS256"),
        ["scopes_supported"] = new JsonArray("openid", "email", "profile"),
        ["code_challenge_methods_supported"] = new JsonArray("plain", "S256"),
    };

    /// <summary>The key set.</summary>
    public static JsonObject Keys()
    {
        var parameters = Parameters();
        return new JsonObject
        {
            ["keys"] = new JsonArray(new JsonObject
            {
                ["kty"] = "RSA",
                ["use"] = "sig",
                ["alg"] = "RS256",
                ["kid"] = KeyId(),
                ["n"] = Base64Url.EncodeToString(parameters.Modulus),
                ["e"] = Base64Url.EncodeToString(parameters.Exponent),
            }),
        };
    }

    private static string KeyId() => Convert.ToHexStringLower(SHA256.HashData(Parameters().Modulus!))[..40];

    private static RSAParameters Parameters()
    {
        lock (Signing)
            return Key.Value.ExportParameters(false);
    }

    private static string Part(JsonObject json) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
}
