using System.Collections.Immutable;
using CalSync.Storage.Mirroring;
using CalSync.Storage.Secrets;
using CalSync.Sync;
using CalSync.Sync.Connections;
using CalSync.Sync.Journal;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Providers;

namespace CalSync.Storage.Connections;

/// <summary>Connections, their sealed tokens and their calendars, in rows.</summary>
/// <remarks>
/// A refresh holds a lease with a fence and names the token version it was decided on: a refresher that lost
/// either changes nothing. Every outcome of a refresh is journalled, without any secret.
/// </remarks>
/// <param name="database">Where.</param>
/// <param name="cipher">Seals tokens to their row and column.</param>
/// <param name="ids">Names connections, calendars and notices.</param>
public sealed partial class ConnectionStore(Database database, TokenCipher cipher, IdSource ids)
    : IConnectionStore
{
    private const string AccessColumn = "connections.access_token";
    private const string RefreshColumn = "connections.refresh_token";
    private const string PreviousColumn = "connections.previous_refresh_token";

    /// <inheritdoc/>
    public async Task<ConnectionGrant?> LoadAsync(string connectionId, CancellationToken cancellation)
    {
        var row = await database.ReadAsync(
            session => session.FirstOrDefaultAsync<GrantRow>(
                """
                SELECT id, tenant_id, user_id, provider, state, reason, access_token, access_expires_at,
                    refresh_token, previous_refresh_token, grant_expires_at, token_version, lease_until,
                    consecutive_failures, next_attempt_at
                FROM connections WHERE id = @connectionId
                """,
                new { connectionId }),
            cancellation);
        return row is null
            ? null
            : new ConnectionGrant(
                row.Id, row.TenantId, row.UserId, row.Provider, StateOf(row.State), row.Reason,
                Open(row, AccessColumn, row.AccessToken), row.AccessExpiresAt,
                Open(row, RefreshColumn, row.RefreshToken),
                row.TokenVersion, row.LeaseUntil, row.ConsecutiveFailures, row.NextAttemptAt)
            {
                PreviousRefreshToken = Open(row, PreviousColumn, row.PreviousRefreshToken),
                GrantExpiresAt = row.GrantExpiresAt,
            };
    }

    /// <inheritdoc/>
    public Task<RefreshLease?> TryLeaseAsync(
        ConnectionGrant grant, string owner, DateTimeOffset now, DateTimeOffset until,
        CancellationToken cancellation) =>
        database.WriteAsync(
            async session =>
            {
                var fence = await session.FirstOrDefaultAsync<long?>(
                    """
                    UPDATE connections SET lease_owner = @owner, lease_until = @until,
                        lease_fence = lease_fence + 1,
                        state = 'refreshing', updated_at = @now
                    WHERE id = @Id AND token_version = @TokenVersion AND (lease_until IS NULL
                        OR lease_until <= @now)
                        AND state NOT IN ('needs_reauth', 'disconnected')
                    RETURNING lease_fence
                    """,
                    new { owner, until, now, grant.Id, grant.TokenVersion });
                return fence is null
                    ? null
                    : new RefreshLease(grant.Id, fence.Value, grant.TokenVersion, ids.Next("cor"));
            },
            cancellation);

    /// <inheritdoc/>
    public Task<bool> SaveTokensAsync(
        RefreshLease lease, TokenAnswer.Granted tokens, DateTimeOffset now, CancellationToken cancellation) =>
        database.WriteAsync(
            async session =>
            {
                if (await HeldByAsync(session, lease) is not { } held)
                    return false;
                var (tenantId, before) = (held.TenantId, Open(held, RefreshColumn, held.RefreshToken));
                session.Queue(
                    """
                    UPDATE connections SET access_token = @Access, access_expires_at = @ExpiresAt,
                        refresh_token = COALESCE(@Refresh, refresh_token),
                        previous_refresh_token = COALESCE(@Previous, previous_refresh_token),
                        grant_expires_at = COALESCE(@GrantExpiresAt, grant_expires_at),
                        token_version = token_version + 1, lease_owner = NULL, lease_until = NULL,
                        state = 'healthy', reason = NULL, consecutive_failures = 0, open_until = NULL,
                        next_attempt_at = NULL, updated_at = @now, version = version + 1
                    WHERE id = @ConnectionId AND lease_fence = @Fence AND token_version = @TokenVersion
                    """,
                    new
                    {
                        Access = cipher.Seal(
                            new SecretPlace(tenantId, lease.ConnectionId, AccessColumn), tokens.AccessToken),
                        ExpiresAt = now + tokens.ExpiresIn,
                        Refresh = Sealed(tenantId, lease.ConnectionId, RefreshColumn, tokens.RefreshToken),
                        Previous = Sealed(
                            tenantId, lease.ConnectionId, PreviousColumn,
                            tokens.RefreshToken is null || tokens.RefreshToken == before ? null : before),
                        GrantExpiresAt = now + tokens.GrantExpiresIn,
                        now,
                        lease.ConnectionId,
                        lease.Fence,
                        lease.TokenVersion,
                    },
                    expectRows: 1);
                session.Journal(Entry(
                    now, tenantId, lease.CorrelationId, "connection.refreshed", lease.ConnectionId,
                    new
                    {
                        expiresAt = now + tokens.ExpiresIn,
                        refreshTokenReplaced = tokens.RefreshToken is not null
                    }));
                return true;
            },
            cancellation);

    /// <inheritdoc/>
    public Task<bool> SaveFailureAsync(
        RefreshLease lease, string reason, DateTimeOffset nextAttemptAt, bool opens, DateTimeOffset now,
        CancellationToken cancellation) =>
        database.WriteAsync(
            async session =>
            {
                if (await HeldByAsync(session, lease) is not { TenantId: var tenantId })
                    return false;
                session.Queue(
                    """
                    UPDATE connections SET lease_owner = NULL, lease_until = NULL, state = 'degraded',
                        reason = @reason,
                        consecutive_failures = consecutive_failures + 1, next_attempt_at = @nextAttemptAt,
                        open_until = COALESCE(@OpenUntil, open_until), updated_at = @now,
                        version = version + 1
                    WHERE id = @ConnectionId AND lease_fence = @Fence
                    """,
                    new
                    {
                        reason,
                        nextAttemptAt,
                        OpenUntil = opens ? nextAttemptAt : (DateTimeOffset?)null,
                        now,
                        lease.ConnectionId,
                        lease.Fence,
                    },
                    expectRows: 1);
                session.Journal(Entry(
                    now, tenantId, lease.CorrelationId, "connection.refresh_failed", lease.ConnectionId,
                    new { reason, nextAttemptAt, breakerOpen = opens }));
                return true;
            },
            cancellation);

    /// <inheritdoc/>
    public Task<bool> SaveFaultAsync(
        string connectionId, string reason, DateTimeOffset nextAttemptAt, DateTimeOffset now,
        CancellationToken cancellation) =>
        database.WriteAsync(
            async session =>
            {
                var tenantId = await session.FirstOrDefaultAsync<string>(
                    """
                    UPDATE connections SET state = 'degraded', reason = @reason,
                        next_attempt_at = @nextAttemptAt,
                        consecutive_failures = consecutive_failures + 1, updated_at = @now,
                            version = version + 1
                    WHERE id = @connectionId AND state IN ('healthy', 'degraded', 'refreshing')
                        RETURNING tenant_id
                    """,
                    new { connectionId, reason, nextAttemptAt, now });
                if (tenantId is null)
                    return false;
                session.Journal(Entry(
                    now, tenantId, ids.Next("cor"), "connection.refresh_failed", connectionId,
                    new { reason, nextAttemptAt }));
                return true;
            },
            cancellation);

    /// <inheritdoc/>
    public Task<bool> SaveConsentNeededAsync(
        string connectionId, long tokenVersion, ConsentReason reason, DateTimeOffset now,
        CancellationToken cancellation) =>
        database.WriteAsync(
            async session =>
            {
                var row = await session.FirstOrDefaultAsync<GrantRow>(
                    $"SELECT id, tenant_id, user_id, state, token_version FROM connections WHERE id = "
                        + $"@connectionId{session.ForUpdate}",
                    new { connectionId });
                if (row is null || row.TokenVersion != tokenVersion)
                    return false;
                if (row.State is "needs_reauth" or "disconnected")
                    return true;
                session.Queue(
                    """
                    UPDATE connections SET state = 'needs_reauth', reason = @reason, lease_owner = NULL,
                        lease_until = NULL,
                        next_attempt_at = NULL, updated_at = @now, version = version + 1
                            WHERE id = @connectionId
                    """,
                    new { reason = reason.ToString(), now, connectionId },
                    expectRows: 1);
                Park(session, connectionId, now);
                var message = TokenProblem.From(new TokenOutcome.NeedsConsent(reason), now)!;
                session.Queue(
                    """
                    INSERT INTO notices (id, tenant_id, user_id, kind, message, due_at, state, dedupe_key,
                        created_at, updated_at)
                    VALUES (@Id, @TenantId, @UserId, 'reconnect', @Message, @now, 'scheduled', @Dedupe, @now,
                        @now)
                    ON CONFLICT (dedupe_key) DO NOTHING
                    """,
                    new
                    {
                        Id = ids.Next("ntc"),
                        row.TenantId,
                        row.UserId,
                        Message = $"{message.Message} {message.Action}.",
                        now,
                        Dedupe = $"reconnect:{connectionId}:{tokenVersion}",
                    });
                session.Journal(Entry(
                    now, row.TenantId, ids.Next("cor"), "connection.needs_reauth", connectionId,
                    new { reason = reason.ToString() }));
                return true;
            },
            cancellation);

    /// <inheritdoc/>
    public Task<bool> BlocksAsync(DateTimeOffset now, CancellationToken cancellation) => database.ReadAsync(
        async session => await session.FirstOrDefaultAsync<string>(
            "SELECT name FROM switches WHERE name = 'token-blocking' AND value = 'off' AND expires_at > @now",
            new { now }) is null,
        cancellation);

    /// <inheritdoc/>
    public async Task<ImmutableArray<ExpiringToken>> ExpiringAsync(
        DueTokens due, ExpiringToken? after, int limit, CancellationToken cancellation) =>
        [.. await database.ReadAsync(
            session => session.QueryAsync<ExpiringToken>(
                $"""
                SELECT id AS connection_id, access_expires_at AS expires_at FROM connections
                WHERE {Due(session)}
                    {(after is null ? "" : "AND (access_expires_at, id) > (@afterTime, @afterId)")}
                ORDER BY access_expires_at, id LIMIT @limit
                """,
                new
                {
                    providers = due.Providers.ToArray(),
                    due.Before,
                    due.Now,
                    afterTime = after?.ExpiresAt,
                    afterId = after?.ConnectionId,
                    limit,
                }),
            cancellation)];

    /// <inheritdoc/>
    public Task<int> ExpiringCountAsync(DueTokens due, CancellationToken cancellation) => database.ReadAsync(
        session => session.ScalarAsync<int>(
            $"SELECT count(*) FROM connections WHERE {Due(session)}",
            new { providers = due.Providers.ToArray(), due.Before, due.Now }),
        cancellation);

    // The states are those of the index connections_by_expiry.
    private static string Due(Session session) =>
        $"""
        state IN ('healthy', 'degraded', 'refreshing') AND access_expires_at < @Before
            AND (next_attempt_at IS NULL OR next_attempt_at <= @Now)
            AND {session.In("provider", "@providers")}
        """;

    private static Task<GrantRow?> HeldByAsync(WriteSession session, RefreshLease lease) =>
        session.FirstOrDefaultAsync<GrantRow>(
            $"""
            SELECT id, tenant_id, refresh_token FROM connections
            WHERE id = @ConnectionId AND lease_fence = @Fence AND token_version = @TokenVersion
                AND lease_owner IS NOT NULL{session.ForUpdate}
            """,
            new { lease.ConnectionId, lease.Fence, lease.TokenVersion });

    private static void Park(WriteSession session, string connectionId, DateTimeOffset now)
    {
        session.Queue(
            """
            UPDATE mirrors SET state = 'parked', reason = @reason, next_attempt_at = NULL, updated_at = @now
            WHERE connection_id = @connectionId AND active AND state IN ('pending', 'retry_wait')
            """,
            new { reason = MirrorReasons.NeedsConsent, now, connectionId });
        OperationProgress.QueueAll(
            session, MirrorColumn.Connection, connectionId, "parked", MirrorReasons.NeedsConsent, now);
    }

    private string? Open(GrantRow row, string column, byte[]? envelope) =>
        envelope is null ? null : cipher.Open(new SecretPlace(row.TenantId, row.Id, column), envelope);

    private byte[]? Sealed(string tenantId, string id, string column, string? secret) =>
        secret is null ? null : cipher.Seal(new SecretPlace(tenantId, id, column), secret);

    private static ConnectionState StateOf(string word) => word switch
    {
        "healthy" => ConnectionState.Healthy,
        "refreshing" => ConnectionState.Refreshing,
        "degraded" => ConnectionState.Degraded,
        "needs_reauth" => ConnectionState.NeedsReauth,
        "disconnected" => ConnectionState.Disconnected,
        _ => throw new FormatException($"'{word}' is no stored connection state."),
    };

    private static JournalEntry Entry(
        DateTimeOffset now, string tenantId, string correlationId, string kind, string connectionId,
        object after,
        string actor = "worker") => new(
        now, tenantId, actor, "connection", correlationId, kind, "connection", connectionId, null, null,
        JournalText.Of(after));

    private sealed record GrantRow
    {
        public string Id { get; init; } = "";

        public string TenantId { get; init; } = "";

        public string UserId { get; init; } = "";

        public string Provider { get; init; } = "";

        public string State { get; init; } = "";

        public string? Reason { get; init; }

        public byte[]? AccessToken { get; init; }

        public DateTimeOffset? AccessExpiresAt { get; init; }

        public byte[]? RefreshToken { get; init; }

        public byte[]? PreviousRefreshToken { get; init; }

        public DateTimeOffset? GrantExpiresAt { get; init; }

        public long TokenVersion { get; init; }

        public DateTimeOffset? LeaseUntil { get; init; }

        public int ConsecutiveFailures { get; init; }

        public DateTimeOffset? NextAttemptAt { get; init; }
    }
}
