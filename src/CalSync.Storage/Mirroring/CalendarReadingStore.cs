using System.Collections.Immutable;
using CalSync.Sync.HandEdits;
using CalSync.Sync.Mirroring;

namespace CalSync.Storage.Mirroring;

/// <summary>How far calendars were read back, in rows.</summary>
/// <param name="database">Where.</param>
public sealed class CalendarReadingStore(Database database) : ICalendarReadingStore
{
    /// <inheritdoc/>
    public Task<ImmutableArray<CalendarReading>> ClaimAsync(
        string owner, int countMax, DateTimeOffset now, DateTimeOffset until, DateTimeOffset firstAt,
        CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            await session.ExecuteAsync(
                """
                INSERT INTO calendar_readings (calendar_id, next_read_at)
                SELECT c.id, @firstAt FROM calendars c
                WHERE NOT EXISTS (SELECT 1 FROM calendar_readings r WHERE r.calendar_id = c.id)
                    AND EXISTS (SELECT 1 FROM mirrors m
                        WHERE m.connection_id = c.connection_id AND m.calendar_id = c.id AND m.active)
                ON CONFLICT (calendar_id) DO NOTHING
                """,
                new { firstAt });
            var due = await session.QueryAsync<string>(
                $"""
                SELECT r.calendar_id FROM calendar_readings r
                WHERE r.next_read_at <= @now AND (r.lease_until IS NULL OR r.lease_until <= @now)
                    AND EXISTS (SELECT 1 FROM calendars c JOIN connections n ON n.id = c.connection_id
                        WHERE c.id = r.calendar_id AND c.state = 'available'
                            AND n.state NOT IN ('needs_reauth', 'disconnected'))
                ORDER BY r.next_read_at, r.calendar_id LIMIT @countMax{session.SkipLocked}
                """,
                new { now, countMax });
            if (due.Count == 0)
                return ImmutableArray<CalendarReading>.Empty;
            var ids = due.ToArray();
            await session.ExecuteAsync(
                $"""
                UPDATE calendar_readings SET lease_owner = @owner, lease_until = @until, fence = fence + 1
                WHERE {session.In("calendar_id", "@ids")}
                """,
                new { owner, until, ids });
            return [.. await session.QueryAsync<CalendarReading>(
                $"""
                SELECT r.calendar_id, c.remote_id, c.connection_id, n.provider, r.sync_token, r.failures,
                    r.lease_owner, r.fence
                FROM calendar_readings r JOIN calendars c ON c.id = r.calendar_id
                JOIN connections n ON n.id = c.connection_id
                WHERE {session.In("r.calendar_id", "@ids")} ORDER BY r.calendar_id
                """,
                new { ids })];
        },
        cancellation);

    /// <inheritdoc/>
    public Task<IReadOnlyList<WatchedMirror>> MirrorsAsync(
        CalendarReading reading, DateTimeOffset now, CancellationToken cancellation) => database.ReadAsync(
        session => session.QueryAsync<WatchedMirror>(
            """
            SELECT m.id, m.provider_event_id, m.ical_uid, m.observed
            FROM mirrors m JOIN slots s ON s.id = m.slot_id
            WHERE m.connection_id = @ConnectionId AND m.calendar_id = @CalendarId AND m.active
                AND m.verified_version > 0 AND s.state = 'scheduled' AND s.end_at > @now
            ORDER BY m.id
            """,
            new { reading.ConnectionId, reading.CalendarId, now }),
        cancellation);

    /// <inheritdoc/>
    public Task<bool> RecordAsync(
        CalendarReading reading, ImmutableArray<string> looks, string? syncToken, DateTimeOffset nextAt,
        DateTimeOffset now, CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            var held = await session.ExecuteAsync(
                """
                UPDATE calendar_readings SET sync_token = @syncToken, read_at = @now, next_read_at = @nextAt,
                    failures = 0, reason = NULL, lease_owner = NULL, lease_until = NULL
                WHERE calendar_id = @CalendarId AND fence = @Fence AND lease_owner = @LeaseOwner
                """,
                new { reading.CalendarId, reading.Fence, reading.LeaseOwner, syncToken, nextAt, now });
            if (held != 1)
                return false;
            if (looks.IsEmpty)
                return true;

            // What waits for a retry or for its owner is read when its time comes.
            await session.ExecuteAsync(
                $"""
                UPDATE mirrors SET look_wanted = TRUE, updated_at = @now,
                    next_attempt_at = CASE WHEN state IN ('verified', 'pending', 'needs_attention')
                            OR (state = 'parked' AND reason = @deleted)
                        THEN @now ELSE next_attempt_at END
                WHERE {session.In("id", "@ids")} AND active AND state <> 'gone'
                """,
                new { ids = looks.ToArray(), deleted = MirrorReasons.DeletedByHand, now });
            return true;
        },
        cancellation);

    /// <inheritdoc/>
    public Task LeaveAsync(
        CalendarReading reading, DateTimeOffset nextAt, CancellationToken cancellation) =>
        database.WriteAsync(
            session => session.ExecuteAsync(
                """
                UPDATE calendar_readings SET next_read_at = @nextAt, lease_owner = NULL, lease_until = NULL
                WHERE calendar_id = @CalendarId AND fence = @Fence AND lease_owner = @LeaseOwner
                """,
                new { reading.CalendarId, reading.Fence, reading.LeaseOwner, nextAt }),
            cancellation);

    /// <inheritdoc/>
    public Task PutOffAsync(
        CalendarReading reading, string reason, DateTimeOffset nextAt, CancellationToken cancellation) =>
        database.WriteAsync(
            session => session.ExecuteAsync(
                """
                UPDATE calendar_readings SET next_read_at = @nextAt, failures = failures + 1,
                    reason = @reason, lease_owner = NULL, lease_until = NULL
                WHERE calendar_id = @CalendarId AND fence = @Fence AND lease_owner = @LeaseOwner
                """,
                new { reading.CalendarId, reading.Fence, reading.LeaseOwner, reason, nextAt }),
            cancellation);
}
