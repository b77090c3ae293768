using System.Text.Json.Nodes;

namespace CalSync.Remotes.Google.Mapping;

/// <summary>The mark of a copy that shows only busy, as Google keeps it: a private property of the event,
/// which nobody sees who looks at the calendar.</summary>
internal static class GoogleMark
{
    private const string Name = "calsyncBusy";

    /// <summary>The UID of the full event; null when the event is no copy.</summary>
    public static string? Read(Fields fields) =>
        fields.Object("extendedProperties")?.Object("private")?.Text(Name);

    /// <summary>As it is written; null takes it away, and what else is kept there stays.</summary>
    public static JsonObject Write(string? uid) =>
        new() { ["private"] = new JsonObject { [Name] = uid } };
}
