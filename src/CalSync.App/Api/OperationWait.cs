using CalSync.Classes;
using CalSync.Storage.Classes;
using CalSync.Sync.Mirroring;

namespace CalSync.App.Api;

/// <summary>Waits for an operation to come to its end, for a bounded time.</summary>
/// <remarks>
/// The signal of this process wakes it at once; a worker in another process is noticed by looking again. Both
/// read the same row, so a lost signal costs time, never truth.
/// </remarks>
internal sealed class OperationWait(OperationReads reads, OperationSignal signal, TimeProvider clock)
{
    /// <summary>Waits until the operation has been settled, or stands still, or the time is over.</summary>
    /// <param name="actor">Who looks.</param>
    /// <param name="operationId">Which.</param>
    /// <param name="until">When to stop waiting.</param>
    /// <returns>The operation as last read.</returns>
    public async Task<OperationView> UntilSettledAsync(Actor actor, string operationId, DateTimeOffset until)
    {
        // Not the request's token: the answer is kept for a retry even when nobody listens any more.
        await signal.WaitAsync(operationId, until - clock.GetUtcNow(), CancellationToken.None);
        return await reads.FindAsync(actor, operationId, CancellationToken.None)
            ?? throw new InvalidOperationException("The operation of a committed command cannot be read.");
    }
}
