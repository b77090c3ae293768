using System.Globalization;
using System.Text.Json.Nodes;

namespace CalSync.Sandbox.Google;

/// <summary>Sets one value deep inside a JSON body: "start.dateTime", "attendees.0.responseStatus".</summary>
internal static class JsonPath
{
    /// <summary>Sets or, with a null value, removes; a path that leads nowhere changes nothing.</summary>
    public static void Set(JsonNode root, string path, JsonNode? value)
    {
        var names = path.Split('.');
        var at = root;
        foreach (var name in names[..^1])
        {
            var next = Step(at, name);
            if (next is null && at is JsonObject parent)
                parent[name] = next = new JsonObject();
            if (next is null)
                return;
            at = next;
        }

        var last = names[^1];
        if (at is JsonObject fields && value is null)
        {
            fields.Remove(last);
        }
        else if (at is JsonObject target)
        {
            target[last] = value!.DeepClone();
        }
        else if (at is JsonArray array && Index(last) is { } index && index < array.Count)
        {
            if (value is null)
                array.RemoveAt(index);
            else
                array[index] = value.DeepClone();
        }
    }

    private static JsonNode? Step(JsonNode at, string name) => at switch
    {
        JsonObject fields => fields[name],
        JsonArray array when Index(name) is { } index && index < array.Count => array[index],
        _ => null,
    };

    private static int? Index(string name) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;
}
