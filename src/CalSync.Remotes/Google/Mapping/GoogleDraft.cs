using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;

namespace CalSync.Remotes.Google.Mapping;

/// <summary>A resource as it is written to Google: the fields of its master and of each instance.</summary>
/// <param name="Uid">The UID.</param>
/// <param name="Master">The series or single event; null where only instances are known.</param>
/// <param name="Instances">Changed instances by key, in order.</param>
/// <param name="Recurrence">What makes it recur, and the instances left out.</param>
/// <param name="Organizer">Who invites, for an import; null for the calendar itself.</param>
/// <param name="Sequence">SEQUENCE, for an import: later it is Google's own.</param>
/// <param name="Notes">Why something is not carried.</param>
internal sealed record GoogleDraft(
    string Uid,
    DraftEvent? Master,
    ImmutableSortedDictionary<string, DraftEvent> Instances,
    RecurrenceLines Recurrence,
    JsonObject? Organizer,
    int Sequence,
    MappingNotes Notes)
{
    private const string NoField = "Google has no field for it.";

    private static readonly ImmutableDictionary<string, string> Reasons = new Dictionary<string, string>
    {
        ["STATUS"] = "For Google an event is confirmed that does not say otherwise.",
        ["CATEGORIES"] = "Google has no categories.",
        ["ATTACH"] = "Google attaches only files of its own Drive.",
        ["ATTENDEE"] = "Google keeps a guest's address, name, answer, comment, and whether they must come.",
        ["ORGANIZER"] = "At Google the organizer is whose calendar it is in.",
        ["COLOR"] = "Google has eleven colours; this is none of them.",
        ["URL"] = "Google keeps a link only to a web page.",
        ["X-ALT-DESC"] = "Google has one description, which is the text.",
        ["X-GOOGLE-CONFERENCE"] = "Only Google makes its conferences.",
        ["CLASS"] = "Google calls public only what its own pages made public.",
        ["RRULE"] = "The end of the rule is written in the form Google asks for.",
        ["EXDATE"] = "It is written as the instance it leaves out.",
        ["DTEND"] = "Google needs an end behind the start.",
    }.ToImmutableDictionary();

    /// <summary>The same without guests and organizer, for a calendar whose owner is none of them.</summary>
    public GoogleDraft WithoutGuests()
    {
        const string Why = "Google takes guests only where the calendar's owner is one of them.";
        Notes.Add("ATTENDEE", Why);
        Notes.Add("ORGANIZER", Why);
        return this with
        {
            Organizer = null,
            Master = Master?.Without("attendees"),
            Instances = Instances.ToImmutableSortedDictionary(
                each => each.Key, each => each.Value.Without("attendees"), StringComparer.Ordinal),
        };
    }

    /// <summary>The body of an import.</summary>
    public JsonObject ToImport()
    {
        var body = Master!.Fields.DeepClone().AsObject();
        body["iCalUID"] = Uid;
        if (Sequence > 0)
            body["sequence"] = Sequence;
        if (Organizer is not null)
            body["organizer"] = Organizer.DeepClone();
        SetRecurrence(body);
        return body;
    }

    /// <summary>What of a document this would not bring back, each with a reason.</summary>
    /// <remarks>Found by reading it back, so that nothing is forgotten.</remarks>
    /// <param name="content">What the draft was made of.</param>
    public ImmutableArray<CarryLoss> Losses(CalendarDocument content)
    {
        var lost = ImmutableArray.CreateBuilder<CarryLoss>();
        if (Read().Content is not { } readBack)
            return [];
        var noise = CalendarNoise.OfServers.WithSequence();
        foreach (var change in CalendarDiff.Compare(content, readBack, noise))
        {
            var property = change.Property ?? change.Component.Component;
            var what = change.Component.RecurrenceId.Length == 0
                ? property
                : $"{property} of {change.Component.RecurrenceId}";
            var why = Notes.Of(property) ?? Reasons.GetValueOrDefault(property, NoField);
            var loss = new CarryLoss(what, why);
            if (!lost.Contains(loss))
                lost.Add(loss);
        }

        // Guests without an organizer: Google names the calendar's owner.
        var drafts = Instances.Values.Append(Master);
        if (Organizer is null && drafts.Any(each => each?.Fields["attendees"] is not null))
            lost.Add(new CarryLoss("ORGANIZER", Reasons["ORGANIZER"]));
        return lost.ToImmutable();
    }

    /// <summary>This draft as Google would give it back.</summary>
    public SeriesReading Read()
    {
        var master = Master is null ? null : Shown(ToImport(), "draft", null);
        var instances = Instances.Select(pair =>
        {
            var body = pair.Value.Fields.DeepClone().AsObject();
            body["iCalUID"] = Uid;
            if (Organizer is not null)
                body["organizer"] = Organizer.DeepClone();
            return Shown(body, $"draft_{pair.Key}", pair.Value.Original!);
        });
        return SeriesReading.Read(GoogleSeries.Of(master, instances), null);
    }

    private static GoogleEvent Shown(JsonObject body, string id, GoogleTime? original)
    {
        body["id"] = id;
        if (original is not null)
        {
            body["recurringEventId"] = "draft";
            body["originalStartTime"] = original.ToJson();
        }

        using var document = JsonDocument.Parse(body.ToJsonString());
        return GoogleEvent.Read(document.RootElement)!;
    }

    private void SetRecurrence(JsonObject body)
    {
        var lines = Recurrence.ToLines(Recurrence.ExDates.Values);
        if (!lines.IsEmpty)
            body["recurrence"] = new JsonArray([.. lines.Select(line => JsonValue.Create(line))]);
    }
}

/// <summary>The fields of one event.</summary>
/// <param name="Start">When it begins.</param>
/// <param name="End">When it is over.</param>
/// <param name="Original">Which instance it is; null for a series or single event.</param>
/// <param name="Fields">
/// What is written, by Google's names, without <c>recurrence</c>; a field that is not there is empty.
/// </param>
internal sealed record DraftEvent(GoogleTime Start, GoogleTime End, GoogleTime? Original, JsonObject Fields)
{
    private static readonly ImmutableArray<string> Names =
    [
        "summary", "description", "location", "start", "end", "status", "transparency", "visibility",
        "colorId", "source", "attendees", "reminders", "extendedProperties",
    ];

    /// <summary>The instance of this series that nobody changed; null beyond the supported years.</summary>
    public DraftEvent? Instance(GoogleTime original)
    {
        if (Start.Until(End) is not { } length || original.Plus(length) is not { } end)
            return null;
        var fields = Fields.DeepClone().AsObject();
        fields["start"] = original.ToJson();
        fields["end"] = end.SeenLike(End).ToJson();
        return new DraftEvent(original, end, original, fields);
    }

    /// <summary>The same without one field.</summary>
    public DraftEvent Without(string name)
    {
        var fields = Fields.DeepClone().AsObject();
        fields.Remove(name);
        return this with { Fields = fields };
    }

    /// <summary>The body of a PATCH that makes an event say what this one says.</summary>
    /// <param name="held">What it says now; null when nothing is known, so that every field is sent.</param>
    /// <returns>Empty when there is nothing to do.</returns>
    public JsonObject PatchOf(DraftEvent? held)
    {
        var patch = new JsonObject();
        foreach (var name in Names)
        {
            if (held is null || !JsonNode.DeepEquals(held.Fields[name], Fields[name]))
                patch[name] = PatchValue(name, Fields[name]);
        }

        return patch;
    }

    /// <summary>A PATCH merges objects and keeps what is not named: what must go is named as null.</summary>
    private static JsonNode? PatchValue(string name, JsonNode? value)
    {
        var sent = value?.DeepClone();
        switch (name, sent)
        {
            case ("start" or "end", JsonObject time):
                foreach (var part in (string[])["date", "dateTime", "timeZone"])
                {
                    if (!time.ContainsKey(part))
                        time[part] = null;
                }

                return time;
            case ("reminders", JsonObject reminders):
                if (!reminders.ContainsKey("overrides"))
                    reminders["overrides"] = null;
                return reminders;
            case ("extendedProperties", null):
                return GoogleMark.Write(null);
            case ("attendees", null):
                return new JsonArray();
            case ("transparency", null):
                return "opaque";
            case ("visibility", null):
                return "default";
            default:
                return sent;
        }
    }
}
