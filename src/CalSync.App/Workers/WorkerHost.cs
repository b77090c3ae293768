using CalSync.Sync.Connections;
using CalSync.Sync.HandEdits;
using CalSync.Sync.Mirroring;

namespace CalSync.App.Workers;

/// <summary>Runs the workers of a process beside each other, from its start to its stop.</summary>
internal sealed class WorkerHost(
    MirrorWorker mirrors, SettleWorker settlements, TokenWorker tokens, TimeWorker time,
    PairWorker pairs, CalendarReaderWorker readings, PruneWorker pruning) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken) => await Task.WhenAll(
        mirrors.RunAsync(stoppingToken), settlements.RunAsync(stoppingToken),
        tokens.RunAsync(stoppingToken), time.RunAsync(stoppingToken),
        pairs.RunAsync(stoppingToken), readings.RunAsync(stoppingToken), pruning.RunAsync(stoppingToken));
}
