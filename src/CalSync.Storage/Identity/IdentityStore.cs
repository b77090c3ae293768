using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CalSync.Classes;
using CalSync.Sync;
using CalSync.Sync.Journal;

namespace CalSync.Storage.Identity;

/// <summary>
/// Tenants, people and their API tokens. Every change is journalled in its own transaction.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="ids">Makes ids.</param>
/// <param name="clock">Dates the changes; decides whether a token has expired.</param>
public sealed class IdentityStore(Database database, IdSource ids, TimeProvider clock)
{
    private const int SecretSizeBytes = 32;
    private const string SelectUser =
        """
        SELECT u.id, u.tenant_id, u.name, u.email, u.calendar_email, u.role, u.time_zone,
            u.created_at, u.version
        FROM users u
        """;

    /// <summary>Makes a tenant.</summary>
    /// <param name="name">1 to 200 characters.</param>
    /// <param name="kind">For ever.</param>
    /// <param name="actor">Who, for the journal: a user id or a word such as <c>cli</c>.</param>
    /// <param name="correlationId">The request or run.</param>
    /// <param name="cancellation">A cancelled call may still have made it.</param>
    public Task<Tenant> CreateTenantAsync(
        string name, TenantKind kind, string actor, string correlationId, CancellationToken cancellation)
    {
        var now = Instant.Trim(clock.GetUtcNow());
        var tenant = new Tenant { Id = ids.Next("ten"), Name = name, Kind = kind, CreatedAt = now };
        return database.WriteAsync(
            session =>
            {
                session.Queue(
                    "INSERT INTO tenants (id, name, kind, created_at) VALUES (@Id, @Name, @Kind, @CreatedAt)",
                    new { tenant.Id, tenant.Name, Kind = Word(kind), tenant.CreatedAt },
                    expectRows: 1);
                session.Journal(new JournalEntry(
                    now, tenant.Id, actor, "request", correlationId, "tenant.created", "tenant", tenant.Id,
                    After: JsonSerializer.Serialize(new { name, kind = Word(kind) })));
                return Task.FromResult(tenant);
            },
            cancellation);
    }

    /// <summary>All tenants, oldest first.</summary>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public async Task<IReadOnlyList<Tenant>> ListTenantsAsync(CancellationToken cancellation) =>
        await database.ReadAsync(
            session => session.QueryAsync<Tenant>(
                "SELECT id, name, kind, created_at FROM tenants ORDER BY id"),
            cancellation);

    /// <summary>One tenant; null when there is none.</summary>
    /// <param name="tenantId">Its id.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<Tenant?> FindTenantAsync(
        string tenantId, CancellationToken cancellation) => database.ReadAsync(
        session => session.FirstOrDefaultAsync<Tenant>(
            "SELECT id, name, kind, created_at FROM tenants WHERE id = @tenantId", new { tenantId }),
        cancellation);

    /// <summary>Makes a user.</summary>
    /// <param name="user">Who.</param>
    /// <param name="actor">Who asks, for the journal.</param>
    /// <param name="correlationId">The request or run.</param>
    /// <param name="cancellation">A cancelled call may still have made it.</param>
    public async Task<UserCreation> CreateUserAsync(
        NewUser user, string actor, string correlationId, CancellationToken cancellation)
    {
        var now = Instant.Trim(clock.GetUtcNow());
        var email = user.Email.ToLowerInvariant();
        var made = new User
        {
            Id = ids.Next("usr"),
            TenantId = user.TenantId,
            Name = user.Name,
            Email = email,
            CalendarEmail = user.CalendarEmail?.ToLowerInvariant() ?? email,
            Role = user.Role,
            TimeZone = user.TimeZone,
            CreatedAt = now,
            Version = 1,
        };
        return await database.WriteAsync<UserCreation>(
            async session =>
            {
                var tenantId = await session.FirstOrDefaultAsync<string>(
                    "SELECT id FROM tenants WHERE id = @TenantId", new { user.TenantId });
                if (tenantId is null)
                    return new UserCreation.NoSuchTenant();
                var inserted = await session.ExecuteAsync(
                    """
                    INSERT INTO users
                        (id, tenant_id, name, email, calendar_email, role, time_zone, created_at, version)
                    VALUES (@Id, @TenantId, @Name, @Email, @CalendarEmail, @Role, @TimeZone, @CreatedAt,
                        @Version)
                    ON CONFLICT (email, tenant_id) DO NOTHING
                    """,
                    new
                    {
                        made.Id,
                        made.TenantId,
                        made.Name,
                        made.Email,
                        made.CalendarEmail,
                        Role = Word(made.Role),
                        made.TimeZone,
                        made.CreatedAt,
                        made.Version,
                    });
                if (inserted == 0)
                {
                    return new UserCreation.EmailTaken((await session.FirstOrDefaultAsync<User>(
                        SelectUser + " WHERE u.tenant_id = @TenantId AND u.email = @email",
                        new { user.TenantId, email }))!);
                }

                session.Journal(new JournalEntry(
                    now, made.TenantId, actor, "request", correlationId, "user.created", "user", made.Id,
                    After: JsonSerializer.Serialize(new
                    {
                        name = made.Name,
                        email,
                        calendarEmail = made.CalendarEmail,
                        role = Word(made.Role),
                        timeZone = made.TimeZone,
                    })));
                return new UserCreation.Created(made);
            },
            cancellation);
    }

    /// <summary>One user; null when there is none.</summary>
    /// <param name="userId">The id.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<User?> FindUserAsync(string userId, CancellationToken cancellation) => database.ReadAsync(
        session => session.FirstOrDefaultAsync<User>(SelectUser + " WHERE u.id = @userId", new { userId }),
        cancellation);

    /// <summary>The user with an account address; null when there is none.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="email">In any case.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<User?> FindUserByEmailAsync(string tenantId, string email, CancellationToken cancellation) =>
        database.ReadAsync(
            session => session.FirstOrDefaultAsync<User>(
                SelectUser + " WHERE u.tenant_id = @tenantId AND u.email = @email",
                new { tenantId, email = email.ToLowerInvariant() }),
            cancellation);

    /// <summary>Users, oldest first.</summary>
    /// <param name="tenantId">Null lists every tenant's.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<IReadOnlyList<User>> ListUsersAsync(string? tenantId, CancellationToken cancellation) =>
        database.ReadAsync(
            session => session.QueryAsync<User>(
                SelectUser + (tenantId is null ? "" : " WHERE u.tenant_id = @tenantId") + " ORDER BY u.id",
                new { tenantId }),
            cancellation);

    /// <summary>Makes an API token for a user.</summary>
    /// <param name="userId">Whom it speaks for.</param>
    /// <param name="label">What its owner calls it.</param>
    /// <param name="lifetime">From now; null means until revoked.</param>
    /// <param name="actor">Who asks, for the journal.</param>
    /// <param name="correlationId">The request or run.</param>
    /// <param name="cancellation">A cancelled call may still have made one that nobody knows.</param>
    /// <returns>Null when there is no such user.</returns>
    public Task<IssuedToken?> CreateTokenAsync(
        string userId,
        string label,
        TimeSpan? lifetime,
        string actor,
        string correlationId,
        CancellationToken cancellation)
    {
        var now = Instant.Trim(clock.GetUtcNow());
        var secret = "cst_" + IdSource.Encode(RandomNumberGenerator.GetBytes(SecretSizeBytes));
        var token = new IssuedToken(ids.Next("tok"), secret, now + lifetime);
        return database.WriteAsync(
            async session =>
            {
                var tenantId = await session.FirstOrDefaultAsync<string>(
                    "SELECT tenant_id FROM users WHERE id = @userId", new { userId });
                if (tenantId is null)
                    return null;
                session.Queue(
                    """
                    INSERT INTO api_tokens (id, user_id, hash, label, created_at, expires_at)
                    VALUES (@Id, @userId, @hash, @label, @now, @ExpiresAt)
                    """,
                    new { token.Id, userId, hash = Hash(secret), label, now, token.ExpiresAt },
                    expectRows: 1);
                session.Journal(new JournalEntry(
                    now, tenantId, actor, "request", correlationId, "token.created", "token", token.Id,
                    After: JsonSerializer.Serialize(new { userId, label, expiresAt = token.ExpiresAt })));
                return token;
            },
            cancellation);
    }

    /// <summary>Finds whom a bearer token speaks for; one statement.</summary>
    /// <param name="secret">As received; any text.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public async Task<Authentication> AuthenticateAsync(string secret, CancellationToken cancellation)
    {
        var row = await database.ReadAsync(
            session => session.FirstOrDefaultAsync<AuthenticationRow>(
                """
                SELECT u.id, u.tenant_id, u.name, u.email, u.calendar_email, u.role, u.time_zone,
                    u.created_at, u.version, n.kind AS tenant_kind, t.id AS token_id, t.expires_at,
                    t.revoked_at
                FROM api_tokens t JOIN users u ON u.id = t.user_id JOIN tenants n ON n.id = u.tenant_id
                WHERE t.hash = @hash
                """,
                new { hash = Hash(secret) }),
            cancellation);
        return row switch
        {
            null => new Authentication.Unknown(),
            { RevokedAt: { } at } => new Authentication.Revoked(at),
            { ExpiresAt: { } at } when at <= clock.GetUtcNow() => new Authentication.Expired(at),
            _ => new Authentication.Known(row.ToUser(), row.TenantKind, row.TokenId),
        };
    }

    /// <summary>Ends a token at once.</summary>
    /// <param name="tokenId">Which.</param>
    /// <param name="actor">Who asks, for the journal.</param>
    /// <param name="correlationId">The request or run.</param>
    /// <param name="cancellation">A cancelled call may still have ended it.</param>
    public Task<TokenRevocation> RevokeTokenAsync(
        string tokenId,
        string actor,
        string correlationId,
        CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            var now = Instant.Trim(clock.GetUtcNow());
            var tenantId = await session.FirstOrDefaultAsync<string>(
                "SELECT u.tenant_id FROM api_tokens t JOIN users u ON u.id = t.user_id WHERE t.id = @tokenId",
                new { tokenId });
            if (tenantId is null)
                return TokenRevocation.NoSuchToken;
            var changed = await session.ExecuteAsync(
                "UPDATE api_tokens SET revoked_at = @now WHERE id = @tokenId AND revoked_at IS NULL",
                new { tokenId, now });
            if (changed == 0)
                return TokenRevocation.AlreadyRevoked;
            session.Journal(new JournalEntry(
                now, tenantId, actor, "request", correlationId, "token.revoked", "token", tokenId));
            return TokenRevocation.Revoked;
        },
        cancellation);

    /// <summary>A user's tokens, oldest first, ended ones included.</summary>
    /// <param name="userId">Whose.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<IReadOnlyList<TokenListing>> ListTokensAsync(string userId, CancellationToken cancellation) =>
        database.ReadAsync(
            session => session.QueryAsync<TokenListing>(
                """
                SELECT id, user_id, label, created_at, expires_at, revoked_at
                FROM api_tokens WHERE user_id = @userId ORDER BY id
                """,
                new { userId }),
            cancellation);

    private static string Hash(string secret) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    private static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private sealed record AuthenticationRow
    {
        public string Id { get; init; } = "";

        public string TenantId { get; init; } = "";

        public string Name { get; init; } = "";

        public string Email { get; init; } = "";

        public string CalendarEmail { get; init; } = "";

        public Role Role { get; init; }

        public string TimeZone { get; init; } = "";

        public DateTimeOffset CreatedAt { get; init; }

        public long Version { get; init; }

        public TenantKind TenantKind { get; init; }

        public string TokenId { get; init; } = "";

        public DateTimeOffset? ExpiresAt { get; init; }

        public DateTimeOffset? RevokedAt { get; init; }

        public User ToUser() => new()
        {
            Id = Id,
            TenantId = TenantId,
            Name = Name,
            Email = Email,
            CalendarEmail = CalendarEmail,
            Role = Role,
            TimeZone = TimeZone,
            CreatedAt = CreatedAt,
            Version = Version,
        };
    }
}
