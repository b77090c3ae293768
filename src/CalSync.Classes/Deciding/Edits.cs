using System.Collections.Immutable;
using System.Globalization;
using CalSync.Calendar;
using NodaTime;

namespace CalSync.Classes.Deciding;

/// <summary>Decides changes of what a class says and of one slot's times.</summary>
internal static class Edits
{
    public static Decision Update(Draft draft, ClassCommand.UpdateClass command)
    {
        var state = draft.State;
        if (Access.Teach(state, draft.Context.Actor, "change this class") is { } denied)
            return ClassDecider.Refuse(denied);
        if (Access.Fresh(command.ExpectedVersion, state.Version,
            () => Differences(state, command)) is { } stale)
        {
            return ClassDecider.Refuse(stale);
        }

        if (state.Stage != Stage.Scheduled)
            return ClassDecider.Refuse(new Refusal.ClassCancelled());

        var checks = new FieldChecks();
        var title = command.Title is null
            ? state.Title
            : checks.Line("title", command.Title, ClassLimits.TitleLengthMax, "Pottery for beginners");
        var description = command.Description is null
            ? state.Description
            : checks.Text(
                "description", command.Description, ClassLimits.DescriptionLengthMax, multiline: true);
        var location = command.Location is null
            ? state.Location
            : checks.Text("location", command.Location, ClassLimits.LocationLengthMax, multiline: false);
        var capacity = (int)checks.Number(
            "capacity", command.Capacity ?? state.Capacity, ClassLimits.CapacityMin, ClassLimits.CapacityMax,
            "12");
        if (!checks.Passed)
            return ClassDecider.Refuse(checks.Refusal);
        if (capacity < state.SeatsTaken)
            return ClassDecider.Refuse(new Refusal.CapacityBelowSeats(capacity, state.SeatsTaken));

        var saysOther = title != state.Title || description != state.Description
            || location != state.Location;
        if (!saysOther && capacity == state.Capacity)
            return draft.AlreadySo();
        draft.Add(
            new ClassEvent.Updated(title, description, location, capacity, state.Version + 1, draft.Now));
        var steps = saysOther ? draft.Want(slot => slot.Stage == Stage.Scheduled) : [];
        return steps.IsEmpty
            ? draft.Accept()
            : draft.Accept(null, draft.Open(OperationKind.ClassUpdate, steps).Id);
    }

    public static Decision Move(Draft draft, ClassCommand.MoveSlot command)
    {
        var state = draft.State;
        if (Access.Teach(state, draft.Context.Actor, "move this slot") is { } denied)
            return ClassDecider.Refuse(denied);
        if (state.FindSlot(command.SlotId) is not { } slot)
            return ClassDecider.Refuse(new Refusal.NotFound("slot"));
        if (Access.Fresh(
            command.ExpectedVersion, slot.Version, () => Differences(slot, command.To)) is { } stale)
        {
            return ClassDecider.Refuse(stale);
        }

        if (state.Stage != Stage.Scheduled)
            return ClassDecider.Refuse(new Refusal.ClassCancelled());
        if (slot.Stage is not (Stage.Scheduled or Stage.Completed))
            return ClassDecider.Refuse(new Refusal.SlotCancelled());

        var checks = new FieldChecks();
        var units = PeriodUnits.Days | PeriodUnits.AllTimeUnits;
        var keep = Period.Between(slot.Start.Local, slot.End.Local, units);
        var asked = SlotTimes.Slot(checks, "slot", command.To, slot.Start.Zone, draft.Now, keep);
        if (!checks.Passed || asked is not { } to)
            return ClassDecider.Refuse(checks.Refusal);
        if (to.Start.Instant == slot.Start.Instant && to.End.Instant == slot.End.Instant)
            return draft.AlreadySo();

        var steps = draft.Want(each => each.Id == slot.Id);
        draft.Add(new ClassEvent.SlotMoved(
            slot.Id, to.Start, to.End, slot.Version + 1, steps[0].RequiredVersion, draft.Now));
        // They name the old time. New ones are written once the calendar shows the new time.
        draft.Add(new ClassEvent.RemindersCancelled(slot.Id, EnrolmentId: null));
        return draft.Accept(null, draft.Open(OperationKind.SlotMove, steps).Id);
    }

    /// <summary>Whoever changed the slot since it was looked at goes first: it may not be over any
    /// more.</summary>
    public static Decision Complete(Draft draft, ClassCommand.CompleteSlot command)
    {
        if (Access.Product(draft.Context.Actor, "complete a slot") is { } denied)
            return ClassDecider.Refuse(denied);
        if (draft.State.FindSlot(command.SlotId) is not { } slot)
            return ClassDecider.Refuse(new Refusal.NotFound("slot"));
        if (Access.Fresh(command.ExpectedVersion, slot.Version,
            () => Cancellation.Now(slot.Stage)) is { } stale)
        {
            return ClassDecider.Refuse(stale);
        }

        if (slot.Stage != Stage.Scheduled || slot.End.Instant > draft.Now)
            return draft.AlreadySo();
        draft.Add(new ClassEvent.SlotStageChanged(slot.Id, Stage.Completed, slot.Version + 1, draft.Now));
        return draft.Accept();
    }

    private static ImmutableArray<FieldDifference> Differences(
        ClassState state, ClassCommand.UpdateClass command)
    {
        var differences = ImmutableArray.CreateBuilder<FieldDifference>();
        Compare("title", command.Title, state.Title);
        Compare("description", command.Description, state.Description);
        Compare("location", command.Location, state.Location);
        Compare("capacity", Text(command.Capacity), Text(state.Capacity));
        return differences.DrainToImmutable();

        void Compare(string field, string? asked, string? current)
        {
            if (asked is not null && asked != (current ?? ""))
                differences.Add(new FieldDifference(field, asked, current));
        }
    }

    private static ImmutableArray<FieldDifference> Differences(Slot slot, SlotDraft asked)
    {
        var start = LocalTimeText.Write(slot.Start.Local);
        var end = LocalTimeText.Write(slot.End.Local);
        return asked.End is null
            ? [new FieldDifference("start", asked.Start, start)]
            : [new FieldDifference("start", asked.Start, start), new FieldDifference("end", asked.End, end)];
    }

    private static string? Text(int? number) => number?.ToString(CultureInfo.InvariantCulture);
}
