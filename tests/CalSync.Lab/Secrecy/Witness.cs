using System.Globalization;
using System.Text;

namespace CalSync.Lab.Secrecy;

/// <summary>What a secret of a test run is for.</summary>
public enum SecretKind
{
    /// <summary>What stands in <c>Authorization: Bearer</c>, of the product or of a provider.</summary>
    Bearer = 1,

    /// <summary>A refresh token of the practice Google.</summary>
    RefreshToken = 2,

    /// <summary>What a consent page gives back, and what proves who asked for it.</summary>
    Code = 3,

    /// <summary>The secret of an OAuth client.</summary>
    ClientSecret = 4,

    /// <summary>A password of a person or of a calendar account.</summary>
    Password = 5,

    /// <summary>A key that opens stored secrets.</summary>
    EncryptionKey = 6,
}

/// <summary>
/// Writes down, in one folder for all processes of a test run, which secrets the run issues and what the
/// product puts out in it, so that the one can be searched for the other when the run is over.
/// </summary>
/// <remarks>
/// Off unless the variable <see cref="Variable"/> names the folder. What is written is there when the call
/// returns, so that a killed process leaves what it said.
/// </remarks>
public static class Witness
{
    /// <summary>The folder; not set, nothing is written.</summary>
    public const string Variable = "LAB_WITNESS";

    /// <summary>Where in it the secrets are, a file a process.</summary>
    public const string IssuedFolder = "issued";

    /// <summary>Where in it the output is, a file a process.</summary>
    public const string SeenFolder = "seen";

    /// <summary>Begins the line above each thing seen: what it is.</summary>
    internal const string Mark = "=== ";

    private const int PrintableRunMin = 8;
    private static readonly string? Folder = Environment.GetEnvironmentVariable(Variable);
    private static readonly Lazy<FileStream> Seen = new(() => Open(SeenFolder));
    private static readonly Lazy<FileStream> Issued = new(() => Open(IssuedFolder));
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal);

    /// <summary>Whether a folder is named.</summary>
    public static bool IsOn => !string.IsNullOrEmpty(Folder);

    /// <summary>A secret came into the world, or somebody used it.</summary>
    public static void Issue(SecretKind kind, string? secret)
    {
        if (!IsOn || string.IsNullOrEmpty(secret))
            return;
        lock (Known)
        {
            if (Known.Add(secret))
                Issued.Value.Write(Encoding.ASCII.GetBytes(IssuedLine(kind, secret) + "\n"));
        }
    }

    /// <summary>The product put something out.</summary>
    /// <param name="what">What it is, in a line; no secret.</param>
    /// <param name="content">All of it.</param>
    public static void Saw(string what, ReadOnlySpan<byte> content)
    {
        if (!IsOn)
            return;
        var head = Encoding.UTF8.GetBytes($"{Mark}{what}\n");
        byte[] record = [.. head, .. content, (byte)'\n'];
        lock (Seen)
            Seen.Value.Write(record);
    }

    /// <inheritdoc cref="Saw(string, ReadOnlySpan{byte})"/>
    public static void Saw(string what, string content)
    {
        if (IsOn && content.Length > 0)
            Saw(what, Encoding.UTF8.GetBytes(content));
    }

    /// <summary>
    /// Keeps what a data directory of the product holds in the open: the text in its SQLite files as they are
    /// on the disk. The keys beside them count as issued.
    /// </summary>
    public static void SawDataDirectory(string directory)
    {
        if (!IsOn || !Directory.Exists(directory))
            return;
        foreach (var file in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetFileName(file);
            if (name.StartsWith("encryption.key", StringComparison.Ordinal))
                IssueKeys(file);
            else if (name.Contains(".db", StringComparison.Ordinal))
                SawFile($"database {name}", file);
        }
    }

    /// <summary>How an issued secret is written down.</summary>
    public static string IssuedLine(SecretKind kind, string secret) =>
        $"{kind}\t{Convert.ToBase64String(Encoding.UTF8.GetBytes(secret))}";

    /// <summary>Keeps the text in the tables of a PostgreSQL that has just written everything out.</summary>
    /// <param name="directory">The server's directory.</param>
    internal static void SawPostgres(string directory)
    {
        // Below this number are the server's own catalogues.
        const long FirstOfUsers = 16384;
        foreach (var file in Directory.EnumerateFiles(
            Path.Combine(directory, "base"), "*", SearchOption.AllDirectories))
        {
            var number = Path.GetFileName(file).Split('.', '_')[0];
            if (long.TryParse(number, CultureInfo.InvariantCulture, out var id) && id >= FirstOfUsers)
                SawFile("database postgres", file);
        }
    }

    private static void IssueKeys(string file)
    {
        foreach (var key in File.ReadLines(file).Select(line => line.Trim()).Where(line => line.Length > 0))
        {
            Issue(SecretKind.EncryptionKey, key);
            var octets = new byte[key.Length];
            if (Convert.TryFromBase64String(key, octets, out var size))
                Issue(SecretKind.EncryptionKey, Convert.ToHexStringLower(octets.AsSpan(0, size)));
        }
    }

    // Only runs of letters can be a secret of ours; the rest of a database file is most of it.
    private static void SawFile(string what, string file)
    {
        using var stream = new FileStream(
            file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var octets = new byte[stream.Length];
        var size = stream.ReadAtLeast(octets, octets.Length, throwOnEndOfStream: false);
        using var text = new MemoryStream();
        for (var at = 0; at < size;)
        {
            var run = octets.AsSpan(at, size - at).IndexOfAnyExceptInRange((byte)' ', (byte)'~');
            if (run < 0)
                run = size - at;
            if (run >= PrintableRunMin)
            {
                text.Write(octets, at, run);
                text.WriteByte((byte)'\n');
            }

            at += Math.Max(run, 1);
        }

        if (text.Length > 0)
            Saw(what, text.GetBuffer().AsSpan(0, (int)text.Length));
    }

    private static FileStream Open(string folder)
    {
        var path = Path.Combine(Folder!, folder);
        Directory.CreateDirectory(path);
        return new FileStream(
            Path.Combine(path, string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}.txt")),
            FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
    }
}
