using System.Globalization;
using CalSync.Sync.Connections;
using CalSync.Sync.HandEdits;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Mirroring;

/// <summary>One turn of one mirror: load, token, plan, write, read back, compare, record.</summary>
/// <remarks>
/// Nothing is held in a database transaction while a provider is called, and nothing is called done before it
/// was read back. Cancelling a turn may leave a write at the provider: the next turn finds it by its event
/// id.
/// </remarks>
public sealed class MirrorPass
{
    private const int StepCountMax = 24;

    private readonly IMirrorStore _store;
    private readonly MirrorAccess _access;
    private readonly MirrorReading _reading;
    private readonly MirrorWriting _writing;
    private readonly MirrorEnding _ending;
    private readonly HandEditTurn _edits;
    private readonly TimeProvider _clock;

    /// <param name="store">Mirrors and operations.</param>
    /// <param name="tokens">The only door to a provider.</param>
    /// <param name="providers">The providers.</param>
    /// <param name="lanes">Writes to one calendar go one at a time.</param>
    /// <param name="operations">Told after every record.</param>
    /// <param name="mirrors">Set when a turn made other mirrors due.</param>
    /// <param name="options">Limits.</param>
    /// <param name="connection">The token validity to ask for.</param>
    /// <param name="retry">Waits between failed turns.</param>
    /// <param name="meter">Counters.</param>
    /// <param name="clock">Now, and every wait.</param>
    public MirrorPass(
        IMirrorStore store, ConnectionTokens tokens, ProviderSet providers, CalendarLanes lanes,
        OperationSignal operations, MirrorSignal mirrors, MirrorOptions options, ConnectionOptions connection,
        RetryPolicy retry, SyncMeter meter, TimeProvider clock)
    {
        (_store, _clock) = (store, clock);
        _access = new MirrorAccess(store, tokens, options, connection, clock);
        _reading = new MirrorReading(store, providers, _access, options, clock);
        _edits = new HandEditTurn(_reading, options);
        _writing = new MirrorWriting(providers, lanes, _access, _reading, options);
        _ending = new MirrorEnding(store, operations, mirrors, options, retry, meter, clock);
    }

    /// <summary>Works one claimed mirror and stores how it ended.</summary>
    /// <param name="claim">From <see cref="IMirrorStore.ClaimAsync"/>.</param>
    /// <param name="cancellation">Cancelled, the claim stays until its lease ends; the next turn reads
    /// first.</param>
    public async Task RunAsync(MirrorClaim claim, CancellationToken cancellation)
    {
        var now = _clock.GetUtcNow();
        if (await _store.LoadAsync(claim, now, cancellation) is not { } task)
            return;
        var turn = new MirrorTurn(claim, task, now);
        var end = claim.CalendarState == "available" || !task.Desired.Present
            ? await WorkAsync(turn, cancellation)
            : new TurnEnd.CalendarLost(claim.CalendarState);
        await _ending.FinishAsync(turn, end, cancellation);
    }

    /// <summary>Stores that a turn failed for a reason of our own: tried again, and in the end shown to a
    /// person.</summary>
    internal async Task RecordFaultAsync(MirrorClaim claim, string fault, CancellationToken cancellation)
    {
        var now = _clock.GetUtcNow();
        if (await _store.LoadAsync(claim, now, cancellation) is not { } task)
            return;
        var turn = new MirrorTurn(claim, task, now) { OutcomeUnknown = true };
        await _ending.FinishAsync(turn, new TurnEnd.Retry(MirrorReasons.InternalFault, fault), cancellation);
    }

    private async Task<TurnEnd> WorkAsync(MirrorTurn turn, CancellationToken cancellation)
    {
        if (await _access.OpenAsync(turn, cancellation) is { } closed)
            return closed;
        for (var step = 0; step < StepCountMax + turn.TrialSteps; step++)
        {
            if (turn.HandEdit is not HandEdit.None and var edit)
            {
                if (await _edits.TakeAsync(turn, edit, cancellation) is { } undecided)
                    return undecided;
                continue;
            }

            var next = MirrorPlanner.Decide(turn.Desired, turn.Stand, turn.Sighting);
            turn.Judge(next);
            if (await TakeAsync(turn, next, cancellation) is { } end)
                return end;
        }

        return new TurnEnd.Retry(
            MirrorReasons.KeepsChanging, "The event kept changing while it was written.");
    }

    /// <summary>Takes one step; null to plan the next.</summary>
    private async Task<TurnEnd?> TakeAsync(MirrorTurn turn, MirrorStep step, CancellationToken cancellation)
    {
        switch (step)
        {
            case MirrorStep.Done:
                turn.OutcomeSettled = true;
                return new TurnEnd.Verified(Present: true);
            case MirrorStep.Gone:
                turn.OutcomeSettled = true;
                return await _reading.MissedCalendarAsync(turn, cancellation)
                    ?? new TurnEnd.Verified(Present: false);
            case MirrorStep.GiveUp giveUp:
                return new TurnEnd.Attention(giveUp.Reason, Sentence(giveUp), giveUp.Mismatches);
            case MirrorStep.ReadFirst when !turn.Verify && turn.Accepted is not null:
                return new TurnEnd.Unverified();
            case MirrorStep.ReadFirst:
                return await _reading.LookAsync(turn, cancellation);
            case MirrorStep.NextGeneration:
                turn.TakeNextGeneration(recreated: turn.Stand.Recreated);
                return null;
            default:
                return await _writing.WriteAsync(turn, step, cancellation);
        }
    }

    private static string Sentence(MirrorStep.GiveUp giveUp) => giveUp.Mismatches.IsEmpty
        ? "The event cannot be brought to what is wanted."
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{giveUp.Mismatches.Length} fields are not what they should be, after repairs.");
}
