using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CalSync.Storage.Running;
using CalSync.Storage.Secrets;
using CalSync.Sync.Journal;

namespace CalSync.Storage.Identity;

/// <summary>A sign-in through Google under way; what opens it is never stored.</summary>
/// <param name="State">Comes back from Google; single use.</param>
/// <param name="AttemptKey">Kept by the browser that began.</param>
/// <param name="Nonce">Comes back in the ID token.</param>
/// <param name="CodeVerifier">Of PKCE.</param>
/// <param name="TenantId">The organisation to sign in to; null for the only one.</param>
/// <param name="ExpiresAt">UTC.</param>
public sealed record GoogleSignInAttempt(
    string State, string AttemptKey, string Nonce, string CodeVerifier, string? TenantId,
    DateTimeOffset ExpiresAt)
{
    /// <inheritdoc/>
    public override string ToString() => $"GoogleSignInAttempt {{ ExpiresAt = {ExpiresAt} }}";
}

/// <summary>What is left of an attempt when the browser is back.</summary>
/// <param name="CodeVerifier">Of PKCE.</param>
/// <param name="NonceHash">SHA-256, in lower hexadecimal.</param>
/// <param name="TenantId">The organisation to sign in to; null for the only one.</param>
public sealed record GoogleSignInReturn(string CodeVerifier, string NonceHash, string? TenantId)
{
    /// <inheritdoc/>
    public override string ToString() => "GoogleSignInReturn { }";
}

/// <summary>Whom a Google account signs in.</summary>
public abstract record GoogleHolder
{
    private GoogleHolder()
    {
    }

    /// <summary>This person; linked from now on.</summary>
    public sealed record Known(string UserId) : GoogleHolder;

    /// <summary>People of several organisations: one must be named.</summary>
    public sealed record Ambiguous : GoogleHolder;

    /// <summary>Nobody.</summary>
    /// <param name="Holder">Whose address it has, when that person has another Google account.</param>
    public sealed record Nobody(PasswordHolder? Holder) : GoogleHolder;
}

/// <summary>
/// Google accounts that sign people in, and the sign-ins under way. Every link is in the journal.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="cipher">Seals the verifiers.</param>
/// <param name="clock">Dates the changes.</param>
public sealed class GoogleAccountStore(Database database, TokenCipher cipher, TimeProvider clock)
{
    private const int HolderCountMax = 8;

    /// <summary>Remembers that somebody went to Google.</summary>
    /// <param name="attempt">What must come back.</param>
    /// <param name="cancellation">Cancelled, an unused attempt may stay until it expires.</param>
    public Task BeginAsync(GoogleSignInAttempt attempt, CancellationToken cancellation)
    {
        var stateHash = Hash(attempt.State);
        return database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO google_sign_ins (state_hash, attempt_hash, nonce_hash, code_verifier, tenant_id,
                    created_at, expires_at)
                VALUES (@stateHash, @attemptHash, @nonceHash, @verifier, @TenantId, @now, @ExpiresAt)
                """,
                new
                {
                    stateHash,
                    attemptHash = Hash(attempt.AttemptKey),
                    nonceHash = Hash(attempt.Nonce),
                    verifier = cipher.Seal(Place(stateHash), attempt.CodeVerifier),
                    attempt.TenantId,
                    now = clock.GetUtcNow(),
                    attempt.ExpiresAt,
                }),
            cancellation);
    }

    /// <summary>Uses an attempt up.</summary>
    /// <param name="state">As it came back.</param>
    /// <param name="attemptKey">Of the browser it came back in.</param>
    /// <param name="cancellation">A cancelled call may have used it up.</param>
    /// <returns>Null when it is unknown, used, over, or another browser's; then it stays as it is.</returns>
    public async Task<GoogleSignInReturn?> TakeAsync(
        string state, string attemptKey, CancellationToken cancellation)
    {
        var stateHash = Hash(state);
        var row = await database.WriteAsync(
            session => session.FirstOrDefaultAsync<AttemptRow>(
                """
                DELETE FROM google_sign_ins
                WHERE state_hash = @stateHash AND attempt_hash = @attemptHash AND expires_at > @now
                RETURNING code_verifier, nonce_hash, tenant_id
                """,
                new { stateHash, attemptHash = Hash(attemptKey), now = clock.GetUtcNow() }),
            cancellation);
        return row is null
            ? null
            : new GoogleSignInReturn(
                cipher.Open(Place(stateHash), row.CodeVerifier), row.NonceHash, row.TenantId);
    }

    /// <summary>
    /// Whom an account signs in: who is linked with it; else whose address it has, who is linked from now on.
    /// </summary>
    /// <remarks>
    /// Nobody is made, and nobody who is linked with one account is linked with another: an address can be
    /// given to somebody else, a subject cannot.
    /// </remarks>
    /// <param name="issuer">Who vouches for it.</param>
    /// <param name="subject">The account, for ever.</param>
    /// <param name="email">Verified by the issuer, lower case.</param>
    /// <param name="tenantId">Only in this organisation; null for all.</param>
    /// <param name="correlationId">The request.</param>
    /// <param name="cancellation">A cancelled call may still have linked.</param>
    public Task<GoogleHolder> FindAsync(
        string issuer, string subject, string email, string? tenantId, string correlationId,
        CancellationToken cancellation) => database.WriteAsync<GoogleHolder>(
        async session =>
        {
            var linked = await LinkedAsync(session, issuer, subject, tenantId);
            if (linked.Count > 0)
                return linked.Count == 1 ? new GoogleHolder.Known(linked[0]) : new GoogleHolder.Ambiguous();
            var holders = await session.QueryAsync<HolderRow>(
                $"""
                SELECT u.id AS user_id, u.tenant_id, u.email, g.issuer, g.subject
                FROM users u LEFT JOIN google_accounts g ON g.user_id = u.id
                WHERE u.email = @email AND (CAST(@tenantId AS text) IS NULL OR u.tenant_id = @tenantId)
                ORDER BY u.id LIMIT {HolderCountMax}
                """,
                new { email, tenantId });
            if (holders.Count > 1)
                return new GoogleHolder.Ambiguous();
            if (holders is not [var holder])
                return new GoogleHolder.Nobody(null);
            // Another window of the same person may have been faster.
            if (holder.Subject == subject && holder.Issuer == issuer)
                return new GoogleHolder.Known(holder.UserId);
            if (holder.Subject is not null)
                return new GoogleHolder.Nobody(holder.ToHolder());
            var now = Instant.Trim(clock.GetUtcNow());
            var inserted = await session.ExecuteAsync(
                """
                INSERT INTO google_accounts (user_id, tenant_id, issuer, subject, linked_at)
                VALUES (@UserId, @TenantId, @issuer, @subject, @now) ON CONFLICT DO NOTHING
                """,
                new { holder.UserId, holder.TenantId, issuer, subject, now });
            if (inserted == 0)
            {
                // Faster still: the same person in another window, or another account.
                return (await LinkedAsync(session, issuer, subject, tenantId)).Contains(holder.UserId)
                    ? new GoogleHolder.Known(holder.UserId)
                    : new GoogleHolder.Nobody(holder.ToHolder());
            }

            session.Journal(new JournalEntry(
                now, holder.TenantId, holder.UserId, "request", correlationId, "google_account.linked",
                "user", holder.UserId, After: JsonSerializer.Serialize(new { issuer, subject })));
            return new GoogleHolder.Known(holder.UserId);
        },
        cancellation);

    /// <summary>Takes a person's Google account from them and ends their sessions.</summary>
    /// <param name="userId">Whose.</param>
    /// <param name="actor">Who asks, for the journal.</param>
    /// <param name="correlationId">The request or run.</param>
    /// <param name="cancellation">A cancelled call may still have done it.</param>
    /// <returns>False when they have none.</returns>
    public Task<bool> UnlinkAsync(
        string userId, string actor, string correlationId, CancellationToken cancellation) =>
        database.WriteAsync(
            async session =>
            {
                var now = Instant.Trim(clock.GetUtcNow());
                var gone = await session.FirstOrDefaultAsync<LinkRow>(
                    """
                    DELETE FROM google_accounts WHERE user_id = @userId RETURNING tenant_id, issuer, subject
                    """,
                    new { userId });
                if (gone is null)
                    return false;
                var ended = await session.ExecuteAsync(
                    """
                    UPDATE sessions SET ended_at = @now
                    WHERE user_id = @userId AND ended_at IS NULL AND expires_at > @now
                    """,
                    new { userId, now });
                session.Journal(new JournalEntry(
                    now, gone.TenantId, actor, "request", correlationId, "google_account.unlinked", "user",
                    userId, Before: JsonSerializer.Serialize(new { gone.Issuer, gone.Subject }),
                    After: JsonSerializer.Serialize(new { endedSessions = ended })));
                return true;
            },
            cancellation);

    /// <summary>Forgets sign-ins that nobody came back from.</summary>
    /// <param name="now">Those that expired before it go.</param>
    /// <param name="countMax">Rows.</param>
    /// <param name="cancellation">What was forgotten stays forgotten.</param>
    /// <returns>How many were forgotten.</returns>
    public Task<int> PruneAsync(DateTimeOffset now, int countMax, CancellationToken cancellation) =>
        database.WriteAsync(
            session => session.ExecuteAsync(
                """
                DELETE FROM google_sign_ins WHERE state_hash IN (
                    SELECT state_hash FROM google_sign_ins WHERE expires_at <= @now LIMIT @countMax)
                """,
                new { now, countMax }),
            cancellation);

    private static Task<IReadOnlyList<string>> LinkedAsync(
        Session session, string issuer, string subject, string? tenantId) => session.QueryAsync<string>(
        $"""
        SELECT user_id FROM google_accounts
        WHERE issuer = @issuer AND subject = @subject
            AND (CAST(@tenantId AS text) IS NULL OR tenant_id = @tenantId)
        ORDER BY user_id LIMIT {HolderCountMax}
        """,
        new { issuer, subject, tenantId });

    private static SecretPlace Place(string stateHash) =>
        new(SwitchStore.JournalTenant, stateHash, "google_sign_ins.code_verifier");

    private static string Hash(string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private sealed record AttemptRow
    {
        public byte[] CodeVerifier { get; init; } = [];

        public string NonceHash { get; init; } = "";

        public string? TenantId { get; init; }
    }

    private sealed record HolderRow
    {
        public string UserId { get; init; } = "";

        public string TenantId { get; init; } = "";

        public string Email { get; init; } = "";

        public string? Issuer { get; init; }

        public string? Subject { get; init; }

        public PasswordHolder ToHolder() => new() { UserId = UserId, TenantId = TenantId, Email = Email };
    }

    private sealed record LinkRow
    {
        public string TenantId { get; init; } = "";

        public string Issuer { get; init; } = "";

        public string Subject { get; init; } = "";
    }
}
