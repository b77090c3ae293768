using System.Collections.Immutable;
using System.Diagnostics;
using CalSync.Sync.Connections;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Mirroring;

/// <summary>What a turn changes at the provider, and what a refused or unanswered change means.</summary>
/// <param name="providers">The providers.</param>
/// <param name="lanes">Writes to one calendar go one at a time.</param>
/// <param name="access">Tokens and the lease.</param>
/// <param name="reading">Looks before a lost event is made again, and after a refusal.</param>
/// <param name="options">Who the provider is asked to mail.</param>
internal sealed class MirrorWriting(
    ProviderSet providers, CalendarLanes lanes, MirrorAccess access, MirrorReading reading,
    MirrorOptions options)
{
    private const int RefusalCountMax = 5;

    /// <summary>Takes one step that changes the calendar; null to plan the next.</summary>
    public async Task<TurnEnd?> WriteAsync(MirrorTurn turn, MirrorStep step, CancellationToken cancellation)
    {
        if (step is MirrorStep.Insert && turn.Sighting is Sighting.Missing && turn.Stand.Written
            && await reading.SearchElsewhereAsync(turn, cancellation) is { } elsewhere)
        {
            return elsewhere;
        }

        if (!await access.HoldsAsync(turn, TimeSpan.Zero, cancellation))
            return new TurnEnd.ClaimLost();

        using var lane = await lanes.EnterAsync(turn.Claim.CalendarId, cancellation);
        return step switch
        {
            MirrorStep.Insert => await InsertAsync(turn, cancellation),
            MirrorStep.Patch patch => await PatchAsync(turn, patch, cancellation),
            MirrorStep.Undelete undelete => await UndeleteAsync(turn, undelete, cancellation),
            MirrorStep.Delete delete => await DeleteAsync(turn, delete.On, recreate: false, cancellation),
            MirrorStep.DeleteAndRecreate again =>
                await DeleteAsync(turn, again.On, recreate: true, cancellation),
            _ => throw new UnreachableException(),
        };
    }

    private async Task<TurnEnd?> InsertAsync(MirrorTurn turn, CancellationToken cancellation)
    {
        turn.Stand = turn.Stand with { Inserts = turn.Stand.Inserts + 1 };
        var written = await providers[turn.Claim.Provider].Calendar.InsertAsync(
            turn.Call, turn.Address, turn.ContentOver(null), options.Notify, cancellation);
        if (written is EventWrite.Accepted accepted)
        {
            turn.Note("mirror.inserted", null, new { turn.EventId, turn.Generation, turn.Desired.Version });
            turn.WasAccepted(accepted.Event);
            return null;
        }

        return await RefusedAsync(turn, ((EventWrite.Failed)written).Fault, null, cancellation);
    }

    private async Task<TurnEnd?> PatchAsync(
        MirrorTurn turn, MirrorStep.Patch patch, CancellationToken cancellation)
    {
        turn.Stand = turn.Stand with { Patches = turn.Stand.Patches + 1 };
        var written = await providers[turn.Claim.Provider].Calendar.PatchAsync(
            turn.Call, turn.Address, turn.ContentOver(patch.On), patch.Fields, patch.On.ETag, options.Notify,
            cancellation);
        if (written is EventWrite.Accepted accepted)
        {
            turn.Note(
                "mirror.patched", patch.On.Json,
                new { turn.EventId, turn.Desired.Version, Changes = patch.Mismatches });
            turn.WasAccepted(accepted.Event);
            return null;
        }

        return await RefusedAsync(turn, ((EventWrite.Failed)written).Fault, patch.On, cancellation);
    }

    private async Task<TurnEnd?> UndeleteAsync(
        MirrorTurn turn, MirrorStep.Undelete undelete, CancellationToken cancellation)
    {
        turn.Stand = turn.Stand with { UndeleteTried = true };
        var fields = ImmutableHashSet.Create(
            EventField.Status, EventField.Summary, EventField.Description, EventField.Location,
            EventField.Time, EventField.Attendees, EventField.Mark);
        var written = await providers[turn.Claim.Provider].Calendar.PatchAsync(
            turn.Call, turn.Address, turn.ContentOver(undelete.On), fields, undelete.On.ETag, options.Notify,
            cancellation);
        switch (written)
        {
            case EventWrite.Accepted accepted:
                turn.Note("mirror.undeleted", undelete.On.Json, new { turn.EventId, turn.Desired.Version });
                turn.WasAccepted(accepted.Event);
                return null;
            case EventWrite.Failed { Fault.Reason: ProviderReason.NotWritable or ProviderReason.Deleted }:
                // Some deletions cannot be undone and burn the id: the planner takes the next generation.
                return null;
            case EventWrite.Failed failed:
                return await RefusedAsync(turn, failed.Fault, undelete.On, cancellation);
            default:
                throw new UnreachableException();
        }
    }

    private async Task<TurnEnd?> DeleteAsync(
        MirrorTurn turn, ProviderEvent on, bool recreate, CancellationToken cancellation)
    {
        var deleted = await providers[turn.Claim.Provider].Calendar.DeleteAsync(
            turn.Call, turn.Address, on.ETag, options.Notify, cancellation);
        if (deleted is EventDelete.Failed failed)
            return await RefusedAsync(turn, failed.Fault, on, cancellation);
        turn.Note("mirror.deleted", on.Json, new { turn.EventId, Recreate = recreate });
        if (recreate)
            turn.TakeNextGeneration(recreated: true);
        else
            turn.Sighting = new Sighting.Unseen();
        return null;
    }

    /// <summary>What a refused or unanswered write means.</summary>
    /// <param name="turn">The turn.</param>
    /// <param name="fault">Why.</param>
    /// <param name="on">What the write was decided on; null for an insert.</param>
    /// <param name="cancellation">Cancels the reads that may follow.</param>
    private async Task<TurnEnd?> RefusedAsync(
        MirrorTurn turn, ProviderFault fault, ProviderEvent? on, CancellationToken cancellation)
    {
        if (fault.OutcomeUnknown)
        {
            turn.OutcomeUnknown = true;
            return new TurnEnd.Retry(MirrorReasons.OutcomeUnknown, fault.Message, fault.RetryAfter);
        }

        switch (fault.Reason)
        {
            case ProviderReason.CredentialsRejected:
                return await access.ReplaceTokenAsync(turn, fault, cancellation);
            case ProviderReason.PreconditionFailed or ProviderReason.Deleted or ProviderReason.Duplicate
                or ProviderReason.Conflict:
                return await LookAgainAsync(turn, fault, cancellation);
            case ProviderReason.AttendeeRejected when turn.OfferFewer(on):
                return null;
            case ProviderReason.NotFound when on is null:
                return await reading.CalendarTroubleAsync(turn, cancellation)
                    ?? new TurnEnd.Retry(fault.Reason.ToString(), fault.Message);
            case ProviderReason.NotWritable:
                return await reading.CalendarTroubleAsync(turn, cancellation)
                    ?? new TurnEnd.Attention(fault.Reason.ToString(), fault.Message, []);
            case ProviderReason.NotFound:
                return await LookAgainAsync(turn, fault, cancellation);
            case ProviderReason.InsufficientScope:
                return await access.ParkWithoutScopeAsync(turn, fault, cancellation);
            default:
                return fault.RetryHelps
                    ? new TurnEnd.Retry(fault.Reason.ToString(), fault.Message, fault.RetryAfter)
                    : new TurnEnd.Attention(fault.Reason.ToString(), fault.Message, []);
        }
    }

    private async Task<TurnEnd?> LookAgainAsync(
        MirrorTurn turn, ProviderFault fault, CancellationToken cancellation)
    {
        turn.Refusals++;
        if (turn.Refusals > RefusalCountMax)
            return new TurnEnd.Retry(MirrorReasons.KeepsChanging, fault.Message);

        // Refused on what patient reads showed after our own write: they show the past.
        if (turn.Accepted is not null && turn.Refusals > 1)
            return new TurnEnd.Retry(MirrorReasons.NotVisibleYet, fault.Message);

        // A refused write used up no repair: it changed nothing.
        turn.Stand = turn.Stand with { Patches = Math.Max(0, turn.Stand.Patches - 1) };
        var end = await reading.LookAsync(turn, cancellation);
        return end is null && turn.Sighting is Sighting.Missing && fault.Reason == ProviderReason.Duplicate
            ? new TurnEnd.Retry(MirrorReasons.NotVisibleYet, fault.Message)
            : end;
    }
}
