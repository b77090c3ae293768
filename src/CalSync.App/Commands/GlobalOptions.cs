using System.Collections.Immutable;
using System.CommandLine;
using CalSync.App.Configuration;

namespace CalSync.App.Commands;

/// <summary>The options every verb has.</summary>
internal sealed class GlobalOptions
{
    public Option<string?> Data { get; } = Make<string?>(
        "--data", "DIR",
            "Data directory: embedded database, key file, calsync.json. Default: ~/.local/share/calsync.");

    public Option<string?> Database { get; } = Make<string?>(
        "--database", "URL", "PostgreSQL to use, postgres://...; without it SQLite in the data directory.");

    public Option<string?> Config { get; } = Make<string?>(
        "--config", "FILE", "Configuration file. Default: calsync.json in the data directory.");

    public Option<string[]> Set { get; } = Make<string[]>(
        "--set", "KEY=VALUE", "Value of a configuration key, see docs/operating.md. May be repeated.");

    public Option<bool> Json { get; } = Make<bool>("--json", "", "Print the result as JSON on stdout.");

    /// <summary>All of them, in the order of the help.</summary>
    public IEnumerable<Option> All => [Data, Database, Config, Set, Json];

    /// <summary>What the configuration is to be read from.</summary>
    public ConfigurationInput Input(
        ParseResult parsed, Surroundings around, IEnumerable<(Key Key, string? Text)> more)
    {
        var values = Assignments(parsed.GetValue(Set)).ToBuilder();
        (Key, string?)[] named =
        [
            (Keys.DataDirectory, parsed.GetValue(Data)),
            (Keys.DatabaseUrl, parsed.GetValue(Database)),
            .. more,
        ];
        foreach (var (key, text) in named)
        {
            if (text is not null)
                values[key.Name] = text;
        }

        return new ConfigurationInput(parsed.GetValue(Config), values.ToImmutable(), around.Environment);
    }

    /// <summary>Reads the values of --set; the last of a key wins.</summary>
    /// <exception cref="CommandException">One has no equals sign.</exception>
    public static ImmutableDictionary<string, string> Assignments(IEnumerable<string>? texts)
    {
        var values = ImmutableDictionary.CreateBuilder<string, string>();
        foreach (var assignment in texts ?? [])
        {
            var parts = assignment.Split('=', 2);
            if (parts.Length != 2)
                throw CommandException.Usage($"--set {assignment} has no value.", "--set KEY=VALUE");
            values[parts[0]] = parts[1];
        }

        return values.ToImmutable();
    }

    private static Option<T> Make<T>(string name, string value, string description)
    {
        var option = Words.Option<T>(name, value, description);
        option.Recursive = true;
        return option;
    }
}

/// <summary>The words of a command line.</summary>
internal static class Words
{
    /// <summary>An option.</summary>
    /// <param name="name">With its dashes.</param>
    /// <param name="value">What the help calls its value; empty for a flag.</param>
    /// <param name="description">Meaning, unit and default.</param>
    /// <param name="required">True when the verb makes no sense without it.</param>
    public static Option<T> Option<T>(string name, string value, string description, bool required = false) =>
        new(name)
        {
            Description = description,
            HelpName = value.Length == 0 ? null : value,
            Required = required,
        };
}
