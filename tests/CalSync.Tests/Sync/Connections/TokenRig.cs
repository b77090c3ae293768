using System.Diagnostics.Metrics;
using CalSync.Lab;
using CalSync.Lab.Secrecy;
using CalSync.Remotes;
using CalSync.Remotes.Google;
using CalSync.Remotes.OAuth;
using CalSync.Remotes.Pipeline;
using CalSync.Storage;
using CalSync.Storage.Connections;
using CalSync.Storage.Identity;
using CalSync.Storage.Secrets;
using CalSync.Sync;
using CalSync.Sync.Connections;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Sync.Connections;

/// <summary>
/// The real keeper of tokens over SQLite and a scripted token endpoint, on a clock that stands still; counts
/// what it logs, journals and meters.
/// </summary>
internal sealed class TokenRig : IAsyncDisposable
{
    public const string Provider = "google-sandbox";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("calsync-tokens-");
    private readonly GoogleRemotes _remotes;
    private readonly SyncMeter _meter = new();
    private readonly MeterListener _listener = new();
    private readonly IdSource _ids;
    private readonly ConnectionOptions _options;
    private readonly ProviderSet _providers;
    private readonly DateTimeOffset _startedAt;
    private string _tenantId = "";
    private string _userId = "";
    private int _accountCount;
    private long _failedCount;
    private long _consentCount;

    private TokenRig(
        Func<ScriptedRequest, ScriptedAnswer> script, ConnectionOptions options, OAuthOptions? oauth = null,
        GoogleOptions? google = null)
    {
        _options = options;
        _startedAt = Clock.GetUtcNow();
        _ids = new IdSource(Clock, new Random(1));
        Server = new ScriptedServer(script);
        var pipeline = new PipelineOptions();
        _remotes = new GoogleRemotes(
            google ?? new GoogleOptions(),
            oauth ?? OAuthOptions.At(new Uri(Server.Address)) with
            {
                ClientId = "c",
                ClientSecret = "secret-c",
            },
            pipeline, new MemoryBreakerLedger(), new RetryPolicy(pipeline.Retry, new Random(1)),
            new RetryBudget(pipeline.Retry), Clock);
        Database = Database.Open(new DatabaseOptions { DataDirectory = _directory.FullName });
        Store = new ConnectionStore(Database, new TokenCipher(KeyRing.Load(_directory.FullName, null)), _ids);
        _providers = new ProviderSet(new Dictionary<string, ProviderPorts>
        {
            [Provider] = new(_remotes.OAuth, _remotes.Calendar),
        });
        Tokens = new ConnectionTokens(
            Store, _providers, options, new BreakerOptions(),
            new RetryPolicy(new RetryOptions(), new Random(1)), _meter, "rig",
            Logs.For<ConnectionTokens>(), Clock);
        Flow = new ConnectionFlow(Store, _providers, options, Clock);
        Probe = new ConnectionProbe(Tokens, _providers, options);
        Listen();
    }

    public ManualTimeProvider Clock { get; } = new();

    /// <summary>How far the clock has been set ahead since the start.</summary>
    public TimeSpan Elapsed => Clock.GetUtcNow() - _startedAt;

    public LogLines Logs { get; } = new();

    public ScriptedServer Server { get; }

    public Database Database { get; }

    public ConnectionStore Store { get; }

    public ConnectionTokens Tokens { get; }

    public ConnectionFlow Flow { get; }

    public ConnectionProbe Probe { get; }

    public IOAuthServer OAuth => _remotes.OAuth;

    public string TenantId => _tenantId;

    public string UserId => _userId;

    /// <summary>Refreshes counted as failed.</summary>
    public long FailedCount => Interlocked.Read(ref _failedCount);

    /// <summary>Refreshes counted as needing consent.</summary>
    public long ConsentCount => Interlocked.Read(ref _consentCount);

    private static CancellationToken None => CancellationToken.None;

    /// <summary>Against a server of somebody else's.</summary>
    public static Task<TokenRig> StartAsync(Uri google, OAuthOptions oauth) => StartAsync(new TokenRig(
        _ => new ScriptedAnswer.Send(500), new ConnectionOptions(), oauth, GoogleOptions.At(google)));

    public static Task<TokenRig> StartAsync(
        Func<ScriptedRequest, ScriptedAnswer> script, ConnectionOptions? options = null) =>
        StartAsync(new TokenRig(script, options ?? new ConnectionOptions()));

    private static async Task<TokenRig> StartAsync(TokenRig rig)
    {
        await new Migrator(rig.Database, rig.Clock).UpgradeAsync(None);
        var identities = new IdentityStore(rig.Database, rig._ids, rig.Clock);
        rig._tenantId =
            (await identities.CreateTenantAsync("A school", TenantKind.Test, "cli", "cor_1", None)).Id;
        var made = await identities.CreateUserAsync(
            new NewUser(
                rig._tenantId, "Maya", "maya@studio.test", CalSync.Classes.Role.Instructor, "Asia/Kolkata"),
            "cli", "cor_1", None);
        rig._userId = Assert.IsType<UserCreation.Created>(made).User.Id;
        return rig;
    }

    /// <summary>A good answer of the token endpoint.</summary>
    public static ScriptedAnswer Granted(string token = "renewed") => new ScriptedAnswer.Send(
        200, $$"""{"access_token":"{{token}}","expires_in":3600,"token_type":"Bearer"}""");

    /// <summary>Connects an account whose token ends after a time.</summary>
    public Task<string> ConnectAsync(TimeSpan left) => ConnectAsync(left, $"account-{++_accountCount}");

    /// <summary>Connects that account, for the first time or again.</summary>
    public async Task<string> ConnectAsync(TimeSpan left, string account) => (await Store.SaveConnectionAsync(
        new NewConnection(
            _tenantId, _userId, Provider, account, $"{account}@studio.test",
            new TokenAnswer.Granted($"access-of-{account}", $"refresh-of-{account}", left, "calendar"), [],
            null),
        Clock.GetUtcNow(), None))!;

    /// <summary>A worker of its own.</summary>
    public TokenWorker NewWorker(int seed = 1) =>
        new(Store, Tokens, _providers, _options, new Random(seed), Logs.For<TokenWorker>(), Clock);

    public Task<T> ReadAsync<T>(string sql, object? args = null) =>
        Database.ReadAsync(session => session.ScalarAsync<T>(sql, args), None);

    public Task<long> JournalCountAsync(string kind) =>
        ReadAsync<long>("SELECT count(*) FROM journal WHERE kind = @kind", new { kind });

    public int LogCount(string eventId) =>
        Logs.All.Count(line => line.StartsWith(eventId + " ", StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        _meter.Dispose();
        _remotes.Dispose();
        await Server.DisposeAsync();
        await Database.DisposeAsync();
        Witness.SawDataDirectory(_directory.FullName);
        _directory.Delete(recursive: true);
    }

    private void Listen()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument, _meter.TokenRefreshes))
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            foreach (var tag in tags)
            {
                if (tag is { Key: "outcome", Value: "failed" })
                    Interlocked.Add(ref _failedCount, count);
                else if (tag is { Key: "outcome", Value: "needs_consent" })
                    Interlocked.Add(ref _consentCount, count);
            }
        });
        _listener.Start();
    }
}
