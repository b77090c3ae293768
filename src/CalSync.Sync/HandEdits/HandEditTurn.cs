using System.Diagnostics;
using CalSync.Sync.Mirroring;

namespace CalSync.Sync.HandEdits;

/// <summary>What a turn does about a change somebody made on the calendar.</summary>
/// <param name="reading">Finds events that were made again or moved elsewhere.</param>
/// <param name="options">What is done about deletions.</param>
internal sealed class HandEditTurn(MirrorReading reading, MirrorOptions options)
{
    /// <summary>Takes what a read has shown; null to plan on.</summary>
    public async Task<TurnEnd?> TakeAsync(MirrorTurn turn, HandEdit edit, CancellationToken cancellation)
    {
        switch (edit)
        {
            case HandEdit.Moved:
                turn.LeaveMoved(((Sighting.Seen)turn.Sighting).Event);
                return null;
            case HandEdit.MovedBack:
                turn.Answer("moved_back");
                return null;
            case HandEdit.Restored:
                turn.Answer("restored");
                return null;
            case HandEdit.Deleted or HandEdit.StillDeleted:
                return await TakeDeletionAsync(turn, edit, cancellation);
            default:
                throw new UnreachableException($"{edit} is nothing to take.");
        }
    }

    private async Task<TurnEnd?> TakeDeletionAsync(
        MirrorTurn turn, HandEdit edit, CancellationToken cancellation)
    {
        // Not gone but made anew, or in another calendar: then there is nothing to ask.
        var (unknown, found) = await reading.FindAgainAsync(turn, cancellation);
        if (unknown is not null)
            return unknown;
        if (found is not null)
        {
            turn.Relink(found);
            return null;
        }

        if (await reading.SearchElsewhereAsync(turn, cancellation) is { } elsewhere)
            return elsewhere;
        turn.WasDeleted(edit == HandEdit.Deleted ? options.OnDeleted : null);
        return edit == HandEdit.Deleted && options.OnDeleted == DeletionPolicy.Recreate
            ? null
            : new TurnEnd.Park(
                MirrorReasons.DeletedByHand, "The event was deleted on the calendar; what follows is asked.");
    }
}
