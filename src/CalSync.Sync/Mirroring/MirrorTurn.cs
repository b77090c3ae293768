using System.Collections.Immutable;
using CalSync.Calendar;
using CalSync.Sync.HandEdits;
using CalSync.Sync.Journal;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Mirroring;

/// <summary>What one turn of one mirror has learned and done so far.</summary>
internal sealed class MirrorTurn(MirrorClaim claim, MirrorTask task, DateTimeOffset startedAt)
{
    private readonly List<ProviderCall> _calls = [];
    private readonly ImmutableArray<MirrorChange>.Builder _changes =
        ImmutableArray.CreateBuilder<MirrorChange>();

    public MirrorClaim Claim { get; } = claim;

    /// <summary>What is wanted: at the times somebody moved it to while that is not decided, without guests
    /// that are not offered now.</summary>
    public DesiredEvent Desired { get; private set; } =
        Moved(task.Desired, task.Proposal?.ToStart, task.Proposal?.ToEnd);

    /// <summary>What is asked about the event; changes with what the turn finds.</summary>
    public OpenProposal? Proposal { get; private set; } = task.Proposal;

    /// <summary>The event as last known, to judge a read against; null when there is nothing to
    /// judge.</summary>
    public ProviderEvent? Last { get; private set; } = ObservedEvent.Read(claim.Observed);

    /// <summary>What was found to be changed by hand.</summary>
    public ImmutableArray<HandEditFinding>.Builder HandEdits { get; } =
        ImmutableArray.CreateBuilder<HandEditFinding>();

    public long SlotVersion => task.SlotVersion;

    /// <summary>True when the event is gone without a trace: no copy of it is kept.</summary>
    public bool ForgetsEvent { get; private set; }

    public HandEdit HandEdit => HandEditJudge.Judge(
        new HandEditFacts(
            task.Desired, Proposal, Last, task.TimesVerified, Accepted is not null),
        Sighting);

    /// <summary>Which new guests are offered; all, until a write is refused because of one.</summary>
    public GuestTrial Guests { get; private set; } = GuestTrial.None;

    /// <summary>Steps the search for refused guests may take in addition.</summary>
    public int TrialSteps => Math.Min(Guests.TurnCount, 2 * task.Desired.Content.Attendees.Length);

    public bool Verify => task.Verify;

    public DateTimeOffset? VerifyAgainAt => task.VerifyAgainAt;

    public TimeSpan? CallTimeout => task.CallTimeout;

    public DateTimeOffset StartedAt { get; } = startedAt;

    public DateTimeOffset LeaseUntil { get; set; } = claim.LeaseUntil;

    public int Generation { get; private set; } = claim.Generation;

    public string EventId { get; private set; } = claim.ProviderEventId;

    public EventAddress Address => new(Claim.RemoteCalendarId, EventId);

    public MirrorStand Stand { get; set; } =
        new(claim.Id, claim.AppliedVersion > 0, claim.OutcomeUnknown);

    public Sighting Sighting { get; set; } = Known(claim);

    /// <summary>The last event that the provider showed or answered with.</summary>
    public ProviderEvent? Latest { get; private set; }

    /// <summary>What the last accepted write answered; its ETag tells a stale read from a wrong
    /// event.</summary>
    public ProviderEvent? Accepted { get; private set; }

    public bool OutcomeUnknown { get; set; } = claim.OutcomeUnknown;

    public int Refusals { get; set; }

    public bool TokenReplaced { get; set; }

    public ProviderCall Call
    {
        get => _calls[^1];
        set => _calls.Add(value);
    }

    /// <summary>Name of the operation in the duration histogram.</summary>
    public string Operation =>
        !Desired.Present ? "delete" : Claim.AppliedVersion == 0 ? "create" : "update";

    public long AppliedVersion =>
        Accepted is not null || OutcomeSettled ? Desired.Version
        : Generation == Claim.Generation ? Claim.AppliedVersion : 0;

    /// <summary>True when the event was found as desired, or gone as desired, without a write of ours in this
    /// turn.</summary>
    public bool OutcomeSettled { get; set; }

    /// <summary>What last read back wrong after a write of this turn; it stays when a repair has ended
    /// it.</summary>
    public ImmutableArray<FieldMismatch> Mismatches { get; private set; } = [];

    /// <summary>The content to send: guests merged into what was shown, the room of this
    /// generation.</summary>
    public EventContent ContentOver(ProviderEvent? shown) => Desired.Content with
    {
        Attendees = GuestList.Merge(Desired.Content.Attendees, Desired.EverOurs, shown?.Attendees ?? []),
        AttendeesOmitted = shown?.AttendeesOmitted ?? false,
        ConferenceRequestId = Desired.Content.ConferenceRequestId is null
            ? null
            : EventIdentity.ConferenceRequestId(Claim.Id, Generation),
    };

    public void Saw(ProviderEvent shown)
    {
        Latest = shown;
        Sighting = new Sighting.Seen(shown, FromRead: true);
    }

    /// <summary>Leaves the event at the times somebody moved it to, until that is decided.</summary>
    public void LeaveMoved(ProviderEvent shown)
    {
        var (start, end) = (shown.Start!.Instant, shown.End!.Instant);
        HandEdits.Add(new HandEditFinding.Moved(start, end));
        Proposal = new OpenProposal { Kind = "moved", ToStart = start, ToEnd = end };
        (Last, Desired) = (shown, Moved(Desired, start, end));
    }

    /// <summary>The calendar has answered the question itself.</summary>
    public void Answer(string reason)
    {
        HandEdits.Add(new HandEditFinding.Answered(reason));
        GoBack();
    }

    /// <summary>The event is gone by hand, and that is not asked or found again in this turn.</summary>
    /// <param name="policy">What is done about it; null when that is open already.</param>
    public void WasDeleted(DeletionPolicy? policy)
    {
        if (policy is { } found)
        {
            HandEdits.Add(new HandEditFinding.Deleted(found));
            GoBack();
        }

        ForgetsEvent = Sighting is Sighting.Missing;
        Last = null;
    }

    /// <summary>Goes on with the event that was made in place of the one that is gone.</summary>
    public void Relink(ProviderEvent found)
    {
        HandEdits.Add(new HandEditFinding.Relinked(EventId, found.Address.EventId));
        Note("mirror.relinked", null, new { OldEventId = EventId, found.Address.EventId, Generation });
        if (Proposal is { IsDeletion: true })
            Proposal = null;
        EventId = found.Address.EventId;
        Sighting = new Sighting.Unseen();
    }

    private void GoBack()
    {
        Proposal = null;
        Desired = Moved(Desired, task.Desired.Content.Start.Instant, task.Desired.Content.End.Instant);
    }

    private static DesiredEvent Moved(DesiredEvent desired, DateTimeOffset? start, DateTimeOffset? end) =>
        start is null || end is null
            ? desired
            : desired with
            {
                Content = desired.Content with
                {
                    Start = ZonedTime.FromInstant(start.Value, desired.Content.Start.Zone),
                    End = ZonedTime.FromInstant(end.Value, desired.Content.End.Zone),
                },
            };

    public void WasAccepted(ProviderEvent answer)
    {
        Latest = answer;
        Last = answer;
        ForgetsEvent = false;
        Accepted = answer;
        OutcomeUnknown = false;
        Stand = Stand with { Written = true, OutcomeUnknown = false };
        Sighting = new Sighting.Unseen();
        if (Guests.IsOver)
            return;
        Offer(Guests.Accept());
        // Others wait to be offered: the answer is good enough to decide that on.
        Sighting = new Sighting.Seen(answer, FromRead: false);
    }

    /// <summary>After a write was refused because of a guest: fewer of the new ones are offered.</summary>
    /// <param name="on">What the write was decided on; null for an insert.</param>
    /// <returns>False when the write held no new guest, so that fewer would not help.</returns>
    public bool OfferFewer(ProviderEvent? on)
    {
        var known = (on?.Attendees ?? []).Select(guest => guest.Email)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        ImmutableArray<string> offered =
        [
            .. Desired.Content.Attendees.Select(guest => guest.Email).Where(email => !known.Contains(email)),
        ];
        if (offered.IsEmpty)
            return false;
        if (offered.Length == 1)
            Note("mirror.guest_refused", null, new { Guest = offered[0] });
        Offer(Guests.Refuse(offered));
        return true;
    }

    private void Offer(GuestTrial guests)
    {
        Guests = guests;
        var all = task.Desired.Content;
        Desired = Desired with
        {
            Content = Desired.Content with
            {
                Attendees = [.. all.Attendees.Where(guest => guests.Offers(guest.Email))],
            },
        };
        // Another content is another attempt; a refused write changed nothing.
        Stand = Stand with { Inserts = 0, Patches = 0, UndeleteTried = false };
    }

    /// <summary>
    /// Keeps what was read back wrong (R-FIX-1-A). What differs before the first write is the change that is
    /// wanted.
    /// </summary>
    public void Judge(MirrorStep next)
    {
        var found = next switch
        {
            MirrorStep.Patch patch when Accepted is not null => patch.Mismatches,
            MirrorStep.DeleteAndRecreate again => again.Mismatches,
            MirrorStep.GiveUp giveUp => giveUp.Mismatches,
            _ => [],
        };
        if (found.IsEmpty)
            return;
        Mismatches = found;
        Note("mirror.mismatched", null, new { EventId, Desired.Version, Mismatches });
    }

    /// <summary>Goes on under a new event id; nothing known about the old one applies.</summary>
    public void TakeNextGeneration(bool recreated)
    {
        var old = new { Generation, EventId };
        Generation = checked(Generation + 1);
        EventId = EventIdentity.EventId(Claim.ConnectionId, Claim.SlotId, Generation);
        Stand = new MirrorStand(Claim.Id, Written: false, OutcomeUnknown: false, Recreated: recreated);
        Sighting = new Sighting.Unseen();
        (Latest, Accepted, Last, OutcomeUnknown) = (null, null, null, false);
        Note(
            "mirror.generation_raised", JournalText.Of(old),
            new { Generation, EventId });
    }

    public void Note(string kind, string? before, object? after) =>
        _changes.Add(
            new MirrorChange(
            kind, before, after is null ? null : JournalText.Of(after)));

    public ImmutableArray<MirrorChange> TakeChanges() => _changes.DrainToImmutable();

    /// <summary>Every provider call so far, under however many tokens.</summary>
    public ImmutableArray<CallTrace> Calls() => [.. _calls.SelectMany(call => call.Trace)];

    private static Sighting Known(MirrorClaim claim) =>
        !claim.OutcomeUnknown && ObservedEvent.Read(claim.Observed) is { } copy
            && copy.Address.EventId == claim.ProviderEventId
            && copy.Address.CalendarId == claim.RemoteCalendarId
            ? new Sighting.Seen(copy, FromRead: false)
            : new Sighting.Unseen();
}

/// <summary>How a turn ended.</summary>
internal abstract record TurnEnd
{
    private TurnEnd()
    {
    }

    /// <summary>Read back and equal, or gone as wanted.</summary>
    public sealed record Verified(bool Present) : TurnEnd;

    /// <summary>Written, and verification is off.</summary>
    public sealed record Unverified : TurnEnd;

    /// <summary>Again later by itself.</summary>
    public sealed record Retry(
        string Reason, string Message, TimeSpan? After = null, DateTimeOffset? At = null) : TurnEnd;

    /// <summary>Waits for something outside.</summary>
    public sealed record Park(string Reason, string Message) : TurnEnd;

    /// <summary>A person must look.</summary>
    public sealed record Attention(
        string Reason, string Message, ImmutableArray<FieldMismatch> Mismatches) : TurnEnd;

    /// <summary>The calendar is gone or may not be written: its policy decides for all its mirrors.</summary>
    public sealed record CalendarLost(string CalendarState) : TurnEnd;

    /// <summary>The claim was lost: store nothing.</summary>
    public sealed record ClaimLost : TurnEnd;
}
