using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace CalSync.Storage.Secrets;

/// <summary>The keys that open stored secrets; the first one also seals new ones. Thread-safe.</summary>
/// <remarks>
/// A key is 32 bytes and is written in base64. Its id, which stands in the header of every envelope, is the
/// first 8 hex digits of its SHA-256, so that a key moved between machines keeps its id. A ring from a file
/// reads it again before it seals when the file has changed, and when it meets an envelope of a key it does
/// not hold: so a process that runs while another one rotates neither misses the new key nor goes on with
/// the old one.
/// </remarks>
public sealed class KeyRing
{
    /// <summary>Name of the key file in the data directory: one key a line, the current one first.</summary>
    public const string FileName = "encryption.key";

    internal const int KeySizeBytes = 32;

    private readonly string? _path;
    private volatile Keys _keys;

    private KeyRing(string source, string? path, Keys keys) =>
        (Source, _path, _keys) = (source, path, keys);

    /// <summary>Id of the key that seals.</summary>
    public string CurrentId => _keys.CurrentId;

    /// <summary>Ids of all keys, the one that seals first.</summary>
    public ImmutableArray<string> Ids => _keys.Ids;

    /// <summary>Where the keys came from, for people: a path, or <c>the environment</c>.</summary>
    public string Source { get; }

    /// <summary>Whether the keys are in a file, which the program itself may change.</summary>
    public bool IsFile => _path is not null;

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
        {
            return new KeyRing(
                "the environment", null,
                new Keys(Read("CALSYNC_ENCRYPTION_KEY", fromEnvironment.Split(',')), default));
        }

        PrivateFiles.CreateDirectory(dataDirectory);
        var path = Path.Combine(Path.GetFullPath(dataDirectory), FileName);
        if (!File.Exists(path))
        {
            // Another process may be first; then its key is the one to use.
            _ = PrivateFiles.TryCreate(path, Text([RandomNumberGenerator.GetBytes(KeySizeBytes)]));
        }

        return new KeyRing(path, path, FromFile(path));
    }

    /// <summary>Puts a new key first in the file; the old ones stay, rows are sealed with them.</summary>
    /// <exception cref="InvalidOperationException">The keys are not in a file.</exception>
    /// <exception cref="IOException">The file cannot be written, or another process changes it.</exception>
    public void AddKey() => Change(keys => keys.Insert(0, RandomNumberGenerator.GetBytes(KeySizeBytes)));

    /// <summary>Takes keys out of the file; the one that seals always stays.</summary>
    /// <param name="ids">Which; nothing may be sealed with them.</param>
    /// <exception cref="InvalidOperationException">The keys are not in a file.</exception>
    /// <exception cref="IOException">The file cannot be written, or another process changes it.</exception>
    public void RemoveKeys(IReadOnlyCollection<string> ids) =>
        Change(keys => [keys[0], .. keys.Skip(1).Where(key => !ids.Contains(IdOf(key)))]);

    internal byte[]? Find(string id)
    {
        if (_keys.Find(id) is { } known)
            return known;
        if (_path is null)
            return null;
        _keys = FromFile(_path);
        return _keys.Find(id);
    }

    internal (string Id, byte[] Key) Current()
    {
        if (_path is not null && File.GetLastWriteTimeUtc(_path) != _keys.WrittenAt)
            _keys = FromFile(_path);
        return _keys.Current;
    }

    private static Keys FromFile(string path)
    {
        // Asked for first: a change in between is then read again rather than missed.
        var writtenAt = File.GetLastWriteTimeUtc(path);
        return new Keys(Read(path, File.ReadAllLines(path)), writtenAt);
    }

    // One process at a time: a key that another process writes over is lost, and with it what it sealed.
    private void Change(Func<ImmutableList<byte[]>, ImmutableList<byte[]>> change)
    {
        if (_path is null)
            throw new InvalidOperationException("Keys of the environment are changed where they are set.");
        using var only = PrivateFiles.Lock(_path + ".lock");
        var keys = change([.. Read(_path, File.ReadAllLines(_path))]);
        PrivateFiles.Replace(_path, Text(keys));
        _keys = FromFile(_path);
    }

    private static byte[] Text(IEnumerable<byte[]> keys) => Encoding.ASCII.GetBytes(
        string.Concat(keys.Select(key => Convert.ToBase64String(key) + "\n")));

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

    private sealed class Keys(IReadOnlyList<byte[]> keys, DateTime writtenAt)
    {
        private readonly ImmutableDictionary<string, byte[]> _byId =
            keys.DistinctBy(IdOf).ToImmutableDictionary(IdOf, StringComparer.Ordinal);

        public ImmutableArray<string> Ids { get; } = [.. keys.Select(IdOf).Distinct()];

        public string CurrentId => Ids[0];

        public (string Id, byte[] Key) Current => (CurrentId, _byId[CurrentId]);

        public DateTime WrittenAt => writtenAt;

        public byte[]? Find(string id) => _byId.GetValueOrDefault(id);
    }
}
