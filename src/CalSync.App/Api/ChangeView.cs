using System.Text.Json;
using System.Text.Json.Nodes;
using CalSync.App.Api.Authentication;
using CalSync.Classes;
using CalSync.Storage.Classes;

namespace CalSync.App.Api;

/// <summary>One journal entry as a reader may see it.</summary>
/// <param name="Seq">
/// Position in commit order; pass the last one as <c>after</c> or <c>Last-Event-ID</c>.
/// </param>
/// <param name="At">UTC.</param>
/// <param name="Kind">What happened, <c>subject.verb</c>.</param>
/// <param name="SubjectKind">Of what kind.</param>
/// <param name="SubjectId">Which.</param>
/// <param name="ClassId">Of which class; null outside classes.</param>
/// <param name="Actor">Who; for students only themselves.</param>
/// <param name="Cause">Why.</param>
/// <param name="CorrelationId">The request or run.</param>
/// <param name="Before">The state before; null when there was none or it is not for this reader.</param>
/// <param name="After">
/// The state after. A slot's times are on the calendar once a <c>mirror.verified</c> of the slot has a
/// <c>verifiedVersion</c> of at least the slot's <c>wantedVersion</c>; until then show them as being updated.
/// </param>
internal sealed record ChangeView(
    long Seq, DateTimeOffset At, string Kind, string SubjectKind, string SubjectId, string? ClassId,
    string? Actor, string Cause, string CorrelationId, JsonNode? Before, JsonNode? After)
{
    private static readonly string[] MirrorWords =
        ["slotId", "state", "reason", "verifiedVersion", "nextAttemptAt"];

    /// <summary>The entry as a reader it concerns may see it.</summary>
    /// <remarks>
    /// Students see what the class says and when, and what is their own; never who else sits there.
    /// </remarks>
    public static ChangeView For(Caller who, ConcerningEntry entry)
    {
        var view = Whole(entry);
        if (who.Role != Role.Student)
            return view;
        view = view with { Actor = entry.Actor == who.UserId ? entry.Actor : null };
        return entry.Own || entry.SubjectKind == "slot" ? view
            : view with { Before = null, After = entry.SubjectKind == "mirror" ? Outline(view.After) : null };
    }

    /// <summary>The entry with everything in it.</summary>
    public static ChangeView Whole(HistoryEntry entry) => new(
        entry.Seq, entry.At, entry.Kind, entry.SubjectKind, entry.SubjectId, entry.ClassId, entry.Actor,
        entry.Cause, entry.CorrelationId, Json(entry.Before), Json(entry.After));

    // A mirror's content lists every guest; how far it is does not.
    private static JsonObject? Outline(JsonNode? after)
    {
        if (after is not JsonObject whole || !whole.ContainsKey("slotId"))
            return null;
        return new JsonObject(MirrorWords.Where(whole.ContainsKey)
            .Select(word => KeyValuePair.Create(word, whole[word]?.DeepClone())));
    }

    private static JsonNode? Json(string? text)
    {
        if (text is null)
            return null;
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
