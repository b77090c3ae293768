using System.Collections.Immutable;
using CalSync.Storage.Mirroring;
using CalSync.Storage.Secrets;
using CalSync.Sync.Connections;

namespace CalSync.Storage.Connections;

// How connections come and go and which calendar is theirs; the tokens are in the other file.
public sealed partial class ConnectionStore
{
    private const string VerifierColumn = "connection_attempts.code_verifier";

    /// <inheritdoc/>
    public Task BeginAsync(ConnectionAttempt attempt, DateTimeOffset now, CancellationToken cancellation) =>
        database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO connection_attempts
                    (state, tenant_id, user_id, provider, code_verifier, redirect_uri, reconnect_id,
                        created_at, expires_at)
                VALUES (@State, @TenantId, @UserId, @Provider, @Verifier, @RedirectUri, @ReconnectId, @now,
                    @ExpiresAt)
                """,
                new
                {
                    attempt.State,
                    attempt.TenantId,
                    attempt.UserId,
                    attempt.Provider,
                    Verifier = cipher.Seal(
                        new SecretPlace(attempt.TenantId, attempt.State, VerifierColumn),
                        attempt.CodeVerifier),
                    attempt.RedirectUri,
                    attempt.ReconnectId,
                    now,
                    attempt.ExpiresAt,
                }),
            cancellation);

    /// <inheritdoc/>
    public async Task<ConnectionAttempt?> TakeAsync(
        string state, string? userId, DateTimeOffset now, CancellationToken cancellation)
    {
        var row = await database.WriteAsync(
            session => session.FirstOrDefaultAsync<AttemptRow>(
                """
                DELETE FROM connection_attempts WHERE state = @state AND user_id = COALESCE(@userId, user_id)
                    AND expires_at > @now
                RETURNING tenant_id, user_id, provider, code_verifier, redirect_uri, reconnect_id, expires_at
                """,
                new { state, userId, now }),
            cancellation);
        return row is null
            ? null
            : new ConnectionAttempt(
                state, row.TenantId, row.UserId, row.Provider,
                cipher.Open(new SecretPlace(row.TenantId, state, VerifierColumn), row.CodeVerifier),
                row.RedirectUri, row.ReconnectId, row.ExpiresAt);
    }

    /// <inheritdoc/>
    public Task<string?> SaveConnectionAsync(
        NewConnection connection, DateTimeOffset now, CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            var known = await session.FirstOrDefaultAsync<string>(
                $"""
                SELECT id FROM connections
                WHERE user_id = @UserId AND provider = @Provider
                    AND account_subject = @Subject{session.ForUpdate}
                """,
                new { connection.UserId, connection.Provider, connection.Subject });
            if (connection.ReconnectId is { } wanted && wanted != known)
                return null;
            var id = known ?? ids.Next("con");
            await ConnectionWriting.SaveAsync(
                session, connection, id, known is null,
                cipher.Seal(
                    new SecretPlace(connection.TenantId, id, AccessColumn), connection.Tokens.AccessToken),
                Sealed(connection.TenantId, id, RefreshColumn, connection.Tokens.RefreshToken), now);
            await ConnectionWriting.SaveCalendarsAsync(session, id, connection.Calendars, ids, now);
            ConnectionWriting.Resume(session, id, now);
            session.Journal(Entry(
                now, connection.TenantId, ids.Next("cor"),
                known is null ? "connection.created" : "connection.renewed", id,
                new { connection.Provider, calendars = connection.Calendars.Length }, connection.UserId));
            return id;
        },
        cancellation);

    /// <inheritdoc/>
    public Task<bool> SaveReconnectFailedAsync(
        string connectionId, string userId, ConsentReason reason, DateTimeOffset now,
        CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            var tenantId = await session.FirstOrDefaultAsync<string>(
                """
                UPDATE connections SET reason = @reason, updated_at = @now, version = version + 1
                WHERE id = @connectionId AND user_id = @userId AND state = 'needs_reauth' RETURNING tenant_id
                """,
                new { connectionId, userId, reason = reason.ToString(), now });
            if (tenantId is null)
                return false;
            session.Journal(Entry(
                now, tenantId, ids.Next("cor"), "connection.reconnect_failed", connectionId,
                new { reason = reason.ToString() }, userId));
            return true;
        },
        cancellation);

    /// <inheritdoc/>
    public Task<bool> DisconnectAsync(
        string connectionId, string userId, DateTimeOffset now, CancellationToken cancellation) =>
        database.WriteAsync(
        async session =>
        {
            var tenantId = await session.FirstOrDefaultAsync<string>(
                """
                UPDATE connections SET state = 'disconnected', reason = 'Disconnected', access_token = NULL,
                    access_expires_at = NULL, refresh_token = NULL, previous_refresh_token = NULL,
                    password = NULL,
                    token_version = token_version + 1, lease_owner = NULL,
                    lease_until = NULL, updated_at = @now, version = version + 1
                WHERE id = @connectionId AND user_id = @userId RETURNING tenant_id
                """,
                new { connectionId, userId, now });
            if (tenantId is null)
                return false;
            Park(session, connectionId, now);
            session.Journal(
                Entry(
                now, tenantId, ids.Next("cor"), "connection.disconnected", connectionId, new { }, userId));
            return true;
        },
        cancellation);

    /// <inheritdoc/>
    public Task<CalendarChoice> SelectCalendarAsync(
        string connectionId, string userId, string calendarId, DateTimeOffset now,
        CancellationToken cancellation) =>
        database.WriteAsync(
            async session =>
            {
                var row = await session.FirstOrDefaultAsync<ChoiceRow>(
                    """
                    SELECT c.state, n.tenant_id, n.provider
                    FROM calendars c JOIN connections n ON n.id = c.connection_id
                    WHERE c.id = @calendarId AND n.id = @connectionId AND n.user_id = @userId
                    """,
                    new { calendarId, connectionId, userId });
                if (row is null)
                    return CalendarChoice.Unknown;
                // Classes are written to Google only.
                if (row.State != "available" || !ProviderNames.IsGoogle(row.Provider))
                    return CalendarChoice.NotWritable;
                session.Queue(
                    "UPDATE calendars SET selected = FALSE, updated_at = @now WHERE connection_id = "
                        + "@connectionId AND selected",
                    new { connectionId, now });
                session.Queue(
                    "UPDATE calendars SET selected = TRUE, updated_at = @now WHERE id = @calendarId",
                    new { calendarId, now },
                    expectRows: 1);
                var correlationId = ids.Next("cor");
                await CalendarLeaving.MoveHeldAsync(
                    session, ids, connectionId, calendarId, correlationId, userId, now);
                session.Journal(Entry(
                    now, row.TenantId, correlationId, "connection.calendar_selected", connectionId,
                    new { calendarId }, userId));
                return CalendarChoice.Chosen;
            },
            cancellation);

    /// <inheritdoc/>
    public async Task<ImmutableArray<ConnectionListing>> ListAsync(
        string userId, CancellationToken cancellation) =>
        [.. await database.ReadAsync(
            session => session.QueryAsync<ConnectionListing>(
                """
                SELECT id, provider, account_email, state, reason, access_expires_at, next_attempt_at,
                    grant_expires_at, lease_until, consecutive_failures, open_until
                FROM connections WHERE user_id = @userId ORDER BY created_at, id
                """,
                new { userId }),
            cancellation)];

    /// <inheritdoc/>
    public async Task<ImmutableArray<CalendarListing>> CalendarsAsync(
        string connectionId, CancellationToken cancellation) =>
        [.. await database.ReadAsync(
            session => session.QueryAsync<CalendarListing>(
                """
                SELECT id, remote_id, summary, kind, time_zone, state, selected,
                    (SELECT max(read_at) FROM (
                        SELECT read_at FROM calendar_readings WHERE calendar_id = calendars.id
                        UNION ALL SELECT google_last_updated FROM calendar_mappings
                            WHERE google_calendar = calendars.id
                        UNION ALL SELECT icloud_last_updated FROM calendar_mappings
                            WHERE icloud_calendar = calendars.id
                    ) AS readings) AS last_good_read_at
                FROM calendars
                WHERE connection_id = @connectionId ORDER BY kind, summary, id
                """,
                new { connectionId }),
            cancellation)];

    private sealed record AttemptRow
    {
        public string TenantId { get; init; } = "";

        public string UserId { get; init; } = "";

        public string Provider { get; init; } = "";

        public byte[] CodeVerifier { get; init; } = [];

        public string RedirectUri { get; init; } = "";

        public string? ReconnectId { get; init; }

        public DateTimeOffset ExpiresAt { get; init; }
    }

    private sealed record ChoiceRow
    {
        public string State { get; init; } = "";

        public string TenantId { get; init; } = "";

        public string Provider { get; init; } = "";
    }
}
