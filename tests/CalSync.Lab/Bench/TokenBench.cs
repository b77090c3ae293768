using System.Diagnostics;
using CalSync.Remotes;
using CalSync.Remotes.Google;
using CalSync.Remotes.OAuth;
using CalSync.Remotes.Pipeline;
using CalSync.Storage;
using CalSync.Storage.Connections;
using CalSync.Storage.Secrets;
using CalSync.Sync;
using CalSync.Sync.Connections;
using CalSync.Sync.Providers;
using Microsoft.Extensions.Logging.Abstractions;

namespace CalSync.Lab.Bench;

/// <summary>One tick of the worker that renews tokens, in a store full of connections.</summary>
/// <remarks>
/// The store is the real one with sealed tokens, the token endpoint answers at once, and what is measured is
/// finding the due rows and renewing them, with the memory it takes.
/// </remarks>
internal static class TokenBench
{
    private const int FewCount = 1_000;
    private const int ManyCount = 100_000;
    private const int DueCount = 1_000;
    private const int LookCount = 101;
    private const double FindMsMax = 20;
    private const double HeapMbMax = 64;

    /// <summary>Runs and prints the figures.</summary>
    /// <param name="json">Whether the last line is JSON.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>1 when a figure misses what the product promises.</returns>
    public static async Task<int> RunAsync(bool json, CancellationToken cancellation)
    {
        var figures = new Dictionary<string, object?>(StringComparer.Ordinal);
        await using var postgres = await PostgresServer.StartAsync(durable: true, cancellation);
        await postgres.CreateDatabaseAsync("tokens", null, cancellation);
        var met = await MeasureAsync("sqlite", null, figures, cancellation);
        met &= await MeasureAsync("postgres", postgres.Url("tokens"), figures, cancellation);
        Figures.Print(figures, json);
        return met ? 0 : 1;
    }

    private static async Task<bool> MeasureAsync(
        string engine, string? url, Dictionary<string, object?> figures, CancellationToken cancellation)
    {
        await using var rig = await TokenBenchRig.StartAsync(url, cancellation);
        await rig.FillAsync(FewCount, DueCount, cancellation);
        var few = await FindAsync(rig, cancellation);
        Figures.Tell($"{engine}: filling the store with {ManyCount} connections");
        await rig.FillAsync(ManyCount - FewCount, 0, cancellation);
        var many = await FindAsync(rig, cancellation);

        Figures.Tell($"{engine}: one tick over {DueCount} due tokens");
        var (renewed, seconds, heapMb, allocated) = await TickAsync(rig, cancellation);
        figures[$"{engine}.connections"] = ManyCount;
        figures[$"{engine}.findMs"] = Math.Round(many.Median, 2);
        figures[$"{engine}.findP99Ms"] = Math.Round(many.P99, 2);
        figures[$"{engine}.findVs1000"] = Math.Round(many.Median / few.Median, 2);
        figures[$"{engine}.renewed"] = renewed;
        figures[$"{engine}.renewSeconds"] = Math.Round(seconds, 2);
        figures[$"{engine}.renewedPerSecond"] = Math.Round(renewed / seconds);
        figures[$"{engine}.heapGrowthMb"] = Math.Round(heapMb, 1);
        figures[$"{engine}.allocatedKbPerToken"] = Math.Round(allocated / 1024.0 / DueCount, 1);
        return renewed == DueCount && rig.RequestCount == DueCount && many.Median <= FindMsMax
            && heapMb <= HeapMbMax;
    }

    private static async Task<(double Median, double P99)> FindAsync(
        TokenBenchRig rig, CancellationToken cancellation)
    {
        var took = new List<double>();
        for (var look = 0; look < LookCount; look++)
        {
            var began = Stopwatch.GetTimestamp();
            var found = await rig.FindDueAsync(cancellation);
            took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            if (found != DueCount)
                throw new InvalidOperationException($"{found} tokens are due instead of {DueCount}.");
        }

        var ascending = took.Order().ToList();
        return (ascending[LookCount / 2], ascending[^2]);
    }

    private static async Task<(int Renewed, double Seconds, double HeapMb, long Allocated)> TickAsync(
        TokenBenchRig rig, CancellationToken cancellation)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var allocatedBefore = GC.GetTotalAllocatedBytes();
        var most = before;
        var began = Stopwatch.GetTimestamp();
        var turn = rig.NewWorker().TurnAsync(cancellation);
        while (!turn.IsCompleted)
        {
            await Task.WhenAny(turn, Task.Delay(TimeSpan.FromMilliseconds(5), cancellation));
            most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: false));
        }

        var renewed = await turn;
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return (
            renewed, seconds, (most - before) / 1024.0 / 1024.0,
            GC.GetTotalAllocatedBytes() - allocatedBefore);
    }
}

/// <summary>The store, the keeper of tokens, and a token endpoint that answers at once.</summary>
internal sealed class TokenBenchRig : IAsyncDisposable
{
    private const string Provider = "google-sandbox";
    private const int BatchCount = 1_000;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("calsync-bench-");
    private readonly TimeProvider _clock = TimeProvider.System;
    private readonly ConnectionOptions _options = new();
    private readonly SyncMeter _meter = new();
    private readonly ScriptedServer _server;
    private readonly GoogleRemotes _remotes;
    private readonly Database _database;
    private readonly TokenCipher _cipher;
    private readonly ConnectionStore _store;
    private readonly ProviderSet _providers;
    private int _filledCount;
    private int _requestCount;

    private TokenBenchRig(string? url)
    {
        _server = new ScriptedServer(_ => new ScriptedAnswer.Send(
            200,
            $$"""
            {"access_token":"renewed-{{Interlocked.Increment(ref _requestCount)}}","expires_in":3600,
             "token_type":"Bearer"}
            """));
        var pipeline = new PipelineOptions();
        _remotes = new GoogleRemotes(
            new GoogleOptions(),
            OAuthOptions.At(new Uri(_server.Address)) with { ClientId = "c", ClientSecret = "s" }, pipeline,
            new MemoryBreakerLedger(), new RetryPolicy(pipeline.Retry, new Random(1)),
            new RetryBudget(pipeline.Retry), _clock);
        _database = Database.Open(new DatabaseOptions { DataDirectory = _directory.FullName, Url = url });
        _cipher = new TokenCipher(KeyRing.Load(_directory.FullName, null));
        _store = new ConnectionStore(_database, _cipher, new IdSource(_clock, new Random(1)));
        _providers = new ProviderSet(new Dictionary<string, ProviderPorts>
        {
            [Provider] = new(_remotes.OAuth, _remotes.Calendar),
        });
    }

    /// <summary>Requests the token endpoint received.</summary>
    public int RequestCount => Volatile.Read(ref _requestCount);

    /// <summary>Starts it with an empty store.</summary>
    public static async Task<TokenBenchRig> StartAsync(string? url, CancellationToken cancellation)
    {
        var rig = new TokenBenchRig(url);
        await new Migrator(rig._database, rig._clock).UpgradeAsync(cancellation);
        await rig._database.WriteAsync(
            session =>
            {
                var now = rig._clock.GetUtcNow();
                session.Queue(
                    "INSERT INTO tenants (id, name, kind, created_at) "
                        + "VALUES ('ten_1', 'Bench', 'test', @now)",
                    new { now });
                session.Queue(
                    """
                    INSERT INTO users (id, tenant_id, name, email, calendar_email, role, time_zone,
                        created_at)
                    VALUES ('usr_1', 'ten_1', 'Maya', 'm@x.test', 'm@x.test', 'instructor', 'UTC', @now)
                    """,
                    new { now });
                return Task.FromResult(0);
            },
            cancellation);
        return rig;
    }

    /// <summary>Adds connections, of which the first ones are due.</summary>
    public async Task FillAsync(int count, int dueCount, CancellationToken cancellation)
    {
        for (var done = 0; done < count; done += BatchCount)
        {
            var (first, due) = (done, dueCount - done);
            await _database.WriteAsync(
                session =>
                {
                    for (var index = 0; index < Math.Min(BatchCount, count - first); index++)
                        Queue(session, $"con_{_filledCount + index:d9}", isDue: index < due, index);
                    return Task.FromResult(0);
                },
                cancellation);
            _filledCount += Math.Min(BatchCount, count - first);
        }

        await _database.WriteAsync(session => session.ExecuteAsync("ANALYZE connections"), cancellation);
    }

    /// <summary>Finds the first page of due tokens, as a tick does.</summary>
    public async Task<int> FindDueAsync(CancellationToken cancellation)
    {
        var now = _clock.GetUtcNow();
        var due = new DueTokens([Provider], now + _options.ProactiveThreshold + _options.ClockSkew, now);
        return (await _store.ExpiringAsync(due, null, BatchCount, cancellation)).Length;
    }

    /// <summary>A worker of its own.</summary>
    public TokenWorker NewWorker()
    {
        var tokens = new ConnectionTokens(
            _store, _providers, _options, new BreakerOptions(),
            new RetryPolicy(new RetryOptions(), new Random(1)), _meter, "bench",
            NullLogger<ConnectionTokens>.Instance, _clock);
        return new TokenWorker(
            _store, tokens, _providers, _options, new Random(1), NullLogger<TokenWorker>.Instance, _clock);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _meter.Dispose();
        _remotes.Dispose();
        await _server.DisposeAsync();
        await _database.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    // Below its least validity a token is renewed without a pause; the others end later than a bench lasts.
    private void Queue(WriteSession session, string id, bool isDue, int index)
    {
        var now = _clock.GetUtcNow();
        byte[] Sealed(string column, string secret) =>
            _cipher.Seal(new SecretPlace("ten_1", id, $"connections.{column}"), secret);
        session.Queue(
            """
            INSERT INTO connections (id, tenant_id, tenant_kind, user_id, provider, account_email,
                account_subject, scopes, state, access_token, access_expires_at, refresh_token, created_at,
                updated_at)
            VALUES (@id, 'ten_1', 'test', 'usr_1', @Provider, 'm@x.test', @id, 'calendar', 'healthy', @access,
                @expiresAt, @refresh, @now, @now)
            """,
            new
            {
                id,
                Provider,
                access = Sealed("access_token", $"access-of-{id}"),
                expiresAt = now + (isDue ? TimeSpan.FromMinutes(5) : TimeSpan.FromMinutes(40 + (index % 20))),
                refresh = Sealed("refresh_token", $"refresh-of-{id}"),
                now,
            });
    }
}
