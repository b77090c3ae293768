using System.Text.Json;
using System.Text.Json.Serialization;
using CalSync.Calendar;
using CalSync.Classes;
using CalSync.Sync.Journal;

namespace CalSync.Storage.Classes;

/// <summary>Turns what was decided into journal entries: who, when, what, why, before and after.
/// R-CAL-11-P.</summary>
internal sealed class ClassJournal(WriteSession session, Actor actor, string correlationId, DateTimeOffset at)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly List<object> _notices = [];

    public void Add(ClassState before, ClassEvent happened, ClassState after)
    {
        switch (happened)
        {
            case ClassEvent.Created e:
                Created(e.State);
                break;
            case ClassEvent.Updated:
                Write(after, "class.updated", "class", after.Id, Words(before), Words(after));
                break;
            case ClassEvent.ClassStageChanged e:
                Write(
                    after, $"class.{StateText.Of(e.Stage)}", "class", after.Id, Words(before), Words(after));
                break;
            case ClassEvent.SlotMoved e:
                Slot(before, after, e.SlotId, "slot.moved");
                break;
            case ClassEvent.SlotStageChanged e:
                Slot(before, after, e.SlotId, $"slot.{StateText.Of(e.Stage)}");
                break;
            case ClassEvent.SeatChanged e:
                var kind = $"enrolment.{StateText.Of(e.Seat.State)}";
                Write(after, kind, "enrolment", e.Seat.Id, Words(before.Seats[e.Seat.Id]), Words(e.Seat));
                break;
            case ClassEvent.PaymentOpened e:
                Write(
                    after, "payment.opened", "payment", e.Payment.Id, null, Words(e.EnrolmentId, e.Payment));
                break;
            case ClassEvent.PaymentChanged e:
                var was = before.Seats[e.EnrolmentId].Payment!;
                Write(
                    after,
                    $"payment.{StateText.Of(e.Payment.State)}",
                    "payment",
                    e.Payment.Id,
                    Words(e.EnrolmentId, was),
                    Words(e.EnrolmentId, e.Payment));
                break;
            case ClassEvent.OperationOpened e:
                Opened(after, e.Operation);
                break;
            case ClassEvent.OperationChanged e:
                Changed(before.Operations[e.Operation.Id], e.Operation, after);
                break;
            case ClassEvent.ProposalDecided e:
                Write(
                    after, $"proposal.{StateText.Of(e.Proposal.State)}", "proposal", e.Proposal.Id,
                    Words(before.Proposals[e.Proposal.Id]), Words(e.Proposal));
                break;
            case ClassEvent.NoticeWritten e:
                _notices.Add(
                    new { e.Notice.Id, e.Notice.Kind, e.Notice.UserId, e.Notice.SlotId, e.Notice.DueAt });
                break;
            case ClassEvent.RemindersCancelled e:
                Write(after, "reminders.cancelled", "class", after.Id, null, new { e.SlotId, e.EnrolmentId });
                break;
        }
    }

    /// <summary>Writes what belongs together: one entry for all the notices of one decision.</summary>
    public void End(ClassState after)
    {
        if (_notices.Count > 0)
            Write(after, "notices.written", "class", after.Id, null, new { Notices = _notices });
    }

    private void Created(ClassState state)
    {
        Write(state, "class.created", "class", state.Id, null, Words(state));
        foreach (var slot in state.Slots)
            Write(state, "slot.created", "slot", slot.Id, null, Words(slot));
    }

    private void Opened(ClassState after, Operation operation)
    {
        // A seat and the operation that carries it are one fact; the way back is named before anything is
        // written.
        if (operation.Kind == OperationKind.EnrolmentCreate)
        {
            var seat = after.Seats[operation.EnrolmentId!];
            Write(after, "enrolment.opened", "enrolment", seat.Id, null, new
            {
                seat.StudentId,
                seat.CalendarEmail,
                State = StateText.Of(seat.State),
                seat.DeadlineAt,
                OperationId = operation.Id,
                Steps = Steps(operation),
                Compensation = OperationKind.EnrolmentRollBack,
            });
            return;
        }

        Write(after, "operation.opened", "operation", operation.Id, null, new
        {
            operation.Kind,
            operation.EnrolmentId,
            Steps = Steps(operation),
        });
    }

    private void Changed(Operation before, Operation operation, ClassState after)
    {
        if (before.State != operation.State)
        {
            Write(
                after,
                $"operation.{StateText.Of(operation.State)}",
                "operation",
                operation.Id,
                new { State = StateText.Of(before.State), before.Reason },
                new { State = StateText.Of(operation.State), operation.Reason });
        }
    }

    private void Slot(ClassState before, ClassState after, string slotId, string kind) =>
        Write(after, kind, "slot", slotId, Words(before.FindSlot(slotId)!), Words(after.FindSlot(slotId)!));

    private void Write(
        ClassState state, string kind, string subjectKind, string subjectId, object? before, object? after)
    {
        session.Journal(new JournalEntry(
            at,
            state.TenantId,
            actor.UserId,
            actor.Role == Role.System ? "saga" : "request",
            correlationId,
            kind,
            subjectKind,
            subjectId,
            state.Id,
            before is null ? null : JsonSerializer.Serialize(before, Json),
            after is null ? null : JsonSerializer.Serialize(after, Json)));
    }

    private static IEnumerable<object> Steps(Operation operation) =>
        operation.Steps.Select(step => (object)new { step.SlotId, step.MirrorId, step.RequiredVersion });

    private static object Words(ClassState state) => new
    {
        state.Title,
        state.Description,
        state.Location,
        state.TimeZone,
        state.Capacity,
        State = StateText.Of(state.Stage),
        state.Version,
    };

    private static object Words(Slot slot) => new
    {
        Start = slot.Start.ToRfc3339(),
        End = slot.End.ToRfc3339(),
        StartLocal = LocalTimeText.Write(slot.Start.Local),
        EndLocal = LocalTimeText.Write(slot.End.Local),
        TimeZone = slot.Start.Zone.Id,
        State = StateText.Of(slot.Stage),
        slot.Version,
        // Shown by the calendar once the mirror is verified at this version or a later one.
        slot.WantedVersion,
        MirrorId = slot.Mirror.Id,
    };

    private static object Words(Proposal proposal) => new
    {
        Kind = StateText.Of(proposal.Kind),
        State = StateText.Of(proposal.State),
        proposal.SlotId,
        ToStart = proposal.Start?.ToRfc3339(),
        ToEnd = proposal.End?.ToRfc3339(),
        proposal.Version,
    };

    private static object Words(Seat seat) => new
    {
        State = StateText.Of(seat.State),
        seat.Reason,
        seat.DeadlineAt,
        seat.Version,
    };

    private static object Words(string enrolmentId, Payment payment) => new
    {
        EnrolmentId = enrolmentId,
        State = StateText.Of(payment.State),
        payment.AmountMinor,
        payment.Currency,
        payment.ConfirmedBy,
    };
}
