using System.CommandLine;
using CalSync.App.Configuration;

namespace CalSync.App.Commands;

/// <summary>A verb of the command line, or a group of verbs, with an example for its help.</summary>
/// <param name="name">The word.</param>
/// <param name="description">What it does, one sentence.</param>
/// <param name="example">A command line that works.</param>
/// <param name="isAboutPairs">True when it ends with <see cref="SyncExit"/>, as do the verbs in it.</param>
internal sealed class Verb(string name, string description, string example, bool isAboutPairs = false)
    : Command(name, description)
{
    /// <summary>Whether it ends with <see cref="SyncExit"/>.</summary>
    public bool IsAboutPairs => isAboutPairs || Parents.OfType<Verb>().Any(parent => parent.IsAboutPairs);

    /// <summary>A command line that works, printed at the end of the help.</summary>
    public string Example { get; } = example;

    /// <summary>Sets what the verb does.</summary>
    public Verb Does(
        GlobalOptions globals, Surroundings around, Func<Invocation, CancellationToken, Task<ExitCode>> work)
    {
        SetAction(async (parsed, cancellation) =>
            (int)await work(new Invocation(parsed, globals, around), cancellation));
        return this;
    }

    /// <summary>Sets what the verb does, one about pairs.</summary>
    public Verb DoesSync(
        GlobalOptions globals, Surroundings around, Func<Invocation, CancellationToken, Task<SyncExit>> work)
    {
        SetAction(async (parsed, cancellation) =>
            (int)await work(new Invocation(parsed, globals, around), cancellation));
        return this;
    }
}

/// <summary>One call of one verb.</summary>
internal sealed class Invocation(ParseResult parsed, GlobalOptions globals, Surroundings around)
{
    /// <summary>What the process has around it.</summary>
    public Surroundings Around => around;

    /// <summary>Where results go.</summary>
    public Output Output { get; } = new(around, parsed.GetValue(globals.Json));

    /// <summary>The value of an option.</summary>
    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    /// <summary>The value of an argument.</summary>
    public T? Get<T>(Argument<T> argument) => parsed.GetValue(argument);

    /// <summary>Reads the configuration.</summary>
    /// <param name="more">Values of the verb's own options.</param>
    public ConfigurationOutcome ReadConfiguration(params IEnumerable<(Key Key, string? Text)> more) =>
        ConfigurationReader.Read(globals.Input(parsed, around, more));

    /// <summary>Opens the database of the configuration.</summary>
    public Task<Workplace> OpenAsync(CancellationToken cancellation) =>
        Workplace.OpenAsync(Settings(), around, cancellation);

    /// <summary>Reads the configuration, or ends the verb with 78 and every error.</summary>
    /// <param name="more">Values of the verb's own options.</param>
    /// <exception cref="InvalidConfigurationException">At least one value is invalid.</exception>
    public Settings Settings(params IEnumerable<(Key Key, string? Text)> more) =>
        Valid(ReadConfiguration(more));

    /// <summary>The settings of an outcome, or the end of the verb with 78 and every error.</summary>
    /// <exception cref="InvalidConfigurationException">At least one value is invalid.</exception>
    public static Settings Valid(ConfigurationOutcome outcome) => outcome switch
    {
        ConfigurationOutcome.Valid valid => valid.Settings,
        ConfigurationOutcome.Invalid invalid => throw new InvalidConfigurationException(invalid.Errors),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>The configuration file, whether it exists or not.</summary>
    public string ConfigurationFile(Settings settings) =>
        Path.GetFullPath(Get(globals.Config) ?? Path.Combine(settings.DataDirectory, "calsync.json"));

    /// <summary>Reads the configuration with another file in place of its own.</summary>
    public ConfigurationOutcome ReadConfigurationWith(string file) =>
        ConfigurationReader.Read(globals.Input(parsed, around, []) with { ConfigFile = file });
}

/// <summary>The configuration cannot be used.</summary>
/// <param name="errors">Everything that is wrong with it.</param>
internal sealed class InvalidConfigurationException(IReadOnlyList<ConfigurationError> errors) : Exception
{
    /// <summary>Everything that is wrong with it.</summary>
    public IReadOnlyList<ConfigurationError> Errors { get; } = errors;
}
