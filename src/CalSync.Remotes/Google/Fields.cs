using System.Text.Json;
using CalSync.Remotes.Pipeline;

namespace CalSync.Remotes.Google;

/// <summary>
/// The properties of one JSON object, read by type; remembers whether one had another type than asked for.
/// </summary>
/// <param name="json">An object.</param>
/// <param name="path">Where it stands in what was read, for <see cref="Fault"/>; empty for the whole.</param>
/// <param name="faults">Collects what is wrong, of objects in it too; null where nobody asks.</param>
internal sealed class Fields(JsonElement json, string path = "", ICollection<string>? faults = null)
{
    /// <summary>False once a property was present with another type.</summary>
    public bool Sound { get; private set; } = true;

    /// <summary>Notes that a property cannot be used.</summary>
    /// <param name="name">The property.</param>
    /// <param name="words">What is wrong with it, behind its name: "is missing".</param>
    public void Fault(string name, string words)
    {
        Sound = false;
        faults?.Add($"{path}{name} {words}");
    }

    /// <summary>Adds a condition to <see cref="Sound"/>.</summary>
    public void Require(bool condition) => Sound &= condition;

    public string? Text(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.String && Json.TextOf(value) is { } text)
            return text;
        Fault(name, "is not a text");
        return null;
    }

    public bool Flag(string name)
    {
        if (Find(name) is not { } value)
            return false;
        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            Fault(name, "is not true or false");
        return value.ValueKind == JsonValueKind.True;
    }

    public long Number(string name)
    {
        if (Find(name) is not { } value)
            return 0;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number))
            return number;
        Fault(name, "is not a whole number");
        return 0;
    }

    public Fields? Object(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Object)
            return new Fields(value, $"{path}{name}.", faults);
        Fault(name, "is not an object");
        return null;
    }

    public IEnumerable<JsonElement>? List(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Array)
            return value.EnumerateArray();
        Fault(name, "is not a list");
        return null;
    }

    /// <summary>The objects in a list; what is no object is a fault.</summary>
    public IEnumerable<Fields> Objects(string name)
    {
        var index = 0;
        foreach (var entry in List(name) ?? [])
        {
            if (entry.ValueKind == JsonValueKind.Object)
                yield return new Fields(entry, $"{path}{name}[{index}].", faults);
            else
                Fault($"{name}[{index}]", "is not an object");
            index++;
        }
    }

    /// <summary>The texts in a list; what is no text is a fault.</summary>
    public IEnumerable<string> Texts(string name)
    {
        var index = 0;
        foreach (var entry in List(name) ?? [])
        {
            if (entry.ValueKind == JsonValueKind.String && Json.TextOf(entry) is { } text)
                yield return text;
            else
                Fault($"{name}[{index}]", "is not a text");
            index++;
        }
    }

    /// <summary>Whether a property is not there, or null.</summary>
    public bool IsAbsent(string name) => Find(name) is null;

    public IEnumerable<string> Names() => json.EnumerateObject().Select(property => property.Name);

    /// <summary>Null as a value means absent.</summary>
    private JsonElement? Find(string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
