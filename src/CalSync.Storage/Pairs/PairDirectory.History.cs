using CalSync.Sync.Pairs;

namespace CalSync.Storage.Pairs;

/// <content>What happened to pairs and their events.</content>
public sealed partial class PairDirectory
{
    private const string SelectRuns =
        """
        SELECT r.id, r.calendar_mapping_id AS pair_id, p.name AS pair,
            p.detached_at IS NOT NULL AS is_detached, r.actor, r.started_at, r.ended_at, r.outcome, r.detail,
            (SELECT count(*) FROM sync_operations o WHERE o.run_id = r.id AND o.state = 'done'
                AND o.operation = 'create') AS created,
            (SELECT count(*) FROM sync_operations o WHERE o.run_id = r.id AND o.state = 'done'
                AND o.operation = 'update') AS updated,
            (SELECT count(*) FROM sync_operations o WHERE o.run_id = r.id AND o.state = 'done'
                AND o.operation = 'delete') AS deleted
        FROM sync_runs r JOIN calendar_mappings p ON p.id = r.calendar_mapping_id
        """;

    /// <summary>Runs that wrote something, the latest first.</summary>
    /// <param name="pairId">Of one pair; null for all.</param>
    /// <param name="countMax">How many at most.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<IReadOnlyList<RunListing>> RunsAsync(
        string? pairId, int countMax, CancellationToken cancellation) => database.ReadAsync(
        session => session.QueryAsync<RunListing>(
            SelectRuns + """

             WHERE p.id = COALESCE(@pairId, p.id) AND EXISTS (
                SELECT 1 FROM sync_operations o
                WHERE o.run_id = r.id AND o.state = 'done' AND o.operation <> 'link')
            ORDER BY r.started_at DESC, r.id DESC LIMIT @countMax
            """,
            new { pairId, countMax }),
        cancellation);

    /// <summary>One run, also of a pair that was detached; null when there is none.</summary>
    /// <param name="runId">Its id.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<RunListing?> FindRunAsync(string runId, CancellationToken cancellation) => database.ReadAsync(
        session => session.FirstOrDefaultAsync<RunListing>(
            SelectRuns + " WHERE r.id = @runId", new { runId }),
        cancellation);

    /// <summary>
    /// The events a person means: by a UID on any side, else by a title they have or had, else by a part of
    /// one. Also of pairs that were detached.
    /// </summary>
    /// <param name="word">UID or title.</param>
    /// <param name="pairId">Of one pair; null for all.</param>
    /// <param name="countMax">How many at most.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<IReadOnlyList<EventListing>> FindEventsAsync(
        string word, string? pairId, int countMax, CancellationToken cancellation) => database.SnapshotAsync(
        async session =>
        {
            var part = "%" + word.Replace("!", "!!", StringComparison.Ordinal)
                .Replace("%", "!%", StringComparison.Ordinal)
                .Replace("_", "!_", StringComparison.Ordinal) + "%";
            foreach (var condition in (string[])[
                "(m.event_uid = @word OR m.google_ical_uid = @word OR m.icloud_uid = @word)",
                Titled("lower({0}) = lower(@word)"), Titled("lower({0}) LIKE lower(@part) ESCAPE '!'")])
            {
                var found = await session.QueryAsync<EventListing>(
                    $"""
                    SELECT p.id AS pair_id, p.name AS pair, p.google_calendar, p.icloud_calendar,
                        p.detached_at IS NOT NULL AS is_detached, m.event_uid, m.sync_status,
                        COALESCE((
                            SELECT v.title FROM event_versions v
                            WHERE v.event_uid = m.event_uid AND v.title <> ''
                                AND v.calendar_mapping_id = m.calendar_mapping_id
                            ORDER BY v.created_at DESC, v.id DESC LIMIT 1), '') AS title
                    FROM event_mappings m JOIN calendar_mappings p ON p.id = m.calendar_mapping_id
                    WHERE p.id = COALESCE(@pairId, p.id) AND {condition}
                    ORDER BY m.updated_at DESC, m.event_uid, p.id LIMIT @countMax
                    """,
                    new { word, part, pairId, countMax });
                if (found.Count > 0)
                    return found;
            }

            return [];
        },
        cancellation);

    private static string Titled(string condition)
    {
        string In(string table) =>
            $"""
            EXISTS (
                SELECT 1 FROM {table} t
                WHERE t.event_uid = m.event_uid AND t.calendar_mapping_id = m.calendar_mapping_id
                    AND {condition.Replace("{0}", "t.title", StringComparison.Ordinal)})
            """;
        return $"({In("event_versions")} OR {In("sync_operations")})";
    }

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

/// <summary>A run of a pair.</summary>
public sealed record RunListing
{
    /// <summary>Prefixed id.</summary>
    public required string Id { get; init; }

    /// <summary>The pair.</summary>
    public required string PairId { get; init; }

    /// <summary>Its name.</summary>
    public required string Pair { get; init; }

    /// <summary>Whether the pair was detached since.</summary>
    public required bool IsDetached { get; init; }

    /// <summary>Who started it.</summary>
    public required string Actor { get; init; }

    /// <summary>When it began, UTC.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it ended, UTC; null while it runs or when it was cut off.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>How it ended; null as above.</summary>
    public string? Outcome { get; init; }

    /// <summary>Its counts, what it took back, and its fault, JSON.</summary>
    public string? Detail { get; init; }

    /// <summary>Events it made.</summary>
    public required int Created { get; init; }

    /// <summary>Events it changed.</summary>
    public required int Updated { get; init; }

    /// <summary>Events it deleted.</summary>
    public required int Deleted { get; init; }
}

/// <summary>An event of a pair, as a person finds it.</summary>
public sealed record EventListing
{
    /// <summary>The pair.</summary>
    public required string PairId { get; init; }

    /// <summary>Its name.</summary>
    public required string Pair { get; init; }

    /// <summary>Our id of the pair's left calendar.</summary>
    public required string GoogleCalendar { get; init; }

    /// <summary>Our id of the pair's right calendar.</summary>
    public required string IcloudCalendar { get; init; }

    /// <summary>Whether the pair was detached since.</summary>
    public required bool IsDetached { get; init; }

    /// <summary>The common UID.</summary>
    public required string EventUid { get; init; }

    /// <summary>What it is or was last called; empty when that is not known.</summary>
    public required string Title { get; init; }

    /// <summary>How it stands, as stored.</summary>
    public required string SyncStatus { get; init; }

    /// <summary>How it stands.</summary>
    public MappingStatus Status => Enum.Parse<MappingStatus>(SyncStatus, ignoreCase: true);
}
