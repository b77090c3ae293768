using System.Collections.Immutable;
using CalSync.Calendar;

namespace CalSync.Classes;

/// <summary>A class as far as a decision needs it.</summary>
/// <remarks>
/// Slots are always complete. Seats and operations are those the command at hand can touch: a class with ten
/// thousand seats is not read to add one. <see cref="SeatsTaken"/> counts all live seats, read or not.
/// </remarks>
public sealed record ClassState
{
    /// <summary>The class.</summary>
    public required string Id { get; init; }

    /// <summary>The tenant.</summary>
    public required string TenantId { get; init; }

    /// <summary>Who teaches.</summary>
    public required string InstructorId { get; init; }

    /// <summary>1 to 300 characters.</summary>
    public required string Title { get; init; }

    /// <summary>Null for none.</summary>
    public string? Description { get; init; }

    /// <summary>Null for none.</summary>
    public string? Location { get; init; }

    /// <summary>Canonical IANA name.</summary>
    public required string TimeZone { get; init; }

    /// <summary>Seats there are.</summary>
    public required int Capacity { get; init; }

    /// <summary>Live seats.</summary>
    public int SeatsTaken { get; init; }

    /// <summary>Whether every slot asks for a video link.</summary>
    public bool Conference { get; init; }

    /// <summary>Smallest unit; 0 when free.</summary>
    public long PriceMinor { get; init; }

    /// <summary>ISO 4217; XXX when free.</summary>
    public required string Currency { get; init; }

    /// <summary>Whether it takes place.</summary>
    public Stage Stage { get; init; }

    /// <summary>Equal for classes that look alike: title, place, zone, instructor, times.</summary>
    public required string ContentHash { get; init; }

    /// <summary>Rises with every change of what it says or of its stage; seats and slots have their
    /// own.</summary>
    public required long Version { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Filled on creation only: nothing is decided from schedules later.</summary>
    public ImmutableArray<Schedule> Schedules { get; init; } = [];

    /// <summary>Every slot, cancelled ones too.</summary>
    public ImmutableArray<Slot> Slots { get; init; } = [];

    /// <summary>The seats that were read, by id.</summary>
    public ImmutableDictionary<string, Seat> Seats { get; init; } = ImmutableDictionary<string, Seat>.Empty;

    /// <summary>The operations that were read, by id.</summary>
    public ImmutableDictionary<string, Operation> Operations { get; init; } =
        ImmutableDictionary<string, Operation>.Empty;

    /// <summary>The proposals that were read, by id.</summary>
    public ImmutableDictionary<string, Proposal> Proposals { get; init; } =
        ImmutableDictionary<string, Proposal>.Empty;

    /// <summary>The slot, or null.</summary>
    public Slot? FindSlot(string slotId)
    {
        foreach (var slot in Slots)
        {
            if (string.Equals(slot.Id, slotId, StringComparison.Ordinal))
                return slot;
        }

        return null;
    }
}

/// <summary>The slots that were asked for together.</summary>
/// <param name="Id">The schedule.</param>
/// <param name="Ordinal">From 0.</param>
/// <param name="Rrule">RFC 5545 section 3.3.10; null when listed one by one.</param>
public sealed record Schedule(string Id, int Ordinal, string? Rrule);

/// <summary>One meeting of a class and the mirror of its event.</summary>
/// <param name="Id">The slot.</param>
/// <param name="ScheduleId">Its schedule.</param>
/// <param name="Start">Wall time, zone, instant.</param>
/// <param name="End">After <paramref name="Start"/>.</param>
/// <param name="Stage">Whether it takes place.</param>
/// <param name="Version">Rises with every change.</param>
/// <param name="WantedVersion">
/// The mirror version that first asks for these times: once the mirror is verified at it, people may be told
/// them.
/// </param>
/// <param name="Mirror">Its event.</param>
public sealed record Slot(
    string Id,
    string ScheduleId,
    ZonedTime Start,
    ZonedTime End,
    Stage Stage,
    long Version,
    long WantedVersion,
    SlotMirror Mirror)
{
    /// <summary>Whether the provider was seen to show the slot's present times.</summary>
    public bool TimesVerified => Stage == Stage.Scheduled && Mirror.VerifiedVersion >= WantedVersion;
}

/// <summary>What a decision knows of a slot's mirror.</summary>
/// <param name="Id">The mirror.</param>
/// <param name="ConnectionId">Written through.</param>
/// <param name="CalendarId">Written into.</param>
/// <param name="DesiredVersion">Wanted now.</param>
/// <param name="VerifiedVersion">Last read back and found right.</param>
public sealed record SlotMirror(
    string Id, string ConnectionId, string CalendarId, long DesiredVersion, long VerifiedVersion);

/// <summary>One student's seat.</summary>
/// <param name="Id">The enrolment.</param>
/// <param name="StudentId">Whose.</param>
/// <param name="CalendarEmail">Lower case; where the invitation goes.</param>
/// <param name="State">See <see cref="SeatState"/>.</param>
/// <param name="Reason">Why it is not active; null when nothing is wrong.</param>
/// <param name="DeadlineAt">When it is given back if the calendar has not confirmed it; null once
/// settled.</param>
/// <param name="Version">Rises with every change.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="UpdatedAt">UTC.</param>
/// <param name="Payment">Null until there is something to pay.</param>
public sealed record Seat(
    string Id,
    string StudentId,
    string CalendarEmail,
    SeatState State,
    string? Reason,
    DateTimeOffset? DeadlineAt,
    long Version,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    Payment? Payment = null);

/// <summary>What is owed for a seat.</summary>
/// <param name="Id">The payment.</param>
/// <param name="AmountMinor">Smallest unit.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="State">See <see cref="PaymentState"/>.</param>
/// <param name="ConfirmedBy">The user; null until confirmed, and when nothing was owed.</param>
/// <param name="ConfirmedAt">UTC.</param>
/// <param name="Version">Rises with every change.</param>
public sealed record Payment(
    string Id,
    long AmountMinor,
    string Currency,
    PaymentState State,
    string? ConfirmedBy,
    DateTimeOffset? ConfirmedAt,
    long Version);

/// <summary>One durable intent against the provider.</summary>
/// <param name="Id">The operation.</param>
/// <param name="Kind">One of <see cref="OperationKind"/>.</param>
/// <param name="EnrolmentId">The seat it is about; null for a class or slot.</param>
/// <param name="UserId">Who asked.</param>
/// <param name="CorrelationId">The request it came from; what follows from it carries the same.</param>
/// <param name="State">See <see cref="OperationState"/>.</param>
/// <param name="Reason">Why it is not verified.</param>
/// <param name="DeadlineAt">When the waiting ends; null for no end.</param>
/// <param name="Settled">Whether the class side has drawn its conclusion.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="SlotId">The slot it is about; null for a class or seat. Not stored: the only step's
/// slot.</param>
/// <param name="Steps">Filled when it is opened; not read again.</param>
public sealed record Operation(
    string Id,
    string Kind,
    string? EnrolmentId,
    string UserId,
    string CorrelationId,
    OperationState State,
    string? Reason,
    DateTimeOffset? DeadlineAt,
    bool Settled,
    DateTimeOffset CreatedAt,
    string? SlotId,
    ImmutableArray<OperationStep> Steps)
{
    /// <summary>Whether a worker may still bring it to an end.</summary>
    public bool IsOpen =>
        State is OperationState.Pending or OperationState.InFlight or OperationState.RetryWait
        or OperationState.Parked or OperationState.Unverified or OperationState.NeedsAttention;
}

/// <summary>One event an operation needs.</summary>
/// <param name="SlotId">The slot.</param>
/// <param name="MirrorId">Its mirror.</param>
/// <param name="RequiredVersion">The mirror version that satisfies the step.</param>
public readonly record struct OperationStep(string SlotId, string MirrorId, long RequiredVersion);

/// <summary>The kinds of operation, as stored.</summary>
public static class OperationKind
{
    /// <summary>The events of a new class.</summary>
    public const string ClassCreate = "class.create";

    /// <summary>New words on every event.</summary>
    public const string ClassUpdate = "class.update";

    /// <summary>Every event goes.</summary>
    public const string ClassCancel = "class.cancel";

    /// <summary>New times on one event.</summary>
    public const string SlotMove = "slot.move";

    /// <summary>One event goes.</summary>
    public const string SlotCancel = "slot.cancel";

    /// <summary>One event comes back to what its slot says, after somebody changed it by hand.</summary>
    public const string SlotRestore = "slot.restore";

    /// <summary>A student comes onto every event. Compensated by <see cref="EnrolmentRollBack"/>.</summary>
    public const string EnrolmentCreate = "enrolment.create";

    /// <summary>A student who gave up the seat leaves every event.</summary>
    public const string EnrolmentCancel = "enrolment.cancel";

    /// <summary>Undoes <see cref="EnrolmentCreate"/>.</summary>
    public const string EnrolmentRollBack = "enrolment.roll_back";
}

/// <summary>A message to one person.</summary>
/// <param name="Id">The notice.</param>
/// <param name="UserId">To whom.</param>
/// <param name="Kind">One of <see cref="NoticeKind"/>.</param>
/// <param name="SlotId">About which slot; null for the class or seat.</param>
/// <param name="SlotVersion">The slot version it was written for; at send time another one makes it
/// stale.</param>
/// <param name="EnrolmentId">About which seat.</param>
/// <param name="Message">For the person.</param>
/// <param name="DueAt">When it is to be sent.</param>
/// <param name="DedupeKey">A second notice with this key is the same notice and is not written.</param>
public sealed record Notice(
    string Id,
    string UserId,
    string Kind,
    string? SlotId,
    long? SlotVersion,
    string? EnrolmentId,
    string Message,
    DateTimeOffset DueAt,
    string DedupeKey);

/// <summary>The kinds of notice, as stored.</summary>
public static class NoticeKind
{
    /// <summary>An hour before a slot.</summary>
    public const string Reminder = "reminder";

    /// <summary>The seat is on the calendar.</summary>
    public const string SeatConfirmed = "seat_confirmed";

    /// <summary>The seat was taken back. R-FIX-3-F.</summary>
    public const string SeatFailed = "seat_failed";

    /// <summary>The seat was given up.</summary>
    public const string SeatCancelled = "seat_cancelled";

    /// <summary>The slot has new times, and the calendar shows them.</summary>
    public const string SlotMoved = "slot_moved";

    /// <summary>The slot does not take place.</summary>
    public const string SlotCancelled = "slot_cancelled";

    /// <summary>The class does not take place.</summary>
    public const string ClassCancelled = "class_cancelled";

    /// <summary>A reminder that was already sent holds no more: other times, no slot, no class or no
    /// seat.</summary>
    public const string Correction = "correction";

    /// <summary>The event is made anew in another calendar; times and seat stay. R-CAL-18-A.</summary>
    public const string CalendarMoved = "calendar_moved";

    /// <summary>To the instructor: the calendar did not take something.</summary>
    public const string CalendarProblem = "calendar_problem";
}
