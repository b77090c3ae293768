using CalSync.Calendar;
using CalSync.Classes;
using CalSync.Sync.Mirroring;

namespace CalSync.Storage.Classes;

/// <summary>Collects what a batch decided and queues it as few statements, each row in its final
/// state.</summary>
/// <param name="now">For rows that carry no time of their own.</param>
internal sealed class ClassWriting(DateTimeOffset now)
{
    private readonly Dictionary<string, ClassState> _created = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ClassState> _changed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ClassState> _reseated = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (ClassState State, string SlotId, DateTimeOffset At)> _slots = [];
    private readonly Dictionary<string, (long Before, long Wanted, string CorrelationId)> _mirrors = [];
    private readonly Dictionary<string, (ClassState State, Seat Seat, bool Opened)> _seats = [];
    private readonly Dictionary<string, (ClassState State, string EnrolmentId, Payment Payment, bool Opened)>
        _payments = [];
    private readonly Dictionary<string, (ClassState State, Operation Operation, bool Opened)> _operations =
        [];
    private readonly List<(ClassState State, Notice Notice, DateTimeOffset At)> _notices = [];
    private readonly List<(string ClassId, string? SlotId, string? EnrolmentId)> _voidReminders = [];
    private readonly List<string> _due = [];
    private readonly List<(Proposal Proposal, string DecidedBy, DateTimeOffset At)> _proposals = [];

    public void Add(
        ClassState before, ClassEvent happened, ClassState after, string correlationId, string actorId,
        DateTimeOffset at)
    {
        switch (happened)
        {
            case ClassEvent.Created e:
                _created[e.State.Id] = e.State;
                break;
            case ClassEvent.Updated or ClassEvent.ClassStageChanged:
                _changed[after.Id] = after;
                break;
            case ClassEvent.SlotMoved e:
                _slots[e.SlotId] = (after, e.SlotId, at);
                break;
            case ClassEvent.SlotStageChanged e:
                _slots[e.SlotId] = (after, e.SlotId, at);
                break;
            case ClassEvent.CalendarWanted e:
                foreach (var want in e.Wants)
                {
                    var first = _mirrors.TryGetValue(want.MirrorId, out var known)
                        ? known.Before
                        : before.FindSlot(want.SlotId)!.Mirror.DesiredVersion;
                    _mirrors[want.MirrorId] = (first, want.RequiredVersion, correlationId);
                }

                break;
            case ClassEvent.SeatOpened e:
                _seats[e.Seat.Id] = (after, e.Seat, true);
                break;
            case ClassEvent.SeatChanged e:
                _seats[e.Seat.Id] =
                    (after, e.Seat, _seats.TryGetValue(e.Seat.Id, out var seat) && seat.Opened);
                break;
            case ClassEvent.PaymentOpened e:
                _payments[e.Payment.Id] = (after, e.EnrolmentId, e.Payment, true);
                break;
            case ClassEvent.PaymentChanged e:
                var isNew = _payments.TryGetValue(e.Payment.Id, out var payment) && payment.Opened;
                _payments[e.Payment.Id] = (after, e.EnrolmentId, e.Payment, isNew);
                break;
            case ClassEvent.OperationOpened e:
                _operations[e.Operation.Id] = (after, e.Operation, true);
                break;
            case ClassEvent.OperationChanged e:
                var opened = _operations.TryGetValue(e.Operation.Id, out var operation) && operation.Opened;
                _operations[e.Operation.Id] = (after, e.Operation, opened);
                if (e.MakeDue)
                    _due.Add(e.Operation.Id);
                break;
            case ClassEvent.ProposalDecided e:
                _proposals.Add((e.Proposal, actorId, e.At));
                break;
            case ClassEvent.NoticeWritten e:
                _notices.Add((after, e.Notice, at));
                break;
            case ClassEvent.RemindersCancelled e:
                _notices.RemoveAll(
                    each => each.Notice.Kind == NoticeKind.Reminder && each.State.Id == after.Id
                    && (e.SlotId ?? each.Notice.SlotId) == each.Notice.SlotId
                    && (e.EnrolmentId ?? each.Notice.EnrolmentId) == each.Notice.EnrolmentId);
                _voidReminders.Add((after.Id, e.SlotId, e.EnrolmentId));
                break;
        }

        if (after.SeatsTaken != before.SeatsTaken)
            _reseated[after.Id] = after;
    }

    /// <summary>Queues everything, parents before children. The classes are those after the whole
    /// batch.</summary>
    public void Queue(WriteSession session, IReadOnlyDictionary<string, ClassState> final)
    {
        QueueClasses(session, final);
        QueueCreatedSlots(session);
        QueueSlots(session, final);
        QueueSeats(session);
        QueuePayments(session);
        QueueOperations(session);
        QueueNotices(session);
        // Last: a foreign key is checked much faster against a row that this transaction has not changed yet.
        QueueMirrors(session);
        // After the mirrors, as the worker that changes both.
        QueueProposals(session);
        QueueSeatCounts(session, final);
    }

    private void QueueClasses(WriteSession session, IReadOnlyDictionary<string, ClassState> final)
    {
        foreach (var state in _created.Values)
        {
            session.Queue(
                $"""
                INSERT INTO classes ({ClassRow.Columns})
                VALUES (@Id, @TenantId, @InstructorId, @Title, @Description, @Location, @TimeZone, @Capacity,
                    0, @Conference,
                    @PriceMinor, @Currency, @State, @ContentHash, @Version, @CreatedAt, @UpdatedAt)
                """,
                Values(state));
            foreach (var schedule in state.Schedules)
            {
                session.Queue(
                    "INSERT INTO schedules (id, class_id, ordinal, rrule) VALUES (@Id, @ClassId, @Ordinal, "
                        + "@Rrule)",
                    new { schedule.Id, ClassId = state.Id, schedule.Ordinal, schedule.Rrule });
            }
        }

        foreach (var id in _changed.Keys)
        {
            session.Queue(
                """
                UPDATE classes SET title = @Title, description = @Description, location = @Location,
                    capacity = @Capacity, seats_taken = @SeatsTaken, state = @State, version = @Version,
                    updated_at = @UpdatedAt
                WHERE id = @Id
                """,
                Values(final[id]),
                expectRows: 1);
        }
    }

    private void QueueSeatCounts(WriteSession session, IReadOnlyDictionary<string, ClassState> final)
    {
        var seats = new Bulk(("id", BulkType.Text), ("seats", BulkType.Number));
        foreach (var id in _reseated.Keys.Where(id => !_changed.ContainsKey(id)))
            seats.Add(id, final[id].SeatsTaken);
        seats.Update(session, "classes", "seats_taken = [seats]", "id = [id]");
    }

    private void QueueCreatedSlots(WriteSession session)
    {
        var slots = new Bulk(
            ("id", BulkType.Text), ("class_id", BulkType.Text), ("schedule_id", BulkType.Text),
            ("start_local", BulkType.Text), ("end_local", BulkType.Text), ("time_zone", BulkType.Text),
            ("start_at", BulkType.Instant), ("end_at", BulkType.Instant), ("state", BulkType.Text),
            ("version", BulkType.Number), ("wanted_version", BulkType.Number),
            ("created_at", BulkType.Instant),
            ("updated_at", BulkType.Instant));
        var mirrors = new Bulk(
            ("id", BulkType.Text), ("tenant_id", BulkType.Text), ("slot_id", BulkType.Text),
            ("connection_id", BulkType.Text), ("calendar_id", BulkType.Text),
            ("provider_event_id", BulkType.Text),
            ("desired_version", BulkType.Number), ("state", BulkType.Text),
            ("next_attempt_at", BulkType.Instant),
            ("correlation_id", BulkType.Text), ("created_at", BulkType.Instant),
            ("updated_at", BulkType.Instant));
        foreach (var state in _created.Values)
        {
            var correlationId =
                _operations.Values.First(each => each.State.Id == state.Id).Operation.CorrelationId;
            foreach (var slot in state.Slots)
            {
                slots.Add(
                    slot.Id, state.Id, slot.ScheduleId, LocalTimeText.Write(slot.Start.Local),
                    LocalTimeText.Write(slot.End.Local), slot.Start.Zone.Id, slot.Start.Instant,
                    slot.End.Instant,
                    StateText.Of(slot.Stage), slot.Version, slot.WantedVersion, state.CreatedAt,
                    state.CreatedAt);
                mirrors.Add(
                    slot.Mirror.Id, state.TenantId, slot.Id, slot.Mirror.ConnectionId, slot.Mirror.CalendarId,
                    EventIdentity.EventId(slot.Mirror.ConnectionId, slot.Id, generation: 1),
                    slot.Mirror.DesiredVersion,
                    "pending", state.CreatedAt, correlationId, state.CreatedAt, state.CreatedAt);
            }
        }

        slots.Insert(session, "slots");
        mirrors.Insert(session, "mirrors");
    }

    private void QueueSlots(WriteSession session, IReadOnlyDictionary<string, ClassState> final)
    {
        var slots = new Bulk(
            ("id", BulkType.Text), ("start_local", BulkType.Text), ("end_local", BulkType.Text),
            ("start_at", BulkType.Instant), ("end_at", BulkType.Instant), ("state", BulkType.Text),
            ("version", BulkType.Number), ("wanted_version", BulkType.Number),
            ("updated_at", BulkType.Instant));
        foreach (var (state, slotId, at) in _slots.Values)
        {
            var slot = final[state.Id].FindSlot(slotId)!;
            slots.Add(
                slot.Id, LocalTimeText.Write(slot.Start.Local), LocalTimeText.Write(slot.End.Local),
                slot.Start.Instant,
                slot.End.Instant, StateText.Of(slot.Stage), slot.Version, slot.WantedVersion, at);
        }

        slots.Update(
            session,
            "slots",
            """
            start_local = [start_local], end_local = [end_local], start_at = [start_at], end_at = [end_at],
            state = [state], version = [version], wanted_version = [wanted_version], updated_at = [updated_at]
            """,
            "id = [id]");
    }

    private void QueueMirrors(WriteSession session)
    {
        var mirrors = new Bulk(
            ("id", BulkType.Text), ("before", BulkType.Number), ("wanted", BulkType.Number),
            ("correlation_id", BulkType.Text), ("now", BulkType.Instant));
        foreach (var (id, (before, wanted, correlationId)) in _mirrors.OrderBy(
            pair => pair.Key, StringComparer.Ordinal))
        {
            mirrors.Add(id, before, wanted, correlationId, now);
        }

        // One that is due already stays due since then: a burst changes no index. One that waits for a retry
        // keeps its back-off; a parked one is looked at again, so that the new operation learns why it has to
        // wait.
        mirrors.Update(
            session,
            "mirrors",
            """
            desired_version = [wanted], correlation_id = [correlation_id], updated_at = [now],
            state = CASE WHEN state IN ('in_flight', 'retry_wait', 'parked') THEN state ELSE 'pending' END,
            attempts = CASE WHEN state IN ('in_flight', 'retry_wait', 'parked') THEN attempts ELSE 0 END,
            next_attempt_at = CASE WHEN state = 'retry_wait' OR next_attempt_at <= [now]
                THEN COALESCE(next_attempt_at, [now]) ELSE [now] END
            """,
            "id = [id] AND desired_version = [before]");
        foreach (var operationId in _due)
        {
            session.Queue(
                """
                UPDATE mirrors SET next_attempt_at = @now, attempts = 0, updated_at = @now,
                    state = CASE WHEN state IN ('needs_attention', 'retry_wait', 'parked') THEN 'pending'
                        ELSE state END
                WHERE active AND state <> 'gone' AND id IN (
                    SELECT mirror_id FROM operation_steps WHERE operation_id = @operationId AND NOT verified)
                """,
                new { now, operationId });
        }
    }

    private void QueueSeats(WriteSession session)
    {
        var opened = new Bulk(
            ("id", BulkType.Text), ("tenant_id", BulkType.Text), ("class_id", BulkType.Text),
            ("student_id", BulkType.Text), ("calendar_email", BulkType.Text), ("state", BulkType.Text),
            ("reason", BulkType.Text), ("deadline_at", BulkType.Instant), ("version", BulkType.Number),
            ("created_at", BulkType.Instant), ("updated_at", BulkType.Instant));
        var changed = new Bulk(
            ("id", BulkType.Text), ("state", BulkType.Text), ("reason", BulkType.Text),
            ("deadline_at", BulkType.Instant), ("version", BulkType.Number),
            ("updated_at", BulkType.Instant));
        foreach (var (state, seat, isNew) in _seats.Values)
        {
            if (isNew)
            {
                opened.Add(
                    seat.Id, state.TenantId, state.Id, seat.StudentId, seat.CalendarEmail,
                    StateText.Of(seat.State),
                    seat.Reason, seat.DeadlineAt, seat.Version, seat.CreatedAt, seat.UpdatedAt);
            }
            else
            {
                changed.Add(
                    seat.Id, StateText.Of(seat.State), seat.Reason, seat.DeadlineAt, seat.Version,
                    seat.UpdatedAt);
            }
        }

        // Ended seats first: the same student may take a new one in the same batch.
        changed.Update(
            session,
            "enrolments",
            "state = [state], reason = [reason], deadline_at = [deadline_at], version = [version], "
                + "updated_at = [updated_at]",
            "id = [id]");
        opened.Insert(session, "enrolments");
    }

    private void QueuePayments(WriteSession session)
    {
        foreach (var (state, enrolmentId, payment, isNew) in _payments.Values)
        {
            session.Queue(
                isNew
                    ? """
                      INSERT INTO payments (id, tenant_id, enrolment_id, amount_minor, currency, state,
                          confirmed_by, confirmed_at, version, updated_at)
                      VALUES (@Id, @TenantId, @enrolmentId, @AmountMinor, @Currency, @State, @ConfirmedBy,
                          @ConfirmedAt, @Version, @now)
                      """
                    : """
                      UPDATE payments SET state = @State, confirmed_by = @ConfirmedBy,
                          confirmed_at = @ConfirmedAt,
                          version = @Version, updated_at = @now
                      WHERE id = @Id
                      """,
                new
                {
                    payment.Id,
                    state.TenantId,
                    enrolmentId,
                    payment.AmountMinor,
                    payment.Currency,
                    State = StateText.Of(payment.State),
                    payment.ConfirmedBy,
                    payment.ConfirmedAt,
                    payment.Version,
                    now,
                },
                expectRows: 1);
        }
    }

    private void QueueOperations(WriteSession session)
    {
        var opened = new Bulk(
            ("id", BulkType.Text), ("tenant_id", BulkType.Text), ("kind", BulkType.Text),
            ("class_id", BulkType.Text),
            ("enrolment_id", BulkType.Text), ("user_id", BulkType.Text), ("correlation_id", BulkType.Text),
            ("state", BulkType.Text), ("reason", BulkType.Text), ("next_attempt_at", BulkType.Instant),
            ("deadline_at", BulkType.Instant), ("settled", BulkType.Flag), ("created_at", BulkType.Instant),
            ("updated_at", BulkType.Instant));
        var steps = new Bulk(
            ("operation_id", BulkType.Text), ("mirror_id", BulkType.Text),
            ("required_version", BulkType.Number));
        var changed = new Bulk(
            ("id", BulkType.Text), ("state", BulkType.Text), ("reason", BulkType.Text),
            ("settled", BulkType.Flag),
            ("now", BulkType.Instant));
        foreach (var (state, operation, isNew) in _operations.Values)
        {
            if (!isNew)
            {
                changed.Add(
                    operation.Id, StateText.Of(operation.State), operation.Reason, operation.Settled, now);
                continue;
            }

            opened.Add(
                operation.Id, state.TenantId, operation.Kind, state.Id, operation.EnrolmentId,
                operation.UserId, operation.CorrelationId, StateText.Of(operation.State), operation.Reason,
                operation.Settled ? null : operation.CreatedAt, operation.DeadlineAt, operation.Settled,
                operation.CreatedAt, operation.CreatedAt);
            foreach (var step in operation.Steps)
                steps.Add(operation.Id, step.MirrorId, step.RequiredVersion);
        }

        opened.Insert(session, "operations");
        steps.Insert(session, "operation_steps");
        changed.Update(
            session, "operations",
            "state = [state], reason = [reason], settled = [settled], updated_at = [now]", "id = [id]");
    }

    private void QueueNotices(WriteSession session)
    {
        foreach (var (classId, slotId, enrolmentId) in _voidReminders)
        {
            session.Queue(
                """
                UPDATE notices SET state = 'cancelled', updated_at = @now
                WHERE class_id = @classId AND kind = 'reminder' AND state = 'scheduled'
                    AND slot_id = COALESCE(@slotId, slot_id)
                        AND enrolment_id = COALESCE(@enrolmentId, enrolment_id)
                """,
                new { now, classId, slotId, enrolmentId });
        }

        var notices = new Bulk(
            ("id", BulkType.Text), ("tenant_id", BulkType.Text), ("user_id", BulkType.Text),
            ("kind", BulkType.Text),
            ("class_id", BulkType.Text), ("slot_id", BulkType.Text), ("slot_version", BulkType.NumberOrNull),
            ("enrolment_id", BulkType.Text), ("message", BulkType.Text), ("due_at", BulkType.Instant),
            ("state", BulkType.Text), ("dedupe_key", BulkType.Text), ("created_at", BulkType.Instant),
            ("updated_at", BulkType.Instant));
        foreach (var (state, notice, at) in _notices)
        {
            notices.Add(
                notice.Id, state.TenantId, notice.UserId, notice.Kind, state.Id, notice.SlotId,
                notice.SlotVersion, notice.EnrolmentId, notice.Message, notice.DueAt,
                // Being in the person's list is being delivered; only what is due later can still be taken
                // back.
                notice.DueAt <= at ? "sent" : "scheduled", notice.DedupeKey, at, at);
        }

        notices.Insert(session, "notices", "ON CONFLICT (dedupe_key) DO NOTHING");
    }

    private void QueueProposals(WriteSession session)
    {
        foreach (var (proposal, decidedBy, at) in _proposals)
        {
            // One that the calendar has changed meanwhile stays: the slot's new version makes it moot, or it
            // is asked again.
            session.Queue(
                """
                UPDATE proposals SET state = @State, version = @Version, decided_by = @decidedBy,
                    decided_at = @at, updated_at = @at
                WHERE id = @Id AND version = @Version - 1
                """,
                new { proposal.Id, State = StateText.Of(proposal.State), proposal.Version, decidedBy, at });
        }
    }

    private static object Values(ClassState state) => new
    {
        state.Id,
        state.TenantId,
        state.InstructorId,
        state.Title,
        state.Description,
        state.Location,
        state.TimeZone,
        state.Capacity,
        state.SeatsTaken,
        state.Conference,
        state.PriceMinor,
        state.Currency,
        State = StateText.Of(state.Stage),
        state.ContentHash,
        state.Version,
        state.CreatedAt,
        state.UpdatedAt,
    };
}
