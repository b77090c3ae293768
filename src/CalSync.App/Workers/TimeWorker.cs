using System.Diagnostics.CodeAnalysis;
using CalSync.Classes;
using CalSync.Storage.Classes;
using CalSync.Sync;

namespace CalSync.App.Workers;

/// <summary>
/// Does what only the passing of time asks for: delivers notices that are due, completes slots that are over,
/// and closes proposals that nobody has to decide any more.
/// </summary>
/// <remarks>All are conditions in the rows, so several processes may do it on one database.</remarks>
internal sealed partial class TimeWorker(
    NoticeDelivery notices, ClassReads reads, ProposalReads proposals, ClassCommands commands, IdSource ids,
    ILogger<TimeWorker> log, TimeProvider clock)
{
    private const int CountMax = 200;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    /// <summary>Works until stopped.</summary>
    /// <param name="stop">Stops it between two turns; what is left stays due.</param>
    [SuppressMessage(
        "Design", "CA1031", Justification = "The worker loop is where a fault of one turn ends.")]
    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Every, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
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
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to end.
        }
    }

    /// <summary>Does what is due now.</summary>
    /// <param name="cancellation">Cancelled, the rest stays due.</param>
    public async Task TurnAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        while (await notices.DeliverAsync(now, CountMax, ids.Next("cor"), cancellation) == CountMax)
        {
            // A full turn means there may be more.
        }

        await proposals.WithdrawMootAsync(now, ids.Next("cor"), cancellation);
        await Task.WhenAll(
            (await proposals.DueAsync(CountMax, cancellation)).Select(due => commands.ExecuteAsync(
                new CommandEnvelope(
                    Actor.System(due.TenantId), new ClassCommand.AcceptProposal(due.Id), due.ClassId,
                    ids.Next("cor"), now),
                cancellation)));

        // Together, so that they share transactions. A slot that somebody has changed since is refused and
        // looked at again.
        await Task.WhenAll(
            (await reads.EndedSlotsAsync(now, CountMax, cancellation)).Select(slot => commands.ExecuteAsync(
            new CommandEnvelope(
                Actor.System(slot.TenantId),
                new ClassCommand.CompleteSlot(slot.SlotId) { ExpectedVersion = slot.Version },
                slot.ClassId,
                ids.Next("cor"),
                now),
            cancellation)));
    }

    [LoggerMessage(EventId = 2003, Level = LogLevel.Error, Message = "Doing what was due failed")]
    private static partial void TurnFailed(ILogger log, Exception fault);
}
