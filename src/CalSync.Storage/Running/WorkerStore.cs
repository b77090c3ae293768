using System.Text.Json;
using CalSync.Sync.Journal;

namespace CalSync.Storage.Running;

/// <summary>A worker process as the others see it.</summary>
public sealed record WorkerListing
{
    /// <summary>One run of one process; a restart is another worker.</summary>
    public required string Id { get; init; }

    /// <summary>The machine's name.</summary>
    public required string Host { get; init; }

    /// <summary>The process id on that machine.</summary>
    public required int ProcessId { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Last sign of life, UTC.</summary>
    public required DateTimeOffset SeenAt { get; init; }
}

/// <summary>
/// Which workers run. Start and stop are journalled; a sign of life is not a change of state.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="clock">Dates the signs of life.</param>
public sealed class WorkerStore(Database database, TimeProvider clock)
{
    /// <summary>Enters a worker that starts.</summary>
    /// <param name="workerId">A new id.</param>
    /// <param name="host">The machine's name.</param>
    /// <param name="processId">The process id.</param>
    /// <param name="cancellation">A cancelled call may still have entered it.</param>
    public Task StartAsync(string workerId, string host, int processId, CancellationToken cancellation) =>
        database.WriteAsync(
            session =>
            {
                var now = clock.GetUtcNow();
                session.Queue(
                    """
                    INSERT INTO workers (id, host, process_id, started_at, seen_at)
                    VALUES (@workerId, @host, @processId, @now, @now)
                    """,
                    new { workerId, host, processId, now },
                    expectRows: 1);
                session.Journal(Entry(now, workerId, "worker.started", new { host, processId }));
                return Task.CompletedTask;
            },
            cancellation);

    /// <summary>Tells that a worker lives.</summary>
    /// <param name="workerId">Which.</param>
    /// <param name="cancellation">Cancelling leaves the last sign of life.</param>
    /// <returns>False when somebody has struck it off; it must then start anew.</returns>
    public Task<bool> BeatAsync(string workerId, CancellationToken cancellation) => database.WriteAsync(
        async session => await session.ExecuteAsync(
            "UPDATE workers SET seen_at = @now WHERE id = @workerId",
            new { workerId, now = clock.GetUtcNow() }) == 1,
        cancellation);

    /// <summary>Strikes a worker off: it stopped, or has not been seen for long.</summary>
    /// <param name="workerId">Which.</param>
    /// <param name="reason">Why, for the journal: <c>stopped</c> or <c>silent</c>.</param>
    /// <param name="cancellation">A cancelled call may still have done it.</param>
    public Task EndAsync(
        string workerId, string reason, CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            var gone = await session.ExecuteAsync(
                "DELETE FROM workers WHERE id = @workerId", new { workerId });
            if (gone == 1)
                session.Journal(Entry(clock.GetUtcNow(), workerId, "worker.ended", new { reason }));
        },
        cancellation);

    /// <summary>All workers entered, the last seen first.</summary>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<IReadOnlyList<WorkerListing>> ListAsync(CancellationToken cancellation) => database.ReadAsync(
        session => session.QueryAsync<WorkerListing>(
            "SELECT id, host, process_id, started_at, seen_at FROM workers ORDER BY seen_at DESC, id"),
        cancellation);

    private static JournalEntry Entry(DateTimeOffset now, string workerId, string kind, object after) => new(
        now, SwitchStore.JournalTenant, workerId, "run", workerId, kind, "worker", workerId,
        After: JsonSerializer.Serialize(after));
}
