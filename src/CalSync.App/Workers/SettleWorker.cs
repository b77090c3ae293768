using System.Diagnostics.CodeAnalysis;
using CalSync.Classes;
using CalSync.Storage.Classes;
using CalSync.Sync.Mirroring;

namespace CalSync.App.Workers;

/// <summary>
/// Joins the two sides: when the calendar side of an operation has ended, the class side draws its
/// conclusion.
/// </summary>
/// <remarks>Concluding twice changes nothing, so several processes may do it on one database.</remarks>
internal sealed partial class SettleWorker(
    OperationReads reads, ClassCommands commands, OperationSignal operations, MirrorSignal mirrors,
    ILogger<SettleWorker> log, TimeProvider clock)
{
    private const int CountMax = 64;
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    /// <summary>Works until stopped.</summary>
    /// <param name="stop">Stops it; what is under way is committed or not, and found again later.</param>
    [SuppressMessage(
        "Design", "CA1031", Justification = "The worker loop is where a fault of one turn ends.")]
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                // A full turn means there may be more.
                if (await TurnAsync(stop) < CountMax)
                    await operations.SettlementDue.WaitAsync(Poll, clock, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                TurnFailed(log, fault);
                await operations.SettlementDue.WaitAsync(Poll, clock, CancellationToken.None);
            }
        }
    }

    /// <summary>Concludes what is due now, and returns how many operations that were.</summary>
    /// <param name="cancellation">Cancelled, the rest stays due.</param>
    public async Task<int> TurnAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var due = await reads.DueSettlementsAsync(now, CountMax, cancellation);
        // Together, so that they share transactions.
        await Task.WhenAll(due.Select(settlement => SettleAsync(settlement, now, cancellation)));
        if (due.Count > 0)
            mirrors.Due.Set();
        return due.Count;
    }

    private async Task SettleAsync(
        Storage.Classes.DueSettlement due, DateTimeOffset now, CancellationToken cancellation)
    {
        await commands.ExecuteAsync(
            new CommandEnvelope(
                Actor.System(due.TenantId), new ClassCommand.SettleOperation(due.OperationId), due.ClassId,
                due.CorrelationId, now),
            cancellation);
        operations.Set(due.OperationId);
    }

    [LoggerMessage(EventId = 2001, Level = LogLevel.Error, Message = "A turn of settling operations failed")]
    private static partial void TurnFailed(ILogger log, Exception fault);
}
