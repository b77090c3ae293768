using System.Collections.Immutable;

namespace CalSync.Classes.Deciding;

/// <summary>Decides what becomes of a change somebody made on the calendar.</summary>
/// <remarks>
/// Accepting is the slot's own move or cancellation, with everything that follows from one. Refusing asks for
/// nothing new: the mirror writes what the slot says already.
/// </remarks>
internal static class Proposals
{
    public static Decision Accept(Draft draft, ClassCommand.AcceptProposal command)
    {
        if (Denied(draft, command.ProposalId, command, "accept this proposal") is { } denied)
            return ClassDecider.Refuse(denied);
        var proposal = draft.State.Proposals[command.ProposalId];
        if (proposal.State == ProposalState.Accepted)
            return draft.AlreadySo();
        if (NotOpen(draft, proposal) is { } closed)
            return ClassDecider.Refuse(closed);
        Decide(draft, proposal, ProposalState.Accepted);
        return proposal is { Kind: ProposalKind.Moved, Start: { } start, End: { } end }
            ? Edits.Move(draft, new ClassCommand.MoveSlot(
                proposal.SlotId, new SlotDraft(start.ToRfc3339(), end.ToRfc3339())))
            : Cancellation.Slot(draft, new ClassCommand.CancelSlot(proposal.SlotId));
    }

    public static Decision Refuse(Draft draft, ClassCommand.RefuseProposal command)
    {
        if (Denied(draft, command.ProposalId, command, "refuse this proposal") is { } denied)
            return ClassDecider.Refuse(denied);
        var proposal = draft.State.Proposals[command.ProposalId];
        if (proposal.State == ProposalState.Refused)
            return draft.AlreadySo();
        if (NotOpen(draft, proposal) is { } closed)
            return ClassDecider.Refuse(closed);
        Decide(draft, proposal, ProposalState.Refused);
        var steps = draft.Want(slot => slot.Id == proposal.SlotId);
        return draft.Accept(null, draft.Open(OperationKind.SlotRestore, steps).Id);
    }

    private static Refusal? Denied(Draft draft, string proposalId, ClassCommand command, string action)
    {
        if (Access.Teach(draft.State, draft.Context.Actor, action) is { } denied)
            return denied is Refusal.NotFound ? new Refusal.NotFound("proposal") : denied;
        if (!draft.State.Proposals.TryGetValue(proposalId, out var proposal))
            return new Refusal.NotFound("proposal");
        return Access.Fresh(command.ExpectedVersion, proposal.Version, () => Now(proposal));
    }

    private static Refusal.ProposalNotOpen? NotOpen(Draft draft, Proposal proposal) =>
        proposal.State != ProposalState.Pending
            ? new Refusal.ProposalNotOpen(StateText.Of(proposal.State))
            : draft.State.FindSlot(proposal.SlotId)?.Version != proposal.SlotVersion
                ? new Refusal.ProposalNotOpen(StateText.Of(ProposalState.Withdrawn))
                : null;

    private static void Decide(Draft draft, Proposal proposal, ProposalState state) =>
        draft.Add(new ClassEvent.ProposalDecided(
            proposal with { State = state, Version = proposal.Version + 1 }, draft.Now));

    private static ImmutableArray<FieldDifference> Now(Proposal proposal) => proposal.Start is null
        ? [new FieldDifference("state", null, StateText.Of(proposal.State))]
        : [
            new FieldDifference("state", null, StateText.Of(proposal.State)),
            new FieldDifference("toStartAt", null, proposal.Start.ToRfc3339()),
        ];
}
