namespace CalSync.Classes.Deciding;

/// <summary>
/// Draws conclusions from what became of an operation: a seat is active, taken back or freed, a class is
/// cancelled.
/// </summary>
internal static class Settlement
{
    public static Decision Settle(Draft draft, ClassCommand.SettleOperation command)
    {
        if (Access.Product(draft.Context.Actor, "settle an operation") is { } denied)
            return ClassDecider.Refuse(denied);
        if (!draft.State.Operations.TryGetValue(command.OperationId, out var operation))
            return ClassDecider.Refuse(new Refusal.NotFound("operation"));
        if (operation.Settled)
            return draft.AlreadySo(operation.EnrolmentId, operation.Id);
        switch (operation.State)
        {
            case OperationState.Verified:
                Succeed(draft, operation);
                draft.Settle(operation);
                return draft.Accept(operation.EnrolmentId, operation.Id);
            case OperationState.NeedsAttention:
                Stick(draft, operation);
                return draft.Accept(operation.EnrolmentId, operation.Id);
            case OperationState.Unverified when WaitingSeat(draft, operation) is { } seat:
                // Not read back, so not active; kept, and settled once verification is on again.
                draft.Change(seat, SeatState.ActiveWithoutCalendar, "unverified");
                Seating.OpenPayment(draft, seat.Id);
                return draft.Accept(seat.Id, operation.Id);
            case OperationState.Compensating or OperationState.Compensated or OperationState.Abandoned:
                draft.Settle(operation);
                return draft.Accept(operation.EnrolmentId, operation.Id);
            default:
                return operation.IsOpen && WaitingSeat(draft, operation) is { DeadlineAt: { } deadline } late
                    && deadline <= draft.Now
                    ? Overdue(draft, operation, late)
                    : draft.AlreadySo(operation.EnrolmentId, operation.Id);
        }
    }

    public static Decision Fail(Draft draft, ClassCommand.FailEnrolment command)
    {
        if (Access.Product(draft.Context.Actor, "fail an enrolment") is { } denied)
            return ClassDecider.Refuse(denied);
        if (!draft.State.Seats.TryGetValue(command.EnrolmentId, out var seat))
            return ClassDecider.Refuse(new Refusal.NotFound("enrolment"));
        var operation = draft.State.Operations.Values.FirstOrDefault(
            each =>
                each.EnrolmentId == seat.Id && each.Kind == OperationKind.EnrolmentCreate && !each.Settled);
        // Verified in the meantime: the settling of the operation is about to make it active.
        if (seat.State != SeatState.PendingCalendar
            || operation is null or { State: OperationState.Verified })
        {
            return draft.AlreadySo(seat.Id, operation?.Id);
        }

        return draft.Accept(seat.Id, RollBack(draft, seat, operation, command.Reason).Id);
    }

    public static Decision Retry(Draft draft, ClassCommand.RetryOperation command)
    {
        if (Access.Operate(draft.State, draft.Context.Actor, "retry an operation") is { } denied)
            return ClassDecider.Refuse(denied);
        if (!draft.State.Operations.TryGetValue(command.OperationId, out var operation))
            return ClassDecider.Refuse(new Refusal.NotFound("operation"));
        if (!operation.IsOpen)
            return ClassDecider.Refuse(new Refusal.OperationNotOpen(StateText.Of(operation.State)));
        var again = operation with { State = OperationState.Pending, Reason = null, Settled = false };
        draft.Add(new ClassEvent.OperationChanged(again, MakeDue: true));
        return draft.Accept(operation.EnrolmentId, operation.Id);
    }

    public static Decision Abandon(Draft draft, ClassCommand.AbandonOperation command)
    {
        if (Access.Operate(draft.State, draft.Context.Actor, "abandon an operation") is { } denied)
            return ClassDecider.Refuse(denied);
        if (!draft.State.Operations.TryGetValue(command.OperationId, out var operation))
            return ClassDecider.Refuse(new Refusal.NotFound("operation"));
        var checks = new FieldChecks();
        var reason = checks.Line("reason", command.Reason, ClassLimits.ReasonLengthMax, "entered by hand");
        if (!checks.Passed)
            return ClassDecider.Refuse(checks.Refusal);
        if (!operation.IsOpen)
            return ClassDecider.Refuse(new Refusal.OperationNotOpen(StateText.Of(operation.State)));

        draft.Settle(operation, OperationState.Abandoned, reason);
        switch (operation.Kind)
        {
            case OperationKind.EnrolmentCreate when WaitingSeat(draft, operation) is { } seat:
                draft.Change(seat, SeatState.NeedsAttention, reason);
                break;
            case OperationKind.EnrolmentCancel or OperationKind.EnrolmentRollBack:
                FinishLeaving(draft, draft.State.Seats[operation.EnrolmentId!], operation);
                break;
            case OperationKind.SlotCancel:
                FinishSlot(draft, operation);
                break;
            case OperationKind.ClassCancel:
                FinishClass(draft);
                break;
        }

        return draft.Accept(operation.EnrolmentId, operation.Id);
    }

    /// <summary>The seat is free: its student is off every event, or a person said so.</summary>
    public static void FinishLeaving(Draft draft, Seat seat, Operation operation)
    {
        if (seat.State == SeatState.RollingBack)
        {
            draft.Change(seat, SeatState.FailedRolledBack, seat.Reason);
            foreach (var undone in draft.State.Operations.Values.Where(
                each => each.EnrolmentId == seat.Id && each.State == OperationState.Compensating))
            {
                draft.Settle(undone, OperationState.Compensated);
            }

            Notices.SeatFailed(draft, seat, operation.CorrelationId);
        }
        else if (seat.State == SeatState.Cancelling)
        {
            draft.Change(seat, SeatState.Cancelled, seat.Reason);
            Notices.SeatCancelled(draft, seat);
        }

        Notices.TakeBack(draft, seat);
    }

    /// <summary>The class is cancelled with all its slots and seats. R-CAL-13-B, R-CAL-16-B.</summary>
    public static void FinishClass(Draft draft)
    {
        foreach (var slot in draft.State.Slots.Where(slot => slot.Stage == Stage.Cancelling))
            draft.Add(new ClassEvent.SlotStageChanged(slot.Id, Stage.Cancelled, slot.Version + 1, draft.Now));
        foreach (var seat in draft.State.Seats.Values.Where(seat => seat.State.IsLive())
            .OrderBy(seat => seat.Id))
        {
            var rolledBack = seat.State == SeatState.RollingBack;
            draft.Change(seat, rolledBack ? SeatState.FailedRolledBack : SeatState.Cancelled, seat.Reason);
            Notices.ClassCancelled(draft, seat);
        }

        if (draft.State.Stage == Stage.Cancelling)
            draft.Add(new ClassEvent.ClassStageChanged(Stage.Cancelled, draft.State.Version + 1, draft.Now));
    }

    private static void Succeed(Draft draft, Operation operation)
    {
        switch (operation.Kind)
        {
            case OperationKind.EnrolmentCreate:
                var seat = draft.State.Seats[operation.EnrolmentId!];
                if (seat.State is SeatState.PendingCalendar or SeatState.ActiveWithoutCalendar
                    or SeatState.NeedsAttention)
                {
                    draft.Change(seat, SeatState.Active, null);
                    Seating.OpenPayment(draft, seat.Id);
                    Notices.SeatConfirmed(draft, seat);
                }

                break;
            case OperationKind.EnrolmentCancel or OperationKind.EnrolmentRollBack:
                FinishLeaving(draft, draft.State.Seats[operation.EnrolmentId!], operation);
                break;
            case OperationKind.SlotMove:
                Notices.SlotMoved(draft, operation.SlotId!);
                break;
            case OperationKind.SlotCancel:
                FinishSlot(draft, operation);
                break;
            case OperationKind.ClassCancel:
                FinishClass(draft);
                break;
        }
    }

    /// <summary>It will not come right by itself.</summary>
    private static void Stick(Draft draft, Operation operation)
    {
        Notices.CalendarProblem(draft, operation);
        if (operation.Kind == OperationKind.EnrolmentCreate
            && draft.State.Seats[operation.EnrolmentId!] is { State: SeatState.PendingCalendar } seat)
        {
            RollBack(draft, seat, operation, operation.Reason ?? "needs_attention");
        }

        // Everything else stays as it is and unsettled: a person retries or abandons it, or a later write to
        // the same events brings it right after all.
    }

    private static Decision Overdue(Draft draft, Operation operation, Seat seat)
    {
        if (operation.State == OperationState.Parked)
        {
            // Waiting for the owner's consent is not the student's failure: the seat is kept. R-CAL-01-B.
            draft.Change(
                seat, SeatState.PendingCalendar, operation.Reason,
                draft.Now + draft.Context.Options.SeatDeadline);
            return draft.Accept(seat.Id, operation.Id);
        }

        return draft.Accept(seat.Id, RollBack(draft, seat, operation, "deadline").Id);
    }

    private static Operation RollBack(Draft draft, Seat seat, Operation failed, string reason)
    {
        draft.Settle(failed, OperationState.Compensating, reason);
        return Cancellation.Leave(
            draft, seat, SeatState.RollingBack, reason, OperationKind.EnrolmentRollBack, failed);
    }

    private static void FinishSlot(Draft draft, Operation operation)
    {
        if (draft.State.FindSlot(operation.SlotId!) is not { Stage: Stage.Cancelling } slot)
            return;
        draft.Add(new ClassEvent.SlotStageChanged(slot.Id, Stage.Cancelled, slot.Version + 1, draft.Now));
        Notices.SlotCancelled(draft, slot);
    }

    private static Seat? WaitingSeat(Draft draft, Operation operation) =>
        operation.Kind == OperationKind.EnrolmentCreate
        && draft.State.Seats[operation.EnrolmentId!] is { State: SeatState.PendingCalendar } seat
            ? seat
            : null;
}
