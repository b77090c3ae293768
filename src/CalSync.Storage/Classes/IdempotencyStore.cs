using CalSync.Classes;
using CalSync.Sync;

namespace CalSync.Storage.Classes;

/// <summary>How long answers are kept.</summary>
public sealed record IdempotencyOptions
{
    /// <summary>How long a key is remembered after its first request. Default 24 h. R-FIX-4-G.</summary>
    [Limit("h", 1, 720)]
    public TimeSpan Retention { get; init; } = TimeSpan.FromHours(24);
}

/// <summary>Ends idempotency keys: those whose time is over, and one person's on request.</summary>
/// <param name="database">Where they are.</param>
public sealed class IdempotencyStore(Database database)
{
    /// <summary>How long a first request may take to answer before another may take its key over.</summary>
    public static TimeSpan Lease { get; } = TimeSpan.FromSeconds(30);

    /// <summary>When to ask again while the first request is under way. R-FIX-4-B.</summary>
    public static TimeSpan RetryAfter { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Forgets expired keys, the oldest first.</summary>
    /// <param name="now">UTC.</param>
    /// <param name="countMax">How many at most, in one transaction; ask again while so many were
    /// forgotten.</param>
    /// <param name="cancellation">Cancelling forgets none.</param>
    /// <returns>How many were forgotten.</returns>
    public Task<int> PurgeAsync(DateTimeOffset now, int countMax, CancellationToken cancellation) =>
        database.WriteAsync(
        // The time is asked for twice: a key that was taken anew meanwhile is not expired any more.
        session => session.ExecuteAsync(
            $"""
            WITH expired AS (
                SELECT tenant_id, user_id, route, key FROM idempotency_keys
                WHERE expires_at <= @now ORDER BY expires_at LIMIT @countMax{session.SkipLocked})
            DELETE FROM idempotency_keys
            WHERE expires_at <= @now AND (tenant_id, user_id, route, key) IN (SELECT * FROM expired)
            """,
            new { now, countMax }),
        cancellation);

    /// <summary>Forgets every key of one user. Rows they made stay; uniqueness in the database still
    /// holds.</summary>
    /// <param name="actor">Who asks; the user must be of this tenant.</param>
    /// <param name="userId">Whose keys.</param>
    /// <param name="now">UTC, for the journal.</param>
    /// <param name="correlationId">For the journal.</param>
    /// <param name="cancellation">Cancelling forgets none.</param>
    /// <returns>How many were forgotten.</returns>
    public Task<int> ClearAsync(
        Actor actor, string userId, DateTimeOffset now, string correlationId,
        CancellationToken cancellation) =>
        database.WriteAsync(
            async session =>
            {
                var count = await session.ExecuteAsync(
                    "DELETE FROM idempotency_keys WHERE tenant_id = @TenantId AND user_id = @userId",
                    new { actor.TenantId, userId });
                session.Journal(new CalSync.Sync.Journal.JournalEntry(
                    now, actor.TenantId, actor.UserId, "request", correlationId, "idempotency.cleared",
                    "user", userId));
                return count;
            },
            cancellation);
}

/// <summary>Collects what a batch does to idempotency keys.</summary>
internal sealed class IdempotencyWriting
{
    private readonly Bulk _claims = new(
        ("tenant_id", BulkType.Text), ("user_id", BulkType.Text), ("route", BulkType.Text),
        ("key", BulkType.Text),
        ("fingerprint", BulkType.Text), ("class_id", BulkType.Text), ("enrolment_id", BulkType.Text),
        ("operation_id", BulkType.Text), ("status", BulkType.NumberOrNull), ("correlation_id", BulkType.Text),
        ("lease_until", BulkType.Instant),
        ("created_at", BulkType.Instant), ("expires_at", BulkType.Instant));

    private readonly List<(string Sql, object Args)> _others = [];

    public void Claim(KeyRow row, string correlationId, DateTimeOffset now) => _claims.Add(
        row.TenantId, row.UserId, row.Route, row.Key, row.Fingerprint, row.ClassId, row.EnrolmentId,
        row.OperationId,
        row.Status is { } status ? (long)status : null, correlationId, row.LeaseUntil, now, row.ExpiresAt);

    public void Forget(KeyRow row) => _others.Add((
        """
        DELETE FROM idempotency_keys
        WHERE tenant_id = @TenantId AND user_id = @UserId AND route = @Route AND key = @Key
            AND expires_at = @ExpiresAt
        """,
        row));

    public void TakeOver(KeyRow row, DateTimeOffset until) => _others.Add((
        """
        UPDATE idempotency_keys SET lease_until = @until
        WHERE tenant_id = @TenantId AND user_id = @UserId AND route = @Route AND key = @Key
            AND status IS NULL AND lease_until = @LeaseUntil
        """,
        new { row.TenantId, row.UserId, row.Route, row.Key, row.LeaseUntil, until }));

    public void Queue(WriteSession session)
    {
        // Two takers: the second finds another lease and its transaction is repeated, which then sees it in
        // flight.
        foreach (var (sql, args) in _others)
            session.Queue(sql, args, expectRows: 1);
        _claims.Insert(session, "idempotency_keys");
    }

    public static void Queue(WriteSession session, IReadOnlyList<StoredAnswer> answers)
    {
        var bulk = new Bulk(
            ("tenant_id", BulkType.Text), ("user_id", BulkType.Text), ("route", BulkType.Text),
            ("key", BulkType.Text),
            ("fingerprint", BulkType.Text), ("status", BulkType.Number), ("headers", BulkType.Text),
            ("body", BulkType.Text));
        foreach (var answer in answers)
        {
            bulk.Add(
                answer.TenantId, answer.UserId, answer.Claim.Route, answer.Claim.Key,
                answer.Claim.Fingerprint, (long)answer.Status, answer.Headers, answer.Body);
        }

        if (session.Engine == Engine.Postgres)
            session.Queue(ClassNeeds.IndexOnly);
        bulk.Update(
            session,
            "idempotency_keys",
            "status = [status], headers = [headers], body = [body]",
            """
            idempotency_keys.tenant_id = [tenant_id] AND idempotency_keys.user_id = [user_id]
            AND idempotency_keys.route = [route] AND idempotency_keys.key = [key]
            AND idempotency_keys.fingerprint = [fingerprint] AND idempotency_keys.status IS NULL
            """,
            everyRow: false);
    }
}
