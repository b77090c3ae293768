using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CalSync.App.Configuration;

/// <summary>The configuration file as a text that one value is changed in.</summary>
internal static class ConfigurationFile
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private static readonly JsonDocumentOptions Strict = new() { AllowTrailingCommas = true };

    /// <summary>The text with a value set, or taken out.</summary>
    /// <param name="text">The file; null when there is none.</param>
    /// <param name="key">Which value.</param>
    /// <param name="value">As written; null takes it out.</param>
    /// <exception cref="JsonException">The text is no JSON object, or has comments, which would be
    /// lost.</exception>
    public static string With(string? text, Key key, string? value)
    {
        var root = text is null ? [] : JsonNode.Parse(text, null, Strict) as JsonObject
            ?? throw new JsonException("The file is not a JSON object.");
        // It may stand there in one piece, or under another name.
        foreach (var name in key.Aliases.Append(key.Name))
            root.Remove(name);
        var path = key.Name.Split('.');
        if (value is null)
            Remove(root, path);
        else
            Put(root, path, value);
        return root.ToJsonString(Indented) + "\n";
    }

    /// <summary>Writes a file anew, with the mode it has; whoever reads it sees the old or the new
    /// whole.</summary>
    public static void Replace(string path, string text)
    {
        var draft = path + ".new";
        File.WriteAllText(draft, text, new UTF8Encoding(false));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(
                draft,
                File.Exists(path)
                    ? File.GetUnixFileMode(path)
                    : UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        File.Move(draft, path, overwrite: true);
    }

    private static void Put(JsonObject root, string[] path, string value)
    {
        var at = root;
        foreach (var name in path[..^1])
        {
            if (at[name] is not JsonObject inner)
                at[name] = inner = [];
            at = inner;
        }

        at[path[^1]] = value;
    }

    private static void Remove(JsonObject at, ReadOnlySpan<string> path)
    {
        if (path.Length == 1)
        {
            at.Remove(path[0]);
        }
        else if (at[path[0]] is JsonObject inner)
        {
            Remove(inner, path[1..]);
            if (inner.Count == 0)
                at.Remove(path[0]);
        }
    }
}
