using System.Collections.Immutable;
using System.Diagnostics;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Mirroring;

/// <summary>What is known about the event at the provider.</summary>
internal abstract record Sighting
{
    private Sighting()
    {
    }

    /// <summary>Not looked at yet.</summary>
    public sealed record Unseen : Sighting;

    /// <summary>Shown by the provider.</summary>
    /// <param name="Event">As shown.</param>
    /// <param name="FromRead">
    /// True when a read in this turn showed it. A write's own answer and the stored copy are good enough to
    /// decide what to write, never to call it verified.
    /// </param>
    public sealed record Seen(ProviderEvent Event, bool FromRead) : Sighting;

    /// <summary>Reads said 404 through the whole consistency back-off. A failed read is not this.</summary>
    public sealed record Missing : Sighting;
}

/// <summary>Where one mirror stands within a turn.</summary>
/// <param name="MirrorId">The mirror; its mark must be on the event.</param>
/// <param name="Written">True when some version has been applied under this generation.</param>
/// <param name="OutcomeUnknown">True when the answer to the last write was lost.</param>
/// <param name="Inserts">Inserts sent in this turn under this generation.</param>
/// <param name="Patches">Patches sent in this turn under this generation.</param>
/// <param name="UndeleteTried">True when undeleting was tried in this turn.</param>
/// <param name="Recreated">True when this turn has already deleted and made the event again.</param>
internal sealed record MirrorStand(
    string MirrorId,
    bool Written,
    bool OutcomeUnknown,
    int Inserts = 0,
    int Patches = 0,
    bool UndeleteTried = false,
    bool Recreated = false);

/// <summary>The next thing to do for a mirror.</summary>
internal abstract record MirrorStep
{
    private MirrorStep()
    {
    }

    /// <summary>Look before anything is written.</summary>
    public sealed record ReadFirst : MirrorStep;

    /// <summary>Make the event under its deterministic id.</summary>
    public sealed record Insert : MirrorStep;

    /// <summary>Change these fields of what was seen.</summary>
    /// <param name="On">What the change was decided on; its ETag is the precondition.</param>
    /// <param name="Fields">What to send.</param>
    /// <param name="Mismatches">Why.</param>
    public sealed record Patch(
        ProviderEvent On,
        ImmutableHashSet<EventField> Fields, ImmutableArray<FieldMismatch> Mismatches) : MirrorStep;

    /// <summary>Bring a deleted event back with everything in it.</summary>
    public sealed record Undelete(ProviderEvent On) : MirrorStep;

    /// <summary>Remove it; it is ours and is no longer wanted.</summary>
    public sealed record Delete(ProviderEvent On) : MirrorStep;

    /// <summary>Last resort: remove it and make it again under the next generation.</summary>
    public sealed record DeleteAndRecreate(
        ProviderEvent On, ImmutableArray<FieldMismatch> Mismatches) : MirrorStep;

    /// <summary>The id is burnt or taken: go on under the next generation, without deleting
    /// anything.</summary>
    public sealed record NextGeneration : MirrorStep;

    /// <summary>Read back and equal.</summary>
    public sealed record Done(ProviderEvent Event) : MirrorStep;

    /// <summary>Not wanted and not there.</summary>
    public sealed record Gone : MirrorStep;

    /// <summary>A person must look.</summary>
    /// <param name="Reason">One word of <see cref="MirrorReasons"/>.</param>
    /// <param name="Mismatches">What is wrong; empty when not a matter of content.</param>
    public sealed record GiveUp(string Reason, ImmutableArray<FieldMismatch> Mismatches) : MirrorStep;
}

/// <summary>The words a mirror's reason can be, besides the names of <see cref="ProviderReason"/>.</summary>
public static class MirrorReasons
{
    /// <summary>The owner must consent again.</summary>
    public const string NeedsConsent = "needs_consent";

    /// <summary>Read back, repaired, and still not what it should be.</summary>
    public const string VerificationFailed = "verification_failed";

    /// <summary>The provider acknowledged it twice and shows nothing.</summary>
    public const string NotStored = "not_stored";

    /// <summary>Accepted, but reads do not show it yet.</summary>
    public const string NotVisibleYet = "not_visible_yet";

    /// <summary>The event stands in another calendar than it was written to.</summary>
    public const string WrongCalendar = "wrong_calendar";

    /// <summary>An event with our id does not carry our mark.</summary>
    public const string NotOurs = "not_ours";

    /// <summary>The provider shows a truncated guest list, which must never be written back.</summary>
    public const string AttendeesOmitted = "attendees_omitted";

    /// <summary>The calendar is gone.</summary>
    public const string CalendarGone = "calendar_gone";

    /// <summary>The calendar may no longer be written.</summary>
    public const string CalendarUnwritable = "calendar_unwritable";

    /// <summary>The answer to a write was lost; the next turn reads first.</summary>
    public const string OutcomeUnknown = "outcome_unknown";

    /// <summary>Written, but verification is switched off.</summary>
    public const string VerificationOff = "verification_off";

    /// <summary>Others kept changing the event while it was being written.</summary>
    public const string KeepsChanging = "keeps_changing";

    /// <summary>Somebody moved the event on the calendar; whether it stays is not decided.</summary>
    public const string MovedByHand = "moved_by_hand";

    /// <summary>Somebody deleted the event on the calendar, and what follows is not decided.</summary>
    public const string DeletedByHand = "deleted_by_hand";

    /// <summary>The provider refuses a guest's address; for the operation of that guest only.</summary>
    public static string GuestRefused(string email) => $"{nameof(ProviderReason.AttendeeRejected)}: {email}";

    /// <summary>No token now.</summary>
    public const string TokenUnavailable = "token_unavailable";

    /// <summary>The product failed; the log has the fault.</summary>
    public const string InternalFault = "internal_fault";
}

/// <summary>Decides the next step of a mirror: read, write, repair, adopt, recreate, or be done. Pure and
/// total.</summary>
internal static class MirrorPlanner
{
    /// <summary>Writes that carry the change, then repairs; after so many patches in a turn it is not
    /// repairable.</summary>
    public const int PatchCountMax = 3;

    /// <summary>One insert, and one again under the same id when nothing was stored (R-CAL-03-B).</summary>
    public const int InsertCountMax = 2;

    /// <summary>Decides.</summary>
    /// <param name="desired">What is wanted.</param>
    /// <param name="stand">What has been done.</param>
    /// <param name="sighting">What is known; a failed read never gets here, nothing may follow from it
    /// (C-03).</param>
    public static MirrorStep Decide(DesiredEvent desired, MirrorStand stand, Sighting sighting) =>
        (desired.Present, sighting) switch
        {
            // Even an event never heard of may exist: a writer that lost its lease could have made it.
            (false, Sighting.Unseen) => new MirrorStep.ReadFirst(),
            (false, Sighting.Missing) => new MirrorStep.Gone(),
            (false, Sighting.Seen seen) => Remove(stand, seen),
            (true, Sighting.Unseen) when stand.Written || stand.OutcomeUnknown => new MirrorStep.ReadFirst(),
            (true, Sighting.Unseen) => new MirrorStep.Insert(),
            (true, Sighting.Missing) => stand.Inserts < InsertCountMax
                ? new MirrorStep.Insert()
                : new MirrorStep.GiveUp(MirrorReasons.NotStored, []),
            (true, Sighting.Seen seen) => Keep(desired, stand, seen),
            _ => throw new UnreachableException(),
        };

    private static MirrorStep Remove(MirrorStand stand, Sighting.Seen seen) =>
        IsCancelled(seen.Event) ? new MirrorStep.Gone()
        : !seen.FromRead ? new MirrorStep.ReadFirst()
        : IsOurs(stand, seen.Event) ? new MirrorStep.Delete(seen.Event)
        : new MirrorStep.GiveUp(MirrorReasons.NotOurs, []);

    private static MirrorStep Keep(DesiredEvent desired, MirrorStand stand, Sighting.Seen seen)
    {
        if (IsCancelled(seen.Event))
        {
            return !seen.FromRead ? new MirrorStep.ReadFirst()
                : stand.UndeleteTried ? new MirrorStep.NextGeneration()
                : new MirrorStep.Undelete(seen.Event);
        }

        if (OwnerOf(seen.Event) is { } owner
            && !string.Equals(owner, stand.MirrorId, StringComparison.Ordinal))
        {
            return stand.Written
                ? new MirrorStep.GiveUp(MirrorReasons.NotOurs, [])
                : new MirrorStep.NextGeneration();
        }

        var mismatches = EventComparison.Mismatches(desired, seen.Event);
        if (mismatches.IsEmpty)
            return seen.FromRead ? new MirrorStep.Done(seen.Event) : new MirrorStep.ReadFirst();
        var fields = EventComparison.FieldsOf(mismatches);
        if (seen.Event.AttendeesOmitted)
        {
            return seen.FromRead
                ? new MirrorStep.GiveUp(MirrorReasons.AttendeesOmitted, mismatches)
                : new MirrorStep.ReadFirst();
        }

        if (stand.Patches < PatchCountMax)
            return new MirrorStep.Patch(seen.Event, fields, mismatches);
        if (!seen.FromRead)
            return new MirrorStep.ReadFirst();
        return MayRecreate(desired, stand, seen.Event, fields)
            ? new MirrorStep.DeleteAndRecreate(seen.Event, mismatches)
            : new MirrorStep.GiveUp(MirrorReasons.VerificationFailed, mismatches);
    }

    // Ours, marked, nobody has answered, nobody else's guest is on it, and another room would not be the only
    // gain.
    private static bool MayRecreate(
        DesiredEvent desired, MirrorStand stand, ProviderEvent shown, ImmutableHashSet<EventField> fields)
    {
        var others = shown.Attendees.Where(guest => !guest.Organizer).ToList();
        return !stand.Recreated
            && IsOurs(stand, shown)
            && others.TrueForAll(guest => guest.ResponseStatus == "needsAction")
            && others.TrueForAll(guest => desired.EverOurs.Contains(guest.Email.ToLowerInvariant()))
            && fields.Any(field => field != EventField.Conference);
    }

    private static bool IsCancelled(ProviderEvent shown) => shown.Status == "cancelled";

    private static bool IsOurs(MirrorStand stand, ProviderEvent shown) =>
        string.Equals(OwnerOf(shown), stand.MirrorId, StringComparison.Ordinal);

    private static string? OwnerOf(ProviderEvent shown) =>
        shown.Mark.GetValueOrDefault(EventIdentity.MirrorKey);
}
