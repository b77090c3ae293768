namespace CalSync.Storage.Connections;

/// <summary>How well grants were kept in a stretch of time. R-OAUTH-16.</summary>
public sealed record GrantReport
{
    /// <summary>Turns of events that ended in a fault of our own.</summary>
    public required long InternalFaults { get; init; }

    /// <summary>Turns of events in which the provider refused a token; each replaces it once.</summary>
    public required long TokensRefused { get; init; }

    /// <summary>Connections that do not work now.</summary>
    public required long NotWorking { get; init; }

    /// <summary>Those among them whose owner could not be told why.</summary>
    public required long WithoutReason { get; init; }

    /// <summary>Connections that can work.</summary>
    public required long Connections { get; init; }

    /// <summary>Refreshes whose failure opened a connection's breaker.</summary>
    public required long BreakersOpened { get; init; }

    /// <summary>Connections whose breaker is open now.</summary>
    public required long BreakersOpen { get; init; }

    /// <summary>Tokens renewed.</summary>
    public required long Renewed { get; init; }

    /// <summary>Refreshes that failed and are repeated.</summary>
    public required long RefreshesFailed { get; init; }

    /// <summary>Grants that turned out to be dead.</summary>
    public required long GrantsLost { get; init; }

    /// <summary>Tokens that end within five minutes now although they could be renewed.</summary>
    public required long TokensEnding { get; init; }

    /// <summary>Whether nothing of it needs anybody's attention.</summary>
    public bool IsHealthy => InternalFaults == 0 && WithoutReason == 0 && TokensEnding == 0;
}

/// <summary>Counts what <see cref="GrantReport"/> says, from the rows and the journal.</summary>
/// <param name="database">Where.</param>
public sealed class GrantReportReads(Database database)
{
    private static readonly TimeSpan Ending = TimeSpan.FromMinutes(5);

    /// <summary>The report.</summary>
    /// <param name="since">From then on, UTC.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellation">Changes nothing.</param>
    public Task<GrantReport> ReadAsync(
        DateTimeOffset since, DateTimeOffset now, CancellationToken cancellation) =>
        database.SnapshotAsync(
            async session => (await session.FirstOrDefaultAsync<GrantReport>(
                """
                SELECT
                    (SELECT count(*) FROM journal WHERE at >= @since AND subject_kind = 'mirror'
                        AND after LIKE '%internal_fault%') AS internal_faults,
                    (SELECT count(*) FROM journal WHERE at >= @since AND subject_kind = 'mirror'
                        AND after LIKE '%"status":401%') AS tokens_refused,
                    (SELECT count(*) FROM connections
                        WHERE state IN ('degraded', 'needs_reauth')) AS not_working,
                    (SELECT count(*) FROM connections
                        WHERE state IN ('degraded', 'needs_reauth') AND reason IS NULL) AS without_reason,
                    (SELECT count(*) FROM connections WHERE state <> 'disconnected') AS connections,
                    (SELECT count(*) FROM journal WHERE at >= @since AND kind = 'connection.refresh_failed'
                        AND after LIKE '%"breakerOpen":true%') AS breakers_opened,
                    (SELECT count(*) FROM connections
                        WHERE open_until > @now AND state <> 'disconnected') AS breakers_open,
                    (SELECT count(*) FROM journal
                        WHERE at >= @since AND kind = 'connection.refreshed') AS renewed,
                    (SELECT count(*) FROM journal
                        WHERE at >= @since AND kind = 'connection.refresh_failed') AS refreshes_failed,
                    (SELECT count(*) FROM journal
                        WHERE at >= @since AND kind = 'connection.needs_reauth') AS grants_lost,
                    (SELECT count(*) FROM connections
                        WHERE state IN ('healthy', 'degraded', 'refreshing') AND access_expires_at < @ending
                            AND (next_attempt_at IS NULL OR next_attempt_at <= @now)) AS tokens_ending
                """,
                new { since, now, ending = now + Ending }))!,
            cancellation);
}
