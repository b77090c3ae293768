using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CalSync.Storage.Identity;

namespace CalSync.App.Api.Authentication.Jwt;

/// <summary>Writes enhanced tokens (RFC 9068): what a session is worth until it ends.</summary>
internal sealed class JwtIssuer(SigningKeyStore keys, JwtOptions options)
{
    /// <summary>Signs a token for a session.</summary>
    /// <param name="session">As opened.</param>
    /// <param name="actor">Who asks, for the journal of a first key.</param>
    /// <param name="correlationId">The request or run.</param>
    /// <param name="cancellation">Cancelling leaves at most a key behind.</param>
    public async Task<string> IssueAsync(
        UserSession session, string actor, string correlationId, CancellationToken cancellation)
    {
        using var key = await keys.CurrentAsync(actor, correlationId, cancellation);
        var header = new JsonObject { ["alg"] = "ES256", ["typ"] = "at+jwt", ["kid"] = key.Id };
        var claims = new JsonObject
        {
            ["iss"] = options.Issuer,
            ["aud"] = options.Audience,
            ["sub"] = session.UserId,
            ["sid"] = session.Id,
            ["role"] = JwtBearers.Word(session.Role),
            ["auth_time"] = session.AuthenticatedAt.ToUnixTimeSeconds(),
            ["iat"] = session.AuthenticatedAt.ToUnixTimeSeconds(),
            ["exp"] = session.ExpiresAt.ToUnixTimeSeconds(),
        };
        var signed = $"{Part(header)}.{Part(claims)}";
        var signature = key.Key.SignData(
            Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256,
            DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Part(JsonObject json) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
}
