using System.Runtime.CompilerServices;
using System.Text.Json;

namespace CalSync.Calendar.Tests;

/// <summary>
/// Streams that other programs wrote: the whole collection when it lies beside the repository, or else the
/// sample in Fixtures/ics.
/// </summary>
internal static class Corpus
{
    private static readonly Lazy<CorpusFile[]> Whole = new(() => [.. Read()]);

    /// <summary>Every file, in the order of the manifest.</summary>
    public static IReadOnlyList<CorpusFile> Files => Whole.Value;

    /// <summary>The files of one category: valid, edge, invalid or vtimezone.</summary>
    public static IEnumerable<CorpusFile> Of(string category) =>
        Files.Where(file => file.Category == category);

    private static IEnumerable<CorpusFile> Read([CallerFilePath] string thisFile = "")
    {
        var here = Path.GetDirectoryName(thisFile)!;
        var folder = Path.Combine(here, "Fixtures", "ics");
        var manifest = Path.Combine(folder, "manifest.jsonl");
        for (var above = here; above is not null; above = Path.GetDirectoryName(above))
        {
            var beside = Path.Combine(above, "shared", "data", "ics-manifest.jsonl");
            if (!File.Exists(beside))
                continue;
            (folder, manifest) = (Path.GetDirectoryName(beside)!, beside);
            break;
        }

        foreach (var row in File.ReadLines(manifest).Select(line => JsonDocument.Parse(line).RootElement))
        {
            var name = row.GetProperty("file").GetString()!;
            yield return new CorpusFile(
                name,
                row.GetProperty("category").GetString()!,
                [.. Strings(row, "hard_violations"), .. Strings(row, "soft_violations")],
                File.ReadAllBytes(Path.Combine(folder, name)));
        }
    }

    private static IEnumerable<string> Strings(JsonElement row, string name) =>
        row.GetProperty(name).EnumerateArray().Select(item => item.GetString()!);
}

/// <summary>One stream of the collection.</summary>
/// <param name="Name">Its path in the collection.</param>
/// <param name="Category">valid, edge, invalid or vtimezone.</param>
/// <param name="Violations">What its collectors found wrong with it.</param>
/// <param name="Bytes">All of it.</param>
internal sealed record CorpusFile(string Name, string Category, string[] Violations, byte[] Bytes);
