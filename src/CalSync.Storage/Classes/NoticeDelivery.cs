using CalSync.Sync.Journal;

namespace CalSync.Storage.Classes;

/// <summary>Delivers what was written for later: from then on it counts as read, and must be
/// corrected.</summary>
/// <remarks>
/// The place of delivery is the product's own: the person's list of notices and stream of events. What is due
/// when it is written is delivered with it. A reminder is delivered only while the calendar is known to show
/// the times it names; one that has become untrue is cancelled.
/// </remarks>
/// <param name="database">Where notices are.</param>
public sealed class NoticeDelivery(Database database)
{
    private const string Judged =
        """
        SELECT n.id, n.tenant_id, n.user_id, n.kind, n.class_id, n.slot_id, n.slot_version, n.enrolment_id,
            n.message, n.due_at,
            CASE WHEN n.kind <> 'reminder' THEN 'sent'
                WHEN s.state <> 'scheduled' OR s.version <> n.slot_version OR s.start_at <= @now
                    OR e.state NOT IN ('active', 'active_without_calendar', 'needs_attention')
                    THEN 'cancelled'
                WHEN m.state <> 'gone' AND m.verified_version >= s.wanted_version THEN 'sent'
                ELSE 'scheduled' END AS verdict
        FROM notices n
        LEFT JOIN slots s ON s.id = n.slot_id
        LEFT JOIN mirrors m ON m.slot_id = s.id AND m.active
        LEFT JOIN enrolments e ON e.id = n.enrolment_id
        WHERE n.state = 'scheduled' AND n.due_at <= @now
        """;

    /// <summary>Delivers or cancels what is due now.</summary>
    /// <param name="now">UTC.</param>
    /// <param name="countMax">At most so many, the longest due first.</param>
    /// <param name="correlationId">Ties together what this turn does.</param>
    /// <param name="cancellation">Cancelled, nothing was delivered.</param>
    /// <returns>How many left the waiting, either way.</returns>
    public async Task<int> DeliverAsync(
        DateTimeOffset now, int countMax, string correlationId, CancellationToken cancellation)
    {
        var due = await database.ReadAsync(
            session => session.QueryAsync<Row>(
                $"SELECT * FROM ({Judged}) judged WHERE verdict <> 'scheduled' ORDER BY due_at, id LIMIT "
                    + "@countMax",
                new { now, countMax }),
            cancellation);
        return due.Count == 0
            ? 0
            : await database.WriteAsync(session => TakeAsync(session, due, now, correlationId), cancellation);
    }

    private static async Task<int> TakeAsync(
        WriteSession session, IReadOnlyList<Row> due, DateTimeOffset now, string correlationId)
    {
        var count = 0;
        foreach (var verdict in due.GroupBy(row => row.Verdict))
        {
            // A move cancels its reminders as it is committed, and another process may be faster: only what
            // still waits is taken.
            var taken = await session.QueryAsync<string>(
                $"""
                UPDATE notices SET state = @Key, updated_at = @now
                WHERE {session.In("id", "@ids")} AND state = 'scheduled' RETURNING id
                """,
                new { verdict.Key, now, ids = verdict.Select(row => row.Id).ToArray() });
            foreach (var row in verdict.Where(row => taken.Contains(row.Id, StringComparer.Ordinal)))
                session.Journal(Entry(row, now, correlationId));
            count += taken.Count;
        }

        return count;
    }

    private static JournalEntry Entry(Row row, DateTimeOffset now, string correlationId) => new(
        now, row.TenantId, "worker", "delivery", correlationId, $"notice.{row.Verdict}", "notice", row.Id,
        row.ClassId, null,
        JournalText.Of(
            new
            {
                row.Kind,
                row.UserId,
                row.SlotId,
                row.SlotVersion,
                row.EnrolmentId,
                row.Message,
                row.DueAt
            }));

    private sealed record Row
    {
        public string Id { get; init; } = "";

        public string TenantId { get; init; } = "";

        public string UserId { get; init; } = "";

        public string Kind { get; init; } = "";

        public string? ClassId { get; init; }

        public string? SlotId { get; init; }

        public long? SlotVersion { get; init; }

        public string? EnrolmentId { get; init; }

        public string Message { get; init; } = "";

        public DateTimeOffset DueAt { get; init; }

        public string Verdict { get; init; } = "";
    }
}
