using CalSync.Classes;
using CalSync.Storage.Classes;

namespace CalSync.Storage.Running;

/// <summary>What claiming an idempotency key for a request found.</summary>
public abstract record RequestClaim
{
    private RequestClaim()
    {
    }

    /// <summary>The key is this request's: do it, then keep or release.</summary>
    public sealed record Mine : RequestClaim;

    /// <summary>The first request was answered.</summary>
    /// <param name="Status">HTTP status as kept.</param>
    /// <param name="Headers">As kept.</param>
    /// <param name="Body">As kept.</param>
    public sealed record Answered(int Status, string? Headers, string? Body) : RequestClaim;

    /// <summary>The first request is still running.</summary>
    public sealed record Running : RequestClaim;

    /// <summary>The key was used for another request.</summary>
    public sealed record Mismatch : RequestClaim;
}

/// <summary>Idempotency keys of requests that are no class commands, such as choosing a calendar.</summary>
/// <remarks>
/// Class commands claim their key in the transaction of their effect. The requests here set something to a
/// value, so a repeat after a crash between the effect and the kept answer does the same again.
/// </remarks>
/// <param name="database">Where the keys are.</param>
/// <param name="options">How long they are kept.</param>
public sealed class RequestKeyStore(Database database, IdempotencyOptions options)
{
    /// <summary>Claims a key, or says why it cannot be claimed.</summary>
    /// <param name="actor">Whose key.</param>
    /// <param name="claim">Route, key and fingerprint.</param>
    /// <param name="correlationId">The request.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellation">A cancelled call may still have claimed it, until its lease ends.</param>
    public Task<RequestClaim> ClaimAsync(
        Actor actor, IdempotencyClaim claim, string correlationId, DateTimeOffset now,
        CancellationToken cancellation) =>
        database.WriteAsync(
            async session =>
            {
                var values = new
                {
                    actor.TenantId,
                    actor.UserId,
                    claim.Route,
                    claim.Key,
                    claim.Fingerprint,
                    correlationId,
                    now,
                    LeaseUntil = now + IdempotencyStore.Lease,
                    ExpiresAt = now + options.Retention,
                };
                // An expired key, and one whose holder died, are free; a dead holder's only for the same
                // request.
                var changed = await session.ExecuteAsync(
                    """
                    INSERT INTO idempotency_keys (tenant_id, user_id, route, key, fingerprint, correlation_id,
                        lease_until, created_at, expires_at)
                    VALUES (@TenantId, @UserId, @Route, @Key, @Fingerprint, @correlationId,
                        @LeaseUntil, @now, @ExpiresAt)
                    ON CONFLICT (tenant_id, user_id, route, key) DO UPDATE SET
                        fingerprint = excluded.fingerprint, correlation_id = excluded.correlation_id,
                        lease_until = excluded.lease_until, created_at = excluded.created_at,
                        expires_at = excluded.expires_at, status = NULL, headers = NULL, body = NULL
                    WHERE idempotency_keys.expires_at <= @now
                        OR (idempotency_keys.status IS NULL AND idempotency_keys.lease_until <= @now
                            AND idempotency_keys.fingerprint = excluded.fingerprint)
                    """,
                    values);
                if (changed == 1)
                    return (RequestClaim)new RequestClaim.Mine();
                var row = await session.FirstOrDefaultAsync<Row>(
                    """
                    SELECT fingerprint, status, headers, body FROM idempotency_keys
                    WHERE tenant_id = @TenantId AND user_id = @UserId AND route = @Route AND key = @Key
                    """,
                    values);
                if (row is null)
                    return new RequestClaim.Running();
                if (row.Fingerprint != claim.Fingerprint)
                    return new RequestClaim.Mismatch();
                return row.Status is { } status
                    ? new RequestClaim.Answered(status, row.Headers, row.Body)
                    : new RequestClaim.Running();
            },
            cancellation);

    /// <summary>Keeps the answer of the request that holds a key.</summary>
    /// <param name="actor">Whose key.</param>
    /// <param name="claim">As claimed.</param>
    /// <param name="status">HTTP status.</param>
    /// <param name="headers">In the caller's own form.</param>
    /// <param name="body">Null for none.</param>
    /// <param name="cancellation">Cancelled, the key may stay in flight until its lease ends.</param>
    public Task KeepAsync(
        Actor actor, IdempotencyClaim claim, int status, string? headers, string? body,
        CancellationToken cancellation) =>
        database.WriteAsync(
            async session => await session.ExecuteAsync(
                """
                UPDATE idempotency_keys SET status = @status, headers = @headers, body = @body
                WHERE tenant_id = @TenantId AND user_id = @UserId AND route = @Route AND key = @Key
                    AND fingerprint = @Fingerprint AND status IS NULL
                """,
                new
                {
                    actor.TenantId,
                    actor.UserId,
                    claim.Route,
                    claim.Key,
                    claim.Fingerprint,
                    status,
                    headers,
                    body,
                }),
            cancellation);

    /// <summary>Frees a key whose request was refused: nothing was done under it.</summary>
    /// <param name="actor">Whose key.</param>
    /// <param name="claim">As claimed.</param>
    /// <param name="cancellation">Cancelled, the key may stay in flight until its lease ends.</param>
    public Task ReleaseAsync(Actor actor, IdempotencyClaim claim, CancellationToken cancellation) =>
        database.WriteAsync(
            async session => await session.ExecuteAsync(
                """
                DELETE FROM idempotency_keys
                WHERE tenant_id = @TenantId AND user_id = @UserId AND route = @Route AND key = @Key
                    AND fingerprint = @Fingerprint AND status IS NULL
                """,
                new { actor.TenantId, actor.UserId, claim.Route, claim.Key, claim.Fingerprint }),
            cancellation);

    private sealed record Row
    {
        public string Fingerprint { get; init; } = "";

        public int? Status { get; init; }

        public string? Headers { get; init; }

        public string? Body { get; init; }
    }
}
