using System.Diagnostics.CodeAnalysis;
using CalSync.Storage.Classes;

namespace CalSync.App.Workers;

/// <summary>Forgets idempotency keys whose retention is over.</summary>
internal sealed partial class PruneWorker(IdempotencyStore keys, ILogger<PruneWorker> log, TimeProvider clock)
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    /// <summary>Works until stopped.</summary>
    /// <param name="stop">Stops it between two turns.</param>
    [SuppressMessage("Design", "CA1031", Justification = "The worker loop is where a fault of one turn ends.")]
    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Every, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                try
                {
                    await keys.PurgeAsync(clock.GetUtcNow(), stop);
                }
                catch (Exception fault) when (fault is not OperationCanceledException)
                {
                    TurnFailed(log, fault);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to end.
        }
    }

    [LoggerMessage(EventId = 2002, Level = LogLevel.Error, Message = "Forgetting old idempotency keys failed")]
    private static partial void TurnFailed(ILogger log, Exception fault);
}
