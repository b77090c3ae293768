using System.Collections.Immutable;

namespace CalSync.Classes.Deciding;

/// <summary>A decision being made: every event is applied as it is added, so the next step sees its
/// effect.</summary>
internal sealed class Draft(ClassState? state, DecisionContext context)
{
    private readonly ImmutableArray<ClassEvent>.Builder _events = ImmutableArray.CreateBuilder<ClassEvent>();
    private ClassState? _state = state;

    public DecisionContext Context { get; } = context;

    public DateTimeOffset Now => Context.Now;

    public ClassState State => _state!;

    public void Add(ClassEvent happened)
    {
        _state = Evolution.Apply(_state, happened);
        _events.Add(happened);
    }

    public Decision Accept(
        string? enrolmentId = null, string? operationId = null,
        params ImmutableArray<CommandWarning> warnings) =>
        new Decision.Accepted(
            _events.DrainToImmutable(), State, enrolmentId, operationId, Fresh: true, warnings);

    public Decision AlreadySo(string? enrolmentId = null, string? operationId = null) =>
        new Decision.Accepted([], State, enrolmentId, operationId, Fresh: false, []);

    public string NextId(string prefix) => Context.NextId(prefix);

    /// <summary>Raises what the events of these slots must say, and gives the steps that satisfy
    /// it.</summary>
    public ImmutableArray<OperationStep> Want(Func<Slot, bool> which)
    {
        var wants = ImmutableArray.CreateBuilder<OperationStep>();
        foreach (var slot in State.Slots)
        {
            if (which(slot))
                wants.Add(new OperationStep(slot.Id, slot.Mirror.Id, slot.Mirror.DesiredVersion + 1));
        }

        var steps = wants.DrainToImmutable();
        if (!steps.IsEmpty)
            Add(new ClassEvent.CalendarWanted(steps));
        return steps;
    }

    public Operation Open(
        string kind,
        ImmutableArray<OperationStep> steps,
        string? enrolmentId = null,
        DateTimeOffset? deadlineAt = null,
        string? correlationId = null,
        string? userId = null)
    {
        var operation = new Operation(
            NextId("opn"),
            kind,
            enrolmentId,
            userId ?? Context.Actor.UserId,
            correlationId ?? Context.CorrelationId,
            OperationState.Pending,
            Reason: null,
            deadlineAt,
            Settled: false,
            Now,
            kind is OperationKind.SlotMove or OperationKind.SlotCancel ? steps[0].SlotId : null,
            steps);
        Add(new ClassEvent.OperationOpened(operation));
        return operation;
    }

    public Seat Change(Seat seat, SeatState to, string? reason, DateTimeOffset? deadlineAt = null)
    {
        var changed = seat with
        {
            State = to,
            Reason = reason,
            DeadlineAt = deadlineAt,
            Version = seat.Version + 1,
            UpdatedAt = Now,
        };
        Add(new ClassEvent.SeatChanged(changed));
        if (!to.IsLive() && changed.Payment is { State: PaymentState.Pending } payment)
        {
            Add(new ClassEvent.PaymentChanged(
                seat.Id, payment with { State = PaymentState.Void, Version = payment.Version + 1 }));
        }

        return changed;
    }

    public void Settle(Operation operation, OperationState? to = null, string? reason = null)
    {
        Add(new ClassEvent.OperationChanged(operation with
        {
            State = to ?? operation.State,
            Reason = reason ?? operation.Reason,
            Settled = true,
        }));
    }
}
