using System.Diagnostics;
using System.Globalization;
using CalSync.Remotes.CalDav;
using CalSync.Remotes.Dav;
using CalSync.Remotes.Pipeline;
using CalSync.Storage;
using CalSync.Storage.Pairs;
using CalSync.Sync;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.Planning;
using CalSync.Sync.Providers;

namespace CalSync.Lab.Bench.Sync;

/// <summary>The pair engine as a service holds it: everything made once, then run after run.</summary>
internal static class SyncRunner
{
    private const string PairId = "par_bench";

    /// <summary>Runs a pair, and prints how long the runs took.</summary>
    /// <param name="directory">The database; made when it is not there.</param>
    /// <param name="left">A calendar.</param>
    /// <param name="right">The other one.</param>
    /// <param name="count">Runs; all but the first are timed.</param>
    /// <param name="cancellation">Stops between writes.</param>
    public static async Task<int> RunAsync(
        string directory, Uri left, Uri right, int count, CancellationToken cancellation)
    {
        var clock = TimeProvider.System;
        var random = new Random();
        var ids = new IdSource(clock, random);
        await using var database = Database.Open(new DatabaseOptions { DataDirectory = directory });
        var migrator = new Migrator(database, clock);
        var store = new PairStore(database, ids, new PairOptions());
        if (await migrator.CheckAsync(cancellation) is SchemaState.Empty)
        {
            await migrator.UpgradeAsync(cancellation);
            await store.AddAsync(
                new Pair(PairId, "tnt_bench", "bench", "left", "right", ConflictPolicy.Newest),
                clock.GetUtcNow(), cancellation);
        }

        var pipeline = new PipelineOptions();
        using var remotes = new CalDavRemotes(
            new DavOptions(), pipeline, new MemoryBreakerLedger(), new RetryPolicy(pipeline.Retry, random),
            new RetryBudget(pipeline.Retry), random, clock);
        var account = remotes.Account("con_bench", new DavCredentials("alice", "secret-alice"));
        var sync = new PairSync(store, new PairOptions(), clock, ids);
        var calendars = (Left: account.Calendar(left), Right: account.Calendar(right));
        var request = new RunRequest { Deletions = new DeletionLimit(null, 50) };
        List<double> took = [];
        for (var run = 0; run < count; run++)
        {
            var begun = Stopwatch.GetTimestamp();
            var report = await sync.RunAsync(
                PairId, calendars.Left, calendars.Right, request, cancellation);
            took.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            if (report.Outcome is not (RunOutcome.Equal or RunOutcome.Synced))
            {
                await Console.Error.WriteLineAsync(
                    $"{report.Outcome}: {report.Fault?.Message} {report.Verdict?.Reasons[0]}");
                return 1;
            }
        }

        foreach (var each in took.Skip(took.Count > 1 ? 1 : 0))
            await Console.Out.WriteLineAsync(each.ToString("0.000", CultureInfo.InvariantCulture));
        return 0;
    }
}
