using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace CalSync.Tests.Repository;

/// <summary>Checks of the source tree itself: the rules no analyzer knows. docs/STYLE.md gives the
/// reasons.</summary>
public sealed partial class TidyTests
{
    private const int FileLineCountMax = 700;
    private const int FunctionLineCountMax = 70;
    private const int LineLengthMax = 110;

    private static readonly string[] BannedEndings =
        ["Helper", "Helpers", "Util", "Utils", "Manager", "Common", "Misc", "Info", "Data"];

    // Which project may reference which; what is referenced comes along, so an edge is direct or through one
    // named here.
    private static readonly Dictionary<string, string[]> AllowedReferences = new()
    {
        ["CalSync.Calendar"] = [],
        ["CalSync.Sync"] = ["CalSync.Calendar"],
        ["CalSync.Classes"] = ["CalSync.Calendar"],
        ["CalSync.Remotes"] = ["CalSync.Sync", "CalSync.Classes"],
        ["CalSync.Storage"] = ["CalSync.Sync", "CalSync.Classes"],
        ["CalSync.Sandbox"] = ["CalSync.Calendar"],
        ["CalSync.Client"] = [],
        ["CalSync.App"] =
            ["CalSync.Calendar", "CalSync.Sync", "CalSync.Classes", "CalSync.Remotes", "CalSync.Storage",
                "CalSync.Sandbox", "CalSync.Client"],
        ["CalSync.Lab"] = ["CalSync.App"],
        ["CalSync.Calendar.Tests"] = ["CalSync.Calendar"],
        ["CalSync.Tests"] = ["CalSync.App", "CalSync.Lab", "CalSync.Calendar.Tests"],
    };

    [Fact]
    public void ProjectReferences_StayInsideTheAllowedGraph()
    {
        foreach (var project in SourceTree.Files(".csproj"))
        {
            var references = XDocument.Parse(SourceTree.Text(project)).Descendants("ProjectReference")
                .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));
            Assert.Empty(references.Except(AllowedReferences[Path.GetFileNameWithoutExtension(project)]));
        }
    }

    [Fact]
    public void Files_AreNotTooLongOrTooWide() => AssertNone(
        from file in SourceTree.Files(".cs", ".sql", ".razor", ".sh")
            .Concat(["calsync", "test", "bench", ".ci/run"])
        where !file.Contains("/Fixtures/", StringComparison.Ordinal)
        let lines = SourceTree.Text(file).Split('\n')
        from complaint in lines
            .Select((line, index) =>
                (line.Length > LineLengthMax, $"{file}:{index + 1} is {line.Length} columns wide"))
            .Append((lines.Length - 1 > FileLineCountMax, $"{file} is {lines.Length - 1} lines long"))
        where complaint.Item1
        select complaint.Item2);

    [Fact]
    public void Functions_AreNotTooLong() => AssertNone(
        from file in SourceTree.Files(".cs")
        where !file.Contains("/Fixtures/", StringComparison.Ordinal)
        from function in FunctionScan.Lengths(SourceTree.Text(file))
        where function.LineCount > FunctionLineCountMax
        select $"{file}:{function.Line} is a function of {function.LineCount} lines");

    [Fact]
    public void Types_AreNotNamedAfterNothing() => AssertNone(
        from file in SourceTree.Files(".cs")
        from match in TypeName().Matches(SourceTree.Text(file))
        let name = match.Groups["name"].Value
        where BannedEndings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal))
        select $"{file} declares {name}");

    [Fact]
    public void Files_SpeakOfTheProductAlone()
    {
        // Written apart, so that this file passes its own check.
        string[] words =
        [
            "TO" + "DO", "FIX" + "ME", "HA" + "CK", "NotImplemented" + "Exception", "/wo" + "rk/", "/ro"
                + "ot/",
            "regis" + "try.", "api.nu" + "get", "npm" + "js", "py" + "pi", "Skip" + " =",
        ];
        AssertNone(
            from file in SourceTree.Files()
            where IsText(file)
            from line in SourceTree.Text(file).Split('\n')
                .Select((text, index) => (Text: text, Number: index + 1))
            from word in words
            where line.Text.Contains(word, StringComparison.Ordinal)
            select $"{file}:{line.Number} says {word}");
    }

    [Fact]
    public void Documents_HaveOneTitle() => AssertNone(
        from file in SourceTree.Files(".md")
        let titles = Fence().Replace(SourceTree.Text(file), "").Split('\n')
            .Count(line => line.StartsWith("# ", StringComparison.Ordinal))
        where titles != 1
        select $"{file} has {titles} titles");

    [Fact]
    public void Links_LeadToFilesAndHeadings() => AssertNone(
        from file in SourceTree.Files(".md")
        from match in Link().Matches(Fence().Replace(SourceTree.Text(file), ""))
        let target = match.Groups["target"].Value
        where !target.Contains("://", StringComparison.Ordinal)
            && !target.StartsWith("mailto:", StringComparison.Ordinal)
        where !Resolves(file, target)
        select $"{file} links to {target}");

    private static bool Resolves(string file, string target)
    {
        var parts = target.Split('#', 2);
        var path = parts[0].Length == 0 ? file : Path.Combine(Path.GetDirectoryName(file)!, parts[0]);
        var full = Path.GetFullPath(Path.Combine(SourceTree.Root, path));
        if (parts.Length == 1 || !File.Exists(full))
            return parts.Length == 1 && Path.Exists(full);
        return File.ReadAllLines(full)
            .Where(line => line.StartsWith('#'))
            .Select(line =>
                NotInAnchor().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'))
            .Contains(parts[1]);
    }

    private static bool IsText(string path) =>
        !path.Contains("/Fixtures/", StringComparison.Ordinal)
        && Path.GetExtension(path) is "" or ".cs" or ".csproj" or ".props" or ".md" or ".sql" or ".json"
            or ".sh" or ".razor" or ".txt";

    private static void AssertNone(IEnumerable<string> complaints)
    {
        var all = complaints.Order(StringComparer.Ordinal).ToList();
        Assert.True(all.Count == 0, string.Join('\n', all));
    }

    [GeneratedRegex(@"\b(class|record|struct|enum|interface)\s+(?<name>[A-Z]\w+)")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();
}
