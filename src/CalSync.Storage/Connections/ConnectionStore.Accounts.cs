using System.Collections.Immutable;
using CalSync.Storage.Secrets;
using CalSync.Sync.Connections;

namespace CalSync.Storage.Connections;

// Accounts with a password, and the calendars of all accounts as pairs open them.
public sealed partial class ConnectionStore
{
    private const string PasswordColumn = "connections.password";

    private const string SelectPlaces =
        """
        SELECT k.id, k.remote_id, k.summary, k.time_zone, k.state, n.id AS connection_id, n.provider,
            n.account_email, n.user_id, n.tenant_id, n.state AS connection_state, n.token_version
        FROM calendars k JOIN connections n ON n.id = k.connection_id
        """;

    /// <inheritdoc/>
    public Task<string?> SaveAccountAsync(
        NewAccount account, DateTimeOffset now, CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            var subject = $"{account.UserName} {account.Server}";
            var known = await session.FirstOrDefaultAsync<string>(
                $"""
                SELECT id FROM connections
                WHERE user_id = @UserId AND provider = @Provider
                    AND account_subject = @subject{session.ForUpdate}
                """,
                new { account.UserId, account.Provider, subject });
            if (account.ReconnectId is { } wanted && wanted != known)
                return null;
            var id = known ?? ids.Next("con");
            await QueueAccountAsync(session, account, id, subject, known is null, now);
            await ConnectionWriting.SaveCalendarsAsync(session, id, account.Calendars, ids, now);
            session.Journal(Entry(
                now, account.TenantId, ids.Next("cor"),
                known is null ? "connection.created" : "connection.renewed", id,
                new { account.Provider, server = account.Server, calendars = account.Calendars.Length },
                account.UserId));
            return id;
        },
        cancellation);

    /// <inheritdoc/>
    public async Task<AccountSecret?> LoadAccountAsync(string connectionId, CancellationToken cancellation)
    {
        var row = await database.ReadAsync(
            session => session.FirstOrDefaultAsync<AccountRow>(
                """
                SELECT id, tenant_id, account_email, server_url, password FROM connections
                WHERE id = @connectionId AND server_url IS NOT NULL
                """,
                new { connectionId }),
            cancellation);
        return row is null
            ? null
            : new AccountSecret(
                row.Id, new Uri(row.ServerUrl), row.AccountEmail,
                row.Password is null
                    ? null
                    : cipher.Open(new SecretPlace(row.TenantId, row.Id, PasswordColumn), row.Password));
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<CalendarPlace>> PlacesAsync(CancellationToken cancellation) =>
    [
        .. await database.ReadAsync(
            session => session.QueryAsync<CalendarPlace>(
                SelectPlaces + " ORDER BY n.created_at, n.id, k.kind, k.summary, k.id"),
            cancellation),
    ];

    /// <inheritdoc/>
    public Task<CalendarPlace?> PlaceAsync(string calendarId, CancellationToken cancellation) =>
        database.ReadAsync(
            session => session.FirstOrDefaultAsync<CalendarPlace>(
                SelectPlaces + " WHERE k.id = @calendarId", new { calendarId }),
            cancellation);

    private async Task QueueAccountAsync(
        WriteSession session, NewAccount account, string id, string subject, bool isNew, DateTimeOffset now)
    {
        var kind = await session.FirstOrDefaultAsync<string>(
            "SELECT kind FROM tenants WHERE id = @TenantId", new { account.TenantId });
        session.Queue(
            isNew
                ? """
                  INSERT INTO connections (id, tenant_id, tenant_kind, user_id, provider, account_email,
                      account_subject, scopes, state, server_url, password, created_at, updated_at)
                  VALUES (@id, @TenantId, @kind, @UserId, @Provider, @UserName, @subject, '', 'healthy',
                      @Server, @password, @now, @now)
                  """
                : """
                  UPDATE connections SET password = @password, state = 'healthy', reason = NULL,
                      token_version = token_version + 1, consecutive_failures = 0, open_until = NULL,
                      next_attempt_at = NULL, updated_at = @now, version = version + 1
                  WHERE id = @id
                  """,
            new
            {
                id,
                account.TenantId,
                kind,
                account.UserId,
                account.Provider,
                account.UserName,
                subject,
                Server = account.Server.AbsoluteUri,
                password = cipher.Seal(
                    new SecretPlace(account.TenantId, id, PasswordColumn), account.Password),
                now,
            },
            expectRows: 1);
    }

    private sealed record AccountRow
    {
        public string Id { get; init; } = "";

        public string TenantId { get; init; } = "";

        public string AccountEmail { get; init; } = "";

        public string ServerUrl { get; init; } = "";

        public byte[]? Password { get; init; }
    }
}
