using CalSync.Sync.Providers;

namespace CalSync.Storage.Running;

/// <summary>
/// The breakers of connections, in <c>connections</c>: one for all processes, and still there after a
/// restart.
/// </summary>
/// <remarks>A closed breaker is never written by a success, so the healthy path only reads.</remarks>
/// <param name="database">The database.</param>
public sealed class BreakerLedger(Database database) : IBreakerLedger
{
    /// <inheritdoc/>
    public async Task<ConnectionBreaker> LoadAsync(string connectionId, CancellationToken cancellation)
    {
        var row = await database.ReadAsync(
            session => session.FirstOrDefaultAsync<Row>(
                "SELECT consecutive_failures, open_until FROM connections WHERE id = @connectionId",
                new { connectionId }),
            cancellation);
        return row is null ? ConnectionBreaker.Closed : new(row.ConsecutiveFailures, row.OpenUntil);
    }

    /// <inheritdoc/>
    public async Task<bool> SaveAsync(
        string connectionId,
        ConnectionBreaker expected,
        ConnectionBreaker replacement,
        CancellationToken cancellation)
    {
        var stillOpenUntil = expected.OpenUntil is null ? "open_until IS NULL" : "open_until = @Expected";
        var sql = $"""
            UPDATE connections SET consecutive_failures = @Failures, open_until = @OpenUntil
            WHERE id = @connectionId AND consecutive_failures = @ExpectedFailures AND {stillOpenUntil}
            """;
        var changed = await database.WriteAsync(
            session => session.ExecuteAsync(
                sql,
                new
                {
                    connectionId,
                    Failures = replacement.ConsecutiveFailures,
                    replacement.OpenUntil,
                    ExpectedFailures = expected.ConsecutiveFailures,
                    Expected = expected.OpenUntil,
                }),
            cancellation);
        return changed == 1;
    }

    private sealed record Row
    {
        public int ConsecutiveFailures { get; init; }

        public DateTimeOffset? OpenUntil { get; init; }
    }
}
