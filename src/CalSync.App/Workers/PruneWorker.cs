using System.Diagnostics.CodeAnalysis;
using CalSync.Storage.Classes;
using CalSync.Storage.Identity;
using CalSync.Storage.Pairs;
using CalSync.Sync.Pairs;

namespace CalSync.App.Workers;

/// <summary>Forgets what was to be kept for a time only: idempotency keys, decided conflicts, plans that were
/// not approved, the history of pairs, sign-ins and attempts at them, sessions that are over.</summary>
internal sealed partial class PruneWorker(
    IdempotencyStore keys, PairDirectory pairs, PairOptions options, PasswordStore passwords,
    GoogleAccountStore google, ILogger<PruneWorker> log, TimeProvider clock)
{
    /// <summary>Rows of a kind forgotten in one transaction, so that no request waits long behind
    /// it.</summary>
    public const int BatchCountMax = 500;

    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan SessionKept = TimeSpan.FromDays(30);

    /// <summary>Works until stopped.</summary>
    /// <param name="stop">Stops it between two turns.</param>
    [SuppressMessage(
        "Design", "CA1031", Justification = "The worker loop is where a fault of one turn ends.")]
    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Every, clock);
        try
        {
            do
            {
                try
                {
                    await TurnAsync(stop);
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
    }

    /// <summary>Forgets what is expired now, in batches.</summary>
    /// <param name="stop">Stops it between two batches.</param>
    /// <returns>How many were forgotten.</returns>
    public async Task<int> TurnAsync(CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        return await InBatchesAsync(() => keys.PurgeAsync(now, BatchCountMax, stop))
            + await InBatchesAsync(
                () => pairs.PruneAsync(now, now - options.ConflictKept, BatchCountMax, stop))
            + await InBatchesAsync(
                () => pairs.PruneHistoryAsync(now - options.HistoryKept, BatchCountMax, stop))
            + await InBatchesAsync(
                () => passwords.PruneAsync(now, now - SessionKept, BatchCountMax, stop))
            + await InBatchesAsync(() => google.PruneAsync(now, BatchCountMax, stop));
    }

    private static async Task<int> InBatchesAsync(Func<Task<int>> forgetAsync)
    {
        var (total, last) = (0, BatchCountMax);
        for (; last >= BatchCountMax; total += last)
            last = await forgetAsync();
        return total;
    }

    [LoggerMessage(
        EventId = 2002, Level = LogLevel.Error, Message = "Forgetting what is over failed")]
    private static partial void TurnFailed(ILogger log, Exception fault);
}
