using System.Collections.Frozen;
using System.Diagnostics;
using CalSync.Sync.HandEdits;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Mirroring;

/// <summary>Turns the end of a turn into rows, signals and counters.</summary>
/// <param name="store">Mirrors and operations.</param>
/// <param name="operations">Told after every record.</param>
/// <param name="mirrors">Set when a turn made other mirrors due.</param>
/// <param name="options">Limits.</param>
/// <param name="retry">Waits between failed turns.</param>
/// <param name="meter">Counters.</param>
/// <param name="clock">Now.</param>
internal sealed class MirrorEnding(
    IMirrorStore store, OperationSignal operations, MirrorSignal mirrors, MirrorOptions options,
    RetryPolicy retry, SyncMeter meter, TimeProvider clock)
{
    // Nothing was sent: waiting for the provider or for a token is no failure of the mirror.
    private static readonly FrozenSet<string> NotSent = FrozenSet.Create(
        nameof(ProviderReason.BreakerOpen), nameof(ProviderReason.QuotaWait), MirrorReasons.TokenUnavailable);

    /// <summary>Stores how a turn ended and tells who waits; a lost claim stores nothing.</summary>
    public async Task FinishAsync(MirrorTurn turn, TurnEnd end, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        if (end is TurnEnd.ClaimLost)
            return;
        if (end is TurnEnd.CalendarLost lost)
        {
            await store.LeaveCalendarAsync(
                turn.Claim, lost.CalendarState, options.CalendarFallback, now, cancellation);
            mirrors.Due.Set();
            operations.SettlementDue.Set();
            return;
        }

        var record = RecordOf(turn, end, now);
        if (await store.RecordAsync(record, cancellation) is not { } changed)
            return;
        Count(turn, record, now);
        foreach (var operation in changed)
            operations.Set(operation);
        if (!changed.IsEmpty)
            operations.SettlementDue.Set();
    }

    private MirrorRecord RecordOf(MirrorTurn turn, TurnEnd end, DateTimeOffset now)
    {
        var attempts = end is not TurnEnd.Retry failed ? 0
            : NotSent.Contains(failed.Reason) ? turn.Claim.Attempts
            : turn.Claim.Attempts + 1;
        if (end is TurnEnd.Retry last && attempts >= options.AttemptCountMax)
            end = new TurnEnd.Attention(last.Reason, last.Message, []);
        var applied = turn.AppliedVersion;
        var verified = end is TurnEnd.Verified ? applied
            : Math.Min(applied, turn.Generation == turn.Claim.Generation ? turn.Claim.VerifiedVersion : 0);
        var refused = end is TurnEnd.Verified or TurnEnd.Unverified ? turn.Guests.Refused : [];
        var (state, reason, next) = end switch
        {
            TurnEnd.Verified { Present: true } when refused.Count > 0 =>
                ("needs_attention", nameof(ProviderReason.AttendeeRejected), (DateTimeOffset?)null),
            TurnEnd.Verified { Present: true } when turn.Proposal is not null =>
                ("verified", MirrorReasons.MovedByHand, null),
            TurnEnd.Verified { Present: true } => ("verified", (string?)null, null),
            TurnEnd.Verified => ("gone", null, null),
            TurnEnd.Unverified => ("unverified", MirrorReasons.VerificationOff, turn.VerifyAgainAt ?? now),
            TurnEnd.Retry again => ("retry_wait", again.Reason, NextAttempt(again, attempts, now)),
            TurnEnd.Park park => ("parked", park.Reason, null),
            TurnEnd.Attention attention => ("needs_attention", attention.Reason, null),
            _ => throw new UnreachableException(),
        };
        return new MirrorRecord(
            turn.Claim, state, reason, MirrorDetail.Write(turn, end, now), turn.Desired.Version, applied,
            verified, turn.Generation, turn.EventId, turn.ForgetsEvent ? null : turn.Latest,
            end is not TurnEnd.Verified && turn.OutcomeUnknown,
            attempts, next, now + options.Rest, turn.TakeChanges(), turn.Calls(), now)
        {
            RefusedGuests = [.. refused.Order(StringComparer.Ordinal)],
            HandEdits = turn.HandEdits.ToImmutable(),
            SlotVersion = turn.SlotVersion,
            ForgetsEvent = turn.ForgetsEvent,
        };
    }

    private DateTimeOffset NextAttempt(TurnEnd.Retry again, int attempts, DateTimeOffset now)
    {
        var computed = now + retry.Delay(Math.Max(1, attempts), again.After);
        return again.At > computed ? again.At.Value : computed;
    }

    private void Count(MirrorTurn turn, MirrorRecord record, DateTimeOffset now)
    {
        var label = new KeyValuePair<string, object?>("operation", turn.Operation);
        meter.OperationDuration.Record((now - turn.StartedAt).TotalSeconds, label);
        if (turn.Claim.AppliedVersion == 0 && record.AppliedVersion > 0)
            meter.EventsCreated.Add(1);
        if (record.State == "verified" && turn.Claim.VerifiedVersion == 0)
            meter.EventsVerified.Add(1);
        if (record.State == "needs_attention")
            meter.EventsInAttention.Add(1);
        if (record.State == "retry_wait")
            meter.EventsRetried.Add(1);
        foreach (var kind in record.HandEdits.Select(Word).OfType<string>())
            meter.HandEdits.Add(1, new KeyValuePair<string, object?>("kind", kind));
    }

    private static string? Word(HandEditFinding found) => found switch
    {
        HandEditFinding.Moved => "moved",
        HandEditFinding.Deleted => "deleted",
        HandEditFinding.Relinked => "relinked",
        _ => null,
    };
}
