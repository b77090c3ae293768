using CalSync.Calendar;
using CalSync.Classes;

namespace CalSync.Storage.Classes;

/// <summary>A row of <c>classes</c>.</summary>
internal sealed record ClassRow
{
    public const string Columns =
        """
        id, tenant_id, instructor_id, title, description, location, time_zone, capacity, seats_taken,
        conference, price_minor, currency, state, content_hash, version, created_at, updated_at
        """;

    public string Id { get; init; } = "";

    public string TenantId { get; init; } = "";

    public string InstructorId { get; init; } = "";

    public string Title { get; init; } = "";

    public string? Description { get; init; }

    public string? Location { get; init; }

    public string TimeZone { get; init; } = "";

    public int Capacity { get; init; }

    public int SeatsTaken { get; init; }

    public bool Conference { get; init; }

    public long PriceMinor { get; init; }

    public string Currency { get; init; } = "";

    public string State { get; init; } = "";

    public string ContentHash { get; init; } = "";

    public long Version { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset UpdatedAt { get; init; }

    public ClassState ToState() => new()
    {
        Id = Id,
        TenantId = TenantId,
        InstructorId = InstructorId,
        Title = Title,
        Description = Description,
        Location = Location,
        TimeZone = TimeZone,
        Capacity = Capacity,
        SeatsTaken = SeatsTaken,
        Conference = Conference,
        PriceMinor = PriceMinor,
        Currency = Currency,
        Stage = StateText.StageOf(State),
        ContentHash = ContentHash,
        Version = Version,
        CreatedAt = CreatedAt,
        UpdatedAt = UpdatedAt,
    };
}

/// <summary>A row of <c>slots</c> with its active mirror.</summary>
internal sealed record SlotRow
{
    public const string Select =
        """
        SELECT s.id, s.class_id, s.schedule_id, s.time_zone, s.start_at, s.end_at, s.state, s.version,
            s.wanted_version,
            m.id AS mirror_id, m.connection_id, m.calendar_id, m.desired_version, m.verified_version
        FROM slots s LEFT JOIN mirrors m ON m.slot_id = s.id AND m.active
        """;

    public string Id { get; init; } = "";

    public string ClassId { get; init; } = "";

    public string ScheduleId { get; init; } = "";

    public string TimeZone { get; init; } = "";

    public DateTimeOffset StartAt { get; init; }

    public DateTimeOffset EndAt { get; init; }

    public string State { get; init; } = "";

    public long Version { get; init; }

    public long WantedVersion { get; init; }

    public string? MirrorId { get; init; }

    public string? ConnectionId { get; init; }

    public string? CalendarId { get; init; }

    public long? DesiredVersion { get; init; }

    public long? VerifiedVersion { get; init; }

    public Slot ToSlot()
    {
        var zone = ZoneOf(TimeZone);
        return new Slot(
            Id,
            ScheduleId,
            ZonedTime.FromInstant(StartAt, zone),
            ZonedTime.FromInstant(EndAt, zone),
            StateText.StageOf(State),
            Version,
            WantedVersion,
            new SlotMirror(
                MirrorId ?? "", ConnectionId ?? "", CalendarId ?? "", DesiredVersion ?? 0,
                VerifiedVersion ?? 0));
    }

    public static CalendarZone ZoneOf(string name) => CalendarZone.Resolve(name) is ZoneResolution.Found found
        ? found.Zone
        : throw new FormatException($"'{name}' is no stored zone.");
}

/// <summary>A row of <c>proposals</c> in its slot's zone.</summary>
internal sealed record ProposalRow
{
    public const string Select =
        """
        SELECT p.id, p.class_id, p.slot_id, p.kind, p.state, p.to_start, p.to_end, p.slot_version, p.version,
            s.time_zone
        FROM proposals p JOIN slots s ON s.id = p.slot_id
        """;

    public string Id { get; init; } = "";

    public string ClassId { get; init; } = "";

    public string SlotId { get; init; } = "";

    public string Kind { get; init; } = "";

    public string State { get; init; } = "";

    public DateTimeOffset? ToStart { get; init; }

    public DateTimeOffset? ToEnd { get; init; }

    public long SlotVersion { get; init; }

    public long Version { get; init; }

    public string TimeZone { get; init; } = "";

    public Proposal ToProposal()
    {
        var zone = SlotRow.ZoneOf(TimeZone);
        ZonedTime? At(DateTimeOffset? moment) =>
            moment is { } instant ? ZonedTime.FromInstant(instant, zone) : null;
        return new Proposal(
            Id, SlotId, StateText.ProposalKindOf(Kind), StateText.ProposalOf(State), At(ToStart), At(ToEnd),
            SlotVersion, Version);
    }
}

/// <summary>A row of <c>enrolments</c> with its payment.</summary>
internal sealed record SeatRow
{
    public const string Select =
        """
        SELECT e.id, e.class_id, e.student_id, e.calendar_email, e.state, e.reason, e.deadline_at, e.version,
            e.created_at, e.updated_at, p.id AS payment_id, p.amount_minor, p.currency,
            p.state AS payment_state, p.confirmed_by, p.confirmed_at, p.version AS payment_version
        """;

    public const string From = " FROM enrolments e ";

    public const string Payment = " LEFT JOIN payments p ON p.enrolment_id = e.id ";

    public string Id { get; init; } = "";

    public string ClassId { get; init; } = "";

    public string StudentId { get; init; } = "";

    public string CalendarEmail { get; init; } = "";

    public string State { get; init; } = "";

    public string? Reason { get; init; }

    public DateTimeOffset? DeadlineAt { get; init; }

    public long Version { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset UpdatedAt { get; init; }

    public string? PaymentId { get; init; }

    public long? AmountMinor { get; init; }

    public string? Currency { get; init; }

    public string? PaymentState { get; init; }

    public string? ConfirmedBy { get; init; }

    public DateTimeOffset? ConfirmedAt { get; init; }

    public long? PaymentVersion { get; init; }

    public Seat ToSeat() => new(
        Id,
        StudentId,
        CalendarEmail,
        StateText.SeatOf(State),
        Reason,
        DeadlineAt,
        Version,
        CreatedAt,
        UpdatedAt,
        PaymentId is null
            ? null
            : new Payment(
                PaymentId,
                AmountMinor!.Value,
                Currency!,
                StateText.PaymentOf(PaymentState!),
                ConfirmedBy,
                ConfirmedAt,
                PaymentVersion!.Value));
}

/// <summary>A row of <c>operations</c>.</summary>
internal sealed record OperationRow
{
    public const string Select =
        """
        SELECT o.id, o.kind, o.class_id, o.enrolment_id, o.user_id, o.correlation_id, o.state, o.reason,
            o.deadline_at, o.settled, o.created_at,
            CASE WHEN o.kind IN ('slot.move', 'slot.cancel') THEN
                (SELECT m.slot_id FROM operation_steps t JOIN mirrors m ON m.id = t.mirror_id
                 WHERE t.operation_id = o.id LIMIT 1) END AS slot_id
        FROM operations o
        """;

    public string Id { get; init; } = "";

    public string Kind { get; init; } = "";

    public string ClassId { get; init; } = "";

    public string? EnrolmentId { get; init; }

    public string UserId { get; init; } = "";

    public string CorrelationId { get; init; } = "";

    public string State { get; init; } = "";

    public string? Reason { get; init; }

    public DateTimeOffset? DeadlineAt { get; init; }

    public bool Settled { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public string? SlotId { get; init; }

    public Operation ToOperation() => new(
        Id,
        Kind,
        EnrolmentId,
        UserId,
        CorrelationId,
        StateText.OperationOf(State),
        Reason,
        DeadlineAt,
        Settled,
        CreatedAt,
        SlotId,
        []);
}

/// <summary>What else a decision needs, one row each.</summary>
internal sealed record PersonRow
{
    public string Id { get; init; } = "";

    public string TenantId { get; init; } = "";

    public string Role { get; init; } = "";

    public string CalendarEmail { get; init; } = "";

    public bool CalendarEmailVerified { get; init; }
}

/// <summary>The calendar an instructor selected.</summary>
internal sealed record TargetRow
{
    public string UserId { get; init; } = "";

    public string ConnectionId { get; init; } = "";

    public string CalendarId { get; init; } = "";
}

/// <summary>A class made minutes ago.</summary>
internal sealed record RecentRow
{
    public string Id { get; init; } = "";

    public string InstructorId { get; init; } = "";

    public string ContentHash { get; init; } = "";

    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A reminder that was sent and may hold no more.</summary>
internal sealed record RemindedRow
{
    public string SlotId { get; init; } = "";

    public string EnrolmentId { get; init; } = "";
}

/// <summary>A row of <c>idempotency_keys</c>.</summary>
internal sealed record KeyRow
{
    public string TenantId { get; init; } = "";

    public string UserId { get; init; } = "";

    public string Route { get; init; } = "";

    public string Key { get; init; } = "";

    public string Fingerprint { get; init; } = "";

    public int? Status { get; init; }

    public string? Headers { get; init; }

    public string? Body { get; init; }

    public string? ClassId { get; init; }

    public string? EnrolmentId { get; init; }

    public string? OperationId { get; init; }

    public DateTimeOffset LeaseUntil { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }
}
