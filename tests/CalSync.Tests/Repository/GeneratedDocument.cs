using System.Text.RegularExpressions;
using Xunit;

namespace CalSync.Tests.Repository;

/// <summary>A part of a document that is made from the code, between two marks that name it.</summary>
internal static class GeneratedDocument
{
    /// <summary>Checks that the part is what the code says now.</summary>
    /// <remarks>With <c>CALSYNC_WRITE_DOCS=1</c> the part is written instead, and the check holds.</remarks>
    public static void Check(string path, string part, string expected)
    {
        var text = SourceTree.Text(path);
        var (start, end) = ($"<!-- {part}: made by the tests -->\n", $"<!-- /{part} -->");
        var pattern = $"(?<={Regex.Escape(start)}).*?(?={Regex.Escape(end)})";
        var match = Regex.Match(text, pattern, RegexOptions.Singleline);
        Assert.True(match.Success, $"{path} has no part {part}.");
        if (match.Value == expected)
            return;
        var isAsked = Environment.GetEnvironmentVariable("CALSYNC_WRITE_DOCS") == "1";
        Assert.True(isAsked, $"{path} is out of date. CALSYNC_WRITE_DOCS=1 ./test --fast writes it anew.");
        var whole = text[..match.Index] + expected + text[(match.Index + match.Length)..];
        File.WriteAllText(Path.Combine(SourceTree.Root, path), whole);
    }

    /// <summary>A table in Markdown.</summary>
    public static string Table(string[] titles, IEnumerable<string[]> rows) => string.Concat(
        new[] { titles, [.. titles.Select(_ => "---")] }.Concat(rows)
            .Select(row => $"| {string.Join(" | ", row.Select(Escaped))} |\n"));

    private static string Escaped(string cell) => cell.Replace("|", "\\|", StringComparison.Ordinal);
}
