using System.Globalization;
using System.Text.Json;

namespace CalSync.Lab.Bench;

/// <summary>What a benchmark prints: progress and figures for people on standard error, which leaves standard
/// output to one line of JSON.</summary>
internal static class Figures
{
    /// <summary>Tells people.</summary>
    public static void Tell(string line) => Console.Error.WriteLine(line);

    /// <summary>Prints all figures.</summary>
    /// <param name="figures">By the names they have in the JSON.</param>
    /// <param name="json">Whether the last line is JSON.</param>
    public static void Print(IReadOnlyDictionary<string, object?> figures, bool json)
    {
        var width = figures.Keys.Max(name => name.Length) + 2;
        foreach (var (name, value) in figures)
            Tell(string.Create(CultureInfo.InvariantCulture, $"  {name.PadRight(width)} {value}"));
        if (json)
            Console.WriteLine(JsonSerializer.Serialize(figures));
    }
}
