using System.Diagnostics;
using CalSync.Classes.Deciding;

namespace CalSync.Classes;

/// <summary>Decides commands on classes. Pure and total: the same arguments always give the same
/// decision.</summary>
public static class ClassDecider
{
    /// <summary>Decides one command, with authorisation on the very object it touches.</summary>
    /// <param name="state">The class; null when there is none, as for a creation.</param>
    /// <param name="command">What is asked.</param>
    /// <param name="context">Everything else the decision knows.</param>
    /// <returns>Events and the state after them, or a refusal. Never throws on what a person sent.</returns>
    public static Decision Decide(ClassState? state, ClassCommand command, DecisionContext context)
    {
        if (command is ClassCommand.CreateClass create)
            return Creation.Decide(create, context);
        if (state is null || !string.Equals(state.TenantId, context.Actor.TenantId, StringComparison.Ordinal))
            return Refuse(new Refusal.NotFound("class"));
        var draft = new Draft(state, context);
        return command switch
        {
            ClassCommand.UpdateClass update => Edits.Update(draft, update),
            ClassCommand.MoveSlot move => Edits.Move(draft, move),
            ClassCommand.CompleteSlot complete => Edits.Complete(draft, complete),
            ClassCommand.CancelSlot cancel => Cancellation.Slot(draft, cancel),
            ClassCommand.AcceptProposal accept => Proposals.Accept(draft, accept),
            ClassCommand.RefuseProposal refuse => Proposals.Refuse(draft, refuse),
            ClassCommand.CancelClass cancel => Cancellation.Class(draft, cancel),
            ClassCommand.Enrol enrol => Seating.Enrol(draft, enrol),
            ClassCommand.CancelSeat cancel => Cancellation.Seat(draft, cancel),
            ClassCommand.ConfirmPayment confirm => Seating.ConfirmPayment(draft, confirm),
            ClassCommand.SettleOperation settle => Settlement.Settle(draft, settle),
            ClassCommand.FailEnrolment fail => Settlement.Fail(draft, fail),
            ClassCommand.RetryOperation retry => Settlement.Retry(draft, retry),
            ClassCommand.AbandonOperation abandon => Settlement.Abandon(draft, abandon),
            _ => throw new UnreachableException($"Unknown command {command.GetType().Name}."),
        };
    }

    /// <summary>The class after one event. Never refuses.</summary>
    /// <param name="state">Null only before a creation.</param>
    /// <param name="happened">What was decided.</param>
    public static ClassState Apply(ClassState? state, ClassEvent happened) =>
        Evolution.Apply(state, happened);

    internal static Decision Refuse(Refusal refusal) => new Decision.Refused(refusal);
}
