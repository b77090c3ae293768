namespace CalSync.Storage.Running;

/// <summary>Accepted changes that are not on a calendar yet, by kind of tenant and state.</summary>
public sealed record WaitingChanges
{
    /// <summary><c>live</c> or <c>test</c>.</summary>
    public string TenantKind { get; init; } = "";

    /// <summary>Of the operations, such as <c>pending</c>.</summary>
    public string State { get; init; } = "";

    /// <summary>How many.</summary>
    public long Count { get; init; }

    /// <summary>How many people asked for them.</summary>
    public long People { get; init; }

    /// <summary>When the oldest was accepted, UTC.</summary>
    public DateTimeOffset OldestAt { get; init; }

    /// <summary>True when nothing but the product's own work is awaited.</summary>
    public bool IsOurs => State is "pending" or "in_flight" or "retry_wait";
}

/// <summary>Connections of one kind of tenant in one state.</summary>
public sealed record ConnectionCount
{
    /// <summary><c>live</c> or <c>test</c>.</summary>
    public string TenantKind { get; init; } = "";

    /// <summary>Of the connections.</summary>
    public string State { get; init; } = "";

    /// <summary>How many.</summary>
    public long Count { get; init; }
}

/// <summary>A number and the oldest moment it goes back to.</summary>
public sealed record Overdue
{
    /// <summary><c>live</c> or <c>test</c>.</summary>
    public string TenantKind { get; init; } = "";

    /// <summary>How many.</summary>
    public long Count { get; init; }

    /// <summary>Since when the first of them waits, UTC; null when that is not known.</summary>
    public DateTimeOffset? Since { get; init; }
}

/// <summary>How work stands, from one moment of the database.</summary>
/// <param name="IsWritable">False for a standby, or a server set to read only.</param>
/// <param name="Waiting">Changes under way.</param>
/// <param name="InAttention">Events that wait for a person.</param>
/// <param name="Connections">Accounts by state.</param>
/// <param name="Tokens">Tokens that have ended and were to be renewed before.</param>
/// <param name="Pairs">Pairs that are due and not taken.</param>
/// <param name="WorkerSeenAt">Last sign of life of any worker, UTC; null when none was ever there.</param>
/// <param name="WorkersAlive">Workers seen in the last minute.</param>
public sealed record HealthFacts(
    bool IsWritable, IReadOnlyList<WaitingChanges> Waiting, IReadOnlyList<Overdue> InAttention,
    IReadOnlyList<ConnectionCount> Connections, IReadOnlyList<Overdue> Tokens, IReadOnlyList<Overdue> Pairs,
    DateTimeOffset? WorkerSeenAt, int WorkersAlive)
{
    /// <summary>Google accounts that are left alone because their calls failed, with the first end of
    /// it.</summary>
    public IReadOnlyList<Overdue> Held { get; init; } = [];
}

/// <summary>Reads how work stands; counts and times, nobody's names.</summary>
/// <param name="database">The database.</param>
public sealed class HealthReads(Database database)
{
    /// <summary>What waits for a person; its conditions are those of the index
    /// <c>mirrors_in_attention</c>.</summary>
    internal const string InAttentionSql =
        """
        SELECT t.kind AS tenant_kind, count(*) AS count, min(m.updated_at) AS since
        FROM mirrors m JOIN tenants t ON t.id = m.tenant_id
        WHERE m.active AND m.state = 'needs_attention' GROUP BY t.kind
        """;

    private static readonly TimeSpan SilentAfter = TimeSpan.FromMinutes(1);

    /// <summary>Reads everything from one moment.</summary>
    /// <param name="now">UTC.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<HealthFacts> ReadAsync(DateTimeOffset now, CancellationToken cancellation) =>
        database.SnapshotAsync(
            async session =>
            {
                var seen = await session.QueryAsync<WorkerSeen>("SELECT seen_at FROM workers");
                return new HealthFacts(
                    await IsWritableAsync(session),
                    await WaitingAsync(session),
                    await session.QueryAsync<Overdue>(InAttentionSql),
                    await session.QueryAsync<ConnectionCount>(
                        "SELECT tenant_kind, state, count(*) AS count FROM connections "
                            + "GROUP BY tenant_kind, state"),
                    await session.QueryAsync<Overdue>(
                        """
                        SELECT tenant_kind, count(*) AS count, min(access_expires_at) AS since
                        FROM connections
                        WHERE state IN ('healthy', 'degraded', 'refreshing') AND access_expires_at < @now
                            AND (next_attempt_at IS NULL OR next_attempt_at <= @now)
                        GROUP BY tenant_kind
                        """,
                        new { now }),
                    await PairsAsync(session, now),
                    seen.Count == 0 ? null : seen.Max(worker => worker.SeenAt),
                    seen.Count(worker => now - worker.SeenAt < SilentAfter))
                {
                    Held = await session.QueryAsync<Overdue>(
                        """
                        SELECT tenant_kind, count(*) AS count, min(open_until) AS since FROM connections
                        WHERE open_until > @now AND provider LIKE 'google%'
                            AND state IN ('healthy', 'degraded', 'refreshing')
                        GROUP BY tenant_kind
                        """,
                        new { now }),
                };
            },
            cancellation);

    private static Task<IReadOnlyList<WaitingChanges>> WaitingAsync(Session session) =>
        session.QueryAsync<WaitingChanges>(
            """
            SELECT t.kind AS tenant_kind, o.state, count(*) AS count, count(DISTINCT o.user_id) AS people,
                min(o.created_at) AS oldest_at
            FROM operations o JOIN tenants t ON t.id = o.tenant_id
            WHERE NOT o.settled GROUP BY t.kind, o.state
            """);

    private static Task<IReadOnlyList<Overdue>> PairsAsync(Session session, DateTimeOffset now) =>
        session.QueryAsync<Overdue>(
            """
            SELECT t.kind AS tenant_kind, count(*) AS count, min(p.next_run_at) AS since
            FROM calendar_mappings p JOIN tenants t ON t.id = p.tenant_id
            WHERE p.enabled AND p.detached_at IS NULL AND p.next_run_at <= @now
                AND (p.lease_until IS NULL OR p.lease_until <= @now)
                AND NOT EXISTS (
                    SELECT 1 FROM calendars k JOIN connections n ON n.id = k.connection_id
                    WHERE k.id IN (p.google_calendar, p.icloud_calendar)
                        AND n.state IN ('needs_reauth', 'disconnected'))
            GROUP BY t.kind
            """,
            new { now });

    private static async Task<bool> IsWritableAsync(Session session) =>
        session.Engine != Engine.Postgres
        || await session.ScalarAsync<bool>(
            "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'");

    private sealed record WorkerSeen
    {
        public DateTimeOffset SeenAt { get; init; }
    }
}
