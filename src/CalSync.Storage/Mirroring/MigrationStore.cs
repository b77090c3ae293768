using System.Text.Json;
using CalSync.Sync.Journal;
using CalSync.Sync.Mirroring;

namespace CalSync.Storage.Mirroring;

/// <summary>Events on their way from one calendar to another, in rows.</summary>
/// <remarks>
/// Taking an event is the lease of its mirror, so a worker and a migration never write one event at once.
/// One that a worker left in flight, or whose last write is in doubt, is the worker's first.
/// </remarks>
/// <param name="database">Where.</param>
public sealed class MigrationStore(Database database) : IMigrationStore
{
    private const string Movable =
        """
        FROM mirrors m JOIN slots s ON s.id = m.slot_id
        WHERE m.connection_id = @ConnectionId AND m.calendar_id = @FromId AND m.active
            AND m.state <> 'gone' AND s.end_at > @now
        """;

    /// <inheritdoc/>
    public Task<MigrationRoute?> RouteAsync(
        string fromId, string toId, CancellationToken cancellation) => database.ReadAsync(
        session => session.FirstOrDefaultAsync<MigrationRoute>(
            """
            SELECT n.id AS connection_id, n.user_id, n.provider, f.id AS from_id,
                f.remote_id AS from_remote_id, t.id AS to_id, t.remote_id AS to_remote_id
            FROM calendars f JOIN calendars t ON t.connection_id = f.connection_id
            JOIN connections n ON n.id = f.connection_id
            WHERE f.id = @fromId AND t.id = @toId AND f.id <> t.id
            """,
            new { fromId, toId }),
        cancellation);

    /// <inheritdoc/>
    public Task<int> LeftAsync(
        MigrationRoute route, DateTimeOffset now, CancellationToken cancellation) => database.ReadAsync(
        session => session.ScalarAsync<int>(
            $"SELECT count(*) {Movable}", new { route.ConnectionId, route.FromId, now }),
        cancellation);

    /// <inheritdoc/>
    public Task<MigrationItem?> TakeAsync(
        MigrationRoute route, string? after, string owner, DateTimeOffset now, DateTimeOffset until,
        CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            var id = await session.FirstOrDefaultAsync<string>(
                $"""
                SELECT m.id {Movable} AND m.state <> 'in_flight' AND NOT m.outcome_unknown
                    AND (m.lease_until IS NULL OR m.lease_until <= @now) AND m.id > @after
                ORDER BY m.id LIMIT 1{(session.SkipLocked.Length > 0 ? " FOR UPDATE OF m SKIP LOCKED" : "")}
                """,
                new { route.ConnectionId, route.FromId, now, after = after ?? "" });
            if (id is null)
                return null;
            var row = (await session.FirstOrDefaultAsync<TakenRow>(
                """
                UPDATE mirrors SET lease_owner = @owner, lease_until = @until, fence = fence + 1,
                    updated_at = @now
                WHERE id = @id RETURNING provider_event_id, fence, applied_version
                """,
                new { id, owner, until, now }))!;
            return new MigrationItem(id, row.ProviderEventId, row.Fence, row.AppliedVersion > 0);
        },
        cancellation);

    /// <inheritdoc/>
    public Task<bool> SaveAsync(
        MigrationRoute route, MigrationItem item, string actor, string correlationId, DateTimeOffset now,
        CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            // What was seen of it was seen elsewhere; the worker looks at it in its new place.
            var row = await session.FirstOrDefaultAsync<SavedRow>(
                """
                UPDATE mirrors SET calendar_id = @ToId, etag = NULL, html_link = NULL, observed = NULL,
                    verified_version = 0, state = 'pending', reason = NULL, attempts = 0,
                    next_attempt_at = @now, lease_owner = NULL, lease_until = NULL, updated_at = @now
                WHERE id = @MirrorId AND fence = @Fence AND lease_owner IS NOT NULL
                RETURNING tenant_id, (SELECT class_id FROM slots WHERE slots.id = mirrors.slot_id) AS class_id
                """,
                new { route.ToId, now, item.MirrorId, item.Fence });
            if (row is null)
                return false;
            session.Journal(new JournalEntry(
                now, row.TenantId, actor, "migration", correlationId, "mirror.migrated", "mirror",
                item.MirrorId, row.ClassId, JsonSerializer.Serialize(new { calendarId = route.FromId }),
                JsonSerializer.Serialize(new { calendarId = route.ToId, eventId = item.EventId })));
            return true;
        },
        cancellation);

    /// <inheritdoc/>
    public Task ReleaseAsync(MigrationItem item, CancellationToken cancellation) => database.WriteAsync(
        session => session.ExecuteAsync(
            """
            UPDATE mirrors SET lease_owner = NULL, lease_until = NULL
            WHERE id = @MirrorId AND fence = @Fence
            """,
            new { item.MirrorId, item.Fence }),
        cancellation);

    private sealed record TakenRow
    {
        public string ProviderEventId { get; init; } = "";

        public long Fence { get; init; }

        public long AppliedVersion { get; init; }
    }

    private sealed record SavedRow
    {
        public string TenantId { get; init; } = "";

        public string ClassId { get; init; } = "";
    }
}
