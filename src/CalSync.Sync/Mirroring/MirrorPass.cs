using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using CalSync.Sync.Connections;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Mirroring;

/// <summary>One turn of one mirror: load, token, plan, write, read back, compare, record.</summary>
/// <remarks>
/// Nothing is held in a database transaction while a provider is called, and nothing is called done before it was
/// read back. Cancelling a turn may leave a write at the provider: the next turn finds it by its event id.
/// </remarks>
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
public sealed class MirrorPass(
    IMirrorStore store, ConnectionTokens tokens, ProviderSet providers, CalendarLanes lanes,
    OperationSignal operations, MirrorSignal mirrors, MirrorOptions options, ConnectionOptions connection,
    RetryPolicy retry, SyncMeter meter, TimeProvider clock)
{
    private const int StepCountMax = 24;
    private const int RefusalCountMax = 5;
    private const int FailedReadCountMax = 3;

    // Nothing was sent: waiting for the provider or for a token is no failure of the mirror.
    private static readonly FrozenSet<string> NotSent = FrozenSet.Create(
        nameof(ProviderReason.BreakerOpen), nameof(ProviderReason.QuotaWait), MirrorReasons.TokenUnavailable);

    /// <summary>Works one claimed mirror and stores how it ended.</summary>
    /// <param name="claim">From <see cref="IMirrorStore.ClaimAsync"/>.</param>
    /// <param name="cancellation">Cancelled, the claim stays until its lease ends; the next turn reads first.</param>
    public async Task RunAsync(MirrorClaim claim, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        if (await store.LoadAsync(claim, now, cancellation) is not { } task)
            return;
        var turn = new MirrorTurn(claim, task, now);
        var end = claim.CalendarState == "available" || !task.Desired.Present
            ? await WorkAsync(turn, cancellation)
            : new TurnEnd.CalendarLost(claim.CalendarState);
        await FinishAsync(turn, end, cancellation);
    }

    /// <summary>Stores that a turn failed for a reason of our own; it is tried again, and in the end shown to a person.</summary>
    internal async Task RecordFaultAsync(MirrorClaim claim, string fault, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        if (await store.LoadAsync(claim, now, cancellation) is not { } task)
            return;
        var turn = new MirrorTurn(claim, task, now) { OutcomeUnknown = true };
        await FinishAsync(turn, new TurnEnd.Retry(MirrorReasons.InternalFault, fault), cancellation);
    }

    private async Task<TurnEnd> WorkAsync(MirrorTurn turn, CancellationToken cancellation)
    {
        switch (await tokens.GetAsync(turn.Claim.ConnectionId, connection.OperationMinValidity, cancellation))
        {
            case TokenOutcome.Fresh fresh:
                turn.Call = CallWith(turn, fresh.AccessToken);
                break;
            case TokenOutcome.NeedsConsent consent:
                return new TurnEnd.Park(MirrorReasons.NeedsConsent, consent.Reason.ToString());
            case TokenOutcome.TryLater later:
                return new TurnEnd.Retry(MirrorReasons.TokenUnavailable, later.Reason.ToString(), At: later.At);
            default:
                throw new UnreachableException();
        }

        for (var step = 0; step < StepCountMax; step++)
        {
            var next = MirrorPlanner.Decide(turn.Desired, turn.Stand, turn.Sighting);
            if (await TakeAsync(turn, next, cancellation) is { } end)
                return end;
        }

        return new TurnEnd.Retry(MirrorReasons.KeepsChanging, "The event kept changing while it was written.");
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
                return await MissedCalendarAsync(turn, cancellation) ?? new TurnEnd.Verified(Present: false);
            case MirrorStep.GiveUp giveUp:
                return new TurnEnd.Attention(giveUp.Reason, Sentence(giveUp), giveUp.Mismatches);
            case MirrorStep.ReadFirst when !turn.Verify && turn.Accepted is not null:
                return new TurnEnd.Unverified();
            case MirrorStep.ReadFirst:
                return await LookAsync(turn, cancellation);
            case MirrorStep.NextGeneration:
                turn.TakeNextGeneration(recreated: turn.Stand.Recreated);
                return null;
            default:
                return await WriteAsync(turn, step, cancellation);
        }
    }

    private async Task<TurnEnd?> WriteAsync(MirrorTurn turn, MirrorStep step, CancellationToken cancellation)
    {
        if (step is MirrorStep.Insert && turn.Sighting is Sighting.Missing && turn.Stand.Written
            && await SearchElsewhereAsync(turn, cancellation) is { } elsewhere)
        {
            return elsewhere;
        }

        if (!await HoldsAsync(turn, TimeSpan.Zero, cancellation))
            return new TurnEnd.ClaimLost();

        using var lane = await lanes.EnterAsync(turn.Claim.CalendarId, cancellation);
        return step switch
        {
            MirrorStep.Insert => await InsertAsync(turn, cancellation),
            MirrorStep.Patch patch => await PatchAsync(turn, patch, cancellation),
            MirrorStep.Undelete undelete => await UndeleteAsync(turn, undelete, cancellation),
            MirrorStep.Delete delete => await DeleteAsync(turn, delete.On, recreate: false, cancellation),
            MirrorStep.DeleteAndRecreate again => await DeleteAsync(turn, again.On, recreate: true, cancellation),
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

        return await RefusedAsync(turn, ((EventWrite.Failed)written).Fault, inserting: true, cancellation);
    }

    private async Task<TurnEnd?> PatchAsync(MirrorTurn turn, MirrorStep.Patch patch, CancellationToken cancellation)
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

        return await RefusedAsync(turn, ((EventWrite.Failed)written).Fault, inserting: false, cancellation);
    }

    private async Task<TurnEnd?> UndeleteAsync(
        MirrorTurn turn, MirrorStep.Undelete undelete, CancellationToken cancellation)
    {
        turn.Stand = turn.Stand with { UndeleteTried = true };
        var fields = ImmutableHashSet.Create(
            EventField.Status, EventField.Summary, EventField.Description, EventField.Location, EventField.Time,
            EventField.Attendees, EventField.Mark);
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
                // Some deletions cannot be undone, and the id stays burnt: the planner takes the next generation.
                return null;
            case EventWrite.Failed failed:
                return await RefusedAsync(turn, failed.Fault, inserting: false, cancellation);
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
            return await RefusedAsync(turn, failed.Fault, inserting: false, cancellation);
        turn.Note("mirror.deleted", on.Json, new { turn.EventId, Recreate = recreate });
        if (recreate)
            turn.TakeNextGeneration(recreated: true);
        else
            turn.Sighting = new Sighting.Unseen();
        return null;
    }

    /// <summary>What a refused or unanswered write means.</summary>
    private async Task<TurnEnd?> RefusedAsync(
        MirrorTurn turn, ProviderFault fault, bool inserting, CancellationToken cancellation)
    {
        if (fault.OutcomeUnknown)
        {
            turn.OutcomeUnknown = true;
            return new TurnEnd.Retry(MirrorReasons.OutcomeUnknown, fault.Message, fault.RetryAfter);
        }

        switch (fault.Reason)
        {
            case ProviderReason.CredentialsRejected:
                return await ReplaceTokenAsync(turn, fault, cancellation);
            case ProviderReason.PreconditionFailed or ProviderReason.Deleted or ProviderReason.Duplicate
                or ProviderReason.Conflict:
                return await LookAgainAsync(turn, fault, cancellation);
            case ProviderReason.NotFound when inserting:
                return await CalendarTroubleAsync(turn, cancellation)
                    ?? new TurnEnd.Retry(fault.Reason.ToString(), fault.Message);
            case ProviderReason.NotWritable:
                return await CalendarTroubleAsync(turn, cancellation)
                    ?? new TurnEnd.Attention(fault.Reason.ToString(), fault.Message, []);
            case ProviderReason.NotFound:
                return await LookAgainAsync(turn, fault, cancellation);
            case ProviderReason.InsufficientScope:
                await tokens.MarkScopeWithheldAsync(turn.Claim.ConnectionId, cancellation);
                return new TurnEnd.Park(MirrorReasons.NeedsConsent, fault.Message);
            default:
                return fault.RetryHelps
                    ? new TurnEnd.Retry(fault.Reason.ToString(), fault.Message, fault.RetryAfter)
                    : new TurnEnd.Attention(fault.Reason.ToString(), fault.Message, []);
        }
    }

    private async Task<TurnEnd?> LookAgainAsync(MirrorTurn turn, ProviderFault fault, CancellationToken cancellation)
    {
        turn.Refusals++;
        if (turn.Refusals > RefusalCountMax)
            return new TurnEnd.Retry(MirrorReasons.KeepsChanging, fault.Message);

        // Refused on what patient reads showed after our own write: they show the past.
        if (turn.Accepted is not null && turn.Refusals > 1)
            return new TurnEnd.Retry(MirrorReasons.NotVisibleYet, fault.Message);

        // A refused write used up no repair: it changed nothing.
        turn.Stand = turn.Stand with { Patches = Math.Max(0, turn.Stand.Patches - 1) };
        var end = await LookAsync(turn, cancellation);
        return end is null && turn.Sighting is Sighting.Missing && fault.Reason == ProviderReason.Duplicate
            ? new TurnEnd.Retry(MirrorReasons.NotVisibleYet, fault.Message)
            : end;
    }

    private async Task<TurnEnd?> ReplaceTokenAsync(
        MirrorTurn turn, ProviderFault fault, CancellationToken cancellation)
    {
        if (turn.TokenReplaced)
            return new TurnEnd.Retry(fault.Reason.ToString(), fault.Message);
        turn.TokenReplaced = true;
        turn.Stand = turn.Stand with
        {
            Inserts = Math.Max(0, turn.Stand.Inserts - 1),
            Patches = Math.Max(0, turn.Stand.Patches - 1),
        };
        switch (await tokens.ReplaceAsync(turn.Claim.ConnectionId, turn.Call.AccessToken, cancellation))
        {
            case TokenOutcome.Fresh fresh:
                turn.Call = CallWith(turn, fresh.AccessToken);
                return null;
            case TokenOutcome.NeedsConsent consent:
                return new TurnEnd.Park(MirrorReasons.NeedsConsent, consent.Reason.ToString());
            case TokenOutcome.TryLater later:
                return new TurnEnd.Retry(MirrorReasons.TokenUnavailable, later.Reason.ToString(), At: later.At);
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>Lengthens the lease when less than half of it would be left after a wait; a lost claim goes no further.</summary>
    private async Task<bool> HoldsAsync(MirrorTurn turn, TimeSpan wait, CancellationToken cancellation)
    {
        var after = clock.GetUtcNow() + wait;
        if (turn.LeaseUntil - after >= options.Lease / 2)
            return true;
        if (!await store.RenewAsync(turn.Claim, after + options.Lease, cancellation))
            return false;
        turn.LeaseUntil = after + options.Lease;
        return true;
    }

    /// <summary>Reads the event back with patience for a provider that shows old or no content for a while.</summary>
    private async Task<TurnEnd?> LookAsync(MirrorTurn turn, CancellationToken cancellation)
    {
        var (waits, failures) = (0, 0);
        while (true)
        {
            var read = await providers[turn.Claim.Provider].Calendar.GetAsync(turn.Call, turn.Address, cancellation);
            switch (read)
            {
                case EventRead.Failed { Fault.Reason: ProviderReason.CredentialsRejected } rejected:
                    if (await ReplaceTokenAsync(turn, rejected.Fault, cancellation) is { } end)
                        return end;
                    continue;
                case EventRead.Failed failed:
                    failures++;
                    if (!failed.Fault.RetryHelps || failed.Fault.RetryAfter is not null || failures >= FailedReadCountMax)
                        return await UnreadAsync(turn, failed.Fault, cancellation);
                    break;
                case EventRead.Found found:
                    turn.Saw(found.Event);
                    if (!IsStale(turn, found.Event))
                        return null;
                    break;
                case EventRead.Missing:
                    turn.Sighting = new Sighting.Missing();
                    if (!turn.Stand.Written)
                        return null;
                    break;
            }

            if (waits >= options.ConsistencyWaits.Length)
                break;
            var wait = options.ConsistencyWaits[waits++];
            if (!await HoldsAsync(turn, wait, cancellation))
                return new TurnEnd.ClaimLost();
            await Task.Delay(wait, clock, cancellation);
        }

        if (turn.Sighting is Sighting.Missing && turn.Desired.Present)
            return await MissedCalendarAsync(turn, cancellation);
        return turn.Sighting is Sighting.Unseen
            ? new TurnEnd.Retry(MirrorReasons.NotVisibleYet, "The reads after the write failed.")
            : null;
    }

    // Nothing may follow from a failed read but another look later (C-03, R-FIX-1-E).
    private async Task<TurnEnd> UnreadAsync(MirrorTurn turn, ProviderFault fault, CancellationToken cancellation)
    {
        if (fault.Reason == ProviderReason.InsufficientScope)
        {
            await tokens.MarkScopeWithheldAsync(turn.Claim.ConnectionId, cancellation);
            return new TurnEnd.Park(MirrorReasons.NeedsConsent, fault.Message);
        }

        if (fault.Reason == ProviderReason.NotWritable && await CalendarTroubleAsync(turn, cancellation) is { } lost)
            return lost;
        return fault.RetryHelps
            ? new TurnEnd.Retry(fault.Reason.ToString(), fault.Message, fault.RetryAfter)
            : new TurnEnd.Attention(fault.Reason.ToString(), fault.Message, []);
    }

    /// <summary>Whether a read may be older than our accepted write: other content under another ETag.</summary>
    private static bool IsStale(MirrorTurn turn, ProviderEvent shown) =>
        turn.Accepted is { } accepted
        && !string.Equals(accepted.ETag, shown.ETag, StringComparison.Ordinal)
        && (shown.Status == "cancelled" || !EventComparison.Mismatches(turn.Desired, shown).IsEmpty);

    /// <summary>A missing event may be a missing calendar.</summary>
    private async Task<TurnEnd?> MissedCalendarAsync(MirrorTurn turn, CancellationToken cancellation) =>
        turn.Sighting is Sighting.Missing && turn.Claim.AppliedVersion > 0
            ? await CalendarTroubleAsync(turn, cancellation)
            : null;

    /// <summary>Asks the calendar list, the authority on whether a calendar is there and writable. Null when it is.</summary>
    private async Task<TurnEnd?> CalendarTroubleAsync(MirrorTurn turn, CancellationToken cancellation)
    {
        var listing = await providers[turn.Claim.Provider].Calendar.ListCalendarsAsync(turn.Call, cancellation);
        switch (listing)
        {
            case CalendarSearch.Failed failed:
                return new TurnEnd.Retry(failed.Fault.Reason.ToString(), failed.Fault.Message, failed.Fault.RetryAfter);
            case CalendarSearch.Complete complete:
                var shown = complete.Calendars.FirstOrDefault(
                    calendar => calendar.RemoteId == turn.Claim.RemoteCalendarId);
                if (shown is null)
                    return turn.Desired.Present ? new TurnEnd.CalendarLost("gone") : null;
                return shown.AccessRole is "owner" or "writer" ? null : new TurnEnd.CalendarLost("unwritable");
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>Before an event that vanished is made again: does it stand in another calendar (R-CAL-03-C)?</summary>
    private async Task<TurnEnd?> SearchElsewhereAsync(MirrorTurn turn, CancellationToken cancellation)
    {
        foreach (var calendar in await store.OtherCalendarsAsync(turn.Claim, cancellation))
        {
            var search = await providers[turn.Claim.Provider].Calendar.FindByMirrorAsync(
                turn.Call, calendar, turn.Claim.Id, cancellation);
            switch (search)
            {
                case EventSearch.Failed failed:
                    return new TurnEnd.Retry(
                        failed.Fault.Reason.ToString(), failed.Fault.Message, failed.Fault.RetryAfter);
                case EventSearch.Complete { Events.IsEmpty: false } complete:
                    turn.Note("mirror.found_elsewhere", complete.Events[0].Json, complete.Events[0].Address);
                    return new TurnEnd.Attention(
                        MirrorReasons.WrongCalendar, "The provider stored the event in another calendar.",
                        [new FieldMismatch("calendar", turn.Claim.RemoteCalendarId, calendar)]);
            }
        }

        return null;
    }

    private async Task FinishAsync(MirrorTurn turn, TurnEnd end, CancellationToken cancellation)
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
        var (state, reason, next) = end switch
        {
            TurnEnd.Verified { Present: true } => ("verified", (string?)null, (DateTimeOffset?)null),
            TurnEnd.Verified => ("gone", null, null),
            TurnEnd.Unverified => ("unverified", MirrorReasons.VerificationOff, turn.VerifyAgainAt ?? now),
            TurnEnd.Retry again => ("retry_wait", again.Reason, NextAttempt(again, attempts, now)),
            TurnEnd.Park park => ("parked", park.Reason, null),
            TurnEnd.Attention attention => ("needs_attention", attention.Reason, null),
            _ => throw new UnreachableException(),
        };
        return new MirrorRecord(
            turn.Claim, state, reason, MirrorDetail.Write(turn, end, now), turn.Desired.Version, applied, verified,
            turn.Generation, turn.EventId, turn.Latest, end is not TurnEnd.Verified && turn.OutcomeUnknown, attempts, next,
            now + options.Rest, turn.TakeChanges(), turn.Calls(), now);
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
    }

    private static ProviderCall CallWith(MirrorTurn turn, string token) =>
        new(turn.Claim.ConnectionId, token, Interactive: true, turn.Claim.CorrelationId, turn.CallTimeout);

    private static string Sentence(MirrorStep.GiveUp giveUp) => giveUp.Mismatches.IsEmpty
        ? "The event cannot be brought to what is wanted."
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{giveUp.Mismatches.Length} fields are not what they should be, after repairs.");
}
