using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using CalSync.App.Configuration;
using CalSync.App.Pairs;
using CalSync.Storage.Pairs;
using CalSync.Sync;
using CalSync.Sync.Pairs.Execution;

namespace CalSync.App.Workers;

/// <summary>Runs every enabled pair on its schedule.</summary>
/// <remarks>
/// When a pair is due stands in its row, and a run holds it by a lease, so any number of processes may do it
/// on one database. A pair whose run failed waits longer each time; one whose account must be connected again
/// is not due until that is done. One pair delays no other.
/// </remarks>
internal sealed partial class PairWorker(
    PairDirectory pairs, PairRunner runner, Live<PairWorkerOptions> live, SyncMeter meter, Random random,
    ILogger<PairWorker> log, TimeProvider clock)
{
    private static readonly TimeSpan ObserveEvery = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, Task> _running = new(StringComparer.Ordinal);
    private DateTimeOffset _observedAt;

    private PairWorkerOptions Options => live.Value;

    /// <summary>Works until stopped.</summary>
    /// <param name="stop">Stops it; runs under way give their pairs back, and the next run goes on.</param>
    [SuppressMessage(
        "Design", "CA1031", Justification = "The worker loop is where a fault of one turn ends.")]
    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Options.Poll, clock);
        try
        {
            do
            {
                timer.Period = Options.Poll;
                try
                {
                    await StartDueAsync(stop);
                }
                catch (Exception fault) when (fault is not OperationCanceledException)
                {
                    TurnFailed(log, fault);
                }
            }
            while (await timer.WaitForNextTickAsync(stop));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to end.
        }

        await Task.WhenAll(_running.Values);
    }

    /// <summary>Runs what is due now, once, to its end.</summary>
    /// <param name="cancellation">Cancelled, runs give their pairs back.</param>
    public async Task TurnAsync(CancellationToken cancellation)
    {
        await StartDueAsync(cancellation);
        await Task.WhenAll(_running.Values);
    }

    private async Task StartDueAsync(CancellationToken stop)
    {
        foreach (var (id, run) in _running)
        {
            if (run.IsCompleted)
                _running.TryRemove(id, out _);
        }

        var free = Options.Concurrency - _running.Count;
        var due = free > 0 ? await pairs.DueAsync(clock.GetUtcNow(), stop) : [];
        foreach (var pair in due.Where(pair => !_running.ContainsKey(pair.Id)).Take(free))
            _running[pair.Id] = RunAsync(pair, stop);
        var now = clock.GetUtcNow();
        if (_observedAt + ObserveEvery > now)
            return;
        _observedAt = now;
        meter.Observe((await pairs.HealthAsync(now, stop)).ToGauges());
    }

    [SuppressMessage(
        "Design", "CA1031", Justification = "The worker loop is where a fault of one run ends.")]
    private async Task RunAsync(PairListing pair, CancellationToken stop)
    {
        try
        {
            await Task.Yield();
            var run = await runner.RunAsync(pair, new RunRequest(), stop);
            await ScheduleAsync(run, stop);
            if (run.Trouble is { } trouble)
                RunEnded(log, pair.Name, run.Outcome, trouble.Why);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The pair was given back; it is still due.
        }
        catch (Exception fault)
        {
            RunFailed(log, fault, pair.Name);
            await PutOffAsync(pair, stop);
        }
    }

    private async Task ScheduleAsync(PairRun run, CancellationToken stop)
    {
        switch (run.Outcome)
        {
            case RunOutcome.Busy:
                // Whoever holds it says when it is due again.
                return;
            case RunOutcome.Failed or RunOutcome.LeaseLost:
                var after = run.Report?.Fault?.RetryAfter ?? TimeSpan.Zero;
                await pairs.ScheduleAsync(
                    run.Pair.Id, clock.GetUtcNow() + Longer(after, BackOff(run.Pair.Failures)),
                    run.Pair.Failures + 1, stop);
                return;
            default:
                await pairs.ScheduleAsync(run.Pair.Id, clock.GetUtcNow() + Jitter(Options.Interval), 0, stop);
                return;
        }
    }

    // The database may be what failed: then the pair stays due, and the poll is the pause.
    [SuppressMessage(
        "Design", "CA1031", Justification = "The worker loop is where a fault of one run ends.")]
    private async Task PutOffAsync(PairListing pair, CancellationToken stop)
    {
        try
        {
            await pairs.ScheduleAsync(
                pair.Id, clock.GetUtcNow() + BackOff(pair.Failures), pair.Failures + 1, stop);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            TurnFailed(log, fault);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to end.
        }
    }

    private TimeSpan BackOff(int failures)
    {
        var doubled = Options.Interval * Math.Pow(2, Math.Min(failures, 16));
        return Jitter(doubled < Options.BackOffMax ? doubled : Options.BackOffMax);
    }

    private TimeSpan Jitter(TimeSpan pause) =>
        pause * (1 - (Options.JitterPercent / 100.0 * random.NextDouble()));

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    [LoggerMessage(EventId = 2004, Level = LogLevel.Error, Message = "Looking for due pairs failed")]
    private static partial void TurnFailed(ILogger log, Exception fault);

    [LoggerMessage(EventId = 2005, Level = LogLevel.Error, Message = "A run of the pair {Pair} failed")]
    private static partial void RunFailed(ILogger log, Exception fault, string pair);

    [LoggerMessage(
        EventId = 2006, Level = LogLevel.Warning, Message = "The pair {Pair} ended as {Outcome}: {Why}")]
    private static partial void RunEnded(ILogger log, string pair, RunOutcome outcome, string why);
}
