using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace CalSync.Lab.Secrecy;

/// <summary>An answer or output that hands a secret to the one it is for.</summary>
/// <param name="Where">How the line above it begins, after the <see cref="Witness.Mark"/>.</param>
/// <param name="Kind">The only kind it may hold.</param>
/// <param name="Reason">Why.</param>
public sealed record HandOver(string Where, SecretKind Kind, string Reason);

/// <summary>What a search came to.</summary>
/// <param name="Found">Each place with the kind and the first four letters of what it holds.</param>
/// <param name="SecretCount">How many secrets were searched for.</param>
/// <param name="TooShortCount">How many were left out because anything could look like them.</param>
/// <param name="Octets">How much was searched.</param>
/// <param name="Sources">What was seen of each kind of output.</param>
public sealed record SearchReport(
    IReadOnlyList<string> Found, int SecretCount, int TooShortCount, long Octets,
    IReadOnlyDictionary<string, int> Sources);

/// <summary>
/// Searches everything a test run left behind for every secret it issued, in one pass and bounded memory.
/// </summary>
/// <remarks>
/// The last eight octets of each secret are the key of a table, and every position of the text is looked up
/// in it; the first octets would not do, because all tokens of a kind begin alike.
/// </remarks>
public static partial class SecretSearch
{
    /// <summary>A secret shorter than this is not searched for.</summary>
    public const int SecretBytesMin = 8;

    private const int ChunkBytes = 1 << 20;
    private const int FoundMax = 40;
    private const int HeadBytesMax = 4096;

    /// <summary>The only places where a secret may stand.</summary>
    public static IReadOnlyList<HandOver> HandOvers { get; } =
    [
        new("http 201 POST /api/v1/auth/sessions", SecretKind.Bearer, "signing in answers with the token"),
        new("http 201 POST /api/v1/auth/google/sessions", SecretKind.Bearer, "so does signing in by Google"),
        new("console users token", SecretKind.Bearer, "the verb prints the token it makes"),
    ];

    /// <summary>Searches every file of a folder, with what a <see cref="Witness"/> wrote in it.</summary>
    public static SearchReport Run(string directory)
    {
        ArgumentNullException.ThrowIfNull(directory);
        var files = Directory.GetFiles(directory, "*", SearchOption.AllDirectories);
        var issued = files.Where(IsIssued).SelectMany(File.ReadLines).Distinct().Select(Read).ToList();
        var searched = issued.Where(secret => secret.Octets.Length >= SecretBytesMin).ToList();
        var pass = new Pass(searched);
        foreach (var file in files.Where(file => !IsIssued(file)).Order(StringComparer.Ordinal))
            pass.Search(file, Path.GetRelativePath(directory, file));
        return new SearchReport(
            [.. pass.Found], searched.Count, issued.Count - searched.Count, pass.Octets, pass.Sources);
    }

    /// <summary>Searches, and says what came of it.</summary>
    /// <returns>0 when there was something to search, something to search for, and nothing found.</returns>
    public static int RunVerb(string directory)
    {
        var report = Run(directory);
        foreach (var found in report.Found)
            Console.WriteLine(found);
        var sources = string.Join(
            ", ", report.Sources.OrderBy(each => each.Key).Select(each => $"{each.Value} {each.Key}"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Searched {report.Octets >> 20} MB ({sources}) for {report.SecretCount} secrets; "
            + $"{report.TooShortCount} were too short: {report.Found.Count} found"));
        // A run that put nothing out, or issued nothing, was not watched.
        string[] wanted = ["http", "log", "console", "database"];
        var missing = wanted.Where(source => !report.Sources.ContainsKey(source)).ToList();
        if (missing.Count > 0)
            Console.WriteLine($"Nothing was seen of: {string.Join(", ", missing)}");
        return report.Found.Count == 0 && missing.Count == 0 && report.SecretCount > 0 ? 0 : 1;
    }

    /// <summary>The results of a test run without the names of its cases: what stands in them was written by
    /// who wrote the test, not put out by the product.</summary>
    private static MemoryStream WithoutNames(string file) =>
        new(Encoding.UTF8.GetBytes(CaseName().Replace(File.ReadAllText(file), "")));

    [GeneratedRegex("\\b(testN|n)ame=\"[^\"]*\"")]
    private static partial Regex CaseName();

    private static bool IsIssued(string file) =>
        Path.GetFileName(Path.GetDirectoryName(file)) == Witness.IssuedFolder;

    private static (SecretKind Kind, byte[] Octets) Read(string line)
    {
        var parts = line.Split('\t');
        return (Enum.Parse<SecretKind>(parts[0]), Convert.FromBase64String(parts[1]));
    }

    private sealed class Pass
    {
        private readonly Dictionary<ulong, List<(SecretKind Kind, byte[] Octets)>> _byEnd = [];
        // One bit for each hash of a key: nearly every position of the text ends here.
        private readonly ulong[] _maybe = new ulong[1 << 14];
        private readonly HashSet<string> _found = [];
        private readonly int _overlap;
        private string _head = "";

        public Pass(List<(SecretKind Kind, byte[] Octets)> secrets)
        {
            _overlap = secrets.Select(secret => secret.Octets.Length).DefaultIfEmpty().Max() + HeadBytesMax;
            foreach (var secret in secrets)
            {
                var end = MemoryMarshal.Read<ulong>(secret.Octets.AsSpan(secret.Octets.Length - 8));
                (CollectionsMarshal.GetValueRefOrAddDefault(_byEnd, end, out _) ??= []).Add(secret);
                _maybe[Hash(end) >> 6] |= 1UL << (Hash(end) & 63);
            }
        }

        public IReadOnlyCollection<string> Found => _found;

        public Dictionary<string, int> Sources { get; } = [];

        public long Octets { get; private set; }

        public void Search(string file, string name)
        {
            _head = name;
            using Stream stream =
                Path.GetExtension(file) == ".trx" ? WithoutNames(file) : File.OpenRead(file);
            var buffer = new byte[_overlap + ChunkBytes];
            // What is kept of the chunk before was searched; only what ends after it is new.
            for (var kept = 0; ;)
            {
                var read = stream.ReadAtLeast(
                    buffer.AsSpan(kept, ChunkBytes), ChunkBytes, throwOnEndOfStream: false);
                if (read == 0)
                    return;
                Octets += read;
                Search(buffer.AsSpan(0, kept + read), kept);
                var keep = Math.Min(_overlap, kept + read);
                buffer.AsSpan(kept + read - keep, keep).CopyTo(buffer);
                kept = keep;
            }
        }

        private void Search(ReadOnlySpan<byte> text, int searched)
        {
            for (var at = searched; at < text.Length; at++)
            {
                if (text[at] == (byte)'\n')
                    ReadHead(text[..at]);
                if (at < SecretBytesMin - 1)
                    continue;
                var end = MemoryMarshal.Read<ulong>(text[(at - 7)..]);
                if ((_maybe[Hash(end) >> 6] & (1UL << (Hash(end) & 63))) != 0)
                    Compare(text[..(at + 1)], end);
            }
        }

        private void Compare(ReadOnlySpan<byte> before, ulong end)
        {
            if (!_byEnd.TryGetValue(end, out var secrets))
                return;
            foreach (var (kind, octets) in secrets)
            {
                if (before.EndsWith(octets) && !IsHandedOver(kind) && _found.Count < FoundMax)
                    _found.Add($"{_head}: {kind} {Encoding.UTF8.GetString(octets.AsSpan(0, 4))}...");
            }
        }

        private bool IsHandedOver(SecretKind kind) => HandOvers.Any(each =>
            each.Kind == kind && _head.StartsWith(each.Where, StringComparison.Ordinal));

        // At its end, when all of it is here: what is kept of the chunk before is longer than any head.
        private void ReadHead(ReadOnlySpan<byte> before)
        {
            var line = before[Math.Max(before.Length - HeadBytesMax, 0)..];
            line = line[(line.LastIndexOf((byte)'\n') + 1)..];
            if (!line.StartsWith("=== "u8))
                return;
            _head = Encoding.UTF8.GetString(line[Witness.Mark.Length..]);
            CollectionsMarshal.GetValueRefOrAddDefault(Sources, _head.Split(' ')[0], out _)++;
        }

        private static int Hash(ulong end) => (int)(unchecked(end * 0x9E3779B97F4A7C15) >> 44);
    }
}
