using System.Text.Json;
using CalSync.Storage.Running;
using CalSync.Sync.Journal;

namespace CalSync.Storage.Identity;

/// <summary>Somebody an address may stand for.</summary>
public sealed record PasswordHolder
{
    /// <summary>The user.</summary>
    public string UserId { get; init; } = "";

    /// <summary>Their organisation.</summary>
    public string TenantId { get; init; } = "";

    /// <summary>Address of the account.</summary>
    public string Email { get; init; } = "";

    /// <summary>The hash; null while they have no password.</summary>
    public string? Hash { get; init; }
}

/// <summary>Attempts of one kind, within one time.</summary>
/// <param name="Subject">What they are counted under; no address is kept readable.</param>
/// <param name="CountMax">How many are let through.</param>
/// <param name="Window">From the first one.</param>
public sealed record AttemptLimit(string Subject, int CountMax, TimeSpan Window);

/// <summary>
/// Passwords, and how often somebody tried. Every change and every refusal is in the journal.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="clock">Dates the changes.</param>
public sealed class PasswordStore(Database database, TimeProvider clock)
{
    private const int HolderCountMax = 8;

    private const string Holder =
        """
        SELECT u.id AS user_id, u.tenant_id, u.email, p.hash
        FROM users u LEFT JOIN passwords p ON p.user_id = u.id
        """;

    /// <summary>Everybody with an address: one for each organisation they are in.</summary>
    /// <param name="email">Lower case.</param>
    /// <param name="tenantId">Only in this organisation; null for all.</param>
    /// <param name="cancellation">Nothing is changed.</param>
    public Task<IReadOnlyList<PasswordHolder>> FindAsync(
        string email, string? tenantId, CancellationToken cancellation) => database.ReadAsync(
        session => session.QueryAsync<PasswordHolder>(
            $"""
            {Holder} WHERE u.email = @email AND (CAST(@tenantId AS text) IS NULL OR u.tenant_id = @tenantId)
            ORDER BY u.id LIMIT {HolderCountMax}
            """,
            new { email, tenantId }),
        cancellation);

    /// <summary>One person; null when there is none.</summary>
    /// <param name="userId">Any text.</param>
    /// <param name="cancellation">Nothing is changed.</param>
    public Task<PasswordHolder?> FindAsync(string userId, CancellationToken cancellation) =>
        database.ReadAsync(
            session => session.FirstOrDefaultAsync<PasswordHolder>(
                $"{Holder} WHERE u.id = @userId", new { userId }),
            cancellation);

    /// <summary>Sets a password and ends the person's sessions.</summary>
    /// <param name="userId">Whose.</param>
    /// <param name="hash">Of the new password.</param>
    /// <param name="replaces">The hash it was decided on; null to set it whatever there is.</param>
    /// <param name="keptSessionId">The session that stays; null to end all.</param>
    /// <param name="actor">Who asks, for the journal.</param>
    /// <param name="correlationId">The request or run.</param>
    /// <param name="cancellation">A cancelled call may still have done it.</param>
    /// <returns>False when there is no such user, or the password has changed meanwhile.</returns>
    public Task<bool> SetAsync(
        string userId, string hash, string? replaces, string? keptSessionId, string actor,
        string correlationId, CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            var now = Instant.Trim(clock.GetUtcNow());
            var holder = await session.FirstOrDefaultAsync<PasswordHolder>(
                $"{Holder} WHERE u.id = @userId", new { userId });
            if (holder is null || (replaces is not null && holder.Hash != replaces))
                return false;
            await session.ExecuteAsync(
                """
                INSERT INTO passwords (user_id, tenant_id, hash, set_at)
                VALUES (@userId, @TenantId, @hash, @now)
                ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, set_at = excluded.set_at
                """,
                new { userId, holder.TenantId, hash, now });
            var ended = await session.ExecuteAsync(
                """
                UPDATE sessions SET ended_at = @now
                WHERE user_id = @userId AND ended_at IS NULL AND expires_at > @now
                    AND id <> COALESCE(CAST(@keptSessionId AS text), '')
                """,
                new { userId, keptSessionId, now });
            session.Journal(new JournalEntry(
                now, holder.TenantId, actor, "request", correlationId, "password.set", "user", userId,
                After: JsonSerializer.Serialize(new { endedSessions = ended })));
            return true;
        },
        cancellation);

    /// <summary>Stores a password's hash of a higher cost; it is the same password.</summary>
    /// <param name="userId">Whose.</param>
    /// <param name="old">The hash it was found under.</param>
    /// <param name="hash">The new one.</param>
    /// <param name="cancellation">A cancelled call may still have done it.</param>
    public Task RenewAsync(string userId, string old, string hash, CancellationToken cancellation) =>
        database.WriteAsync(
            session => session.ExecuteAsync(
                "UPDATE passwords SET hash = @hash WHERE user_id = @userId AND hash = @old",
                new { userId, old, hash }),
            cancellation);

    /// <summary>Counts an attempt before it is made, so that many at once do not get through.</summary>
    /// <param name="limits">Under what it is counted.</param>
    /// <param name="cancellation">A cancelled call may still have counted.</param>
    /// <returns>When the next attempt may be made, UTC; null when this one may.</returns>
    public Task<DateTimeOffset?> TryAsync(
        IReadOnlyList<AttemptLimit> limits, CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            var now = Instant.Trim(clock.GetUtcNow());
            DateTimeOffset? until = null;
            // In one order, so that two attempts never wait for each other.
            foreach (var limit in limits.OrderBy(each => each.Subject, StringComparer.Ordinal))
            {
                var row = await session.FirstOrDefaultAsync<AttemptRow>(
                    """
                    INSERT INTO sign_in_attempts (subject, count, began_at, ends_at)
                    VALUES (@Subject, 1, @now, @ends)
                    ON CONFLICT (subject) DO UPDATE SET
                        count = CASE WHEN sign_in_attempts.ends_at <= @now THEN 1
                            ELSE sign_in_attempts.count + 1 END,
                        began_at = CASE WHEN sign_in_attempts.ends_at <= @now THEN @now
                            ELSE sign_in_attempts.began_at END,
                        ends_at = CASE WHEN sign_in_attempts.ends_at <= @now THEN @ends
                            ELSE sign_in_attempts.ends_at END
                    RETURNING count, ends_at
                    """,
                    new { limit.Subject, now, ends = now + limit.Window });
                if (row!.Count > limit.CountMax && (until is null || row.EndsAt > until))
                    until = row.EndsAt;
            }

            return until;
        },
        cancellation);

    /// <summary>Forgets attempts: who has signed in has not been guessing.</summary>
    /// <param name="subjects">Under what they were counted.</param>
    /// <param name="cancellation">A cancelled call may still have done it.</param>
    public Task ForgetAsync(IReadOnlyList<string> subjects, CancellationToken cancellation) =>
        database.WriteAsync(
            session =>
            {
                var all = subjects.ToArray();
                return session.ExecuteAsync(
                    $"DELETE FROM sign_in_attempts WHERE {session.In("subject", "@all")}", new { all });
            },
            cancellation);

    /// <summary>Records that somebody was not let in.</summary>
    /// <param name="holder">Who they said they were; null when nobody has that address.</param>
    /// <param name="reason">One word.</param>
    /// <param name="subject">Under what the attempts are counted.</param>
    /// <param name="correlationId">The request.</param>
    /// <param name="cancellation">A cancelled call may still have recorded it.</param>
    public Task RefusedAsync(
        PasswordHolder? holder, string reason, string subject, string correlationId,
        CancellationToken cancellation) => database.WriteAsync(
        session =>
        {
            session.Journal(new JournalEntry(
                Instant.Trim(clock.GetUtcNow()), holder?.TenantId ?? SwitchStore.JournalTenant, "nobody",
                "request", correlationId, "sign_in.refused", "user", holder?.UserId ?? "unknown",
                After: JsonSerializer.Serialize(new { reason, subject })));
            return Task.CompletedTask;
        },
        cancellation);

    /// <summary>Forgets attempts and sessions that are long over.</summary>
    /// <param name="now">Attempts that ended before it go.</param>
    /// <param name="before">Sessions that were over before it go.</param>
    /// <param name="countMax">Rows of each kind.</param>
    /// <param name="cancellation">What was forgotten stays forgotten.</param>
    /// <returns>The larger of both counts.</returns>
    public Task<int> PruneAsync(
        DateTimeOffset now, DateTimeOffset before, int countMax, CancellationToken cancellation) =>
        database.WriteAsync(
            async session => Math.Max(
                await session.ExecuteAsync(
                    """
                    DELETE FROM sign_in_attempts WHERE subject IN (
                        SELECT subject FROM sign_in_attempts WHERE ends_at <= @now LIMIT @countMax)
                    """,
                    new { now, countMax }),
                await session.ExecuteAsync(
                    """
                    DELETE FROM sessions WHERE id IN (
                        SELECT id FROM sessions WHERE expires_at <= @before OR ended_at <= @before
                        LIMIT @countMax)
                    """,
                    new { before, countMax })),
            cancellation);

    private sealed record AttemptRow
    {
        public long Count { get; init; }

        public DateTimeOffset EndsAt { get; init; }
    }
}
