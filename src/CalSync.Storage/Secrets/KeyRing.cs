using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;

namespace CalSync.Storage.Secrets;

/// <summary>The keys that open stored secrets; the first one also seals new ones.</summary>
/// <remarks>
/// A key is 32 bytes and is written in base64. Its id, which stands in the header of every envelope, is the
/// first 8 hex digits of its SHA-256, so that a key moved between machines keeps its id. To change the key,
/// put the new one first and keep the old one after it.
/// </remarks>
public sealed class KeyRing
{
    /// <summary>Name of the key file in the data directory: one key a line, the current one first.</summary>
    public const string FileName = "encryption.key";

    private const int KeySizeBytes = 32;

    private readonly FrozenDictionary<string, byte[]> _keys;

    private KeyRing(string source, IReadOnlyList<byte[]> keys)
    {
        Source = source;
        CurrentId = IdOf(keys[0]);
        _keys = keys.DistinctBy(IdOf).ToFrozenDictionary(IdOf, StringComparer.Ordinal);
    }

    /// <summary>Id of the key that seals.</summary>
    public string CurrentId { get; }

    /// <summary>Where the keys came from, for people: a path, or <c>the environment</c>.</summary>
    public string Source { get; }

    /// <summary>
    /// Takes the keys from the environment, else from the file, which is made on the first run.
    /// </summary>
    /// <param name="dataDirectory">
    /// Where the key file is; made with mode 0700 when absent, the file with 0600.
    /// </param>
    /// <param name="fromEnvironment">
    /// Value of <c>CALSYNC_ENCRYPTION_KEY</c>: base64 keys separated by commas; null or empty reads the file.
    /// </param>
    /// <exception cref="SecretException">A key is not 32 bytes of base64; names no part of it.</exception>
    public static KeyRing Load(string dataDirectory, string? fromEnvironment)
    {
        if (!string.IsNullOrWhiteSpace(fromEnvironment))
            return new KeyRing("the environment", Read("CALSYNC_ENCRYPTION_KEY", fromEnvironment.Split(',')));
        PrivateFiles.CreateDirectory(dataDirectory);
        var path = Path.Combine(Path.GetFullPath(dataDirectory), FileName);
        if (!File.Exists(path))
        {
            var fresh = Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeySizeBytes));
            // Another process may be first; then its key is the one to use.
            _ = PrivateFiles.TryCreate(path, Encoding.ASCII.GetBytes(fresh + "\n"));
        }

        return new KeyRing(path, Read(path, File.ReadAllLines(path)));
    }

    internal byte[]? Find(string id) => _keys.GetValueOrDefault(id);

    internal byte[] Current() => _keys[CurrentId];

    private static string IdOf(byte[] key) => Convert.ToHexStringLower(SHA256.HashData(key).AsSpan(0, 4));

    private static List<byte[]> Read(string source, IEnumerable<string> texts)
    {
        var keys = new List<byte[]>();
        foreach (var text in texts.Select(text => text.Trim()).Where(text => text.Length > 0))
        {
            var key = new byte[KeySizeBytes + 1];
            if (!Convert.TryFromBase64String(text, key, out var size) || size != KeySizeBytes)
            {
                throw new SecretException(
                    SecretProblem.BadKey, $"Key {keys.Count + 1} of {source} is not 32 bytes in base64.");
            }

            keys.Add(key[..KeySizeBytes]);
        }

        return keys.Count > 0
            ? keys
            : throw new SecretException(SecretProblem.BadKey, $"{source} holds no key.");
    }
}
