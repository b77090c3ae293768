namespace CalSync.Storage.Running;

/// <summary>A request that came with an idempotency key, as long as its key is kept.</summary>
public sealed record TracedRequest
{
    /// <summary>Method and route, such as <c>POST /api/v1/classes</c>.</summary>
    public required string Route { get; init; }

    /// <summary>Who asked.</summary>
    public required string UserId { get; init; }

    /// <summary>HTTP status it was answered with; null while it is under way.</summary>
    public int? Status { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>One entry about a mirror.</summary>
public sealed record TracedTurn
{
    /// <summary>Position in commit order.</summary>
    public required long Seq { get; init; }

    /// <summary>When it was recorded, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The request whose change made the mirror due last; a joined write has one for
    /// several.</summary>
    public required string CorrelationId { get; init; }

    /// <summary>What happened, such as <c>mirror.verified</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The mirror.</summary>
    public required string SubjectId { get; init; }

    /// <summary>JSON with the calls of the turn.</summary>
    public required string After { get; init; }
}

/// <summary>What a trace needs beside the journal and the operations.</summary>
/// <param name="database">Where it is.</param>
public sealed class TraceReads(Database database)
{
    /// <summary>The requests of one correlation, oldest first.</summary>
    /// <param name="correlationId">The request's.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<IReadOnlyList<TracedRequest>> RequestsAsync(
        string correlationId, CancellationToken cancellation) =>
        database.ReadAsync(
            session => session.QueryAsync<TracedRequest>(
                """
                SELECT route, user_id, status, created_at FROM idempotency_keys
                WHERE correlation_id = @correlationId ORDER BY created_at
                """,
                new { correlationId }),
            cancellation);

    /// <summary>A mirror's turns from a moment on, until the first that verified a version.</summary>
    /// <remarks>
    /// One write serves every change made before it, so it carries the correlation of only one of them: the
    /// turns of an operation are found by its mirror and its time, not by its correlation.
    /// </remarks>
    /// <param name="mirrorId">The mirror.</param>
    /// <param name="from">When the operation was made, UTC.</param>
    /// <param name="version">The version that it needs.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<IReadOnlyList<TracedTurn>> TurnsAsync(
        string mirrorId, DateTimeOffset from, long version, CancellationToken cancellation) =>
        database.ReadAsync(
        session => session.QueryAsync<TracedTurn>(
            $"""
            SELECT j.seq, j.at, j.correlation_id, j.kind, j.subject_id, j.after FROM journal j
            WHERE j.subject_id = @mirrorId AND j.at >= @from AND {Calls(session)} IS NOT NULL
                AND j.seq <= COALESCE(
                    (SELECT MIN(v.seq) FROM journal v WHERE v.subject_id = @mirrorId AND v.at >= @from
                        AND v.kind = 'mirror.verified' AND {Verified(session)} >= @version),
                    j.seq)
            ORDER BY j.seq
            """,
            new { mirrorId, from, version }),
        cancellation);

    private static string Calls(Session session) => session.Engine == Engine.Postgres
        ? "j.after::jsonb -> 'calls'"
        : "json_extract(j.after, '$.calls')";

    private static string Verified(Session session) => session.Engine == Engine.Postgres
        ? "(v.after::jsonb ->> 'verifiedVersion')::bigint"
        : "json_extract(v.after, '$.verifiedVersion')";
}
