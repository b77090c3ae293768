using System.Collections.Frozen;
using System.Security.Cryptography;
using CalSync.Storage.Identity;

namespace CalSync.App.Api.Authentication.Jwt;

/// <summary>One public key.</summary>
/// <param name="key">Its row.</param>
internal sealed class VerifyingKey(SigningKeyListing key)
{
    // ES256 is R and S of 32 bytes each, nothing else (RFC 7518 section 3.4).
    private const int SignatureSizeBytes = 64;

    /// <summary>Whether it is accepted at a moment.</summary>
    public bool IsAccepted(DateTimeOffset now) => key.EndsAt is null || key.EndsAt > now;

    /// <summary>Whether a signature is its own.</summary>
    public bool Verifies(byte[] signed, byte[] signature)
    {
        if (signature.Length != SignatureSizeBytes)
            return false;
        // One for each call: a key object may not be shared by threads.
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportSubjectPublicKeyInfo(key.PublicKey, out _);
        return ecdsa.VerifyData(
            signed, signature, HashAlgorithmName.SHA256,
            DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }
}

/// <summary>The public keys in force, as this process knows them: at most two seconds old.</summary>
/// <remarks>A <c>kid</c> is looked up among known keys and never reaches the database, a file or a
/// network.</remarks>
internal sealed class SigningKeys(SigningKeyStore store, TimeProvider clock)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(2);

    // A name nobody knows may be of a key made just now; a stream of such names costs this much and no more.
    private static readonly TimeSpan LifetimeOfAbsence = TimeSpan.FromMilliseconds(200);
    private volatile Reading? _last;

    /// <summary>A key that is accepted now; null when there is none of the name.</summary>
    public async Task<VerifyingKey?> FindAsync(
        string keyId, DateTimeOffset now, CancellationToken cancellation)
    {
        if (_last is not { } last || now < last.At
            || now - last.At >= (last.Keys.ContainsKey(keyId) ? Lifetime : LifetimeOfAbsence))
        {
            var keys = await store.ListAsync(cancellation);
            last = new Reading(now, keys.ToFrozenDictionary(
                key => key.Id, key => new VerifyingKey(key), StringComparer.Ordinal));
            _last = last;
        }

        return last.Keys.GetValueOrDefault(keyId) is { } found && found.IsAccepted(clock.GetUtcNow())
            ? found
            : null;
    }

    private sealed record Reading(DateTimeOffset At, FrozenDictionary<string, VerifyingKey> Keys);
}
