using System.Collections.Immutable;
using CalSync.Sync.Journal;

namespace CalSync.Storage.Running;

/// <summary>The breakers of connections as people see and drive them; every change is journalled.</summary>
/// <param name="database">The database.</param>
public sealed class BreakerDesk(Database database)
{
    /// <summary>How long a breaker may be opened by hand at most: 7 days.</summary>
    public static readonly TimeSpan OpenMax = TimeSpan.FromDays(7);

    private const string Columns =
        "id AS connection_id, tenant_id, provider, account_email, consecutive_failures, open_until, reason";

    /// <summary>The breakers that are open or have counted a failure, those open longest first.</summary>
    /// <param name="tenantId">Only this tenant's; null for all.</param>
    /// <param name="cancellation">Changes nothing.</param>
    public Task<IReadOnlyList<BreakerRow>> ListAsync(string? tenantId, CancellationToken cancellation) =>
        database.ReadAsync(
            session => session.QueryAsync<BreakerRow>(
                $"""
                SELECT {Columns} FROM connections
                WHERE (open_until IS NOT NULL OR consecutive_failures > 0)
                    AND state <> 'disconnected' AND (@tenantId = '' OR tenant_id = @tenantId)
                ORDER BY open_until DESC, id
                """,
                new { tenantId = tenantId ?? "" }),
            cancellation);

    /// <summary>Lets no call of a connection, or of every connection of a provider, pass until a time; then
    /// one probes. Renewing tokens waits as well.</summary>
    /// <param name="target">Id of a connection, or name of a provider.</param>
    /// <param name="until">UTC.</param>
    /// <param name="why">Who, in which call, for what reason.</param>
    /// <param name="cancellation">Cancelled, nothing is changed.</param>
    /// <returns>The connections; none when the target names none.</returns>
    public Task<ImmutableArray<string>> OpenAsync(
        string target, DateTimeOffset until, BreakerCause why, CancellationToken cancellation) => ChangeAsync(
            target,
            "UPDATE connections SET open_until = @until, next_attempt_at = @until, updated_at = @At, "
                + "version = version + 1",
            "breaker.opened", until, why, cancellation);

    /// <summary>Forgets the failures of a connection, or of every connection of a provider: calls pass at
    /// once.</summary>
    /// <param name="target">As in <see cref="OpenAsync"/>.</param>
    /// <param name="why">As in <see cref="OpenAsync"/>.</param>
    /// <param name="cancellation">Cancelled, nothing is changed.</param>
    /// <returns>As in <see cref="OpenAsync"/>.</returns>
    public Task<ImmutableArray<string>> CloseAsync(
        string target, BreakerCause why, CancellationToken cancellation) => ChangeAsync(
            target,
            "UPDATE connections SET open_until = NULL, next_attempt_at = NULL, consecutive_failures = 0, "
                + "updated_at = @At, version = version + 1",
            "breaker.closed", null, why, cancellation);

    private Task<ImmutableArray<string>> ChangeAsync(
        string target, string update, string kind, DateTimeOffset? until, BreakerCause why,
        CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            var rows = await session.QueryAsync<BreakerRow>(
                $"""
                {update}
                WHERE (id = @target OR provider = @target) AND state <> 'disconnected'
                RETURNING {Columns}
                """,
                new { target, until, why.At });
            foreach (var row in rows)
            {
                session.Journal(new JournalEntry(
                    why.At, row.TenantId, why.Actor, "breaker", why.CorrelationId, kind, "connection",
                    row.ConnectionId, null, null,
                    JournalText.Of(new { until, reason = why.Reason })));
            }

            return rows.Select(row => row.ConnectionId).ToImmutableArray();
        },
        cancellation);
}

/// <summary>Who drives a breaker, and why.</summary>
/// <param name="Actor">For the journal.</param>
/// <param name="Reason">In words.</param>
/// <param name="CorrelationId">The call.</param>
/// <param name="At">UTC.</param>
public sealed record BreakerCause(string Actor, string Reason, string CorrelationId, DateTimeOffset At);

/// <summary>The breaker of a connection.</summary>
public sealed record BreakerRow
{
    /// <summary>The connection.</summary>
    public required string ConnectionId { get; init; }

    /// <summary>Its tenant.</summary>
    public required string TenantId { get; init; }

    /// <summary>Its provider.</summary>
    public required string Provider { get; init; }

    /// <summary>The account at the provider.</summary>
    public required string AccountEmail { get; init; }

    /// <summary>Counted failures since the last success.</summary>
    public required int ConsecutiveFailures { get; init; }

    /// <summary>Until when no call passes, UTC; null while calls pass. Past: one may probe.</summary>
    public DateTimeOffset? OpenUntil { get; init; }

    /// <summary>Why the last refresh failed; null when it did not.</summary>
    public string? Reason { get; init; }
}
