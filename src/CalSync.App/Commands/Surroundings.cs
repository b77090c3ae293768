using System.Collections;
using System.Collections.Immutable;

namespace CalSync.App.Commands;

/// <summary>What a process has around it. Tests give their own, so that verbs run inside the test
/// process.</summary>
/// <param name="Out">Results.</param>
/// <param name="Error">Progress and errors.</param>
/// <param name="IsTerminal">True when results may have colours and boxes.</param>
/// <param name="Environment">The variables of the process.</param>
/// <param name="Clock">The time.</param>
/// <param name="Random">Chance; cryptographically seeded outside tests.</param>
internal sealed record Surroundings(
    TextWriter Out,
    TextWriter Error,
    bool IsTerminal,
    ImmutableDictionary<string, string> Environment,
    TimeProvider Clock,
    Random Random)
{
    /// <summary>
    /// Results that are octets, not text; null sends them through <see cref="Out"/> as UTF-8.
    /// </summary>
    public Stream? Octets { get; init; }

    /// <summary>
    /// Asks the person at the terminal for something that is not shown; null when there is nobody to ask.
    /// </summary>
    public Func<string, string?>? AskSecret { get; init; }

    /// <summary>Those of this process.</summary>
    public static Surroundings OfProcess(TimeProvider clock, Random random)
    {
        var variables = System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .ToImmutableDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "");
        // NO_COLOR: any value that is not empty, https://no-color.org.
        var plain = Console.IsOutputRedirected || variables.GetValueOrDefault("NO_COLOR") is { Length: > 0 }
            || variables.GetValueOrDefault("TERM") == "dumb";
        return new(Console.Out, Console.Error, !plain, variables, clock, random)
        {
            Octets = Console.OpenStandardOutput(),
            AskSecret = Console.IsInputRedirected ? null : ReadSecret,
        };
    }

    private static string ReadSecret(string prompt)
    {
        Console.Error.Write(prompt);
        var typed = new System.Text.StringBuilder();
        for (var key = Console.ReadKey(intercept: true); key.Key != ConsoleKey.Enter;
            key = Console.ReadKey(intercept: true))
        {
            if (key.Key == ConsoleKey.Backspace && typed.Length > 0)
                typed.Length--;
            else if (!char.IsControl(key.KeyChar))
                typed.Append(key.KeyChar);
        }

        Console.Error.WriteLine();
        return typed.ToString();
    }
}
