using CalSync.Lab.Bench.Sync;

namespace CalSync.Lab.Bench;

/// <summary>What people wait for while the same process makes two calendars of 5,000 events equal.</summary>
internal static class BesideBench
{
    private const int EventCount = 5_000;
    private const int ClassCount = 20;
    private const int StudentCount = 1_000;
    private const int ClientCount = 2;
    private const double RatioMax = 2;

    // 50 requests a second: a busy evening of a school, far from what the machine can do.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan SyncLimit = TimeSpan.FromMinutes(3);
    private const int ProviderDelayMs = 50;

    /// <summary>Runs and prints the figures.</summary>
    /// <param name="json">Whether the last line is JSON.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>1 when the slowest hundredth waits twice as long as without the sync, or longer.</returns>
    public static async Task<int> RunAsync(bool json, CancellationToken cancellation)
    {
        var figures = new Dictionary<string, object?>(StringComparer.Ordinal);
        await using var postgres = await PostgresServer.StartAsync(durable: true, cancellation);
        await postgres.CreateDatabaseAsync("beside", null, cancellation);
        var met = await MeasureAsync("sqlite", null, figures, cancellation);
        met &= await MeasureAsync("postgres", postgres.Url("beside"), figures, cancellation);
        Figures.Print(figures, json);
        return met ? 0 : 1;
    }

    private static async Task<bool> MeasureAsync(
        string engine, string? url, Dictionary<string, object?> figures, CancellationToken cancellation)
    {
        Figures.Tell($"{engine}: {EventCount} events beside 50 requests a second");
        await using var server = await SyncServer.StartAsync(null, cancellation);
        await server.SeedAsync(
            [.. CalendarCorpus.Generate(EventCount).Resources.Take(EventCount)], cancellation);
        await server.DelayAsync(ProviderDelayMs, cancellation);
        await using var studio = await Studio.StartAsync(url, withWorker: true, cancellation);
        var classes = await studio.CreateClassesAsync(ClassCount, 200, cancellation);
        var students = await studio.CreateStudentsAsync(StudentCount, cancellation);
        var pair = new ProductContender([.. ProductContender.Built, .. studio.DatabaseWords]);
        await pair.ConnectAsync(studio.DataDirectory, server.Calendar(0), cancellation);
        await studio.QuietAsync(cancellation);

        var sent = 0;
        Task<LoadResult> LoadAsync(TimeSpan limit, Func<bool> isOver) => LoadClient.RunAsync(
            studio.Address, ClientCount, limit, _ =>
            {
                Thread.Sleep(Pause);
                var number = Interlocked.Increment(ref sent);
                return isOver() ? null
                    : number % 2 == 0 ? studio.ReadClass(classes[number % ClassCount])
                    : studio.Enrol(
                        classes[number / 2 % ClassCount], students[number / 2 % StudentCount], number);
            });
        await LoadAsync(TimeSpan.FromSeconds(5), () => false);
        var idle = await LoadAsync(IdleTime, () => false);
        await pair.PairAsync(studio.DataDirectory, server.Calendar(0), server.Calendar(1), cancellation);
        var isSynced = false;
        var busyAsync = LoadAsync(SyncLimit, () => Volatile.Read(ref isSynced));
        var begun = TimeProvider.System.GetTimestamp();
        while (!isSynced && !busyAsync.IsCompleted)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), cancellation);
            Volatile.Write(ref isSynced, await studio.IsPairSyncedAsync(cancellation));
        }

        var seconds = TimeProvider.System.GetElapsedTime(begun).TotalSeconds;
        var busy = await busyAsync;
        var ratio = busy.Percentile(0.99) / idle.Percentile(0.99);
        figures[$"{engine}.idleP99Ms"] = Math.Round(idle.Percentile(0.99), 1);
        figures[$"{engine}.besideP99Ms"] = Math.Round(busy.Percentile(0.99), 1);
        figures[$"{engine}.idleP50Ms"] = Math.Round(idle.Percentile(0.5), 1);
        figures[$"{engine}.besideP50Ms"] = Math.Round(busy.Percentile(0.5), 1);
        figures[$"{engine}.p99Ratio"] = Math.Round(ratio, 2);
        figures[$"{engine}.syncSeconds"] = Math.Round(seconds, 1);
        figures[$"{engine}.requestsBeside"] = busy.LatenciesMs.Count;
        return isSynced && ratio < RatioMax;
    }
}
