using System.Collections.Immutable;
using CalSync.Sync.HandEdits;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Mirroring;

/// <summary>One mirror as claimed by a worker.</summary>
public sealed record MirrorClaim
{
    /// <summary>The mirror.</summary>
    public required string Id { get; init; }

    /// <summary>Its tenant.</summary>
    public required string TenantId { get; init; }

    /// <summary>The slot it shows.</summary>
    public required string SlotId { get; init; }

    /// <summary>The class of the slot.</summary>
    public required string ClassId { get; init; }

    /// <summary>The account.</summary>
    public required string ConnectionId { get; init; }

    /// <summary>The provider of the account.</summary>
    public required string Provider { get; init; }

    /// <summary>Our id of the calendar. Authoritative: never resolved again from a selection
    /// (D-03).</summary>
    public required string CalendarId { get; init; }

    /// <summary>The provider's id of the calendar.</summary>
    public required string RemoteCalendarId { get; init; }

    /// <summary><c>PRIMARY</c> or <c>SECONDARY</c>.</summary>
    public required string CalendarKind { get; init; }

    /// <summary><c>available</c>, <c>unwritable</c> or <c>gone</c>.</summary>
    public required string CalendarState { get; init; }

    /// <summary>From 1.</summary>
    public required int Generation { get; init; }

    /// <summary>The provider's event id.</summary>
    public required string ProviderEventId { get; init; }

    /// <summary>The stored copy of the event; null when there is none.</summary>
    public string? Observed { get; init; }

    /// <summary>The version applied at the provider.</summary>
    public required long AppliedVersion { get; init; }

    /// <summary>The version read back.</summary>
    public required long VerifiedVersion { get; init; }

    /// <summary>Turns without success in a row.</summary>
    public required int Attempts { get; init; }

    /// <summary>Whether the answer to the last write was lost.</summary>
    public required bool OutcomeUnknown { get; init; }

    /// <summary>Who claimed it.</summary>
    public required string LeaseOwner { get; init; }

    /// <summary>Until when, UTC.</summary>
    public required DateTimeOffset LeaseUntil { get; init; }

    /// <summary>Guards every change by the claimant.</summary>
    public required long Fence { get; init; }

    /// <summary>The request that last changed what is desired.</summary>
    public required string CorrelationId { get; init; }
}

/// <summary>What a mirror should show now, and how it may be worked on.</summary>
/// <param name="Desired">The content with its version, from one snapshot.</param>
/// <param name="Verify">False while the <c>verification</c> switch is off.</param>
/// <param name="VerifyAgainAt">When the switch falls back; null while it is on.</param>
/// <param name="CallTimeout">Limit of each provider call, from the <c>provider-timeout</c> switch; null: as
/// configured.</param>
public sealed record MirrorTask(
    DesiredEvent Desired, bool Verify, DateTimeOffset? VerifyAgainAt, TimeSpan? CallTimeout = null)
{
    /// <summary>The version of the slot the content was read from.</summary>
    public long SlotVersion { get; init; }

    /// <summary>Whether the calendar was seen to show the slot's present times.</summary>
    public bool TimesVerified { get; init; }

    /// <summary>What is asked about a change somebody made on the calendar; null for nothing.</summary>
    public OpenProposal? Proposal { get; init; }
}

/// <summary>Something a turn did, for the journal.</summary>
/// <param name="Kind"><c>mirror.inserted</c>, <c>mirror.patched</c>, <c>mirror.deleted</c> and so on.</param>
/// <param name="Before">The event before it was overwritten, as the provider showed it; null when there was
/// none.</param>
/// <param name="After">What was sent or found, JSON.</param>
public sealed record MirrorChange(string Kind, string? Before, string? After);

/// <summary>How a turn ended, ready to be stored.</summary>
/// <param name="Claim">The claim; its fence guards.</param>
/// <param name="State">The schema's word.</param>
/// <param name="Reason">Null when all is well.</param>
/// <param name="Detail">JSON with the verification's findings.</param>
/// <param name="DesiredVersion">What the turn worked towards; what was wanted later is not judged by
/// it.</param>
/// <param name="AppliedVersion">At least the claim's, within one generation.</param>
/// <param name="VerifiedVersion">At most the applied.</param>
/// <param name="Generation">As the turn left it.</param>
/// <param name="EventId">As the turn left it.</param>
/// <param name="Event">The event as last shown; null to keep the stored copy, unless the generation
/// changed.</param>
/// <param name="OutcomeUnknown">Whether the next turn must read first.</param>
/// <param name="Attempts">Turns without success in a row.</param>
/// <param name="NextAttemptAt">Null when nothing is left to do by itself.</param>
/// <param name="RestUntil">Nobody claims it before.</param>
/// <param name="Changes">For the journal, in order.</param>
/// <param name="Calls">Every provider call of the turn, in order.</param>
/// <param name="At">UTC.</param>
public sealed record MirrorRecord(
    MirrorClaim Claim,
    string State,
    string? Reason,
    string? Detail,
    long DesiredVersion,
    long AppliedVersion,
    long VerifiedVersion,
    int Generation,
    string EventId,
    ProviderEvent? Event,
    bool OutcomeUnknown,
    int Attempts,
    DateTimeOffset? NextAttemptAt,
    DateTimeOffset RestUntil,
    ImmutableArray<MirrorChange> Changes,
    ImmutableArray<CallTrace> Calls,
    DateTimeOffset At)
{
    /// <summary>
    /// Guests the provider takes on no terms, lower case. Everything else was reached: only their seats need
    /// attention.
    /// </summary>
    public ImmutableArray<string> RefusedGuests { get; init; } = [];

    /// <summary>What was found to be changed on the calendar, in order.</summary>
    public ImmutableArray<HandEditFinding> HandEdits { get; init; } = [];

    /// <summary>The version of the slot that <see cref="HandEdits"/> are about.</summary>
    public long SlotVersion { get; init; }

    /// <summary>True when the stored copy of the event is no longer of anything.</summary>
    public bool ForgetsEvent { get; init; }
}

/// <summary>Keeps mirrors, and the operations that wait for them.</summary>
public interface IMirrorStore
{
    /// <summary>Claims due mirrors, fairly: one of each connection before a second of any.</summary>
    /// <param name="owner">This worker.</param>
    /// <param name="countMax">How many at most.</param>
    /// <param name="perConnectionMax">How many of one connection at most.</param>
    /// <param name="busyConnections">Connections that have enough under way here.</param>
    /// <param name="now">UTC.</param>
    /// <param name="until">End of the leases.</param>
    /// <param name="cancellation">Cancelled, a claim may stay until its lease ends.</param>
    Task<ImmutableArray<MirrorClaim>> ClaimAsync(
        string owner, int countMax, int perConnectionMax, IReadOnlyCollection<string> busyConnections,
        DateTimeOffset now, DateTimeOffset until, CancellationToken cancellation);

    /// <summary>Loads what the mirror should show, in one snapshot with its version.</summary>
    /// <returns>Null when the mirror is no longer active.</returns>
    Task<MirrorTask?> LoadAsync(MirrorClaim claim, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Lengthens a claim.</summary>
    /// <returns>False when it was lost: stop, write nothing.</returns>
    Task<bool> RenewAsync(MirrorClaim claim, DateTimeOffset until, CancellationToken cancellation);

    /// <summary>
    /// Stores how a turn ended together with steps, operations and journal, in one transaction guarded by the
    /// fence.
    /// </summary>
    /// <returns>The operations whose state changed; null when the claim was lost and nothing was
    /// stored.</returns>
    Task<ImmutableArray<string>?> RecordAsync(MirrorRecord record, CancellationToken cancellation);

    /// <summary>Marks a calendar, and holds its mirrors or moves them to the primary calendar, at
    /// once.</summary>
    /// <param name="claim">The mirror that met it; its fence guards.</param>
    /// <param name="calendarState"><c>gone</c> or <c>unwritable</c>.</param>
    /// <param name="fallback">The policy. Without a usable primary calendar they are held.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellation">Cancelled, nothing is changed.</param>
    /// <returns>False when the claim was lost.</returns>
    Task<bool> LeaveCalendarAsync(
        MirrorClaim claim, string calendarState, CalendarFallback fallback, DateTimeOffset now,
        CancellationToken cancellation);

    /// <summary>The provider's ids of the connection's other usable calendars.</summary>
    Task<ImmutableArray<string>> OtherCalendarsAsync(MirrorClaim claim, CancellationToken cancellation);

    /// <summary>Makes unverified mirrors due once verification is on again.</summary>
    Task<int> SweepUnverifiedAsync(DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Writes the worker's heartbeat.</summary>
    Task BeatAsync(
        string worker, string host, int processId, DateTimeOffset startedAt, DateTimeOffset now,
        CancellationToken cancellation);

    /// <summary>An operation's state and whether its conclusion is drawn; null when unknown.</summary>
    Task<OperationStanding?> StandingAsync(string operationId, CancellationToken cancellation);
}

/// <summary>Where an operation stands.</summary>
public sealed record OperationStanding
{
    /// <summary>The operation.</summary>
    public required string Id { get; init; }

    /// <summary>The schema's word.</summary>
    public required string State { get; init; }

    /// <summary>Whether the class side has drawn its conclusion.</summary>
    public required bool Settled { get; init; }
}
