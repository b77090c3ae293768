using System.CommandLine;
using System.Reflection;
using System.Text.RegularExpressions;
using CalSync.App.Commands;
using CalSync.App.Configuration;
using Xunit;

namespace CalSync.Tests.Repository;

/// <summary>The documents made from the code say what the code does.</summary>
public sealed partial class DocumentTests
{
    // A test of any of these may be a requirement's proof.
    private static readonly Assembly[] TestAssemblies =
        [typeof(DocumentTests).Assembly, typeof(Calendar.Tests.Recurrence.RecurTests).Assembly];

    [Fact]
    public void OperatingManual_ListsEveryKey()
    {
        var sections = Keys.All.GroupBy(key => key.Name.Split('.')[0]).Select(section =>
            $"### {section.Key}\n\n" + GeneratedDocument.Table(
                ["key", "default", "allowed", "change", "meaning"], section.Select(Row)) + '\n');
        GeneratedDocument.Check("docs/operating.md", "keys", '\n' + string.Concat(sections));
    }

    [Fact]
    public void CommandLineManual_ListsEveryVerbAndExitCode()
    {
        var root = CommandLine.Build(Surroundings.OfProcess(TimeProvider.System, new Random(1)));
        var verbs = root.Subcommands.SelectMany(verb => Describe(verb, "calsync"));
        GeneratedDocument.Check("docs/cli.md", "verbs", string.Concat(verbs.Prepend("").Select(line =>
            line + '\n')));
        var manual = SourceTree.Text("docs/cli.md");
        foreach (var code in Enum.GetValues<ExitCode>())
            Assert.Contains($"| {(int)code} | {code}", manual, StringComparison.Ordinal);
        foreach (var code in Enum.GetValues<SyncExit>())
            Assert.Contains($"| {(int)code} | {code}", manual, StringComparison.Ordinal);
    }

    [Fact]
    public void Requirements_NameTheTestsThatProveThem()
    {
        const string path = "docs/requirements.md";
        var proofs = (
            from type in TestAssemblies.SelectMany(assembly => assembly.GetTypes())
            from method in type.GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.Static)
            from id in Requirements(type).Concat(Requirements(method))
            where method.IsDefined(typeof(FactAttribute))
            select (Id: id, Test: $"{type.Name}.{method.Name}"))
            .Distinct().ToLookup(proof => proof.Id, proof => proof.Test);
        var rows = RequirementRow().Matches(SourceTree.Text(path))
            .Select(match => (Id: match.Groups["id"].Value, Text: match.Groups["text"].Value)).ToList();

        Assert.Equal([], rows.GroupBy(row =>
            row.Id).Where(group => group.Count() > 1).Select(group => group.Key));
        Assert.Equal([], proofs.Select(proof => proof.Key).Except(rows.Select(row => row.Id)));
        GeneratedDocument.Check(path, "table", '\n' + GeneratedDocument.Table(
            ["id", "requirement", "proved by"],
            rows.Select(row => new[] { row.Id, row.Text, Proof(proofs[row.Id]) })) + '\n');
    }

    private static string Proof(IEnumerable<string> tests)
    {
        var all = tests.Order(StringComparer.Ordinal).Select(test => $"`{test}`").ToList();
        return all.Count switch
        {
            0 => "not yet",
            <= 4 => string.Join("<br>", all),
            _ => string.Join("<br>", all.Take(4)) + $"<br>and {all.Count - 4} more",
        };
    }

    private static IEnumerable<string> Requirements(MemberInfo member) =>
        member.GetCustomAttributesData()
            .Where(trait => trait.AttributeType == typeof(TraitAttribute))
            .Where(trait => (string?)trait.ConstructorArguments[0].Value == "Requirement")
            .Select(trait => (string)trait.ConstructorArguments[1].Value!);

    private static string[] Row(Key key) =>
    [
        string.Join("<br>", key.Aliases.Prepend(key.Name).Select(name => $"`{name}`")),
        key.Default is null ? "" : key.Secret ? "(the sandbox's)" : $"`{key.Default}`",
        key.Range,
        !key.IsLive ? "restart" : key.Live is null ? "live" : $"live, or `{key.Live}`",
        key.Meaning,
    ];

    private static IEnumerable<string> Describe(Command command, string parent)
    {
        var path = $"{parent} {command.Name}";
        string[] words =
        [
            .. command.Arguments.Select(argument => $"- `{argument.Name}`: {argument.Description}"),
            .. command.Options.Select(option =>
                $"- `{$"{option.Name} {option.HelpName}".Trim()}`: {option.Description}"),
        ];
        string[] lines = [$"## {path}", "", command.Description!, "", .. words];
        if (words.Length > 0)
            lines = [.. lines, ""];
        if (command.Subcommands.Count == 0)
            lines = [.. lines, $"Example: `{((Verb)command).Example}`", ""];
        return [.. lines, .. command.Subcommands.SelectMany(subcommand => Describe(subcommand, path))];
    }

    [GeneratedRegex(@"^\| (?<id>R-[A-Z]+-[\w-]+) \| (?<text>[^|]*?) \|", RegexOptions.Multiline)]
    private static partial Regex RequirementRow();
}
