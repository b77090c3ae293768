using System.Collections.Immutable;
using CalSync.Sync;
using CalSync.Sync.Journal;
using CalSync.Sync.Mirroring;

namespace CalSync.Storage.Mirroring;

/// <summary>Mirrors and the operations that wait for them, in rows.</summary>
/// <remarks>
/// Locks are taken in one order everywhere: connection, mirror, operations by id, journal head. A claim is a
/// lease with a fence; every change by its holder names the fence, so that a worker that was given up for
/// dead changes nothing.
/// </remarks>
/// <param name="database">Where.</param>
/// <param name="ids">Names notices.</param>
public sealed class MirrorStore(Database database, IdSource ids) : IMirrorStore
{
    internal const string OpenStates =
        "('pending', 'in_flight', 'retry_wait', 'parked', 'unverified', 'needs_attention')";

    private const string ClaimColumns =
        """
        SELECT m.id, m.tenant_id, m.slot_id, s.class_id, m.connection_id, n.provider, m.calendar_id,
            c.remote_id AS remote_calendar_id, c.kind AS calendar_kind, c.state AS calendar_state,
            m.generation,
            m.provider_event_id, m.observed, m.applied_version, m.verified_version, m.attempts,
            m.outcome_unknown, m.lease_owner, m.lease_until, m.fence, m.correlation_id
        FROM mirrors m
        JOIN slots s ON s.id = m.slot_id
        JOIN connections n ON n.id = m.connection_id
        JOIN calendars c ON c.id = m.calendar_id
        """;

    /// <inheritdoc/>
    public Task<ImmutableArray<MirrorClaim>> ClaimAsync(
        string owner, int countMax, int perConnectionMax, IReadOnlyCollection<string> busyConnections,
        DateTimeOffset now, DateTimeOffset until, CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            var busy = busyConnections.ToArray();
            var due = await session.QueryAsync<string>(
                $"""
                SELECT m.id FROM mirrors m
                WHERE m.id IN (
                    SELECT id FROM (
                        SELECT id, row_number() OVER (PARTITION BY connection_id
                            ORDER BY next_attempt_at, id) AS place,
                            next_attempt_at
                        FROM mirrors
                        WHERE active AND next_attempt_at <= @now AND (lease_until IS NULL
                            OR lease_until <= @now)
                            AND NOT ({session.In("connection_id", "@busy")})) ranked
                    WHERE place <= @perConnectionMax ORDER BY place, next_attempt_at LIMIT @countMax)
                    AND m.next_attempt_at <= @now AND (m.lease_until IS NULL
                        OR m.lease_until <= @now){session.SkipLocked}
                """,
                new { now, busy, perConnectionMax, countMax });
            if (due.Count == 0)
                return ImmutableArray<MirrorClaim>.Empty;
            var ids = due.ToArray();

            // One that is still in flight was left by a worker that died: nobody knows what it wrote.
            await session.ExecuteAsync(
                $"""
                UPDATE mirrors SET lease_owner = @owner, lease_until = @until, fence = fence + 1,
                    updated_at = @now,
                    outcome_unknown = CASE WHEN state = 'in_flight' THEN TRUE ELSE outcome_unknown END,
                    state = 'in_flight', look_wanted = FALSE
                WHERE {session.In("id", "@ids")}
                """,
                new { owner, until, now, ids });
            var claims = await session.QueryAsync<MirrorClaim>(
                $"{ClaimColumns} WHERE {session.In("m.id", "@ids")} ORDER BY m.next_attempt_at, m.id",
                new { ids });
            return [.. claims];
        },
        cancellation);

    /// <inheritdoc/>
    public Task<MirrorTask?> LoadAsync(
        MirrorClaim claim, DateTimeOffset now, CancellationToken cancellation) =>
        database.SnapshotAsync(session => DesiredReading.LoadAsync(session, claim, now), cancellation);

    /// <inheritdoc/>
    public Task<bool> RenewAsync(MirrorClaim claim, DateTimeOffset until, CancellationToken cancellation) =>
        database.WriteAsync(
            async session => await session.ExecuteAsync(
                "UPDATE mirrors SET lease_until = @until WHERE id = @Id AND fence = @Fence AND lease_owner "
                    + "= @LeaseOwner",
                new { claim.Id, claim.Fence, claim.LeaseOwner, until }) == 1,
            cancellation);

    /// <inheritdoc/>
    public Task<ImmutableArray<string>?> RecordAsync(MirrorRecord record, CancellationToken cancellation) =>
        database.WriteAsync(
            async session =>
            {
                var end = await StillTrueAsync(session, record);
                if (await session.ExecuteAsync(RecordSql, Values(end)) != 1)
                    return (ImmutableArray<string>?)null;
                var waiting = await OperationProgress.LockWaitingAsync(session, end.Claim.Id);
                var refused = await OperationProgress.RefusedAsync(session, end, waiting);
                OperationProgress.Queue(session, end, waiting, refused);
                Journal(session, end);
                await ProposalWriting.WriteAsync(session, ids, end);
                await session.FlushAsync();
                return OperationProgress.Touched(end, waiting);
            },
            cancellation);

    /// <summary>
    /// A turn that found the grant dead may end after its owner has consented again. What set the parked work
    /// going then did not see this mirror, so it is not parked but due.
    /// </summary>
    private static async Task<MirrorRecord> StillTrueAsync(WriteSession session, MirrorRecord record)
    {
        if (record is not { State: "parked", Reason: MirrorReasons.NeedsConsent })
            return record;
        var state = await session.FirstOrDefaultAsync<string>(
            $"SELECT state FROM connections WHERE id = @ConnectionId{session.ForUpdate}",
            new { record.Claim.ConnectionId });
        return state is "needs_reauth" or "disconnected"
            ? record
            : record with { State = "pending", Reason = null, NextAttemptAt = record.RestUntil };
    }

    /// <inheritdoc/>
    public Task<bool> LeaveCalendarAsync(
        MirrorClaim claim, string calendarState, CalendarFallback fallback, DateTimeOffset now,
        CancellationToken cancellation) =>
        database.WriteAsync(
            session => CalendarLeaving.LeaveAsync(session, ids, claim, calendarState, fallback, now),
            cancellation);

    /// <inheritdoc/>
    public async Task<ImmutableArray<string>> OtherCalendarsAsync(
        MirrorClaim claim, CancellationToken cancellation) =>
        [.. await database.ReadAsync(
            session => session.QueryAsync<string>(
                """
                SELECT remote_id FROM calendars
                WHERE connection_id = @ConnectionId AND id <> @CalendarId AND state <> 'gone'
                    ORDER BY remote_id
                """,
                new { claim.ConnectionId, claim.CalendarId }),
            cancellation)];

    /// <inheritdoc/>
    public Task<int> SweepUnverifiedAsync(DateTimeOffset now, CancellationToken cancellation) =>
        database.WriteAsync(
        session => session.ExecuteAsync(
            """
            UPDATE mirrors SET next_attempt_at = @now
            WHERE active AND state = 'unverified' AND (next_attempt_at IS NULL OR next_attempt_at > @now)
                AND NOT EXISTS (
                    SELECT 1 FROM switches WHERE name = 'verification' AND value = 'off'
                        AND expires_at > @now)
            """,
            new { now }),
        cancellation);

    /// <inheritdoc/>
    public Task BeatAsync(
        string worker, string host, int processId, DateTimeOffset startedAt, DateTimeOffset now,
        CancellationToken cancellation) => database.WriteAsync(
        session => session.ExecuteAsync(
            """
            INSERT INTO workers (id, host, process_id, started_at, seen_at)
            VALUES (@worker, @host, @processId, @startedAt, @now)
            ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
            """,
            new { worker, host, processId, startedAt, now }),
        cancellation);

    /// <inheritdoc/>
    public Task<OperationStanding?> StandingAsync(string operationId, CancellationToken cancellation) =>
        database.ReadAsync(
            session => session.FirstOrDefaultAsync<OperationStanding>(
                "SELECT id, state, settled FROM operations WHERE id = @operationId", new { operationId }),
            cancellation);

    private const string RecordSql =
        """
        UPDATE mirrors SET generation = @Generation, provider_event_id = @EventId,
            etag = COALESCE(@ETag, etag), ical_uid = COALESCE(@ICalUid, ical_uid),
            html_link = COALESCE(@HtmlLink, html_link), conference_link = COALESCE(@ConferenceLink,
                conference_link),
            observed = CASE WHEN @Observed IS NULL AND generation = @Generation AND NOT @ForgetsEvent
                THEN observed ELSE @Observed END,
            applied_version = @AppliedVersion, verified_version = @VerifiedVersion,
            state = CASE WHEN @Done AND desired_version > @DesiredVersion THEN 'pending' ELSE @State END,
            reason = CASE WHEN @Done AND desired_version > @DesiredVersion THEN NULL ELSE @Reason END,
            detail = @Detail, attempts = @Attempts, outcome_unknown = @OutcomeUnknown,
            next_attempt_at = CASE WHEN @Done AND desired_version > @DesiredVersion THEN @RestUntil
                WHEN look_wanted AND @State <> 'retry_wait' THEN @RestUntil ELSE @NextAttemptAt END,
            lease_owner = NULL, lease_until = @RestUntil, updated_at = @At
        WHERE id = @Id AND fence = @Fence AND lease_owner = @LeaseOwner
        """;

    private static object Values(MirrorRecord record) => new
    {
        record.Claim.Id,
        record.Claim.Fence,
        record.Claim.LeaseOwner,
        record.Generation,
        record.EventId,
        record.Event?.ETag,
        record.Event?.ICalUid,
        record.Event?.HtmlLink,
        record.Event?.ConferenceLink,
        Observed = record.Event is { } shown ? ObservedEvent.Write(shown) : null,
        record.AppliedVersion,
        record.VerifiedVersion,
        record.State,
        record.DesiredVersion,

        // A failure for a person is the end for what was tried, not for what has been wanted since.
        Done = record.State is "verified" or "gone" or "unverified" or "needs_attention",
        record.Reason,
        record.Detail,
        record.Attempts,
        record.OutcomeUnknown,
        record.RestUntil,
        record.NextAttemptAt,
        record.ForgetsEvent,
        record.At,
    };

    private static void Journal(WriteSession session, MirrorRecord record)
    {
        void Write(string kind, string? before, string? after) => session.Journal(new JournalEntry(
            record.At, record.Claim.TenantId, "worker", "mirror", record.Claim.CorrelationId, kind, "mirror",
            record.Claim.Id, record.Claim.ClassId, before, after));
        foreach (var change in record.Changes)
            Write(change.Kind, change.Before, change.After);
        Write(
            $"mirror.{record.State}",
            null,
            JournalText.Of(new
            {
                record.State,
                record.Reason,
                record.EventId,
                record.Generation,
                record.AppliedVersion,
                record.VerifiedVersion,
                record.Attempts,
                record.NextAttemptAt,
                slotId = record.Claim.SlotId,
                calls = record.Calls.Select(call => new
                {
                    call.Operation,
                    call.StartedAt,
                    ms = (long)call.Elapsed.TotalMilliseconds,
                    call.Status,
                    reason = call.Reason?.ToString(),
                    call.Message,
                }),
            }));
    }
}
