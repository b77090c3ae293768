using System.Text.Json;
using CalSync.Calendar;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Providers;

namespace CalSync.Sync.HandEdits;

/// <summary>What becomes of an event that somebody deleted on the calendar.</summary>
public enum DeletionPolicy
{
    /// <summary>Its instructor is asked.</summary>
    Ask = 0,

    /// <summary>It is made again.</summary>
    Recreate = 1,

    /// <summary>Its slot is cancelled.</summary>
    CancelSlot = 2,
}

/// <summary>A question that is open about an event.</summary>
public sealed record OpenProposal
{
    /// <summary><c>moved</c> or <c>deleted</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Where somebody moved the event to; null when it was deleted.</summary>
    public DateTimeOffset? ToStart { get; init; }

    /// <summary>As <see cref="ToStart"/>.</summary>
    public DateTimeOffset? ToEnd { get; init; }

    /// <summary>Whether it asks about a deletion.</summary>
    public bool IsDeletion => Kind == "deleted";
}

/// <summary>What a turn found out about changes on the calendar, to be stored with its end.</summary>
public abstract record HandEditFinding
{
    private HandEditFinding()
    {
    }

    /// <summary>The event has other times: a question, in place of one that is open.</summary>
    public sealed record Moved(DateTimeOffset Start, DateTimeOffset End) : HandEditFinding;

    /// <summary>The event is gone: a question, or a record of what was done.</summary>
    public sealed record Deleted(DeletionPolicy Policy) : HandEditFinding;

    /// <summary>The event was made again under another id, which is ours now.</summary>
    public sealed record Relinked(string OldEventId, string EventId) : HandEditFinding;

    /// <summary>The open question is answered by the calendar itself.</summary>
    /// <param name="Reason"><c>moved_back</c> or <c>restored</c>.</param>
    public sealed record Answered(string Reason) : HandEditFinding;
}

/// <summary>What somebody did to an event, as far as a read proves it.</summary>
internal enum HandEdit
{
    /// <summary>Nothing, or nothing that is proved.</summary>
    None = 0,

    /// <summary>It has other times.</summary>
    Moved = 1,

    /// <summary>It has the platform's times again.</summary>
    MovedBack = 2,

    /// <summary>It is gone.</summary>
    Deleted = 3,

    /// <summary>It is still gone, and the question is open.</summary>
    StillDeleted = 4,

    /// <summary>It is there again.</summary>
    Restored = 5,
}

/// <summary>What is known before an event's reading is judged.</summary>
/// <param name="Desired">The platform's content.</param>
/// <param name="Open">The question that is open; null for none.</param>
/// <param name="Last">
/// The event as it was last known: our own write's answer, or the copy of the last reading. Null when
/// nothing is known, or when what became of it was judged before.
/// </param>
/// <param name="TimesVerified">Whether it was read back with the slot's present times.</param>
/// <param name="HasWritten">Whether this turn has written it.</param>
internal sealed record HandEditFacts(
    DesiredEvent Desired, OpenProposal? Open, ProviderEvent? Last, bool TimesVerified, bool HasWritten);

/// <summary>Tells a person's change from our own writes and from reads of the past. Pure and total.</summary>
/// <remarks>
/// Only a direct read is judged, and only against what was known before it: an event that was never verified,
/// or whose platform has asked for other times meanwhile, was changed by nobody. A read that is not later
/// than what is known shows the past.
/// </remarks>
internal static class HandEditJudge
{
    /// <summary>Judges one reading.</summary>
    public static HandEdit Judge(HandEditFacts facts, Sighting sighting) => sighting switch
    {
        _ when !facts.Desired.Present => HandEdit.None,
        Sighting.Missing => Gone(facts, null),
        Sighting.Seen { FromRead: true, Event: { Status: "cancelled" } shown } => Gone(facts, shown),
        Sighting.Seen { FromRead: true, Event: var shown } => Live(facts, shown),
        _ => HandEdit.None,
    };

    /// <summary>Whether two events have the same times, as instants.</summary>
    public static bool SameTimes(ProviderEvent shown, DateTimeOffset start, DateTimeOffset end) =>
        shown.Start?.Instant == start && shown.End?.Instant == end;

    private static HandEdit Gone(HandEditFacts facts, ProviderEvent? shown) =>
        facts.HasWritten ? HandEdit.None
        : facts.Open is { IsDeletion: true } ? HandEdit.StillDeleted
        : facts.TimesVerified && facts.Last is { Status: not "cancelled" } last
            && (shown is null || !IsOlder(shown, last)) ? HandEdit.Deleted
        : HandEdit.None;

    private static HandEdit Live(HandEditFacts facts, ProviderEvent shown)
    {
        if (facts.Open is { IsDeletion: true })
            return HandEdit.Restored;
        var owner = shown.Mark.GetValueOrDefault(EventIdentity.MirrorKey);
        var own = facts.Desired.Content.Mark.GetValueOrDefault(EventIdentity.MirrorKey);
        if (shown.Start is null || shown.End is null || (owner is not null && owner != own))
            return HandEdit.None;
        var (start, end) = (facts.Desired.Content.Start.Instant, facts.Desired.Content.End.Instant);
        if (facts.Open is { ToStart: { } movedStart, ToEnd: { } movedEnd })
        {
            if (SameTimes(shown, start, end))
                return facts.Last is { } moved && IsLater(shown, moved) ? HandEdit.MovedBack : HandEdit.None;
            (start, end) = (movedStart, movedEnd);
        }

        return !SameTimes(shown, start, end) && facts.TimesVerified
            && facts.Last is { Status: not "cancelled" } last && SameTimes(last, start, end)
            && IsLater(shown, last)
                ? HandEdit.Moved
                : HandEdit.None;
    }

    private static bool IsLater(ProviderEvent shown, ProviderEvent last) =>
        UpdatedAt(shown) is { } now && UpdatedAt(last) is { } before && now > before;

    private static bool IsOlder(ProviderEvent shown, ProviderEvent last) =>
        UpdatedAt(shown) is { } now && UpdatedAt(last) is { } before && now < before;

    private static DateTimeOffset? UpdatedAt(ProviderEvent shown)
    {
        using var document = JsonDocument.Parse(shown.Json);
        return document.RootElement is { ValueKind: JsonValueKind.Object } root
            && root.TryGetProperty("updated", out var text) && text.ValueKind == JsonValueKind.String
            && Rfc3339.TryParse(text.GetString(), out var at)
                ? at
                : null;
    }
}
