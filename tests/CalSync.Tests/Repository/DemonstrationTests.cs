using System.Text.RegularExpressions;
using Xunit;

namespace CalSync.Tests.Repository;

/// <summary>docs/demonstrations.md has its fifteen rows, and each is shown by tests that exist.</summary>
public sealed partial class DemonstrationTests
{
    private const string Path = "docs/demonstrations.md";

    [Fact]
    public void Table_HasEachDemonstrationOnce() => Assert.Equal(
        Enumerable.Range(1, 15).Select(number => $"{number}"),
        Rows().Select(row => row.Groups["number"].Value));

    [Fact]
    public void Table_NamesTestsThatExistOrSaysNotYet()
    {
        var tests = typeof(DemonstrationTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods()
                .Where(method => method.GetCustomAttributes(typeof(FactAttribute), inherit: true).Length > 0)
                .Select(method => $"{type.Name}.{method.Name}"))
            .ToHashSet(StringComparer.Ordinal);
        var wrong =
            from row in Rows()
            let shown = row.Groups["tests"].Value.Trim()
            let named = Quoted().Matches(shown).Select(match => match.Groups[1].Value).ToList()
            from complaint in named.Where(name => !tests.Contains(name))
                .Concat(named.Count > 0 || shown == "not yet" ? [] : ["no test"])
            select $"{row.Groups["number"].Value}: {complaint}";
        Assert.Equal("", string.Join('\n', wrong));
    }

    private static MatchCollection Rows() => Row().Matches(SourceTree.Text(Path));

    [GeneratedRegex(@"^\| (?<number>\d+) \|[^|]*\|[^|]*\|(?<tests>[^|]*)\|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
