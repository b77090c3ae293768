using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using CalSync.App;
using CalSync.App.Api;
using CalSync.App.Demo;
using CalSync.Classes;
using CalSync.Lab.Secrecy;
using CalSync.Remotes.Pipeline;
using CalSync.Sandbox;
using CalSync.Storage;
using CalSync.Storage.Identity;
using CalSync.Storage.Running;
using CalSync.Sync;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Providers;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CalSync.Tests.Sync.Truth;

/// <summary>
/// The whole product in one process against the practice Google, over loopback HTTP and SQLite, with short
/// waits: one instructor with a connected account, students at will.
/// </summary>
internal sealed class SyncWorld : IAsyncDisposable
{
    public const string Teacher = "maya@studio.test";

    private const string Correlation = "cor_test";
    private readonly TimeSpan _patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(25);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("calsync-sync-");
    private readonly SandboxServer _sandbox;
    private readonly HttpClient _sandboxHttp;
    private readonly List<CalSyncHost> _hosts = [];
    private readonly List<DemoApi> _apis = [];
    private readonly IdSource _ids = new(TimeProvider.System, new Random());
    private HostOptions _options = null!;
    private string _tenantId = "";

    private SyncWorld(SandboxServer sandbox)
    {
        _sandbox = sandbox;
        _sandboxHttp = new HttpClient { BaseAddress = sandbox.BaseAddress };
        Control = new SandboxControl(_sandboxHttp);
    }

    public SandboxControl Control { get; }

    public CalSyncHost Host => _hosts[0];

    public Database Database => Service<Database>();

    public string DataDirectory => _directory.FullName;

    /// <summary>The instructor's requests.</summary>
    public DemoApi Maya { get; private set; } = null!;

    public string ConnectionId { get; private set; } = "";

    private static CancellationToken None => CancellationToken.None;

    public static MirrorOptions QuickMirrors { get; } = new()
    {
        Rest = TimeSpan.FromMilliseconds(20),
        Poll = TimeSpan.FromMilliseconds(50),
        Heartbeat = TimeSpan.FromMilliseconds(500),
        ConsistencyWaits = [.. new[] { 50, 100, 200, 400 }.Select(ms => TimeSpan.FromMilliseconds(ms))],
        Retry =
            new RetryOptions { Base = TimeSpan.FromMilliseconds(100), Cap = TimeSpan.FromMilliseconds(400) },
    };

    /// <param name="change">Of the options; short waits by default.</param>
    /// <param name="before">Done to the sandbox before the account is connected.</param>
    [SuppressMessage("Reliability", "CA2000", Justification = "The world owns and disposes it.")]
    public static async Task<SyncWorld> StartAsync(
        Func<HostOptions, HostOptions>? change = null, Func<SandboxControl, Task>? before = null)
    {
        var world = new SyncWorld(
            await SandboxServer.StartAsync(new SandboxOptions(TimeProvider.System), None));
        var options = new HostOptions
        {
            Database = new DatabaseOptions { DataDirectory = world._directory.FullName },
            Urls = ["http://127.0.0.1:0"],
            Mirrors = QuickMirrors,
            Api = new ApiOptions { VerificationWait = TimeSpan.FromMilliseconds(100) },
            Pipeline = new PipelineOptions
            {
                Breaker = new BreakerOptions { OpenFor = TimeSpan.FromMilliseconds(300) },
                ProviderOpenFor = TimeSpan.FromMilliseconds(600),
                Retry = new RetryOptions
                {
                    Base = TimeSpan.FromMilliseconds(50),
                    Cap = TimeSpan.FromMilliseconds(200)
                },
            },
        }.At(world._sandbox.BaseAddress, SandboxOptions.DefaultClientId, SandboxOptions.DefaultClientSecret);
        world._options = change is null ? options : change(options);
        await world.AddHostAsync(o => o);
        if (before is not null)
            await before(world.Control);
        world._tenantId = (await world.Service<IdentityStore>().CreateTenantAsync(
            "A school", TenantKind.Test, "cli", Correlation, None)).Id;
        world.Maya = await world.PersonAsync(Teacher, Role.Instructor, "Asia/Kolkata");
        await world.ConnectAsync();
        world.ConnectionId = (await world.Maya.GetAsync("calendar/connections", None)).Expect()
            .Body!["items"]![0]!["id"]!.ToString();
        await world.Control.ClearCallsAsync(None);
        return world;
    }

    public T Service<T>()
        where T : notnull => Host.Services.GetRequiredService<T>();

    /// <summary>One more process on the same database.</summary>
    public async Task<CalSyncHost> AddHostAsync(Func<HostOptions, HostOptions> change)
    {
        var host = await CalSyncHost.BuildAsync(
            change(_options), TimeProvider.System, new Random(), null, None);
        _hosts.Add(host);
        await host.StartAsync(None);
        return host;
    }

    /// <summary>Consents for the instructor, for the first time or again.</summary>
    public Task ConnectAsync() => DemoConsent.GiveAsync(Maya, Teacher, None);

    [SuppressMessage("Reliability", "CA2000", Justification = "The world owns and disposes it.")]
    public async Task<DemoApi> PersonAsync(string email, Role role, string zone = "Europe/London")
    {
        var identities = Service<IdentityStore>();
        var made = await identities.CreateUserAsync(
            new NewUser(_tenantId, email, email, role, zone), "cli", Correlation, None);
        var user = Assert.IsType<UserCreation.Created>(made).User;
        var token = await identities.CreateTokenAsync(
            user.Id, "test", TimeSpan.FromDays(1), "cli", Correlation, None);
        _apis.Add(new DemoApi(Host.Address, token!.Secret, () => _ids.Next("key")));
        return _apis[^1];
    }

    /// <summary>The instructor's requests to another process.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The world owns and disposes it.")]
    public async Task<DemoApi> MayaAtAsync(CalSyncHost host)
    {
        var userId = await ReadAsync<string>("SELECT user_id FROM connections");
        var token = await Service<IdentityStore>().CreateTokenAsync(
            userId!, "test", TimeSpan.FromDays(1), "cli", Correlation, None);
        _apis.Add(new DemoApi(host.Address, token!.Secret, () => _ids.Next("key")));
        return _apis[^1];
    }

    public static JsonObject Class(int slots, string title = "Pottery", string zone = "Asia/Kolkata") => new()
    {
        ["title"] = title,
        ["description"] = "Clay and patience",
        ["location"] = "Room 4",
        ["timeZone"] = zone,
        ["capacity"] = 50,
        ["price"] = new JsonObject { ["minor"] = 2500, ["currency"] = "USD" },
        ["schedules"] = new JsonArray(new JsonObject
        {
            ["slots"] = new JsonArray([.. Enumerable.Range(1, slots).Select(day => Slot(day, 15))]),
        }),
    };

    public static JsonObject Slot(int day, int hour) =>
        new() { ["start"] = $"2030-01-{day:d2}T{hour:d2}:30:00", ["durationMinutes"] = 60 };

    /// <summary>Creates a class and waits until its events were read back.</summary>
    public async Task<DemoAnswer> CreateAsync(int slots = 1, string title = "Pottery")
    {
        var made = await BeginAsync(slots, title);
        await WaitAsync(made, "verified");
        return made;
    }

    /// <summary>Creates a class and hardly waits for the calendar.</summary>
    public async Task<DemoAnswer> BeginAsync(int slots = 1, string title = "Pottery") =>
        (await Maya.PostAsync("classes", Class(slots, title), None)).Expect();

    public async Task<JsonNode> OperationAsync(DemoAnswer of) =>
        (await Maya.GetAsync($"operations/{OperationId(of)}", None)).Expect().Body!;

    public static string OperationId(DemoAnswer of) => of.Body!["operation"]!["id"]!.ToString();

    /// <summary>The operation once it is in a state.</summary>
    public async Task<JsonNode> WaitAsync(DemoAnswer of, string state)
    {
        JsonNode? last = null;
        await UntilAsync(
            async () => (string?)(last = await OperationAsync(of))["state"] == state,
            () => $"the operation is {state}; it was {last?.ToJsonString()}");
        return last!;
    }

    /// <summary>The findings of the operation's last turn.</summary>
    public static JsonNode Detail(JsonNode operation) => JsonNode.Parse(operation["detail"]!.ToString())!;

    /// <summary>The first slot of a class as the API shows it now, with its ETag.</summary>
    public async Task<DemoAnswer> SlotAsync(DemoAnswer made, int index = 0)
    {
        var id = made.Body!["schedules"]![0]!["slots"]![index]!["id"];
        return (await Maya.GetAsync($"classes/{made.Text("id")}/slots/{id}", None)).Expect();
    }

    /// <summary>Moves a slot.</summary>
    public async Task<DemoAnswer> MoveAsync(DemoAnswer made, int day, int hour, string? etag = null)
    {
        var slot = await SlotAsync(made);
        return await Maya.PatchAsync(
            $"classes/{made.Text("id")}/slots/{slot.Text("id")}", etag ?? slot.ETag!, Slot(day, hour), None);
    }

    /// <summary>Live events of the account, without guests' copies.</summary>
    public async Task<IReadOnlyList<TruthEvent>> EventsAsync() =>
        [.. (await Control.GetTruthAsync(null, None)).Calendars.Where(calendar => !calendar.Deleted)
            .SelectMany(calendar => calendar.Events)
            .Where(found => !found.IsCopy && found.Status != "cancelled")];

    public async Task<TruthEvent> OnlyEventAsync() => Assert.Single(await EventsAsync());

    public async Task<IReadOnlyList<SandboxCall>> CallsAsync(string operation) =>
        [.. (await Control.GetCallsAsync(None)).Where(call => call.Operation == operation)];

    /// <summary>Token calls that renewed.</summary>
    public async Task<int> RefreshCountAsync() =>
        (await CallsAsync("token")).Count(call => call.Detail == "refresh_token");

    public Task<FaultReport> SpoilAsync(
        string operation, FaultEffect effect, int? times = null, int? nth = null) =>
        Control.AddFaultAsync(new FaultScript(operation, effect) { Times = times, Nth = nth }, None);

    /// <summary>What is stored about a token's end, in the product's database only.</summary>
    public Task LetTokenEndInAsync(TimeSpan left) => WriteAsync(
        "UPDATE connections SET access_expires_at = @at",
        new { at = TimeProvider.System.GetUtcNow() + left });

    public Task<int> WriteAsync(string sql, object? args = null) =>
        Database.WriteAsync(session => session.ExecuteAsync(sql, args), None);

    public Task<T?> ReadAsync<T>(string sql, object? args = null) =>
        Database.ReadAsync(session => session.FirstOrDefaultAsync<T>(sql, args), None);

    public async Task SwitchAsync(string name, string value)
    {
        Assert.IsType<SwitchChange.Done>(await Service<SwitchStore>().SetAsync(
            name, value, TimeSpan.FromHours(1), "test", "usr_test", Correlation, None));
        Service<SwitchReader>().Forget();
    }

    public Task UntilAsync(Func<Task<bool>> holds, string what) => UntilAsync(holds, () => what);

    public async Task UntilAsync(Func<Task<bool>> holds, Func<string> what)
    {
        var giveUp = TimeProvider.System.GetUtcNow() + _patience;
        while (!await holds())
        {
            if (TimeProvider.System.GetUtcNow() > giveUp)
                Assert.Fail($"It did not happen within {_patience.TotalSeconds} s that {what()}");
            await Task.Delay(LookAgain, TimeProvider.System);
        }
    }

    public async ValueTask DisposeAsync()
    {
        // First, so that no turn under way waits for an answer that never comes.
        await _sandbox.DisposeAsync();
        foreach (var host in _hosts)
        {
            using var impatient = new CancellationTokenSource(TimeSpan.FromSeconds(2), TimeProvider.System);
            await host.StopAsync(impatient.Token);
            await host.DisposeAsync();
        }

        foreach (var api in _apis)
            api.Dispose();
        _sandboxHttp.Dispose();
        Witness.SawDataDirectory(_directory.FullName);
        _directory.Delete(recursive: true);
    }
}
