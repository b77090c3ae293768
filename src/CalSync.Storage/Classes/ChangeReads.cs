using CalSync.Classes;

namespace CalSync.Storage.Classes;

/// <summary>What one read of the changes gave.</summary>
/// <param name="Items">In commit order, only what concerns the reader.</param>
/// <param name="Next">Read on from here. Past the last item when what followed concerns somebody
/// else.</param>
/// <param name="Head">The journal's last entry when this was read.</param>
public sealed record ChangeWindow(IReadOnlyList<ConcerningEntry> Items, long Next, long Head)
{
    /// <summary>Whether there may be more at once.</summary>
    public bool More => Next < Head;
}

/// <summary>A journal entry and what it is to its reader.</summary>
public sealed record ConcerningEntry : HistoryEntry
{
    /// <summary>About the reader's own seat, payment, operation, notice or account; else about what they
    /// share.</summary>
    public bool Own { get; init; }
}

/// <summary>Reads the journal in commit order, as far as it concerns one person.</summary>
/// <remarks>
/// Administrators and operators are concerned by everything in their tenant, instructors by their classes and
/// accounts, students by their own seats and by the classes, slots and events they sit in, up to the end of
/// the seat.
/// </remarks>
/// <param name="database">Where the journal is.</param>
public sealed class ChangeReads(Database database)
{
    /// <summary>Most entries looked through by one read; bounds its cost, however few concern the
    /// reader.</summary>
    public const int LookedThroughCountMax = 2_000;

    private const string Own =
        """
        (j.subject_id = @UserId
            OR (j.subject_kind = 'enrolment' AND EXISTS (
                SELECT 1 FROM enrolments e WHERE e.id = j.subject_id AND e.student_id = @UserId))
            OR (j.subject_kind = 'payment' AND EXISTS (
                SELECT 1 FROM payments p JOIN enrolments e ON e.id = p.enrolment_id
                WHERE p.id = j.subject_id AND e.student_id = @UserId))
            OR (j.subject_kind = 'operation' AND EXISTS (
                SELECT 1 FROM operations o JOIN enrolments e ON e.id = o.enrolment_id
                WHERE o.id = j.subject_id AND e.student_id = @UserId))
            OR (j.subject_kind = 'notice' AND EXISTS (
                SELECT 1 FROM notices n WHERE n.id = j.subject_id AND n.user_id = @UserId)))
        """;

    // Who is reminded of what is between each student and the product.
    private const string Attended =
        """
        (j.subject_kind IN ('class', 'slot', 'mirror')
            AND j.kind NOT IN ('notices.written', 'reminders.cancelled')
            AND EXISTS (
                SELECT 1 FROM enrolments e WHERE e.class_id = j.class_id AND e.student_id = @UserId
                    AND (e.state NOT IN ('failed_rolled_back', 'cancelled') OR j.at <= e.updated_at)))
        """;

    private const string Taught =
        """
        (j.actor = @UserId
            OR EXISTS (SELECT 1 FROM classes c WHERE c.id = j.class_id AND c.instructor_id = @UserId)
            OR (j.subject_kind = 'connection' AND EXISTS (
                SELECT 1 FROM connections k WHERE k.id = j.subject_id AND k.user_id = @UserId)))
        """;

    /// <summary>Reads on from an entry.</summary>
    /// <param name="actor">Who reads; entries of other tenants do not exist.</param>
    /// <param name="after">The last entry seen; 0 for all.</param>
    /// <param name="countMax">Most entries in the answer, 1 to 200; more is cut.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<ChangeWindow> ReadAsync(Actor actor, long after, int countMax, CancellationToken cancellation)
    {
        var take = ClassReads.Limit(countMax);
        return database.SnapshotAsync(
            async session =>
            {
                var head = await session.ScalarAsync<long>("SELECT seq FROM journal_head WHERE id = 1");
                var upTo = after > head - LookedThroughCountMax ? head : after + LookedThroughCountMax;
                if (after >= head)
                    return new ChangeWindow([], after, head);
                var items = await session.QueryAsync<ConcerningEntry>(
                    $"""
                    SELECT j.seq, j.at, j.actor, j.cause, j.correlation_id, j.kind, j.subject_kind,
                        j.subject_id, j.class_id, j.before, j.after, {Own} AS own
                    FROM journal j
                    WHERE j.tenant_id = @TenantId AND j.seq > @after AND j.seq <= @upTo{Concern(actor.Role)}
                    ORDER BY j.seq LIMIT @take
                    """,
                    new { actor.TenantId, actor.UserId, after, upTo, take });
                return new ChangeWindow(items, items.Count == take ? items[^1].Seq : upTo, head);
            },
            cancellation);
    }

    private static string Concern(Role role) => role switch
    {
        Role.Admin or Role.Operator or Role.System => "",
        Role.Instructor => $" AND ({Taught} OR {Own})",
        Role.Student => $" AND ({Attended} OR {Own})",
    };
}
