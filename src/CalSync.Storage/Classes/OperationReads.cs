using CalSync.Classes;

namespace CalSync.Storage.Classes;

/// <summary>Reads operations, notices and history as one actor may see them.</summary>
/// <param name="database">Where they are.</param>
public sealed class OperationReads(Database database)
{
    private const string Columns =
        """
        o.id, o.tenant_id, o.kind, o.class_id, o.enrolment_id, o.user_id, o.correlation_id, o.state, o.reason,
        o.detail, o.attempts, o.next_attempt_at, o.deadline_at, o.settled, o.created_at, o.updated_at,
        (SELECT COUNT(*) FROM operation_steps t WHERE t.operation_id = o.id) AS step_count,
        (SELECT COUNT(*) FROM operation_steps t WHERE t.operation_id = o.id AND t.verified) AS steps_verified
        """;

    // A student sees what they asked for and what is about their seats; an instructor what is about their
    // classes.
    private const string Visible =
        """
        o.tenant_id = @TenantId AND (@SeesAll
            OR (@Teaches AND EXISTS (SELECT 1 FROM classes c WHERE c.id = o.class_id
                AND c.instructor_id = @UserId))
            OR (NOT @Teaches AND EXISTS (
                SELECT 1 FROM enrolments e WHERE e.id = o.enrolment_id AND e.student_id = @UserId)))
        """;

    /// <summary>One operation with its steps, from one moment.</summary>
    /// <param name="actor">Who reads.</param>
    /// <param name="operationId">The operation.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    /// <returns>Null when there is none, or none for this actor.</returns>
    public async Task<OperationView?> FindAsync(
        Actor actor, string operationId, CancellationToken cancellation)
    {
        if (!ClassNeeds.IsId(operationId))
            return null;
        return await database.SnapshotAsync(
            async session =>
            {
                var view = await session.FirstOrDefaultAsync<OperationView>(
                    $"SELECT {Columns} FROM operations o WHERE o.id = @operationId AND {Visible}",
                    new
                    {
                        operationId,
                        actor.TenantId,
                        actor.UserId,
                        SeesAll = SeesAll(actor),
                        Teaches = Teaches(actor)
                    });
                if (view is null)
                    return null;
                var steps = await session.QueryAsync<OperationStepView>(
                    """
                    SELECT t.mirror_id, m.slot_id, m.provider_event_id AS event_id, t.required_version,
                        t.verified, m.state,
                        m.reason, m.detail, m.attempts, m.next_attempt_at, k.kind AS calendar_kind,
                        k.remote_id AS remote_calendar_id
                    FROM operation_steps t JOIN mirrors m ON m.id = t.mirror_id JOIN slots s
                        ON s.id = m.slot_id
                    JOIN calendars k ON k.id = m.calendar_id
                    WHERE t.operation_id = @operationId ORDER BY s.start_at, s.id
                    """,
                    new { operationId });
                return view with { Steps = [.. steps] };
            },
            cancellation);
    }

    /// <summary>Operations, newest first.</summary>
    /// <param name="actor">Who reads.</param>
    /// <param name="state">Only this state; null for all.</param>
    /// <param name="classId">Only of this class; null for all.</param>
    /// <param name="cursor">From the page before; null for the first.</param>
    /// <param name="count">1 to 200; more is cut.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public async Task<Page<OperationSummary>> ListAsync(
        Actor actor, string? state, string? classId, string? cursor, int count,
        CancellationToken cancellation)
    {
        var limit = ClassReads.Limit(count);
        var rows = await database.ReadAsync(
            session => session.QueryAsync<OperationSummary>(
                $"""
                SELECT {Columns} FROM operations o
                WHERE {Visible} AND (@state = '' OR o.state = @state) AND (@classId = ''
                    OR o.class_id = @classId)
                    AND (@after = '' OR o.id < @after)
                ORDER BY o.id DESC LIMIT @take
                """,
                new
                {
                    actor.TenantId,
                    actor.UserId,
                    SeesAll = SeesAll(actor),
                    Teaches = Teaches(actor),
                    state = ClassReads.Plain(state),
                    classId = ClassReads.Plain(classId),
                    after = ClassReads.After(cursor),
                    take = limit + 1,
                }),
            cancellation);
        return ClassReads.Paged(rows, limit, row => row.Id);
    }

    /// <summary>The operations of one request, oldest first.</summary>
    /// <param name="actor">Who reads.</param>
    /// <param name="correlationId">The request.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public async Task<IReadOnlyList<OperationSummary>> OfRequestAsync(
        Actor actor, string correlationId, CancellationToken cancellation)
    {
        if (!ClassNeeds.IsId(correlationId))
            return [];
        return await database.ReadAsync(
            session => session.QueryAsync<OperationSummary>(
                $"""
                SELECT {Columns} FROM operations o WHERE o.correlation_id = @correlationId AND o.id IN (
                    SELECT j.subject_id FROM journal j
                    WHERE j.correlation_id = @correlationId AND j.subject_kind = 'operation'
                    UNION SELECT x.id FROM journal j JOIN operations x ON x.enrolment_id = j.subject_id
                    WHERE j.correlation_id = @correlationId AND j.subject_kind = 'enrolment')
                AND {Visible} ORDER BY o.id
                """,
                new
                {
                    correlationId,
                    actor.TenantId,
                    actor.UserId,
                    SeesAll = SeesAll(actor),
                    Teaches = Teaches(actor)
                }),
            cancellation);
    }

    /// <summary>
    /// Operations whose conclusion can be drawn now: run <see cref="ClassCommand.SettleOperation"/> for each.
    /// </summary>
    /// <remarks>
    /// Verified ones; failed ones that nobody was told of; enrolments without verification; enrolments past
    /// their deadline.
    /// </remarks>
    /// <param name="now">UTC.</param>
    /// <param name="count">At most so many, longest waiting first.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<IReadOnlyList<DueSettlement>> DueSettlementsAsync(
        DateTimeOffset now, int count, CancellationToken cancellation) => database.ReadAsync(
        session => session.QueryAsync<DueSettlement>(
            """
            SELECT o.id AS operation_id, o.tenant_id, o.class_id, o.correlation_id FROM operations o
            WHERE NOT o.settled AND (
                o.state IN ('verified', 'compensating', 'compensated', 'abandoned')
                OR (o.state = 'needs_attention' AND NOT EXISTS (
                    SELECT 1 FROM notices n
                    WHERE n.dedupe_key = 'calendar_problem:' || o.id || ':' || COALESCE(o.reason, '')))
                OR (o.state = 'unverified' AND EXISTS (
                    SELECT 1 FROM enrolments e WHERE e.id = o.enrolment_id AND e.state = 'pending_calendar'))
                OR (o.kind = 'enrolment.create' AND o.deadline_at <= @now AND EXISTS (
                    SELECT 1 FROM enrolments e
                    WHERE e.id = o.enrolment_id AND e.state = 'pending_calendar' AND e.deadline_at <= @now)))
            ORDER BY o.updated_at LIMIT @count
            """,
            new { now, count }),
        cancellation);

    /// <summary>One person's notices, newest first.</summary>
    /// <param name="actor">Whose.</param>
    /// <param name="cursor">From the page before; null for the first.</param>
    /// <param name="count">1 to 200; more is cut.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public async Task<Page<NoticeView>> NoticesAsync(
        Actor actor, string? cursor, int count, CancellationToken cancellation)
    {
        var limit = ClassReads.Limit(count);
        var rows = await database.ReadAsync(
            session => session.QueryAsync<NoticeView>(
                """
                SELECT id, kind, class_id, slot_id, slot_version, enrolment_id, message, due_at, state,
                    created_at
                FROM notices WHERE tenant_id = @TenantId AND user_id = @UserId AND (@after = ''
                    OR id < @after)
                ORDER BY id DESC LIMIT @take
                """,
                new { actor.TenantId, actor.UserId, after = ClassReads.After(cursor), take = limit + 1 }),
            cancellation);
        return ClassReads.Paged(rows, limit, row => row.Id);
    }

    /// <summary>What happened to a class, slot, seat, mirror or event, in commit order. R-CAL-11-A,
    /// R-CAL-11-B.</summary>
    /// <param name="actor">Who reads; a student has no history.</param>
    /// <param name="id">
    /// Our id, or the event's id at the provider. A class's history holds that of all its parts; a slot's
    /// that of its mirror.
    /// </param>
    /// <param name="until">Only what happened up to then; null for all.</param>
    /// <param name="afterSeq">Only entries after this number; 0 for all.</param>
    /// <param name="count">1 to 200; more is cut.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public async Task<IReadOnlyList<HistoryEntry>> HistoryAsync(
        Actor actor, string id, DateTimeOffset? until, long afterSeq, int count,
        CancellationToken cancellation)
    {
        if (actor.Role == Role.Student || !ClassNeeds.IsId(id))
            return [];
        return await database.ReadAsync(
            async session =>
            {
                var ids = await session.QueryAsync<string>(
                    """
                    SELECT slot_id FROM mirrors WHERE id = @id OR provider_event_id = @id
                    UNION SELECT m.id FROM mirrors m WHERE m.slot_id = @id OR m.slot_id IN (
                        SELECT slot_id FROM mirrors WHERE id = @id OR provider_event_id = @id)
                    """,
                    new { id });
                return await session.QueryAsync<HistoryEntry>(
                    $"""
                    SELECT j.seq, j.at, j.actor, j.cause, j.correlation_id, j.kind, j.subject_kind,
                        j.subject_id, j.class_id, j.before, j.after
                    FROM journal j
                    WHERE j.tenant_id = @TenantId AND ({session.In("j.subject_id", "@ids")}
                        OR j.class_id = @id)
                        AND j.seq > @afterSeq AND j.at <= @until
                        AND (@SeesAll OR EXISTS (
                            SELECT 1 FROM classes c WHERE c.id = j.class_id AND c.instructor_id = @UserId))
                    ORDER BY j.seq LIMIT @take
                    """,
                    new
                    {
                        ids = ids.Append(id).ToArray(),
                        id,
                        afterSeq,
                        until = until ?? DateTimeOffset.MaxValue.AddDays(-1),
                        actor.TenantId,
                        actor.UserId,
                        SeesAll = SeesAll(actor),
                        take = ClassReads.Limit(count),
                    });
            },
            cancellation);
    }

    private static bool SeesAll(Actor actor) => actor.Role is Role.Admin or Role.Operator or Role.System;

    private static bool Teaches(Actor actor) => actor.Role == Role.Instructor;
}

/// <summary>An operation to be settled.</summary>
public sealed record DueSettlement
{
    /// <summary>The operation.</summary>
    public required string OperationId { get; init; }

    /// <summary>The tenant the product acts for.</summary>
    public required string TenantId { get; init; }

    /// <summary>The class, so that the command finds its place without another read.</summary>
    public required string ClassId { get; init; }

    /// <summary>The request it came from.</summary>
    public required string CorrelationId { get; init; }
}

/// <summary>One journal entry, for people.</summary>
public record HistoryEntry
{
    /// <summary>Position in commit order.</summary>
    public required long Seq { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Who.</summary>
    public required string Actor { get; init; }

    /// <summary>Why, one word.</summary>
    public required string Cause { get; init; }

    /// <summary>The request it belongs to.</summary>
    public required string CorrelationId { get; init; }

    /// <summary>What happened, such as <c>slot.moved</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>To what kind of thing.</summary>
    public required string SubjectKind { get; init; }

    /// <summary>To which.</summary>
    public required string SubjectId { get; init; }

    /// <summary>Its class.</summary>
    public string? ClassId { get; init; }

    /// <summary>JSON; null when there was nothing before.</summary>
    public string? Before { get; init; }

    /// <summary>JSON; null when there is nothing left.</summary>
    public string? After { get; init; }
}
