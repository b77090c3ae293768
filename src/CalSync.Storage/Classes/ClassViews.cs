using System.Collections.Immutable;

namespace CalSync.Storage.Classes;

/// <summary>One page of a list.</summary>
/// <typeparam name="T">The row.</typeparam>
/// <param name="Items">At most the asked count.</param>
/// <param name="NextCursor">Opaque; null on the last page.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextCursor);

/// <summary>A class as its readers see it. States are the words of the schema.</summary>
public record ClassSummary
{
    /// <summary>The class.</summary>
    public required string Id { get; init; }

    /// <summary>Who teaches.</summary>
    public required string InstructorId { get; init; }

    /// <summary>Their name.</summary>
    public required string InstructorName { get; init; }

    /// <summary>What it is called.</summary>
    public required string Title { get; init; }

    /// <summary>Null for none.</summary>
    public string? Description { get; init; }

    /// <summary>Null for none.</summary>
    public string? Location { get; init; }

    /// <summary>Canonical IANA name.</summary>
    public required string TimeZone { get; init; }

    /// <summary>Seats there are.</summary>
    public required int Capacity { get; init; }

    /// <summary>Seats taken, those waiting for the calendar included. Not covered by
    /// <see cref="Version"/>.</summary>
    public required int SeatsTaken { get; init; }

    /// <summary>Whether every slot asks for a video link.</summary>
    public required bool Conference { get; init; }

    /// <summary>Price in the currency's smallest unit; 0 when free.</summary>
    public required long PriceMinor { get; init; }

    /// <summary>ISO 4217.</summary>
    public required string Currency { get; init; }

    /// <summary><c>scheduled</c>, <c>cancelling</c> or <c>cancelled</c>.</summary>
    public required string State { get; init; }

    /// <summary>Rises with every change of what the class says or of its state; its ETag.</summary>
    public required long Version { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>A class with its schedules and slots.</summary>
public sealed record ClassView : ClassSummary
{
    /// <summary>In order.</summary>
    public ImmutableArray<ScheduleView> Schedules { get; init; } = [];
}

/// <summary>The slots that were asked for together.</summary>
/// <param name="Id">The schedule.</param>
/// <param name="Ordinal">From 0.</param>
/// <param name="Rrule">The rule they were made from; null when listed.</param>
/// <param name="Slots">By start.</param>
public sealed record ScheduleView(string Id, int Ordinal, string? Rrule, ImmutableArray<SlotView> Slots);

/// <summary>One slot: wall time, zone, instants, and what the calendar is known to show.</summary>
public sealed record SlotView
{
    /// <summary>The slot.</summary>
    public required string Id { get; init; }

    /// <summary>Its class.</summary>
    public required string ClassId { get; init; }

    /// <summary>Its schedule.</summary>
    public required string ScheduleId { get; init; }

    /// <summary>Wall time, <c>2026-03-08T09:00:00</c>.</summary>
    public required string StartLocal { get; init; }

    /// <summary>Wall time.</summary>
    public required string EndLocal { get; init; }

    /// <summary>Canonical IANA name.</summary>
    public required string TimeZone { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset StartAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset EndAt { get; init; }

    /// <summary><c>scheduled</c>, <c>cancelling</c>, <c>cancelled</c>, or <c>completed</c> once its end has
    /// passed.</summary>
    public required string State { get; init; }

    /// <summary>Rises with every change; its ETag.</summary>
    public required long Version { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>The event of the slot.</summary>
    public required SlotCalendar Calendar { get; init; }
}

/// <summary>What is known of a slot's event at the provider.</summary>
public sealed record SlotCalendar
{
    /// <summary>
    /// <c>verified</c> only when the event was read back with everything wanted now; else <c>pending</c>,
    /// <c>parked</c>, <c>unverified</c>, <c>needs_attention</c> or <c>gone</c>.
    /// </summary>
    public required string State { get; init; }

    /// <summary>Why it is not verified; null when nothing is wrong.</summary>
    public string? Reason { get; init; }

    /// <summary>More for a person.</summary>
    public string? Detail { get; init; }

    /// <summary>The mirror.</summary>
    public required string MirrorId { get; init; }

    /// <summary>The event's id at the provider.</summary>
    public required string EventId { get; init; }

    /// <summary>The connection it is written through.</summary>
    public required string ConnectionId { get; init; }

    /// <summary>Our id of the calendar it is in.</summary>
    public required string CalendarId { get; init; }

    /// <summary><c>PRIMARY</c> or <c>SECONDARY</c>.</summary>
    public required string CalendarKind { get; init; }

    /// <summary>Version wanted now.</summary>
    public required long DesiredVersion { get; init; }

    /// <summary>Version last read back and found right.</summary>
    public required long VerifiedVersion { get; init; }

    /// <summary>When the next attempt is due; null when none is.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>Start as last read from the provider; null before the first read.</summary>
    public DateTimeOffset? MirroredStartAt { get; init; }

    /// <summary>End as last read from the provider.</summary>
    public DateTimeOffset? MirroredEndAt { get; init; }

    /// <summary>Link for a person.</summary>
    public string? HtmlLink { get; init; }

    /// <summary>Video link.</summary>
    public string? ConferenceLink { get; init; }
}

/// <summary>A seat as its readers see it.</summary>
public sealed record EnrolmentView
{
    /// <summary>The seat.</summary>
    public required string Id { get; init; }

    /// <summary>Its class.</summary>
    public required string ClassId { get; init; }

    /// <summary>Whose.</summary>
    public required string StudentId { get; init; }

    /// <summary>Their name.</summary>
    public required string StudentName { get; init; }

    /// <summary>The address that was invited. R-CAL-04-C.</summary>
    public required string CalendarEmail { get; init; }

    /// <summary>A word of the schema: <c>pending_calendar</c>, <c>active</c> and so on.</summary>
    public required string State { get; init; }

    /// <summary>Why it is not active.</summary>
    public string? Reason { get; init; }

    /// <summary>When the seat is given back if the calendar has not confirmed it.</summary>
    public DateTimeOffset? DeadlineAt { get; init; }

    /// <summary>Rises with every change; its ETag.</summary>
    public required long Version { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary><c>pending</c>, <c>confirmed</c> or <c>void</c>; null while there is nothing to pay
    /// yet.</summary>
    public string? PaymentState { get; init; }

    /// <summary>Smallest unit.</summary>
    public long? AmountMinor { get; init; }

    /// <summary>ISO 4217.</summary>
    public string? Currency { get; init; }

    /// <summary>Who confirmed.</summary>
    public string? ConfirmedBy { get; init; }

    /// <summary>UTC.</summary>
    public DateTimeOffset? ConfirmedAt { get; init; }

    /// <summary>The newest operation about this seat.</summary>
    public string? OperationId { get; init; }
}

/// <summary>One line of somebody's schedule: a slot they teach or sit in.</summary>
public sealed record ScheduleEntry
{
    /// <summary>The class.</summary>
    public required string ClassId { get; init; }

    /// <summary>Its title.</summary>
    public required string Title { get; init; }

    /// <summary>Where.</summary>
    public string? Location { get; init; }

    /// <summary>The slot as wanted, with what the calendar shows.</summary>
    public required SlotView Slot { get; init; }

    /// <summary>The slot's times on the reader's own wall.</summary>
    public required ReaderTimes Reader { get; init; }

    /// <summary>The seat; null for the instructor.</summary>
    public string? EnrolmentId { get; init; }

    /// <summary>The seat's state; null for the instructor.</summary>
    public string? EnrolmentState { get; init; }
}

/// <summary>A slot that is over and still called scheduled.</summary>
public sealed record EndedSlot
{
    /// <summary>The slot.</summary>
    public required string SlotId { get; init; }

    /// <summary>Its class.</summary>
    public required string ClassId { get; init; }

    /// <summary>The tenant the product acts for.</summary>
    public required string TenantId { get; init; }

    /// <summary>The version that is over; another one may not be.</summary>
    public required long Version { get; init; }
}

/// <summary>A slot's times in the zone of whoever reads.</summary>
/// <param name="TimeZone">The reader's zone, canonical IANA name.</param>
/// <param name="StartLocal">Wall time there, <c>2026-03-08T09:00:00</c>.</param>
/// <param name="EndLocal">Wall time there.</param>
public sealed record ReaderTimes(string TimeZone, string StartLocal, string EndLocal);

/// <summary>A durable intent against the provider.</summary>
public record OperationSummary
{
    /// <summary>The operation.</summary>
    public required string Id { get; init; }

    /// <summary>The tenant.</summary>
    public required string TenantId { get; init; }

    /// <summary><c>class.create</c>, <c>class.update</c>, <c>class.cancel</c>, <c>slot.move</c>,
    /// <c>slot.cancel</c>, <c>enrolment.create</c>, <c>enrolment.cancel</c> or
    /// <c>enrolment.roll_back</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The class.</summary>
    public required string ClassId { get; init; }

    /// <summary>The seat, when it is about one.</summary>
    public string? EnrolmentId { get; init; }

    /// <summary>Who asked.</summary>
    public required string UserId { get; init; }

    /// <summary>The request it came from.</summary>
    public required string CorrelationId { get; init; }

    /// <summary>A word of the schema.</summary>
    public required string State { get; init; }

    /// <summary>Why it is not verified.</summary>
    public string? Reason { get; init; }

    /// <summary>More for a person.</summary>
    public string? Detail { get; init; }

    /// <summary>Attempts so far.</summary>
    public required int Attempts { get; init; }

    /// <summary>UTC; null when none is due.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>UTC; null without one.</summary>
    public DateTimeOffset? DeadlineAt { get; init; }

    /// <summary>Whether the class side has drawn its conclusion.</summary>
    public required bool Settled { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>How many events it touches.</summary>
    public required int StepCount { get; init; }

    /// <summary>How many of them were read back and found right.</summary>
    public required int StepsVerified { get; init; }
}

/// <summary>An operation with its steps.</summary>
public sealed record OperationView : OperationSummary
{
    /// <summary>One a mirror, by slot start.</summary>
    public ImmutableArray<OperationStepView> Steps { get; init; } = [];
}

/// <summary>One event an operation touches.</summary>
public sealed record OperationStepView
{
    /// <summary>The mirror.</summary>
    public required string MirrorId { get; init; }

    /// <summary>The slot.</summary>
    public required string SlotId { get; init; }

    /// <summary>The event's id at the provider.</summary>
    public required string EventId { get; init; }

    /// <summary>The mirror version that satisfies this step.</summary>
    public required long RequiredVersion { get; init; }

    /// <summary>Whether that version was read back.</summary>
    public required bool Verified { get; init; }

    /// <summary>The mirror's state, a word of the schema.</summary>
    public required string State { get; init; }

    /// <summary>Why the mirror is not verified.</summary>
    public string? Reason { get; init; }

    /// <summary>More for a person.</summary>
    public string? Detail { get; init; }

    /// <summary>Attempts on the mirror since it was last verified.</summary>
    public required int Attempts { get; init; }

    /// <summary>UTC; null when none is due.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary><c>PRIMARY</c> or <c>SECONDARY</c>.</summary>
    public required string CalendarKind { get; init; }

    /// <summary>The provider's id of the calendar.</summary>
    public required string RemoteCalendarId { get; init; }
}

/// <summary>A message to one person.</summary>
public sealed record NoticeView
{
    /// <summary>The notice.</summary>
    public required string Id { get; init; }

    /// <summary><c>reminder</c>, <c>seat_confirmed</c>, <c>seat_failed</c>, <c>seat_cancelled</c>,
    /// <c>slot_moved</c>, <c>slot_cancelled</c>, <c>class_cancelled</c>, <c>correction</c>,
    /// <c>calendar_moved</c>, <c>calendar_lost</c>, <c>calendar_problem</c> or <c>proposal</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The class.</summary>
    public string? ClassId { get; init; }

    /// <summary>The slot.</summary>
    public string? SlotId { get; init; }

    /// <summary>The slot version the message was written for. R-CAL-17-P.</summary>
    public long? SlotVersion { get; init; }

    /// <summary>The seat.</summary>
    public string? EnrolmentId { get; init; }

    /// <summary>For the person.</summary>
    public required string Message { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset DueAt { get; init; }

    /// <summary><c>scheduled</c>, <c>cancelled</c> or <c>sent</c>.</summary>
    public required string State { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}
