using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace CalSync.Storage.Secrets;

/// <summary>
/// Where a secret is stored. An envelope opens in the place it was sealed for, nowhere else.
/// </summary>
/// <param name="TenantId">The tenant of the row.</param>
/// <param name="RowId">The row's id.</param>
/// <param name="Column">Table and column, such as <c>connections.refresh_token</c>.</param>
public readonly record struct SecretPlace(string TenantId, string RowId, string Column);

/// <summary>Why a secret could not be opened, or a key not be used. Append only.</summary>
public enum SecretProblem
{
    /// <summary>The bytes are no envelope of ours.</summary>
    Malformed = 1,

    /// <summary>Sealed with a key that is not on the ring.</summary>
    UnknownKey = 2,

    /// <summary>Changed, or taken from another row, column or tenant.</summary>
    NotAuthentic = 3,

    /// <summary>A configured key cannot be read.</summary>
    BadKey = 4,
}

/// <summary>A stored secret cannot be opened. Says where and why, never what.</summary>
public sealed class SecretException : StorageException
{
    internal SecretException(SecretProblem problem, string message, Exception? inner = null)
        : base(message, inner) => Problem = problem;

    /// <summary>Why.</summary>
    public SecretProblem Problem { get; }
}

/// <summary>
/// Seals provider tokens with AES-256-GCM, bound to the row and column that hold them. Thread-safe.
/// </summary>
/// <remarks>
/// Envelope: one byte 1 (the format), 4 bytes key id, 12 bytes random nonce, the ciphertext, 16 bytes tag.
/// The associated data is the format and key id, then tenant, row and column, each UTF-8 after its length in
/// 4 bytes big-endian: a ciphertext copied to another row, column or tenant does not open.
/// </remarks>
/// <param name="keys">The keys.</param>
public sealed class TokenCipher(KeyRing keys)
{
    private const byte Format = 1;
    private const int KeyIdSizeBytes = 4;
    private const int HeaderSizeBytes = 1 + KeyIdSizeBytes;
    private const int NonceSizeBytes = 12;
    private const int TagSizeBytes = 16;

    /// <summary>Seals a secret for its place.</summary>
    public byte[] Seal(SecretPlace place, string secret)
    {
        var plain = Encoding.UTF8.GetBytes(secret);
        var envelope = new byte[HeaderSizeBytes + NonceSizeBytes + plain.Length + TagSizeBytes];
        envelope[0] = Format;
        var (id, key) = keys.Current();
        Convert.FromHexString(id).CopyTo(envelope, 1);
        var (nonce, cipher, tag) = Parts(envelope);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagSizeBytes);
        aes.Encrypt(nonce, plain, cipher, tag, AssociatedData(envelope.AsSpan(0, HeaderSizeBytes), place));
        CryptographicOperations.ZeroMemory(plain);
        return envelope;
    }

    /// <summary>Opens an envelope in its place.</summary>
    /// <exception cref="SecretException">
    /// It does not belong there, was changed, or its key is missing.
    /// </exception>
    public string Open(SecretPlace place, byte[] envelope)
    {
        if (envelope.Length < HeaderSizeBytes + NonceSizeBytes + TagSizeBytes || envelope[0] != Format)
        {
            throw new SecretException(
                SecretProblem.Malformed, $"{place.Column} of {place.RowId} is no envelope.");
        }

        var keyId = Convert.ToHexStringLower(envelope.AsSpan(1, KeyIdSizeBytes));
        var key = keys.Find(keyId) ?? throw new SecretException(
            SecretProblem.UnknownKey,
            $"{place.Column} of {place.RowId} needs key {keyId}, which is not configured.");
        var (nonce, cipher, tag) = Parts(envelope);
        var plain = new byte[cipher.Length];
        try
        {
            using var aes = new AesGcm(key, TagSizeBytes);
            aes.Decrypt(
                nonce, cipher, tag, plain, AssociatedData(envelope.AsSpan(0, HeaderSizeBytes), place));
            return Encoding.UTF8.GetString(plain);
        }
        catch (AuthenticationTagMismatchException error)
        {
            throw new SecretException(
                SecretProblem.NotAuthentic,
                $"{place.Column} of {place.RowId} was changed or belongs elsewhere.",
                error);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }

    private static Sections Parts(byte[] envelope) => new(
        envelope.AsSpan(HeaderSizeBytes, NonceSizeBytes),
        envelope.AsSpan((HeaderSizeBytes + NonceSizeBytes)..^TagSizeBytes),
        envelope.AsSpan(^TagSizeBytes..));

    private static byte[] AssociatedData(ReadOnlySpan<byte> header, SecretPlace place)
    {
        var data = new List<byte>(128);
        data.AddRange(header);
        foreach (var text in new[] { place.TenantId, place.RowId, place.Column })
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            var length = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
            data.AddRange(length);
            data.AddRange(bytes);
        }

        return [.. data];
    }

    private readonly ref struct Sections(Span<byte> nonce, Span<byte> cipher, Span<byte> tag)
    {
        private readonly Span<byte> _nonce = nonce;
        private readonly Span<byte> _cipher = cipher;
        private readonly Span<byte> _tag = tag;

        public void Deconstruct(out Span<byte> nonce, out Span<byte> cipher, out Span<byte> tag)
        {
            nonce = _nonce;
            cipher = _cipher;
            tag = _tag;
        }
    }
}
