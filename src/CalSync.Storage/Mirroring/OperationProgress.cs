using System.Collections.Immutable;
using CalSync.Sync.Mirroring;

namespace CalSync.Storage.Mirroring;

/// <summary>Carries what became of a mirror over to the operations that wait for it.</summary>
internal static class OperationProgress
{
    /// <summary>Locks the operations that wait for a mirror, in one order, so that two mirrors of one see
    /// each other.</summary>
    public static async Task<ImmutableArray<WaitingStep>> LockWaitingAsync(
        WriteSession session, string mirrorId)
    {
        var steps = await session.QueryAsync<WaitingStep>(
            """
            SELECT s.operation_id, s.required_version FROM operation_steps s
            WHERE s.mirror_id = @mirrorId AND NOT s.verified ORDER BY s.operation_id
            """,
            new { mirrorId });
        var ids = steps.Select(step => step.OperationId).ToArray();
        if (ids.Length > 0 && session.ForUpdate.Length > 0)
        {
            await session.QueryAsync<string>(
                $"SELECT id FROM operations WHERE {session.In("id", "@ids")} ORDER BY id{session.ForUpdate}",
                new { ids });
        }

        return [.. steps];
    }

    /// <summary>Which of the waiting operations a turn's end says something about.</summary>
    /// <remarks>
    /// What was wanted only after the turn had read its task was not tried: that a person must look at the
    /// one before says nothing about it. Waiting and parking hold for all.
    /// </remarks>
    public static ImmutableArray<string> Touched(MirrorRecord record, ImmutableArray<WaitingStep> waiting)
    {
        var reached = record.State switch
        {
            "verified" or "gone" => record.VerifiedVersion,
            "unverified" => record.AppliedVersion,
            "needs_attention" => record.DesiredVersion,
            _ => long.MaxValue,
        };
        return [.. waiting.Where(step => step.RequiredVersion <= reached).Select(step => step.OperationId)];
    }

    /// <summary>The waiting operations whose student a turn found refused.</summary>
    public static async Task<IReadOnlyList<RefusedSeat>> RefusedAsync(
        WriteSession session, MirrorRecord record, ImmutableArray<WaitingStep> waiting)
    {
        if (record.RefusedGuests.IsEmpty)
            return [];
        return await session.QueryAsync<RefusedSeat>(
            $"""
            SELECT o.id AS operation_id, e.calendar_email
            FROM operations o JOIN enrolments e ON e.id = o.enrolment_id
            WHERE o.kind = 'enrolment.create' AND {session.In("o.id", "@ids")}
                AND {session.In("e.calendar_email", "@refused")}
            """,
            new { ids = Touched(record, waiting).ToArray(), refused = record.RefusedGuests.ToArray() });
    }

    /// <summary>Queues the new states of steps and operations.</summary>
    public static void Queue(
        WriteSession session, MirrorRecord record, ImmutableArray<WaitingStep> waiting,
        IReadOnlyList<RefusedSeat> refused)
    {
        foreach (var seat in refused)
        {
            session.Queue(
                $"""
                UPDATE operations SET state = 'needs_attention', reason = @reason, detail = NULL,
                    attempts = attempts + 1, next_attempt_at = NULL, updated_at = @At
                WHERE id = @OperationId AND state IN {MirrorStore.OpenStates}
                """,
                new { seat.OperationId, reason = MirrorReasons.GuestRefused(seat.CalendarEmail), record.At });
        }

        // A refused guest keeps the mirror from being verified, not what everybody else waits for.
        var done = record.State is "verified" or "gone"
            || (record.State == "needs_attention" && !record.RefusedGuests.IsEmpty);
        var reached = record.VerifiedVersion;
        var ids = Touched(record, waiting).Except(refused.Select(seat => seat.OperationId)).ToArray();
        if (ids.Length == 0)
            return;
        if (!done)
        {
            session.Queue(
                $"""
                UPDATE operations SET state = @State, reason = @Reason, detail = @Detail,
                    attempts = attempts + 1,
                    next_attempt_at = @NextAttemptAt, updated_at = @At
                WHERE {session.In("id", "@ids")} AND state IN {MirrorStore.OpenStates}
                """,
                new { record.State, record.Reason, record.Detail, record.NextAttemptAt, record.At, ids });
            return;
        }

        session.Queue(
            $"""
            UPDATE operation_steps SET verified = TRUE
            WHERE mirror_id = @mirrorId AND required_version <= @reached
                AND {session.In("operation_id", "@ids")}
            """,
            new { mirrorId = record.Claim.Id, reached, ids });
        session.Queue(
            $"""
            UPDATE operations SET attempts = attempts + 1, updated_at = @At, detail = @Detail,
                state = CASE WHEN EXISTS (
                        SELECT 1 FROM operation_steps s WHERE s.operation_id = operations.id
                            AND NOT s.verified)
                    THEN state ELSE 'verified' END,
                reason = CASE WHEN EXISTS (
                        SELECT 1 FROM operation_steps s WHERE s.operation_id = operations.id
                            AND NOT s.verified)
                    THEN reason ELSE NULL END,
                next_attempt_at = NULL
            WHERE {session.In("id", "@ids")} AND state IN {MirrorStore.OpenStates}
            """,
            new { record.At, record.Detail, ids });
    }

    /// <summary>Parks every open operation that waits for a mirror of a connection or calendar.</summary>
    /// <param name="session">The transaction that changes the mirrors.</param>
    /// <param name="mirrorColumn"><c>connection_id</c> or <c>calendar_id</c>.</param>
    /// <param name="value">Its value.</param>
    /// <param name="state">The new state.</param>
    /// <param name="reason">Why.</param>
    /// <param name="now">UTC.</param>
    public static void QueueAll(
        WriteSession session, MirrorColumn mirrorColumn, string value, string state, string reason,
        DateTimeOffset now) =>
        session.Queue(
            $"""
            UPDATE operations SET state = @state, reason = @reason, updated_at = @now, next_attempt_at = NULL
            WHERE NOT settled AND state IN ('pending', 'in_flight', 'retry_wait', 'parked') AND id IN (
                SELECT s.operation_id FROM operation_steps s JOIN mirrors m ON m.id = s.mirror_id
                WHERE m.{(mirrorColumn == MirrorColumn.Connection ? "connection_id" : "calendar_id")} = @value
                    AND NOT s.verified)
            """,
            new { value, state, reason, now });

    /// <summary>Sets operations of a connection going again, after their mirrors; not those that still wait
    /// for a held one.</summary>
    public static void QueueResume(WriteSession session, string connectionId, DateTimeOffset now) =>
        session.Queue(
        """
        UPDATE operations SET state = 'pending', reason = NULL, updated_at = @now, next_attempt_at = NULL
        WHERE NOT settled AND state IN ('retry_wait', 'parked') AND id IN (
                SELECT s.operation_id FROM operation_steps s JOIN mirrors m ON m.id = s.mirror_id
                WHERE m.connection_id = @connectionId AND NOT s.verified)
            AND NOT EXISTS (
                SELECT 1 FROM operation_steps s JOIN mirrors m ON m.id = s.mirror_id
                WHERE s.operation_id = operations.id AND NOT s.verified AND m.state = 'parked')
        """,
        new { connectionId, now });
}

/// <summary>What mirrors are taken together by.</summary>
internal enum MirrorColumn
{
    Connection = 1,
    Calendar = 2,
}

/// <summary>A step that waits for a mirror.</summary>
internal sealed record WaitingStep
{
    public string OperationId { get; init; } = "";

    public long RequiredVersion { get; init; }
}

/// <summary>An enrolment whose student the provider refuses.</summary>
internal sealed record RefusedSeat
{
    public string OperationId { get; init; } = "";

    public string CalendarEmail { get; init; } = "";
}
