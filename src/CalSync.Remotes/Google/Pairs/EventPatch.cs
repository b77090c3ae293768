using System.Collections.Immutable;
using System.Text.Json.Nodes;
using CalSync.Remotes.Google.Mapping;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.Google.Pairs;

/// <summary>A PATCH of one event that was read, within what Google lets this account change.</summary>
/// <remarks>
/// A guest list that Google showed only in part is never written (D-12). Who is not the organizer changes
/// only what is their own: reminders, colour, whether they are busy, and their answer.
/// </remarks>
/// <param name="events">The calendar.</param>
/// <param name="current">The event as it was read.</param>
/// <param name="lost">Gets what Google does not take.</param>
internal sealed class EventPatch(
    GoogleEvents events, GoogleEvent current, ImmutableArray<CarryLoss>.Builder lost)
{
    /// <summary>What Google answers to who may not change an event for all.</summary>
    public const string NotOrganizer = "forbiddenForNonOrganizer";

    private static readonly ImmutableHashSet<string> Own =
        ["reminders", "colorId", "transparency", "visibility"];

    private static readonly ImmutableDictionary<string, string> Properties = new Dictionary<string, string>
    {
        ["summary"] = "SUMMARY",
        ["description"] = "DESCRIPTION",
        ["location"] = "LOCATION",
        ["start"] = "DTSTART",
        ["end"] = "DTEND",
        ["status"] = "STATUS",
        ["source"] = "URL",
        ["attendees"] = "ATTENDEE",
        ["recurrence"] = "RRULE",
    }.ToImmutableDictionary();

    /// <summary>Sends it; nothing is sent when nothing differs.</summary>
    /// <param name="body">What to change.</param>
    /// <param name="wanted">What the event is to say; null for a deletion.</param>
    /// <param name="held">What it says.</param>
    /// <param name="cancellation">A cancelled patch may have been stored.</param>
    /// <returns>The event as stored; null when nothing was.</returns>
    public async Task<(ProviderFault? Fault, GoogleEvent? Event)> SendAsync(
        JsonObject body, DraftEvent? wanted, DraftEvent? held, CancellationToken cancellation)
    {
        if (body.ContainsKey("attendees") && new Fields(current.Json).Flag("attendeesOmitted"))
        {
            body.Remove("attendees");
            lost.Add(new CarryLoss("ATTENDEE", "Google shows this account only a part of the guests."));
        }

        if (body.Count == 0)
            return (null, null);
        var (fault, stored) = await events.PatchAsync(current.Id, body, current.ETag, cancellation);
        if (fault is not { ProviderCode: NotOrganizer })
            return (fault, stored);
        var allowed = Allowed(body, wanted, held);
        return allowed.Count == 0
            ? (null, null)
            : await events.PatchAsync(current.Id, allowed, current.ETag, cancellation);
    }

    private JsonObject Allowed(JsonObject body, DraftEvent? wanted, DraftEvent? held)
    {
        var allowed = new JsonObject();
        foreach (var (name, value) in body)
        {
            if (Own.Contains(name))
                allowed[name] = value?.DeepClone();
            else if (name != "attendees" || !Answer(allowed, wanted, held))
                lost.Add(Refused(name));
        }

        return allowed;
    }

    /// <summary>The account's own answer alone; false when that is not what differs.</summary>
    private bool Answer(JsonObject allowed, DraftEvent? wanted, DraftEvent? held)
    {
        var self = new Fields(current.Json).Objects("attendees")
            .FirstOrDefault(guest => guest.Flag("self"))?.Text("email");
        if (self is null || OwnEntry(wanted, self) is not { } entry)
            return false;
        var others = Without(wanted, self);
        if (!JsonNode.DeepEquals(others, Without(held, self)))
            lost.Add(Refused("attendees"));
        allowed["attendeesOmitted"] = true;
        allowed["attendees"] = new JsonArray(entry);
        return true;
    }

    private static JsonNode? OwnEntry(DraftEvent? side, string mail) =>
        Guests(side).FirstOrDefault(guest => IsOf(guest, mail))?.DeepClone();

    private static JsonArray Without(DraftEvent? side, string mail) =>
        new([.. Guests(side).Where(guest => !IsOf(guest, mail)).Select(guest => guest.DeepClone())]);

    private static IEnumerable<JsonNode> Guests(DraftEvent? side) =>
        (side?.Fields["attendees"] as JsonArray ?? []).OfType<JsonNode>();

    private static bool IsOf(JsonNode guest, string mail) => string.Equals(
        guest["email"]?.GetValue<string>(), mail, StringComparison.OrdinalIgnoreCase);

    private static CarryLoss Refused(string field) => new(
        Properties.GetValueOrDefault(field, field.ToUpperInvariant()),
        "At Google only the organizer may change it.");
}
