using System.Buffers.Text;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json;
using CalSync.Remotes.Pipeline;

namespace CalSync.Remotes.OAuth;

/// <summary>One public key of an issuer (RFC 7517), bound to the one algorithm of its kind.</summary>
/// <remarks>
/// RSA means RS256 and P-256 means ES256, whatever a token says: so a public key is never taken for the
/// secret of an HMAC, and no token chooses how it is verified (RFC 8725 section 3.1).
/// </remarks>
public sealed class OpenIdKey
{
    private const int IdLengthMax = 128;
    private const int RsaSizeBytesMin = 256;
    private const int RsaSizeBytesMax = 1024;
    private const int ExponentSizeBytesMax = 4;
    private const int PointSizeBytes = 32;
    private const int KeyCountMax = 64;

    private readonly RSAParameters? _rsa;
    private readonly ECParameters? _ec;

    private OpenIdKey(string id, RSAParameters rsa) => (Id, Algorithm, _rsa) = (id, "RS256", rsa);

    private OpenIdKey(string id, ECParameters ec) => (Id, Algorithm, _ec) = (id, "ES256", ec);

    /// <summary>The <c>kid</c>.</summary>
    public string Id { get; }

    /// <summary><c>RS256</c> or <c>ES256</c>.</summary>
    public string Algorithm { get; }

    /// <summary>Whether a signature is this key's.</summary>
    /// <param name="algorithm">What the token says; another than the key's is none of its.</param>
    /// <param name="signed">Header and payload as they came.</param>
    /// <param name="signature">As decoded.</param>
    public bool Verifies(string algorithm, byte[] signed, byte[] signature)
    {
        if (algorithm != Algorithm)
            return false;
        // One for each call: a key object may not be shared by threads.
        if (_rsa is { } parameters)
        {
            using var rsa = RSA.Create(parameters);
            return rsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }

        using var ecdsa = ECDsa.Create(_ec!.Value);
        return ecdsa.VerifyData(
            signed, signature, HashAlgorithmName.SHA256,
            DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    /// <summary>Reads a key set; keys that are not for signing, or of unknown kinds, are left out.</summary>
    /// <param name="set">Any JSON object.</param>
    /// <returns>By <c>kid</c>; null when it is no key set.</returns>
    internal static FrozenDictionary<string, OpenIdKey>? ReadAll(JsonElement set)
    {
        if (!set.TryGetProperty("keys", out var list) || list.ValueKind != JsonValueKind.Array
            || list.GetArrayLength() > KeyCountMax)
        {
            return null;
        }

        // A name that two keys have names neither.
        return Json.Objects(set, "keys").Select(Read).OfType<OpenIdKey>()
            .GroupBy(key => key.Id, StringComparer.Ordinal).Where(group => group.Count() == 1)
            .ToFrozenDictionary(group => group.Key, group => group.Single(), StringComparer.Ordinal);
    }

    private static OpenIdKey? Read(JsonElement json)
    {
        if (Json.Text(json, "kid") is not { Length: >= 1 and <= IdLengthMax } id
            || (json.TryGetProperty("use", out _) && Json.Text(json, "use") != "sig"))
        {
            return null;
        }

        var key = Json.Text(json, "kty") switch
        {
            "RSA" => ReadRsa(id, json),
            "EC" => ReadEc(id, json),
            _ => null,
        };
        return key is not null && json.TryGetProperty("alg", out _)
            && Json.Text(json, "alg") != key.Algorithm
            ? null
            : key;
    }

    private static OpenIdKey? ReadRsa(string id, JsonElement json)
    {
        if (Bytes(json, "n") is not { Length: >= RsaSizeBytesMin and <= RsaSizeBytesMax } modulus
            || Bytes(json, "e") is not { Length: >= 1 and <= ExponentSizeBytesMax } exponent)
        {
            return null;
        }

        var parameters = new RSAParameters { Modulus = modulus, Exponent = exponent };
        try
        {
            using var rsa = RSA.Create(parameters);
            return rsa.KeySize >= RsaSizeBytesMin * 8 ? new OpenIdKey(id, parameters) : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static OpenIdKey? ReadEc(string id, JsonElement json)
    {
        if (Json.Text(json, "crv") != "P-256" || Bytes(json, "x") is not { Length: PointSizeBytes } x
            || Bytes(json, "y") is not { Length: PointSizeBytes } y)
        {
            return null;
        }

        var parameters = new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = x, Y = y },
        };
        try
        {
            using var ecdsa = ECDsa.Create(parameters);
            return new OpenIdKey(id, parameters);
        }
        catch (CryptographicException)
        {
            // Not on the curve.
            return null;
        }
    }

    private static byte[]? Bytes(JsonElement json, string name) =>
        Json.Text(json, name) is { } text && Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : null;
}
