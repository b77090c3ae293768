using CalSync.Sync.Mirroring;

namespace CalSync.Storage.Mirroring;

/// <summary>How the events of some connections stand, and trying the failed ones again at once.</summary>
/// <param name="database">Where they are.</param>
public sealed class SyncStandingStore(Database database)
{
    /// <summary>So many events of each list are named; the counts are whole.</summary>
    public const int NamedMax = 100;

    // What waits because the provider asked for it keeps its time.
    private static readonly string[] AskedToWait = ["RateLimited", "QuotaExceeded"];

    // Under way: a worker has it, or may take it now. The others are as they will stay for a while.
    private const string Standing =
        """
        CASE WHEN m.state IN ('pending', 'in_flight')
                OR (m.state = 'retry_wait' AND m.next_attempt_at <= @now) THEN 'under_way'
            WHEN m.state = 'verified' THEN 'synced'
            WHEN m.state IN ('retry_wait', 'needs_attention') THEN 'failed'
            ELSE 'skipped' END
        """;

    /// <summary>Makes events that wait to be tried again due now, except where the provider asked to
    /// wait.</summary>
    /// <param name="connectionIds">Of these connections.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellation">Cancelled, nothing is changed.</param>
    /// <returns>How many.</returns>
    public Task<int> WakeAsync(
        IReadOnlyCollection<string> connectionIds, DateTimeOffset now, CancellationToken cancellation) =>
        database.WriteAsync(
            session => session.ExecuteAsync(
                $"""
                UPDATE mirrors SET next_attempt_at = @now, updated_at = @now
                WHERE {session.In("connection_id", "@ids")} AND active AND state = 'retry_wait'
                    AND next_attempt_at > @now
                    AND (reason IS NULL OR NOT ({session.In("reason", "@asked")}))
                """,
                new { ids = connectionIds.ToArray(), asked = AskedToWait, now }),
            cancellation);

    /// <summary>How the events stand, from one moment.</summary>
    /// <param name="connectionIds">Of these connections.</param>
    /// <param name="now">UTC; what was due by then counts as under way.</param>
    /// <param name="cancellation">Changes nothing.</param>
    public Task<SyncStanding> ReadAsync(
        IReadOnlyCollection<string> connectionIds, DateTimeOffset now, CancellationToken cancellation) =>
        database.SnapshotAsync(
            async session =>
            {
                var ids = connectionIds.ToArray();
                var counts = (await session.QueryAsync<CountRow>(
                    $"""
                    SELECT {Standing} AS standing, count(*) AS count FROM mirrors m
                    WHERE {session.In("m.connection_id", "@ids")} AND m.active AND m.state <> 'gone'
                    GROUP BY standing
                    """,
                    new { ids, now })).ToDictionary(row => row.Standing, row => row.Count);
                int Count(string standing) => counts.GetValueOrDefault(standing);
                return new SyncStanding(
                    Count("synced"), Count("under_way"), Count("failed"), Count("skipped"),
                    await NamedAsync(session, ids, "failed", now),
                    await NamedAsync(session, ids, "skipped", now));
            },
            cancellation);

    private static Task<IReadOnlyList<SyncEvent>> NamedAsync(
        Session session, string[] ids, string standing, DateTimeOffset now) => session.QueryAsync<SyncEvent>(
            $"""
            SELECT m.provider_event_id AS event_id, m.slot_id, s.class_id, m.state, m.reason, m.attempts,
                m.next_attempt_at
            FROM mirrors m JOIN slots s ON s.id = m.slot_id
            WHERE {session.In("m.connection_id", "@ids")} AND m.active AND m.state <> 'gone'
                AND {Standing} = @standing
            ORDER BY s.start_at, s.id LIMIT @limit
            """,
            new { ids, standing, now, limit = NamedMax });

    private sealed record CountRow
    {
        public string Standing { get; init; } = "";

        public int Count { get; init; }
    }
}

/// <summary>How the events of some connections stand.</summary>
/// <param name="SyncedCount">Read back as they should be.</param>
/// <param name="UnderWayCount">Being written, or about to be.</param>
/// <param name="FailedCount">Tried, and not as they should be.</param>
/// <param name="SkippedCount">Not tried: they wait for a person, or for a switch.</param>
/// <param name="Failed">The failed ones, by start; at most <see cref="SyncStandingStore.NamedMax"/>.</param>
/// <param name="Skipped">The same of the skipped ones.</param>
public sealed record SyncStanding(
    int SyncedCount, int UnderWayCount, int FailedCount, int SkippedCount, IReadOnlyList<SyncEvent> Failed,
    IReadOnlyList<SyncEvent> Skipped);

/// <summary>An event that is not as it should be.</summary>
public sealed record SyncEvent
{
    /// <summary>The event's id at the provider.</summary>
    public required string EventId { get; init; }

    /// <summary>Its slot.</summary>
    public required string SlotId { get; init; }

    /// <summary>Its class.</summary>
    public required string ClassId { get; init; }

    /// <summary>The mirror's state.</summary>
    public required string State { get; init; }

    /// <summary>One of <see cref="MirrorReasons"/>, or a provider's reason by name.</summary>
    public string? Reason { get; init; }

    /// <summary>How often it was tried in a row.</summary>
    public required int Attempts { get; init; }

    /// <summary>When it is tried next, UTC; null when nothing is tried by itself.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }
}
