using System.Text.RegularExpressions;
using CalSync.Calendar.Tests.Components;
using Xunit;

namespace CalSync.Tests.Repository;

/// <summary>docs/rfc/5545.md lists every section, and each is proved by tests that exist.</summary>
public sealed partial class RfcChecklistTests
{
    private const string Path = "docs/rfc/5545.md";

    // How many sections stand directly under one, from the table of contents of RFC 5545.
    private static readonly (string Section, int Count)[] Contents =
    [
        ("3.1", 4), ("3.2", 20), ("3.3", 14), ("3.4", 0), ("3.5", 0), ("3.6", 6), ("3.7", 4), ("3.8", 8),
        ("3.8.1", 12), ("3.8.2", 7), ("3.8.3", 5), ("3.8.4", 7), ("3.8.5", 3), ("3.8.6", 3), ("3.8.7", 4),
        ("3.8.8", 3),
    ];

    [Fact]
    public void Checklist_HasEverySectionOnce()
    {
        var wanted = Enumerable.Range(1, 8).Select(chapter => $"3.{chapter}")
            .Concat(Contents.SelectMany(each =>
                Enumerable.Range(1, each.Count).Select(part => $"{each.Section}.{part}")));
        Assert.Equal(
            wanted.Order(StringComparer.Ordinal),
            Rows().Select(row => row.Groups["section"].Value).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Checklist_NamesTestsThatExist()
    {
        var tests = typeof(SectionTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods().Where(IsTest)
                .Select(method => $"{type.Name}.{method.Name}"))
            .ToHashSet(StringComparer.Ordinal);
        var missing =
            from row in Rows()
            let named = Quoted().Matches(row.Groups["tests"].Value).Select(match => match.Groups[1].Value)
            from complaint in named.Where(name => !tests.Contains(name))
                .Concat(named.Any() ? [] : ["no test"])
            select $"{row.Groups["section"].Value}: {complaint}";
        Assert.Equal("", string.Join('\n', missing));
    }

    private static bool IsTest(System.Reflection.MethodInfo method) =>
        method.GetCustomAttributes(typeof(FactAttribute), inherit: true).Length > 0;

    private static MatchCollection Rows() => Row().Matches(SourceTree.Text(Path));

    [GeneratedRegex(@"^\| (?<section>3\.[\d.]+) \|[^|]*\|(?<tests>[^|]*)\|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
