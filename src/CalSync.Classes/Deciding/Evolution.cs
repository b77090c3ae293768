using System.Diagnostics;

namespace CalSync.Classes.Deciding;

/// <summary>Applies what was decided. Never refuses.</summary>
internal static class Evolution
{
    /// <summary>The class after one event.</summary>
    public static ClassState Apply(ClassState? before, ClassEvent happened)
    {
        if (happened is ClassEvent.Created created)
            return created.State;
        var state = before ?? throw new UnreachableException("Only a creation happens to no class.");
        return happened switch
        {
            ClassEvent.Updated e => state with
            {
                Title = e.Title,
                Description = e.Description,
                Location = e.Location,
                Capacity = e.Capacity,
                Version = e.Version,
                UpdatedAt = e.At,
            },
            ClassEvent.ClassStageChanged e =>
                state with { Stage = e.Stage, Version = e.Version, UpdatedAt = e.At },
            ClassEvent.SlotMoved e => WithSlot(state, e.SlotId, slot => slot with
            {
                Start = e.Start,
                End = e.End,
                Stage = Stage.Scheduled,
                Version = e.Version,
                WantedVersion = e.WantedVersion,
            }),
            ClassEvent.SlotStageChanged e =>
                WithSlot(state, e.SlotId, slot => slot with { Stage = e.Stage, Version = e.Version }),
            ClassEvent.CalendarWanted e => Want(state, e),
            ClassEvent.SeatOpened e => state with
            {
                Seats = state.Seats.SetItem(e.Seat.Id, e.Seat),
                SeatsTaken = state.SeatsTaken + 1,
            },
            ClassEvent.SeatChanged e => ChangeSeat(state, e.Seat),
            ClassEvent.PaymentOpened e => WithPayment(state, e.EnrolmentId, e.Payment),
            ClassEvent.PaymentChanged e => WithPayment(state, e.EnrolmentId, e.Payment),
            ClassEvent.OperationOpened e => state with
            {
                Operations = state.Operations.SetItem(e.Operation.Id, e.Operation),
            },
            ClassEvent.OperationChanged e => state with
            {
                Operations = state.Operations.SetItem(e.Operation.Id, e.Operation),
            },
            ClassEvent.ProposalDecided e => state with
            {
                Proposals = state.Proposals.SetItem(e.Proposal.Id, e.Proposal),
            },
            ClassEvent.NoticeWritten or ClassEvent.RemindersCancelled => state,
            _ => throw new UnreachableException($"Unknown event {happened.GetType().Name}."),
        };
    }

    private static ClassState ChangeSeat(ClassState state, Seat seat)
    {
        var wasLive = state.Seats[seat.Id].State.IsLive();
        return state with
        {
            Seats = state.Seats.SetItem(seat.Id, seat),
            SeatsTaken = state.SeatsTaken - (wasLive && !seat.State.IsLive() ? 1 : 0),
        };
    }

    private static ClassState WithPayment(ClassState state, string enrolmentId, Payment payment) => state with
    {
        Seats = state.Seats.SetItem(enrolmentId, state.Seats[enrolmentId] with { Payment = payment }),
    };

    private static ClassState Want(ClassState state, ClassEvent.CalendarWanted wanted)
    {
        var slots = state.Slots.ToBuilder();
        var next = 0;
        foreach (var want in wanted.Wants)
        {
            // Wants are in slot order, so one walk finds them all.
            while (!string.Equals(slots[next].Id, want.SlotId, StringComparison.Ordinal))
                next++;
            var slot = slots[next];
            slots[next] = slot with { Mirror = slot.Mirror with { DesiredVersion = want.RequiredVersion } };
        }

        return state with { Slots = slots.MoveToImmutable() };
    }

    private static ClassState WithSlot(ClassState state, string slotId, Func<Slot, Slot> change)
    {
        var slot = state.FindSlot(slotId)
            ?? throw new UnreachableException($"No slot {slotId} in {state.Id}.");
        return state with { Slots = state.Slots.Replace(slot, change(slot)) };
    }
}
