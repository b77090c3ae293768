using System.Text.Json;
using CalSync.Classes;
using CalSync.Sync;
using CalSync.Sync.Journal;

namespace CalSync.Storage.Identity;

/// <summary>A person who may sign in.</summary>
public sealed record SessionPerson
{
    /// <summary>Starts with <c>usr_</c>.</summary>
    public string UserId { get; init; } = "";

    /// <summary>Their organisation.</summary>
    public string TenantId { get; init; } = "";

    /// <summary>Live or test.</summary>
    public TenantKind TenantKind { get; init; }

    /// <summary>Now, not when anything was signed.</summary>
    public Role Role { get; init; }
}

/// <summary>Somebody signed in.</summary>
public sealed record UserSession
{
    /// <summary>Starts with <c>ses_</c>.</summary>
    public string Id { get; init; } = "";

    /// <summary>Who.</summary>
    public string UserId { get; init; } = "";

    /// <summary>Their organisation.</summary>
    public string TenantId { get; init; } = "";

    /// <summary>Live or test.</summary>
    public TenantKind TenantKind { get; init; }

    /// <summary>Their role now.</summary>
    public Role Role { get; init; }

    /// <summary>When they proved who they are, UTC.</summary>
    public DateTimeOffset AuthenticatedAt { get; init; }

    /// <summary>When it ends by itself, UTC.</summary>
    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When somebody ended it, UTC; null while it lasts.</summary>
    public DateTimeOffset? EndedAt { get; init; }
}

/// <summary>Who is signed in. Every change is journalled in its own transaction.</summary>
/// <param name="database">The database.</param>
/// <param name="ids">Makes ids.</param>
/// <param name="clock">Dates the changes.</param>
public sealed class SessionStore(Database database, IdSource ids, TimeProvider clock)
{
    /// <summary>Opens a session for a person.</summary>
    /// <param name="userId">Whose.</param>
    /// <param name="method"><c>cli</c>, <c>password</c> or <c>google</c>.</param>
    /// <param name="lifetime">From now.</param>
    /// <param name="actor">Who asks, for the journal.</param>
    /// <param name="correlationId">The request or run.</param>
    /// <param name="cancellation">A cancelled call may still have opened one that nobody knows.</param>
    /// <returns>Null when there is no such user.</returns>
    public Task<UserSession?> OpenAsync(
        string userId, string method, TimeSpan lifetime, string actor, string correlationId,
        CancellationToken cancellation)
    {
        // Whole seconds: the token says the same, and its claims have no others.
        var now = DateTimeOffset.FromUnixTimeSeconds(clock.GetUtcNow().ToUnixTimeSeconds());
        return database.WriteAsync(
            async session =>
            {
                var person = await session.FirstOrDefaultAsync<SessionPerson>(Person, new { userId });
                if (person is null)
                    return null;
                var opened = new UserSession
                {
                    Id = ids.Next("ses"),
                    UserId = userId,
                    TenantId = person.TenantId,
                    TenantKind = person.TenantKind,
                    Role = person.Role,
                    AuthenticatedAt = now,
                    ExpiresAt = now + lifetime,
                };
                session.Queue(
                    """
                    INSERT INTO sessions (id, tenant_id, user_id, method, authenticated_at, expires_at)
                    VALUES (@Id, @TenantId, @UserId, @method, @AuthenticatedAt, @ExpiresAt)
                    """,
                    new
                    {
                        opened.Id,
                        opened.TenantId,
                        opened.UserId,
                        method,
                        opened.AuthenticatedAt,
                        opened.ExpiresAt,
                    },
                    expectRows: 1);
                session.Journal(new JournalEntry(
                    now, person.TenantId, actor, "request", correlationId, "session.opened", "session",
                    opened.Id,
                    After: JsonSerializer.Serialize(new { userId, method, expiresAt = opened.ExpiresAt })));
                return opened;
            },
            cancellation);
    }

    /// <summary>One session with its person's role of now; null when there is none.</summary>
    /// <param name="sessionId">Any text.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<UserSession?> FindAsync(string sessionId, CancellationToken cancellation) =>
        database.ReadAsync(
            session => session.FirstOrDefaultAsync<UserSession>(
                """
                SELECT s.id, s.user_id, s.tenant_id, n.kind AS tenant_kind, u.role, s.authenticated_at,
                    s.expires_at, s.ended_at
                FROM sessions s JOIN users u ON u.id = s.user_id JOIN tenants n ON n.id = u.tenant_id
                WHERE s.id = @sessionId
                """,
                new { sessionId }),
            cancellation);

    /// <summary>One person; null when there is none.</summary>
    /// <param name="userId">Any text.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<SessionPerson?> FindPersonAsync(string userId, CancellationToken cancellation) =>
        database.ReadAsync(
            session => session.FirstOrDefaultAsync<SessionPerson>(Person, new { userId }), cancellation);

    /// <summary>Ends every session of a person. Doing so twice changes nothing more.</summary>
    /// <param name="userId">Whose.</param>
    /// <param name="actor">Who asks, for the journal.</param>
    /// <param name="correlationId">The request or run.</param>
    /// <param name="cancellation">A cancelled call may still have ended them.</param>
    /// <returns>How many were ended; null when there is no such user.</returns>
    public Task<int?> EndAllAsync(
        string userId, string actor, string correlationId, CancellationToken cancellation) =>
        database.WriteAsync(
            async session =>
            {
                var now = Instant.Trim(clock.GetUtcNow());
                var person = await session.FirstOrDefaultAsync<SessionPerson>(Person, new { userId });
                if (person is null)
                    return (int?)null;
                var ended = await session.ExecuteAsync(
                    """
                    UPDATE sessions SET ended_at = @now
                    WHERE user_id = @userId AND ended_at IS NULL AND expires_at > @now
                    """,
                    new { userId, now });
                if (ended > 0)
                {
                    session.Journal(new JournalEntry(
                        now, person.TenantId, actor, "request", correlationId, "session.ended", "user",
                        userId, After: JsonSerializer.Serialize(new { count = ended })));
                }

                return ended;
            },
            cancellation);

    /// <summary>Ends one session. Doing so twice changes nothing more.</summary>
    /// <param name="sessionId">Which.</param>
    /// <param name="actor">Who asks, for the journal.</param>
    /// <param name="correlationId">The request or run.</param>
    /// <param name="cancellation">A cancelled call may still have ended it.</param>
    public Task EndAsync(
        string sessionId, string actor, string correlationId, CancellationToken cancellation) =>
        database.WriteAsync(
            async session =>
            {
                var now = Instant.Trim(clock.GetUtcNow());
                var ended = await session.FirstOrDefaultAsync<UserSession>(
                    """
                    UPDATE sessions SET ended_at = @now WHERE id = @sessionId AND ended_at IS NULL
                    RETURNING id, user_id, tenant_id
                    """,
                    new { sessionId, now });
                if (ended is null)
                    return;
                session.Journal(new JournalEntry(
                    now, ended.TenantId, actor, "request", correlationId, "session.ended", "session",
                    sessionId, After: JsonSerializer.Serialize(new { userId = ended.UserId })));
            },
            cancellation);

    private const string Person =
        """
        SELECT u.id AS user_id, u.tenant_id, n.kind AS tenant_kind, u.role
        FROM users u JOIN tenants n ON n.id = u.tenant_id WHERE u.id = @userId
        """;
}
