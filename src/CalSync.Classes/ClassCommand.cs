using System.Collections.Immutable;

namespace CalSync.Classes;

/// <summary>What somebody wants done to one class. Fields are as sent; <c>Decide</c> checks them
/// all.</summary>
public abstract record ClassCommand
{
    private ClassCommand()
    {
    }

    /// <summary>
    /// The version the asker last saw (If-Match) of what the command changes: the class, slot, or enrolment.
    /// Null asks for no check; the HTTP edge requires it where RFC 9110 section 13.1.1 applies.
    /// </summary>
    public long? ExpectedVersion { get; init; }

    /// <summary>Makes a class with its slots. By an instructor, or an admin for one.</summary>
    /// <param name="Title">1 to 300 characters after trimming.</param>
    /// <param name="Description">Null or empty for none.</param>
    /// <param name="Location">Null or empty for none.</param>
    /// <param name="TimeZone">IANA name, or one that means exactly one zone.</param>
    /// <param name="Capacity">1 to 10,000 seats.</param>
    /// <param name="Price">Null when free.</param>
    /// <param name="Conference">Asks the provider for a video link on every slot.</param>
    /// <param name="InstructorId">Null for the asker.</param>
    /// <param name="Schedules">1 to 50; together 1 to 500 slots.</param>
    /// <param name="AllowDuplicate">Makes it although an equal class was made minutes ago.</param>
    public sealed record CreateClass(
        string? Title,
        string? Description,
        string? Location,
        string? TimeZone,
        int? Capacity,
        Price? Price,
        bool Conference,
        string? InstructorId,
        ImmutableArray<ScheduleDraft> Schedules,
        bool AllowDuplicate = false) : ClassCommand;

    /// <summary>Changes what a class says; null leaves a field as it is, empty text clears it.</summary>
    /// <param name="Title">1 to 300 characters after trimming; cannot be cleared.</param>
    /// <param name="Description">At most 8,000 characters.</param>
    /// <param name="Location">At most 1,000 characters.</param>
    /// <param name="Capacity">Not below the seats taken.</param>
    public sealed record UpdateClass(
        string? Title = null, string? Description = null, string? Location = null, int? Capacity = null)
        : ClassCommand;

    /// <summary>Moves one slot; no other slot changes. R-CAL-21-P.</summary>
    /// <param name="SlotId">The slot.</param>
    /// <param name="To">Where to. Without an end the slot keeps its wall-clock length.</param>
    public sealed record MoveSlot(string SlotId, SlotDraft To) : ClassCommand;

    /// <summary>Cancels one slot; its event is removed, then the slot is <c>cancelled</c>.</summary>
    /// <param name="SlotId">The slot.</param>
    public sealed record CancelSlot(string SlotId) : ClassCommand;

    /// <summary>Marks a slot whose end has passed; nothing happens before. By the product.</summary>
    /// <param name="SlotId">The slot.</param>
    public sealed record CompleteSlot(string SlotId) : ClassCommand;

    /// <summary>Agrees to what somebody did on the calendar: the slot is moved, or cancelled.</summary>
    /// <param name="ProposalId">The proposal.</param>
    public sealed record AcceptProposal(string ProposalId) : ClassCommand;

    /// <summary>Disagrees: the event is brought back to what the slot says.</summary>
    /// <param name="ProposalId">The proposal.</param>
    public sealed record RefuseProposal(string ProposalId) : ClassCommand;

    /// <summary>Cancels the class with every slot and seat.</summary>
    public sealed record CancelClass : ClassCommand;

    /// <summary>Takes a seat. A student for themselves; the instructor or an admin for a student.</summary>
    /// <param name="StudentId">Null for the asker.</param>
    /// <param name="CalendarEmail">Where the invitation goes; null for the student's calendar
    /// address.</param>
    public sealed record Enrol(string? StudentId = null, string? CalendarEmail = null) : ClassCommand;

    /// <summary>Gives a seat back.</summary>
    /// <param name="EnrolmentId">The seat.</param>
    public sealed record CancelSeat(string EnrolmentId) : ClassCommand;

    /// <summary>Notes that a seat was paid for. By the class's instructor or an admin.</summary>
    /// <param name="EnrolmentId">The seat.</param>
    public sealed record ConfirmPayment(string EnrolmentId) : ClassCommand;

    /// <summary>Draws the conclusion of an operation that ended, or whose deadline passed. By the
    /// product.</summary>
    /// <param name="OperationId">The operation; nothing happens when it is not due or already
    /// settled.</param>
    public sealed record SettleOperation(string OperationId) : ClassCommand;

    /// <summary>Rolls a seat back that the calendar did not confirm in time (strict mode). By the
    /// product.</summary>
    /// <param name="EnrolmentId">The seat; nothing happens unless it still waits for the calendar.</param>
    /// <param name="Reason">A word, such as <c>strict_timeout</c> or a provider's reason.</param>
    public sealed record FailEnrolment(string EnrolmentId, string Reason) : ClassCommand;

    /// <summary>Sends an operation round again. By an operator or admin.</summary>
    /// <param name="OperationId">One that is not verified yet and not given up.</param>
    public sealed record RetryOperation(string OperationId) : ClassCommand;

    /// <summary>Gives an operation up: its seat is kept for a person to look at. By an operator or
    /// admin.</summary>
    /// <param name="OperationId">One that is not verified yet.</param>
    /// <param name="Reason">1 to 500 characters, kept in the journal.</param>
    public sealed record AbandonOperation(string OperationId, string Reason) : ClassCommand;
}

/// <summary>An amount in the smallest unit of its currency.</summary>
/// <param name="Minor">0 or more.</param>
/// <param name="Currency">ISO 4217, three letters.</param>
public sealed record Price(long Minor, string? Currency);

/// <summary>Slots as somebody asks for them.</summary>
/// <param name="Rrule">
/// RFC 5545 section 3.3.10: each listed slot is repeated by it (DTSTART is the slot's start). Must end by
/// COUNT or UNTIL. Null when the slots stand for themselves.
/// </param>
/// <param name="Slots">1 or more.</param>
public sealed record ScheduleDraft(string? Rrule, ImmutableArray<SlotDraft> Slots);

/// <summary>One slot's times as somebody asks for them, on the wall of the class's zone.</summary>
/// <param name="Start">
/// "2026-03-08T09:00", or with an offset "2026-03-08T09:00:00-05:00", which must then be the zone's.
/// </param>
/// <param name="End">As <paramref name="Start"/>; exactly one of end and duration.</param>
/// <param name="DurationMinutes">Elapsed minutes instead of an end.</param>
/// <param name="Offset">The offset of <paramref name="Start"/> the asker believes in: "-05:00" or
/// "Z".</param>
/// <param name="Fold">0 or 1: which pass, when the start happens twice as clocks go back.</param>
/// <param name="EndFold">As <paramref name="Fold"/>, for the end.</param>
public sealed record SlotDraft(
    string? Start,
    string? End = null,
    int? DurationMinutes = null,
    string? Offset = null,
    int? Fold = null,
    int? EndFold = null);

/// <summary>How an enrolment treats the calendar. Decision C-02. Stored nowhere.</summary>
public enum EnrolmentMode
{
    /// <summary>The seat waits up to <see cref="ClassOptions.SeatDeadline"/> for the calendar.</summary>
    Wait = 0,

    /// <summary>The seat is rolled back when the calendar does not confirm during the request.</summary>
    Strict = 1,

    /// <summary>The seat is <c>active_without_calendar</c> at once; the calendar follows.</summary>
    Deferred = 2,
}
