using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CalSync.Storage.Running;
using CalSync.Storage.Secrets;
using CalSync.Sync.Journal;

namespace CalSync.Storage.Identity;

/// <summary>The public half of a key that tokens are signed with.</summary>
public sealed record SigningKeyListing
{
    /// <summary>The <c>kid</c>: the key's thumbprint (RFC 7638).</summary>
    public string Id { get; init; } = "";

    /// <summary>SubjectPublicKeyInfo, P-256.</summary>
    public byte[] PublicKey { get; init; } = [];

    /// <summary>Published from then on, UTC.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Signs from then on, until a newer one does, UTC.</summary>
    public DateTimeOffset SignsFrom { get; init; }

    /// <summary>Nothing signed with it is accepted from then on, UTC; null for the newest.</summary>
    public DateTimeOffset? EndsAt { get; init; }
}

/// <summary>A key that signs now. Dispose it.</summary>
/// <param name="Id">The <c>kid</c>.</param>
/// <param name="Key">P-256 with its private half.</param>
public sealed record SigningKey(string Id, ECDsa Key) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Key.Dispose();
}

/// <summary>The keys of our own tokens; the same for every process on the database.</summary>
/// <remarks>
/// Rotation overlaps: the new key is published at once and signs after <see cref="PublishedAhead"/>; the old
/// one is accepted until the last token it may have signed is over. A compromised key ends at once instead.
/// Two processes that make a first key at once leave two, and both are good.
/// </remarks>
/// <param name="database">The database.</param>
/// <param name="cipher">Seals the private halves.</param>
/// <param name="clock">Dates the changes; says which key signs.</param>
public sealed class SigningKeyStore(Database database, TokenCipher cipher, TimeProvider clock)
{
    /// <summary>How long a new key is known before it signs; longer than anybody keeps a key set.</summary>
    public static readonly TimeSpan PublishedAhead = TimeSpan.FromMinutes(10);

    private const string Select =
        "SELECT id, public_key, created_at, signs_from, ends_at FROM signing_keys";

    /// <summary>Keys that are accepted now or soon, the oldest first.</summary>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<IReadOnlyList<SigningKeyListing>> ListAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        return database.ReadAsync(
            session => session.QueryAsync<SigningKeyListing>(
                Select + " WHERE ends_at IS NULL OR ends_at > @now ORDER BY signs_from, id", new { now }),
            cancellation);
    }

    /// <summary>The key that signs now; the first is made when it is needed.</summary>
    /// <param name="actor">Who asks, for the journal.</param>
    /// <param name="correlationId">The request or run.</param>
    /// <param name="cancellation">A cancelled call may still have made a key.</param>
    /// <exception cref="SecretException">The private half does not open.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The caller disposes it with the key.")]
    public async Task<SigningKey> CurrentAsync(
        string actor, string correlationId, CancellationToken cancellation)
    {
        if (await FindCurrentAsync(cancellation) is null)
            await MakeAsync(TimeSpan.Zero, null, actor, correlationId, cancellation);
        var row = (await FindCurrentAsync(cancellation))!;
        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(
            Convert.FromBase64String(cipher.Open(Place(row.Id), row.PrivateKey)), out _);
        return new SigningKey(row.Id, key);
    }

    /// <summary>Makes the next key.</summary>
    /// <param name="tokenLifetime">Longest life of a token that the old key may have signed.</param>
    /// <param name="compromised">True: the old keys end at once, with every token they signed.</param>
    /// <param name="actor">Who asks, for the journal.</param>
    /// <param name="correlationId">The request or run.</param>
    /// <param name="cancellation">A cancelled call may still have done it.</param>
    /// <returns>Id of the new key.</returns>
    public Task<string> RotateAsync(
        TimeSpan tokenLifetime, bool compromised, string actor, string correlationId,
        CancellationToken cancellation) => compromised
            ? MakeAsync(TimeSpan.Zero, TimeSpan.Zero, actor, correlationId, cancellation)
            : MakeAsync(
                PublishedAhead, PublishedAhead + tokenLifetime, actor, correlationId, cancellation);

    private async Task<string> MakeAsync(
        TimeSpan ahead, TimeSpan? oldEndsIn, string actor, string correlationId,
        CancellationToken cancellation)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var id = Thumbprint(key);
        var sealedKey = cipher.Seal(Place(id), Convert.ToBase64String(key.ExportPkcs8PrivateKey()));
        var publicKey = key.ExportSubjectPublicKeyInfo();
        var now = Instant.Trim(clock.GetUtcNow());
        await database.WriteAsync(
            async session =>
            {
                var none = await session.ScalarAsync<long>(
                    "SELECT count(*) FROM signing_keys WHERE signs_from <= @now"
                    + " AND (ends_at IS NULL OR ends_at > @now)",
                    new { now }) == 0;
                var signsFrom = none ? now : now + ahead;
                var oldEndsAt = now + oldEndsIn;
                if (oldEndsAt is not null)
                {
                    await session.ExecuteAsync(
                        "UPDATE signing_keys SET ends_at = @oldEndsAt"
                        + " WHERE ends_at IS NULL OR ends_at > @oldEndsAt",
                        new { oldEndsAt });
                }

                session.Queue(
                    """
                    INSERT INTO signing_keys (id, public_key, private_key, created_at, signs_from)
                    VALUES (@id, @publicKey, @sealedKey, @now, @signsFrom)
                    """,
                    new { id, publicKey, sealedKey, now, signsFrom },
                    expectRows: 1);
                session.Journal(new JournalEntry(
                    now, SwitchStore.JournalTenant, actor, "request", correlationId, "signing_key.made",
                    "signing_key", id, After: JsonSerializer.Serialize(new { signsFrom, oldEndsAt })));
                return id;
            },
            cancellation);
        return id;
    }

    private Task<PrivateRow?> FindCurrentAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        return database.ReadAsync(
            session => session.FirstOrDefaultAsync<PrivateRow>(
                """
                SELECT id, private_key FROM signing_keys
                WHERE signs_from <= @now AND (ends_at IS NULL OR ends_at > @now)
                ORDER BY signs_from DESC, id LIMIT 1
                """,
                new { now }),
            cancellation);
    }

    private static SecretPlace Place(string id) =>
        new(SwitchStore.JournalTenant, id, "signing_keys.private_key");

    // RFC 7638 section 3: the required members in order, without blanks.
    private static string Thumbprint(ECDsa key)
    {
        var point = key.ExportParameters(false).Q;
        var json = "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" + Base64Url.EncodeToString(point.X)
            + "\",\"y\":\"" + Base64Url.EncodeToString(point.Y) + "\"}";
        return Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(json)));
    }

    private sealed record PrivateRow
    {
        public string Id { get; init; } = "";

        public byte[] PrivateKey { get; init; } = [];
    }
}
