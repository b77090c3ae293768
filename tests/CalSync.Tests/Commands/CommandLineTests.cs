using System.CommandLine;
using System.Text.Json;
using CalSync.App.Commands;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>What every verb has in common: help with an example, JSON, exit codes, errors on
/// stderr.</summary>
public sealed class CommandLineTests
{
    private static readonly Shell Shell = new();

    [Fact]
    public async Task EveryVerb_HasHelpWithAnExampleThatParses()
    {
        var root = CommandLine.Build(Surroundings.OfProcess(TimeProvider.System, new Random(1)));
        foreach (var (path, verb) in Verbs(root, []))
        {
            var (code, output, error) = await Shell.RunAsync([.. path, "--help"]);
            Assert.Equal((0, ""), (code, error));
            Assert.EndsWith($"Example:\n  {verb.Example}\n", output, StringComparison.Ordinal);
            Assert.Contains("--json", output, StringComparison.Ordinal);
            Assert.StartsWith($"calsync {string.Join(' ', path)}", verb.Example, StringComparison.Ordinal);
            Assert.Empty(root.Parse(verb.Example["calsync ".Length..]).Errors);
        }
    }

    [Theory]
    [InlineData("confg")]
    [InlineData("config")]
    [InlineData("config", "show", "--nope")]
    [InlineData("config", "show", "--set", "nothing")]
    public async Task RunAsync_WithWordsItDoesNotKnow_EndsWithUsage(params string[] arguments)
    {
        var (code, output, error) = await Shell.RunAsync(arguments);
        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith("calsync: ", error, StringComparison.Ordinal);
        Assert.Contains("  do:    ", error, StringComparison.Ordinal);
    }

    /// <summary>The word that is wrong is named; what follows it is not complained about.</summary>
    [Theory]
    [InlineData("There is no option '--prot' here.", "demo", "--prot", "3")]
    [InlineData("There is no verb or argument 'dem' here.", "dem", "--once")]
    [InlineData("Cannot parse argument 'abc' for option '--port'.", "demo", "--port", "abc")]
    [InlineData("--port is out of range.", "demo", "--port", "70000")]
    public async Task RunAsync_WithAWrongWord_NamesIt(string what, params string[] arguments)
    {
        var (code, _, error) = await Shell.RunAsync(arguments);
        Assert.Equal((2, $"calsync: {what}"), (code, error.Split('\n')[0]));
    }

    /// <summary>R-CAL-23-P: an invalid configuration ends with 78 and every error, as text and as
    /// JSON.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-23-P")]
    public async Task RunAsync_WithInvalidConfiguration_EndsWith78AndEveryError()
    {
        string[] arguments = ["config", "validate", "--set", "provider.timeout=99", "--set", "profile=test"];
        var (code, output, error) = await Shell.RunAsync(arguments);
        Assert.Equal((78, ""), (code, output));
        Assert.Equal(2, error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);

        (code, _, error) = await Shell.RunAsync([.. arguments, "--json"]);
        Assert.Equal(78, code);
        using var json = JsonDocument.Parse(error);
        Assert.Equal(2, json.RootElement.GetProperty("errors").GetArrayLength());
    }

    /// <summary>C-26: every key is shown, no secret is.</summary>
    [Fact]
    [Trait("Requirement", "R-QW-3")]
    public async Task ConfigShow_WithSecrets_ShowsTheirLengthAndHashOnly()
    {
        string[] arguments =
        [
            "config", "show", "--set", "google.client_secret=hunter2", "--database",
                "postgres://ada:hunter2@localhost/db",
        ];
        foreach (var format in (string[][])[[], ["--json"]])
        {
            var (code, output, _) = await Shell.RunAsync([.. arguments, .. format]);
            Assert.Equal(0, code);
            Assert.DoesNotContain("hunter2", output, StringComparison.Ordinal);
            Assert.Contains("set(len=7, sha256:f52f…)", output, StringComparison.Ordinal);
            Assert.Contains("postgres://ada:***@localhost/db", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Output_OnATerminal_IsATableAndElsewherePlain()
    {
        var (_, plain, _) = await Shell.RunAsync("config", "show");
        var (_, boxed, _) = await (Shell with { IsTerminal = true }).RunAsync("config", "show");
        Assert.StartsWith("KEY ", plain, StringComparison.Ordinal);
        Assert.DoesNotContain('│', plain);
        Assert.Contains('│', boxed);
    }

    private static IEnumerable<(string[] Path, Verb Verb)> Verbs(Command parent, string[] path) =>
        parent.Subcommands.OfType<Verb>().SelectMany(
            verb => Verbs(verb, [.. path, verb.Name]).Prepend(([.. path, verb.Name], verb)));
}
