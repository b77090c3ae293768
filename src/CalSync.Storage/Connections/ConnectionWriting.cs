using System.Collections.Immutable;
using CalSync.Storage.Mirroring;
using CalSync.Sync;
using CalSync.Sync.Connections;
using CalSync.Sync.Providers;

namespace CalSync.Storage.Connections;

/// <summary>The statements that store a consented account and set its parked work going again.</summary>
internal static class ConnectionWriting
{
    public static async Task SaveAsync(
        WriteSession session, NewConnection connection, string id, bool isNew, byte[] access, byte[]? refresh,
        DateTimeOffset now)
    {
        var kind = await session.FirstOrDefaultAsync<string>(
            "SELECT kind FROM tenants WHERE id = @TenantId", new { connection.TenantId });
        session.Queue(
            isNew
                ? """
                  INSERT INTO connections (id, tenant_id, tenant_kind, user_id, provider, account_email,
                      account_subject,
                      scopes, state, access_token, access_expires_at, refresh_token, grant_expires_at,
                      created_at, updated_at)
                  VALUES (@id, @TenantId, @kind, @UserId, @Provider, @Email, @Subject, @Scopes, 'healthy',
                      @access, @ExpiresAt, @refresh, @GrantExpiresAt, @now, @now)
                  """
                : """
                  UPDATE connections SET account_email = @Email, scopes = @Scopes, state = 'healthy',
                      reason = NULL,
                      access_token = @access, access_expires_at = @ExpiresAt,
                      refresh_token = COALESCE(@refresh, refresh_token), previous_refresh_token = NULL,
                      grant_expires_at = @GrantExpiresAt, token_version = token_version + 1,
                      lease_owner = NULL, lease_until = NULL, consecutive_failures = 0, open_until = NULL,
                      next_attempt_at = NULL, updated_at = @now, version = version + 1
                  WHERE id = @id
                  """,
            new
            {
                id,
                connection.TenantId,
                kind,
                connection.UserId,
                connection.Provider,
                connection.Email,
                connection.Subject,
                Scopes = connection.Tokens.Scope ?? "",
                access,
                ExpiresAt = now + connection.Tokens.ExpiresIn,
                GrantExpiresAt = now + connection.Tokens.GrantExpiresIn,
                refresh,
                now,
            },
            expectRows: 1);
    }

    /// <summary>Stores the account's calendars; the primary one is selected unless another usable one
    /// is.</summary>
    public static async Task SaveCalendarsAsync(
        WriteSession session, string connectionId, ImmutableArray<ProviderCalendar> calendars, IdSource ids,
        DateTimeOffset now)
    {
        var selected = await session.FirstOrDefaultAsync<string>(
            "SELECT remote_id FROM calendars WHERE connection_id = @connectionId AND selected",
            new { connectionId });
        var keep = calendars.FirstOrDefault(calendar => calendar.RemoteId == selected && IsWritable(calendar))
            ?? calendars.FirstOrDefault(calendar => calendar.Primary);
        var remoteIds = calendars.Select(calendar => calendar.RemoteId).ToArray();
        session.Queue(
            "UPDATE calendars SET selected = FALSE, updated_at = @now WHERE connection_id = @connectionId "
                + "AND selected",
            new { connectionId, now });
        session.Queue(
            $"""
            UPDATE calendars SET state = 'gone', lost_at = COALESCE(lost_at, @now), updated_at = @now
            WHERE connection_id = @connectionId AND NOT ({session.In("remote_id", "@remoteIds")})
            """,
            new { connectionId, now, remoteIds });
        foreach (var calendar in calendars)
        {
            session.Queue(
                """
                INSERT INTO calendars
                    (id, connection_id, remote_id, summary, kind, time_zone, access_role, state, selected,
                        lost_at, updated_at)
                VALUES (@Id, @connectionId, @RemoteId, @Summary, @Kind, @TimeZone, @AccessRole, @State,
                    @Selected, @LostAt, @now)
                ON CONFLICT (connection_id, remote_id) DO UPDATE
                    SET summary = excluded.summary, kind = excluded.kind,
                    time_zone = excluded.time_zone, access_role = excluded.access_role,
                        state = excluded.state,
                    selected = excluded.selected, updated_at = excluded.updated_at,
                    lost_at = CASE WHEN excluded.lost_at IS NULL THEN NULL
                        ELSE COALESCE(calendars.lost_at, excluded.lost_at) END
                """,
                new
                {
                    Id = ids.Next("cal"),
                    connectionId,
                    calendar.RemoteId,
                    calendar.Summary,
                    Kind = calendar.Primary ? "PRIMARY" : "SECONDARY",
                    calendar.TimeZone,
                    calendar.AccessRole,
                    State = IsWritable(calendar) ? "available" : "unwritable",
                    Selected = calendar == keep,
                    LostAt = IsWritable(calendar) ? (DateTimeOffset?)null : now,
                    now,
                },
                expectRows: 1);
        }
    }

    /// <summary>Work that waited for consent goes on, and so does work held for a calendar that is usable
    /// again.</summary>
    public static void Resume(WriteSession session, string connectionId, DateTimeOffset now)
    {
        session.Queue(
            """
            UPDATE mirrors SET state = 'pending', reason = NULL, attempts = 0, next_attempt_at = @now,
                updated_at = @now
            WHERE connection_id = @connectionId AND active AND state IN ('parked', 'retry_wait')
                AND (reason IS NULL OR reason NOT IN ('calendar_gone', 'calendar_unwritable') OR EXISTS (
                    SELECT 1 FROM calendars c WHERE c.id = mirrors.calendar_id AND c.state = 'available'))
            """,
            new { now, connectionId });
        OperationProgress.QueueResume(session, connectionId, now);
    }

    private static bool IsWritable(ProviderCalendar calendar) => calendar.AccessRole is "owner" or "writer";
}
