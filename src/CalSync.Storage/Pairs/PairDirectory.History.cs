namespace CalSync.Storage.Pairs;

/// <content>What happened to pairs and their events.</content>
public sealed partial class PairDirectory
{
    /// <summary>
    /// Forgets versions that were over before a moment, and the writes and runs before it. What was in force
    /// at that moment stays, so that every later moment can be gone back to.
    /// </summary>
    /// <param name="before">UTC.</param>
    /// <param name="countMax">How many of each at most.</param>
    /// <param name="cancellation">Cancelling forgets none.</param>
    /// <returns>How many rows were forgotten.</returns>
    public Task<int> PruneHistoryAsync(
        DateTimeOffset before, int countMax, CancellationToken cancellation) => database.WriteAsync(
        async session =>
            await session.ExecuteAsync(
                $"""
                DELETE FROM event_versions WHERE id IN (
                    SELECT v.id FROM event_versions v
                    WHERE v.created_at <= @before AND (v.sync_status = 'deleted' OR EXISTS (
                        SELECT 1 FROM event_versions n
                        WHERE n.event_uid = v.event_uid AND n.calendar_mapping_id = v.calendar_mapping_id
                            AND n.created_at <= @before AND (n.created_at > v.created_at
                                OR (n.created_at = v.created_at AND n.id > v.id))))
                    ORDER BY v.created_at LIMIT @countMax{session.SkipLocked})
                """,
                new { before, countMax })
            + await session.ExecuteAsync(
                $"""
                DELETE FROM sync_operations WHERE state <> 'open' AND id IN (
                    SELECT id FROM sync_operations WHERE state <> 'open' AND created_at <= @before
                    ORDER BY created_at LIMIT @countMax{session.SkipLocked})
                """,
                new { before, countMax })
            + await session.ExecuteAsync(
                $"""
                DELETE FROM sync_runs WHERE id IN (
                    SELECT r.id FROM sync_runs r
                    WHERE r.started_at <= @before AND EXISTS (
                        SELECT 1 FROM sync_runs n WHERE n.calendar_mapping_id = r.calendar_mapping_id
                            AND n.started_at > r.started_at)
                    ORDER BY r.started_at LIMIT @countMax{session.SkipLocked})
                """,
                new { before, countMax }),
        cancellation);
}
