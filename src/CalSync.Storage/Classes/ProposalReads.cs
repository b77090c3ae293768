using System.Collections.Immutable;
using CalSync.Classes;
using CalSync.Storage.Mirroring;

namespace CalSync.Storage.Classes;

/// <summary>Reads what was changed on calendars by hand, as one actor may see it, with who is
/// affected.</summary>
/// <remarks>
/// Who is affected is read anew each time: it is those who sit there now, not those who did when the change
/// was found. A question that a later change of the slot has answered shows as withdrawn at once.
/// </remarks>
/// <param name="database">Where they are.</param>
public sealed class ProposalReads(Database database)
{
    private const string Live =
        "e.state IN ('pending_calendar', 'active', 'active_without_calendar', 'needs_attention')";

    private const string Columns =
        $"""
        p.id, p.class_id, c.title, c.instructor_id, p.slot_id, p.kind, s.time_zone,
        CASE WHEN p.state = 'pending' AND p.slot_version <> s.version THEN 'withdrawn' ELSE p.state END
            AS state,
        CASE WHEN p.state = 'pending' AND p.slot_version <> s.version THEN 'slot_changed' ELSE p.reason END
            AS reason,
        p.policy, p.from_start, p.from_end, p.to_start, p.to_end, p.event_id, p.old_event_id, p.version,
        p.decided_by, p.decided_at, p.found_at, p.updated_at,
        (SELECT count(*) FROM enrolments e WHERE e.class_id = p.class_id AND {Live}) AS student_count,
        (SELECT count(*) FROM enrolments e JOIN payments y ON y.enrolment_id = e.id
            WHERE e.class_id = p.class_id AND {Live} AND y.state = 'confirmed' AND y.amount_minor > 0)
            AS paid_count,
        (SELECT count(*) {Overlaps}) AS overlap_count
        """;

    private const string From =
        "FROM proposals p JOIN slots s ON s.id = p.slot_id JOIN classes c ON c.id = p.class_id";

    // The instructor's other slots at the time the event was moved to.
    private const string Overlaps =
        """
        FROM slots o JOIN classes k ON k.id = o.class_id
            WHERE k.instructor_id = c.instructor_id AND o.id <> p.slot_id AND o.state = 'scheduled'
            AND o.start_at < p.to_end AND o.end_at > p.to_start
        """;

    private const string Visible = "p.tenant_id = @TenantId AND (@SeesAll OR c.instructor_id = @UserId)";

    /// <summary>Proposals, newest first, with how many are affected.</summary>
    /// <param name="actor">Who reads; students see none.</param>
    /// <param name="state">Only this state; null for all.</param>
    /// <param name="classId">Only of this class; null for all.</param>
    /// <param name="cursor">From the page before; null for the first.</param>
    /// <param name="count">1 to <see cref="ClassReads.PageCountMax"/>; more is cut.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public async Task<Page<ProposalSummary>> ListAsync(
        Actor actor, string? state, string? classId, string? cursor, int count,
        CancellationToken cancellation)
    {
        if (actor.Role == Role.Student)
            return new Page<ProposalSummary>([], null);
        var (limit, after) = (ClassReads.Limit(count), ClassReads.After(cursor));
        var rows = await database.ReadAsync(
            session => session.QueryAsync<ProposalSummary>(
                $"""
                SELECT * FROM (SELECT {Columns} {From}
                    WHERE {Visible} AND (@classId = '' OR p.class_id = @classId)
                        AND (@after = '' OR p.id < @after)) found
                WHERE @state = '' OR state = @state ORDER BY id DESC LIMIT @take
                """,
                new
                {
                    actor.TenantId,
                    actor.UserId,
                    SeesAll = ClassReads.SeesAll(actor),
                    state = ClassReads.Plain(state),
                    classId = ClassReads.Plain(classId),
                    after,
                    take = limit + 1,
                }),
            cancellation);
        return ClassReads.Paged(rows, limit, row => row.Id);
    }

    /// <summary>One proposal with everybody affected, from one moment.</summary>
    /// <param name="actor">Who reads.</param>
    /// <param name="proposalId">The proposal.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    /// <returns>Null when there is none, or none for this actor.</returns>
    public async Task<ProposalView?> FindAsync(
        Actor actor, string proposalId, CancellationToken cancellation)
    {
        if (!ClassNeeds.IsId(proposalId) || actor.Role == Role.Student)
            return null;
        return await database.SnapshotAsync(
            async session =>
            {
                var view = await session.FirstOrDefaultAsync<ProposalView>(
                    $"SELECT {Columns} {From} WHERE p.id = @proposalId AND {Visible}",
                    new { proposalId, actor.TenantId, actor.UserId, SeesAll = ClassReads.SeesAll(actor) });
                if (view is null)
                    return null;
                var students = await session.QueryAsync<AffectedStudent>(
                    $"""
                    SELECT e.id AS enrolment_id, e.student_id, u.name, e.state, y.state AS payment_state
                    FROM enrolments e JOIN users u ON u.id = e.student_id
                    LEFT JOIN payments y ON y.enrolment_id = e.id
                    WHERE e.class_id = @ClassId AND {Live} ORDER BY e.id
                    """,
                    new { view.ClassId });
                var overlaps = await session.QueryAsync<AffectedSlot>(
                    $"""
                    SELECT k.id AS class_id, k.title, o.id AS slot_id, o.start_at, o.end_at
                    FROM (SELECT p.slot_id, p.to_start, p.to_end, c.instructor_id {From}
                        WHERE p.id = @proposalId) p
                    JOIN classes k ON k.instructor_id = p.instructor_id JOIN slots o ON o.class_id = k.id
                    WHERE o.id <> p.slot_id AND o.state = 'scheduled'
                        AND o.start_at < p.to_end AND o.end_at > p.to_start
                    ORDER BY o.start_at, o.id
                    """,
                    new { proposalId });
                return view with { Students = [.. students], Overlaps = [.. overlaps] };
            },
            cancellation);
    }

    /// <summary>
    /// Deletions that a rule answers by cancelling the slot: run <see cref="ClassCommand.AcceptProposal"/>
    /// for each.
    /// </summary>
    /// <param name="count">At most so many.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<IReadOnlyList<DueProposal>> DueAsync(int count, CancellationToken cancellation) =>
        database.ReadAsync(
            session => session.QueryAsync<DueProposal>(
                """
                SELECT p.id, p.tenant_id, p.class_id FROM proposals p JOIN slots s ON s.id = p.slot_id
                WHERE p.state = 'pending' AND p.policy = 'cancel_slot' AND p.slot_version = s.version
                ORDER BY p.id LIMIT @count
                """,
                new { count }),
            cancellation);

    /// <summary>Withdraws questions about slots as they are no more.</summary>
    /// <param name="now">UTC.</param>
    /// <param name="correlationId">For the journal.</param>
    /// <param name="cancellation">Cancelled, nothing is changed.</param>
    /// <returns>How many.</returns>
    public async Task<int> WithdrawMootAsync(
        DateTimeOffset now, string correlationId, CancellationToken cancellation)
    {
        var isAny = await database.ReadAsync(
            session => session.FirstOrDefaultAsync<string>(
                """
                SELECT p.id FROM proposals p JOIN slots s ON s.id = p.slot_id
                WHERE p.state = 'pending' AND p.slot_version <> s.version LIMIT 1
                """),
            cancellation);
        return isAny is null
            ? 0
            : await database.WriteAsync(
                session => ProposalWriting.WithdrawMootAsync(session, null, now, correlationId),
                cancellation);
    }
}

/// <summary>A proposal to be accepted by a rule.</summary>
public sealed record DueProposal
{
    /// <summary>The proposal.</summary>
    public required string Id { get; init; }

    /// <summary>The tenant the product acts for.</summary>
    public required string TenantId { get; init; }

    /// <summary>The class.</summary>
    public required string ClassId { get; init; }
}

/// <summary>A change somebody made on the calendar, with how many it affects.</summary>
public record ProposalSummary
{
    /// <summary>The proposal.</summary>
    public required string Id { get; init; }

    /// <summary><c>moved</c>, <c>deleted</c> or <c>relinked</c>.</summary>
    public required string Kind { get; init; }

    /// <summary><c>pending</c>, <c>accepted</c>, <c>refused</c>, <c>withdrawn</c> or
    /// <c>settled</c>.</summary>
    public required string State { get; init; }

    /// <summary>Why it was withdrawn, or what settled it.</summary>
    public string? Reason { get; init; }

    /// <summary>For a deletion, what the configuration said when it was found.</summary>
    public string? Policy { get; init; }

    /// <summary>The class.</summary>
    public required string ClassId { get; init; }

    /// <summary>Its title.</summary>
    public required string Title { get; init; }

    /// <summary>Who teaches it.</summary>
    public required string InstructorId { get; init; }

    /// <summary>The slot.</summary>
    public required string SlotId { get; init; }

    /// <summary>The slot's zone.</summary>
    public required string TimeZone { get; init; }

    /// <summary>The slot's start when this was found, UTC.</summary>
    public required DateTimeOffset FromStart { get; init; }

    /// <summary>The slot's end when this was found, UTC.</summary>
    public required DateTimeOffset FromEnd { get; init; }

    /// <summary>Where the event was moved to, UTC; null unless it was moved.</summary>
    public DateTimeOffset? ToStart { get; init; }

    /// <summary>As <see cref="ToStart"/>.</summary>
    public DateTimeOffset? ToEnd { get; init; }

    /// <summary>The event's id at the provider.</summary>
    public required string EventId { get; init; }

    /// <summary>The event it replaced; null unless it was made again.</summary>
    public string? OldEventId { get; init; }

    /// <summary>Rises with every change; the ETag.</summary>
    public required long Version { get; init; }

    /// <summary>Who accepted or refused it.</summary>
    public string? DecidedBy { get; init; }

    /// <summary>When it ceased to be pending, UTC.</summary>
    public DateTimeOffset? DecidedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset FoundAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Students who have a seat now.</summary>
    public required long StudentCount { get; init; }

    /// <summary>How many of them have paid.</summary>
    public required long PaidCount { get; init; }

    /// <summary>Slots the instructor teaches at the time the event was moved to.</summary>
    public required long OverlapCount { get; init; }
}

/// <summary>A proposal with everybody it affects.</summary>
public sealed record ProposalView : ProposalSummary
{
    /// <summary>Who has a seat now.</summary>
    public ImmutableArray<AffectedStudent> Students { get; init; } = [];

    /// <summary>What the instructor teaches at the time the event was moved to.</summary>
    public ImmutableArray<AffectedSlot> Overlaps { get; init; } = [];
}

/// <summary>A student with a seat.</summary>
public sealed record AffectedStudent
{
    /// <summary>The seat.</summary>
    public required string EnrolmentId { get; init; }

    /// <summary>The student.</summary>
    public required string StudentId { get; init; }

    /// <summary>Their name.</summary>
    public required string Name { get; init; }

    /// <summary>The state of the seat.</summary>
    public required string State { get; init; }

    /// <summary><c>pending</c> or <c>confirmed</c>; null when nothing is owed yet.</summary>
    public string? PaymentState { get; init; }
}

/// <summary>A slot at the same time.</summary>
public sealed record AffectedSlot
{
    /// <summary>Its class.</summary>
    public required string ClassId { get; init; }

    /// <summary>The class's title.</summary>
    public required string Title { get; init; }

    /// <summary>The slot.</summary>
    public required string SlotId { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset StartAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset EndAt { get; init; }
}
