using System.Text.Json;

namespace CalSync.Remotes.Google;

/// <summary>
/// The properties of one JSON object, read by type; remembers whether one had another type than asked for.
/// </summary>
/// <param name="json">An object.</param>
internal sealed class Fields(JsonElement json)
{
    /// <summary>False once a property was present with another type.</summary>
    public bool Sound { get; private set; } = true;

    /// <summary>Adds a condition to <see cref="Sound"/>.</summary>
    public void Require(bool condition) => Sound &= condition;

    public string? Text(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.String)
        {
            try
            {
                return value.GetString();
            }
            catch (InvalidOperationException)
            {
                // Half of a surrogate pair, or bytes that are not UTF-8.
            }
        }

        Sound = false;
        return null;
    }

    public bool Flag(string name)
    {
        if (Find(name) is not { } value)
            return false;
        Require(value.ValueKind is JsonValueKind.True or JsonValueKind.False);
        return value.ValueKind == JsonValueKind.True;
    }

    public long Number(string name)
    {
        if (Find(name) is not { } value)
            return 0;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number))
            return number;
        Sound = false;
        return 0;
    }

    public Fields? Object(string name)
    {
        if (Find(name) is not { } value)
            return null;
        Require(value.ValueKind == JsonValueKind.Object);
        return value.ValueKind == JsonValueKind.Object ? new Fields(value) : null;
    }

    public IEnumerable<JsonElement>? List(string name)
    {
        if (Find(name) is not { } value)
            return null;
        Require(value.ValueKind == JsonValueKind.Array);
        return value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : null;
    }

    public IEnumerable<string> Names() => json.EnumerateObject().Select(property => property.Name);

    /// <summary>Null as a value means absent.</summary>
    private JsonElement? Find(string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
