using System.Globalization;

namespace CalSync.Storage.Connections;

// Grants with an end of their own, which their owners are told of before it comes.
public sealed partial class ConnectionStore
{
    // Longer than a warning comes ahead, shorter than any grant with an end lives.
    private static readonly TimeSpan ToldWithin = TimeSpan.FromDays(4);

    /// <inheritdoc/>
    public Task TellEndingGrantsAsync(
        DateTimeOffset before, DateTimeOffset now, CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            // Whoever was told of this grant lately is not told again; the key keeps processes apart.
            var ending = await session.QueryAsync<EndingRow>(
                """
                SELECT n.id, n.tenant_id, n.user_id, n.account_email, n.grant_expires_at FROM connections n
                WHERE n.grant_expires_at > @now AND n.grant_expires_at <= @before
                    AND n.state IN ('healthy', 'degraded', 'refreshing')
                    AND NOT EXISTS (
                        SELECT 1 FROM notices t WHERE t.user_id = n.user_id AND t.kind = 'grant_ending'
                            AND t.created_at > @lately AND t.dedupe_key LIKE 'grant_ending:' || n.id || ':%')
                ORDER BY n.grant_expires_at, n.id LIMIT 1000
                """,
                new { now, before, lately = now - ToldWithin });
            foreach (var row in ending)
            {
                var end = row.GrantExpiresAt.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
                session.Queue(
                    """
                    INSERT INTO notices (id, tenant_id, user_id, kind, message, due_at, state, dedupe_key,
                        created_at, updated_at)
                    VALUES (@Id, @TenantId, @UserId, 'grant_ending', @Message, @now, 'scheduled', @Dedupe,
                        @now, @now)
                    ON CONFLICT (dedupe_key) DO NOTHING
                    """,
                    new
                    {
                        Id = ids.Next("ntc"),
                        row.TenantId,
                        row.UserId,
                        Message = $"The permission for {row.AccountEmail} ends at {end} UTC. Reconnect it "
                            + "before, in Settings → Connected Accounts, and nothing is interrupted.",
                        now,
                        Dedupe = $"grant_ending:{row.Id}:{end[..10]}",
                    });
            }

            return ending.Count;
        },
        cancellation);

    private sealed record EndingRow
    {
        public string Id { get; init; } = "";

        public string TenantId { get; init; } = "";

        public string UserId { get; init; } = "";

        public string AccountEmail { get; init; } = "";

        public DateTimeOffset GrantExpiresAt { get; init; }
    }
}
