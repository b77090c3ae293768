using System.Buffers.Text;
using System.Security.Cryptography;
using CalSync.Storage.Identity;

namespace CalSync.App.Api.Authentication.Jwt;

/// <summary>The keys enhanced tokens are signed with (RFC 7517 section 5).</summary>
/// <param name="Keys">Also one that will sign soon, and those whose last tokens still live.</param>
internal sealed record KeySetView(IReadOnlyList<KeyView> Keys);

/// <summary>One public key (RFC 7518 section 6.2.1).</summary>
internal sealed record KeyView(
    string Kty, string Crv, string X, string Y, string Kid, string Use, string Alg);

/// <summary>The key set, for whoever verifies our tokens.</summary>
internal static class KeySetApi
{
    /// <summary>Adds the route.</summary>
    public static void MapKeySet(this IEndpointRouteBuilder api) =>
        api.MapGet("/.well-known/jwks.json", GetAsync).Open().Gives<KeySetView>(200)
            .Says("getKeySet", "Keys of our tokens", "A JSON Web Key Set; keep it five minutes.");

    private static async Task<Answer> GetAsync(SigningKeyStore store, CancellationToken cancellation)
    {
        var keys = await store.ListAsync(cancellation);
        return Answer.Json(200, new KeySetView([.. keys.Select(View)]), ApiJson.Default.KeySetView)
            .With("Cache-Control", "public, max-age=300");
    }

    private static KeyView View(SigningKeyListing listing)
    {
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(listing.PublicKey, out _);
        var point = key.ExportParameters(false).Q;
        return new KeyView(
            "EC", "P-256", Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y), listing.Id,
            "sig", "ES256");
    }
}
