using System.Diagnostics;
using System.Globalization;
using CalSync.App;
using CalSync.App.Pairs;
using CalSync.Storage;
using CalSync.Storage.Pairs;
using CalSync.Sync.Pairs.Execution;
using Microsoft.Extensions.DependencyInjection;

namespace CalSync.Lab.Bench.Sync;

/// <summary>A pair as the service runs it: everything made once, then run after run.</summary>
internal static class SyncRunner
{
    /// <summary>Runs a pair, and prints how long the runs took.</summary>
    /// <param name="directory">The database.</param>
    /// <param name="name">The pair.</param>
    /// <param name="count">Runs; all but the first are timed.</param>
    /// <param name="cancellation">Stops between writes.</param>
    public static async Task<int> RunAsync(
        string directory, string name, int count, CancellationToken cancellation)
    {
        await using var host = await CalSyncHost.BuildAsync(
            new HostOptions { Database = new DatabaseOptions { DataDirectory = directory } },
            TimeProvider.System, new Random(), null, cancellation);
        var pair = await host.Services.GetRequiredService<PairDirectory>().FindAsync(name, cancellation)
            ?? throw new InvalidOperationException($"There is no pair {name} in {directory}.");
        var runner = host.Services.GetRequiredService<PairRunner>();
        List<double> took = [];
        for (var run = 0; run < count; run++)
        {
            var begun = Stopwatch.GetTimestamp();
            var ended = await runner.RunAsync(pair, new RunRequest(), cancellation);
            took.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            if (ended.Outcome is not (RunOutcome.Equal or RunOutcome.Synced))
            {
                await Console.Error.WriteLineAsync($"{ended.Outcome}: {ended.Trouble?.Why}");
                return 1;
            }
        }

        foreach (var each in took.Skip(took.Count > 1 ? 1 : 0))
            await Console.Out.WriteLineAsync(each.ToString("0.000", CultureInfo.InvariantCulture));
        return 0;
    }
}
