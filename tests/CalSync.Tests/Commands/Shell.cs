using System.Collections.Immutable;
using CalSync.App.Commands;
using CalSync.Lab.Secrecy;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>Runs command lines inside the test process, with an environment of their own.</summary>
internal sealed record Shell
{
    /// <summary>The variables the verb sees; nothing is inherited.</summary>
    public ImmutableDictionary<string, string> Environment { get; init; } =
        ImmutableDictionary<string, string>.Empty.Add("HOME", "/nowhere");

    /// <summary>True to pretend that a person looks at the output.</summary>
    public bool IsTerminal { get; init; }

    /// <summary>Runs one command line to its end.</summary>
    public Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments) =>
        RunAsync(arguments, CancellationToken.None);

    /// <summary>Runs one command line until it ends or is stopped.</summary>
    public async Task<(int Code, string Out, string Error)> RunAsync(
        string[] arguments, CancellationToken cancellation)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var around =
            new Surroundings(output, error, IsTerminal, Environment, TimeProvider.System, new Random(1));
        var log = Array.IndexOf(arguments, "--data") is >= 0 and var data && data + 1 < arguments.Length
            ? Path.Combine(arguments[data + 1], "calsync.db-wal")
            : null;
        var wasOpen = File.Exists(log);
        var code = await CommandLine.RunAsync(arguments, around, cancellation);
        // SQLite deletes its log when the last connection is closed.
        Assert.True(wasOpen || !File.Exists(log), $"{string.Join(' ', arguments)} left the database open.");
        Witness.Saw($"console {string.Join(' ', arguments.Take(2))}", $"{output}{error}");
        return (code, output.ToString(), error.ToString());
    }
}
