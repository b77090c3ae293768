using System.Collections.Immutable;
using CalSync.Classes.People;

namespace CalSync.Classes.Deciding;

/// <summary>Decides that somebody takes a seat, and that it was paid for.</summary>
internal static class Seating
{
    public static Decision Enrol(Draft draft, ClassCommand.Enrol command)
    {
        var (state, context) = (draft.State, draft.Context);
        var actor = context.Actor;
        var forSelf = command.StudentId is null || Access.Is(actor, command.StudentId);
        if (actor.Role == Role.Student && !forSelf)
            return ClassDecider.Refuse(new Refusal.Forbidden("enrol somebody else"));
        if (actor.Role != Role.Student && Access.Teach(state, actor, "enrol a student") is { } denied)
            return ClassDecider.Refuse(denied);
        if (context.Person is not { Role: Role.Student } student)
            return ClassDecider.Refuse(new Refusal.NotFound("student"));

        if (state.Seats.Values.FirstOrDefault(
            each => each.StudentId == student.Id && each.State.IsLive()) is { } seat)
        {
            return seat.State.IsAttending()
                ? draft.AlreadySo(seat.Id, OpenOperation(state, seat)?.Id)
                : ClassDecider.Refuse(new Refusal.SeatNotReady(StateText.Of(seat.State)));
        }

        if (state.Stage != Stage.Scheduled)
            return ClassDecider.Refuse(new Refusal.ClassCancelled());
        var checks = new FieldChecks();
        var email = string.IsNullOrWhiteSpace(command.CalendarEmail)
            ? student.CalendarEmail
            : checks.Email("calendarEmail", command.CalendarEmail);
        if (!checks.Passed)
            return ClassDecider.Refuse(checks.Refusal);
        if (state.SeatsTaken >= state.Capacity)
            return ClassDecider.Refuse(new Refusal.ClassFull(state.Capacity));
        var steps = draft.Want(slot => slot.Stage == Stage.Scheduled);
        return steps.IsEmpty
            ? ClassDecider.Refuse(new Refusal.NoSlotLeft())
            : Open(draft, student, email, steps);
    }

    public static Decision ConfirmPayment(Draft draft, ClassCommand.ConfirmPayment command)
    {
        var (state, actor) = (draft.State, draft.Context.Actor);
        if (!state.Seats.TryGetValue(command.EnrolmentId, out var seat))
            return ClassDecider.Refuse(new Refusal.NotFound("enrolment"));
        if (actor.Role == Role.Student && !Access.Is(actor, seat.StudentId))
            return ClassDecider.Refuse(new Refusal.SeatNotYours());
        if (Access.Teach(state, actor, "confirm a payment") is { } denied)
            return ClassDecider.Refuse(denied);
        if (Access.Fresh(command.ExpectedVersion, seat.Version, () => []) is { } stale)
            return ClassDecider.Refuse(stale);
        if (seat.Payment is not { } payment || payment.State == PaymentState.Void)
            return ClassDecider.Refuse(new Refusal.SeatNotReady(StateText.Of(seat.State)));
        if (payment.State == PaymentState.Confirmed)
            return draft.AlreadySo(seat.Id);
        draft.Add(new ClassEvent.PaymentChanged(seat.Id, payment with
        {
            State = PaymentState.Confirmed,
            ConfirmedBy = actor.UserId,
            ConfirmedAt = draft.Now,
            Version = payment.Version + 1,
        }));
        return draft.Accept(seat.Id);
    }

    /// <summary>What is owed begins when the seat is held for good. Free seats owe nothing and are confirmed
    /// at once.</summary>
    public static void OpenPayment(Draft draft, string enrolmentId)
    {
        var state = draft.State;
        if (state.Seats[enrolmentId].Payment is not null)
            return;
        var free = state.PriceMinor == 0;
        draft.Add(new ClassEvent.PaymentOpened(enrolmentId, new Payment(
            draft.NextId("pay"),
            state.PriceMinor,
            state.Currency,
            free ? PaymentState.Confirmed : PaymentState.Pending,
            ConfirmedBy: null,
            free ? draft.Now : null,
            Version: 1)));
    }

    private static Decision Open(
        Draft draft, Person student, string email, ImmutableArray<OperationStep> steps)
    {
        var doubts = Doubts(student, email);
        var deferred = draft.Context.Mode == EnrolmentMode.Deferred;
        DateTimeOffset? deadline = draft.Context.Mode switch
        {
            EnrolmentMode.Wait => draft.Now + draft.Context.Options.SeatDeadline,
            EnrolmentMode.Strict => draft.Now + ClassLimits.SeatDeadlineStrict,
            EnrolmentMode.Deferred => null,
        };
        var seat = new Seat(
            draft.NextId("enr"),
            student.Id,
            email,
            deferred ? SeatState.ActiveWithoutCalendar : SeatState.PendingCalendar,
            Reason: null,
            deadline,
            Version: 1,
            draft.Now,
            draft.Now);
        draft.Add(new ClassEvent.SeatOpened(seat));
        var operation = draft.Open(OperationKind.EnrolmentCreate, steps, seat.Id, deadline);
        if (!deferred)
            return draft.Accept(seat.Id, operation.Id, doubts);
        OpenPayment(draft, seat.Id);
        return draft.Accept(
            seat.Id, operation.Id,
            [new CommandWarning("calendar_pending", "The seat is not on the calendar yet."), .. doubts]);
    }

    /// <summary>R-CAL-14: nobody proved that the invitation reaches the student.</summary>
    private static ImmutableArray<CommandWarning> Doubts(Person student, string email)
    {
        var doubts = new List<CommandWarning>();
        if (email == student.CalendarEmail && !student.CalendarEmailVerified)
        {
            doubts.Add(new CommandWarning(
                "calendar_email_unverified", "Nobody has proved yet that the invited address is theirs."));
        }

        if (EmailAddress.Suggest(email) is { } meant)
            doubts.Add(new CommandWarning("probable_typo", $"Did you mean {meant}?"));
        return [.. doubts];
    }

    private static Operation? OpenOperation(ClassState state, Seat seat) => state.Operations.Values
        .Where(each => each.EnrolmentId == seat.Id && each.IsOpen)
        .MaxBy(each => each.CreatedAt);
}
