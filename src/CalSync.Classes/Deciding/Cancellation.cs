using System.Collections.Immutable;

namespace CalSync.Classes.Deciding;

/// <summary>Decides that a slot, a class or a seat goes. Nothing is cancelled before the provider confirmed
/// it.</summary>
internal static class Cancellation
{
    public static Decision Slot(Draft draft, ClassCommand.CancelSlot command)
    {
        var state = draft.State;
        if (Access.Teach(state, draft.Context.Actor, "cancel this slot") is { } denied)
            return ClassDecider.Refuse(denied);
        if (state.FindSlot(command.SlotId) is not { } slot)
            return ClassDecider.Refuse(new Refusal.NotFound("slot"));
        if (Access.Fresh(command.ExpectedVersion, slot.Version, () => Now(slot.Stage)) is { } stale)
            return ClassDecider.Refuse(stale);
        if (slot.Stage is Stage.Cancelling or Stage.Cancelled)
            return draft.AlreadySo();

        var steps = draft.Want(each => each.Id == slot.Id);
        draft.Add(new ClassEvent.SlotStageChanged(slot.Id, Stage.Cancelling, slot.Version + 1, draft.Now));
        draft.Add(new ClassEvent.RemindersCancelled(slot.Id, EnrolmentId: null));
        return draft.Accept(null, draft.Open(OperationKind.SlotCancel, steps).Id);
    }

    public static Decision Class(Draft draft, ClassCommand.CancelClass command)
    {
        var state = draft.State;
        if (Access.Teach(state, draft.Context.Actor, "cancel this class") is { } denied)
            return ClassDecider.Refuse(denied);
        if (Access.Fresh(command.ExpectedVersion, state.Version, () => Now(state.Stage)) is { } stale)
            return ClassDecider.Refuse(stale);
        if (state.Stage != Stage.Scheduled)
            return draft.AlreadySo();

        // What was still to come onto the calendar is overtaken: everything goes.
        foreach (var operation in state.Operations.Values.Where(Overtaken))
            draft.Settle(operation, OperationState.Abandoned, "class_cancelled");
        draft.Add(new ClassEvent.ClassStageChanged(Stage.Cancelling, state.Version + 1, draft.Now));
        draft.Want(slot => slot.Stage == Stage.Scheduled);
        foreach (var slot in draft.State.Slots.Where(slot => slot.Stage == Stage.Scheduled))
        {
            draft.Add(
                new ClassEvent.SlotStageChanged(slot.Id, Stage.Cancelling, slot.Version + 1, draft.Now));
        }

        foreach (var seat in draft.State.Seats.Values.Where(seat => seat.State.IsAttending()))
            draft.Change(seat, SeatState.Cancelling, "class_cancelled");
        draft.Add(new ClassEvent.RemindersCancelled(SlotId: null, EnrolmentId: null));

        var operation2 = draft.Open(OperationKind.ClassCancel, Steps(draft.State));
        if (!operation2.Steps.IsEmpty)
            return draft.Accept(null, operation2.Id);
        // Every slot had gone before: nothing is left for the provider to confirm.
        Settlement.FinishClass(draft);
        draft.Settle(operation2, OperationState.Verified);
        return draft.Accept(null, operation2.Id);
    }

    public static Decision Seat(Draft draft, ClassCommand.CancelSeat command)
    {
        var state = draft.State;
        if (!state.Seats.TryGetValue(command.EnrolmentId, out var seat))
            return ClassDecider.Refuse(new Refusal.NotFound("enrolment"));
        if (Access.Sit(state, seat, draft.Context.Actor, "cancel this seat") is { } denied)
            return ClassDecider.Refuse(denied);
        if (Access.Fresh(command.ExpectedVersion, seat.Version, () => Now(seat.State)) is { } stale)
            return ClassDecider.Refuse(stale);
        if (!seat.State.IsAttending())
            return draft.AlreadySo(seat.Id);

        foreach (var open in state.Operations.Values.Where(
            each =>
                each.EnrolmentId == seat.Id && each.Kind == OperationKind.EnrolmentCreate && !each.Settled))
        {
            draft.Settle(open, OperationState.Abandoned, "seat_cancelled");
        }

        var operation = Leave(
            draft, seat, SeatState.Cancelling, "seat_cancelled", OperationKind.EnrolmentCancel);
        return draft.Accept(seat.Id, operation.Id);
    }

    /// <summary>Takes a student off every event; the seat is freed once that is verified.</summary>
    public static Operation Leave(
        Draft draft, Seat seat, SeatState to, string reason, string kind, Operation? cause = null)
    {
        draft.Change(seat, to, reason);
        draft.Add(new ClassEvent.RemindersCancelled(SlotId: null, seat.Id));
        draft.Want(slot => slot.Stage == Stage.Scheduled);
        var operation = draft.Open(
            kind, Steps(draft.State), seat.Id, null, cause?.CorrelationId, cause?.UserId);
        if (operation.Steps.IsEmpty)
        {
            Settlement.FinishLeaving(draft, draft.State.Seats[seat.Id], operation);
            draft.Settle(operation, OperationState.Verified);
        }

        return operation;
    }

    /// <summary>Every event that is still to be written, at what is now wanted of it. Those of the past stay
    /// as they are.</summary>
    private static ImmutableArray<OperationStep> Steps(ClassState state) =>
    [
        .. state.Slots.Where(slot => slot.Stage is Stage.Scheduled or Stage.Cancelling)
            .Select(slot => new OperationStep(slot.Id, slot.Mirror.Id, slot.Mirror.DesiredVersion)),
    ];

    private static bool Overtaken(Operation operation) => !operation.Settled && operation.Kind
        is OperationKind.ClassCreate or OperationKind.ClassUpdate or OperationKind.SlotMove
        or OperationKind.EnrolmentCreate;

    internal static ImmutableArray<FieldDifference> Now(Stage stage) =>
        [new FieldDifference("state", null, StateText.Of(stage))];

    private static ImmutableArray<FieldDifference> Now(SeatState state) =>
        [new FieldDifference("state", null, StateText.Of(state))];
}
