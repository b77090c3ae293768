using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace CalSync.Tests.Repository;

/// <summary>Checks of the source tree itself: the rules no analyzer knows. docs/STYLE.md gives the
/// reasons.</summary>
public sealed partial class TidyTests
{
    private const int FileLineCountMax = 450;
    private const int FunctionLineCountMax = 70;
    private const int LineLengthMax = 110;

    private static readonly string[] BannedEndings =
        ["Helper", "Helpers", "Util", "Utils", "Manager", "Common", "Misc", "Info", "Data"];

    // What each project references, exactly; what is referenced comes along. Sync and Classes do not know
    // each other, and neither knows who stores or calls.
    private static readonly Dictionary<string, string[]> References = new()
    {
        ["CalSync.Calendar"] = [],
        ["CalSync.Sync"] = ["CalSync.Calendar"],
        ["CalSync.Classes"] = ["CalSync.Calendar"],
        ["CalSync.Remotes"] = ["CalSync.Sync"],
        ["CalSync.Storage"] = ["CalSync.Classes", "CalSync.Sync"],
        ["CalSync.Sandbox"] = ["CalSync.Calendar"],
        ["CalSync.Client"] = [],
        ["CalSync.App"] =
            ["CalSync.Classes", "CalSync.Client", "CalSync.Remotes", "CalSync.Sandbox", "CalSync.Storage",
                "CalSync.Sync"],
        ["CalSync.Lab"] = ["CalSync.App"],
        ["CalSync.Calendar.Tests"] = ["CalSync.Calendar"],
        ["CalSync.Tests"] = ["CalSync.App", "CalSync.Calendar.Tests", "CalSync.Lab"],
    };

    [Fact]
    public void ProjectReferences_AreTheGraphOfTheArchitecture()
    {
        var found =
            from project in SourceTree.Files(".csproj")
            from reference in XDocument.Parse(SourceTree.Text(project)).Descendants("ProjectReference")
            let target = Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value)
            select $"{Path.GetFileNameWithoutExtension(project)} -> {target}";
        var wanted = References.SelectMany(pair => pair.Value.Select(target => $"{pair.Key} -> {target}"));
        Assert.Equal(wanted.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Projects_AreInTheSolutionAndHoldTypes()
    {
        var solution = SourceTree.Text("CalSync.slnx");
        AssertNone(
            from project in SourceTree.Files(".csproj")
            let folder = Path.GetDirectoryName(project)!
            let types = SourceTree.Files(".cs")
                .Where(file => file.StartsWith($"{folder}/", StringComparison.Ordinal))
                .Sum(file => TypeName().Count(SourceTree.Text(file)))
            where types == 0 || !solution.Contains($"\"{project}\"", StringComparison.Ordinal)
            select $"{project} declares {types} types, or the solution does not name it");
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
            "TO" + "DO", "FIX" + "ME", "HA" + "CK", "NotImplemented" + "Exception", "Skip" + " =",
            "/wo" + "rk/", "/ro" + "ot/", "/t" + "mp/", "C:" + @"\Users", "/Us" + "ers/",
            "regis" + "try.", "nuget." + "org", "npm" + "js", "py" + "pi.", "proxy.go" + "lang",
            "crates." + "io",
        ];
        AssertNone(
            from file in SourceTree.Files()
            where IsText(file)
            from line in SourceTree.Text(file).Split('\n')
                .Select((text, index) =>
                    (Text: text.Replace("VTO" + "DO", "", StringComparison.Ordinal), Number: index + 1))
            from word in words
            where line.Text.Contains(word, StringComparison.Ordinal)
            select $"{file}:{line.Number} says {word}");
    }

    [Fact]
    public void Documents_HaveOneTitle() => AssertNone(
        from file in SourceTree.Files(".md")
        where !file.Contains("/Fixtures/", StringComparison.Ordinal)
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
        && Path.GetExtension(path) is not (".ics" or ".rst" or ".jsonl" or ".png" or ".woff2");

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
