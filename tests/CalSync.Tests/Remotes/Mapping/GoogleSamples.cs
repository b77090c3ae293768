using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using CalSync.Calendar;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Remotes.Google.Mapping;
using CalSync.Sync.Pairs;
using Xunit;

namespace CalSync.Tests.Remotes.Mapping;

/// <summary>Short ways to write events in both languages, and to compare them.</summary>
internal static class GoogleSamples
{
    public static CalendarZone Berlin { get; } =
        Assert.IsType<ZoneResolution.Found>(CalendarZone.Resolve("Europe/Berlin")).Zone;

    public static CalendarNoise Noise { get; } = CalendarNoise.OfServers.WithSequence();

    /// <summary>A calendar of VEVENTs, given as lines without UID, separated by blank lines.</summary>
    public static CalendarDocument Calendar(string events)
    {
        var components = events.ReplaceLineEndings("\n").Trim().Split("\n\n")
            .Select(lines => $"BEGIN:VEVENT\nUID:u1\nDTSTAMP:20260101T000000Z\n{lines.Trim()}\nEND:VEVENT\n");
        return CalendarDocument.Parse(
            $"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//t//t//EN\n{string.Concat(components)}END:VCALENDAR\n"
                .ReplaceLineEndings("\r\n"));
    }

    public static GoogleDraft Draft(CalendarDocument content, string uid = "u1")
    {
        var (draft, problem) = DraftWriting.Write(uid, content, Berlin);
        Assert.True(draft is not null, problem);
        return draft;
    }

    /// <summary>Events of Google's, each given as the fields beside id, UID and status.</summary>
    public static GoogleSeries Series(params string[] events)
    {
        var read = events.Select(fields =>
        {
            var json = JsonNode.Parse(fields)!.AsObject();
            json["id"] ??= "e1";
            json["iCalUID"] ??= "u1";
            json["status"] ??= "confirmed";
            json["etag"] ??= "\"1\"";
            return Event(json);
        }).ToList();
        return GoogleSeries.Of(read[0], read.Skip(1));
    }

    public static GoogleEvent Event(JsonNode json)
    {
        using var document = JsonDocument.Parse(json.ToJsonString());
        return GoogleEvent.Read(document.RootElement)!;
    }

    /// <summary>The content lines of the VEVENTs of a reading, without UID and DTSTAMP.</summary>
    public static string Lines(SeriesReading reading)
    {
        Assert.True(reading.Content is not null, reading.Problem);
        return string.Join("\n\n", reading.Content.AllComponents.Where(each => each.Is("VEVENT"u8))
            .Select(each => string.Join('\n', Body(each))));
    }

    /// <summary>What differs and was not announced.</summary>
    public static List<CalendarChange> Unannounced(
        CalendarDocument sent, CalendarDocument found, ImmutableArray<CarryLoss> lost) =>
    [
        .. CalendarDiff.Compare(sent, found, Noise).Where(change => !lost.Any(loss => Names(loss, change))),
    ];

    private static bool Names(CarryLoss loss, CalendarChange change)
    {
        var parts = loss.What.Split(" of ");
        return parts[0] == (change.Property ?? change.Component.Component)
            && (parts.Length == 1 || change.Component.RecurrenceId.Length > 0);
    }

    private static IEnumerable<string> Body(CalendarComponent component)
    {
        foreach (var property in component.Properties)
        {
            if (property.Name is not ("UID" or "DTSTAMP"))
                yield return property.Content.ToString();
        }

        foreach (var nested in component.Components)
        {
            yield return $"BEGIN:{nested.Name}";
            foreach (var line in Body(nested))
                yield return line;
            yield return $"END:{nested.Name}";
        }
    }
}

/// <summary>
/// Payloads of the Calendar API that other projects keep: all of them when the collection lies beside the
/// repository, or else those in Fixtures/gcal.
/// </summary>
internal static class GoogleCorpus
{
    private static readonly Lazy<(string Name, string Text)[]> Whole = new(() => [.. Read()]);

    public static IReadOnlyList<(string Name, string Text)> Files => Whole.Value;

    /// <summary>Every object in every payload.</summary>
    public static IEnumerable<(string Name, JsonObject Json)> Objects() =>
        Files.SelectMany(file => Objects(JsonNode.Parse(file.Text)).Select(json => (file.Name, json)));

    /// <summary>The objects that are events.</summary>
    public static IEnumerable<(string Name, JsonObject Json)> Events() => Objects().Where(pair =>
        pair.Json.ContainsKey("id")
        && (pair.Json.ContainsKey("start") || pair.Json.ContainsKey("recurringEventId")
            || pair.Json["kind"]?.ToString() == "calendar#event"));

    private static IEnumerable<JsonObject> Objects(JsonNode? node)
    {
        if (node is JsonObject json)
        {
            yield return json;
            foreach (var inner in json.SelectMany(pair => Objects(pair.Value)))
                yield return inner;
        }
        else if (node is JsonArray list)
        {
            foreach (var inner in list.SelectMany(Objects))
                yield return inner;
        }
    }

    private static IEnumerable<(string Name, string Text)> Read([CallerFilePath] string thisFile = "")
    {
        var tests = Path.GetDirectoryName(Path.GetDirectoryName(Path.GetDirectoryName(thisFile)!)!)!;
        var manifest = Path.Combine(tests, "Fixtures", "gcal", "manifest.jsonl");
        for (var above = tests; above is not null; above = Path.GetDirectoryName(above))
        {
            var beside = Path.Combine(above, "shared", "data", "gcal-manifest.jsonl");
            if (!File.Exists(beside))
                continue;
            manifest = beside;
            break;
        }

        foreach (var line in File.ReadLines(manifest))
        {
            using var row = JsonDocument.Parse(line);
            var name = row.RootElement.GetProperty("file").GetString()!;
            yield return (name, File.ReadAllText(Path.Combine(Path.GetDirectoryName(manifest)!, name)));
        }
    }
}
