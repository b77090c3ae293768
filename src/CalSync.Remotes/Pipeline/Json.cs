using System.Text.Json;

namespace CalSync.Remotes.Pipeline;

/// <summary>Reads JSON of a server that may send anything. Nothing here throws on its input.</summary>
internal static class Json
{
    private const int DepthMax = 64;

    /// <summary>The document, or null when it is not JSON, too deep, or names a property twice.</summary>
    public static JsonDocument? Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonDocument.Parse(
                body, new JsonDocumentOptions { MaxDepth = DepthMax, AllowDuplicateProperties = false });
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A string property; null when absent or of another type.</summary>
    public static string? Text(JsonElement owner, string name)
    {
        return owner.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? TextOf(value)
            : null;
    }

    /// <summary>The text of a string; null when it is none.</summary>
    public static string? TextOf(JsonElement text)
    {
        try
        {
            return text.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, or bytes that are not UTF-8.
            return null;
        }
    }

    /// <summary>The objects in an array property; nothing when absent or of another type.</summary>
    public static IEnumerable<JsonElement> Objects(JsonElement owner, string name)
    {
        if (!owner.TryGetProperty(name, out var list) || list.ValueKind != JsonValueKind.Array)
            yield break;
        foreach (var entry in list.EnumerateArray())
        {
            if (entry.ValueKind == JsonValueKind.Object)
                yield return entry;
        }
    }
}
