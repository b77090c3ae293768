using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using CalSync.App.Demo;
using CalSync.Classes;
using CalSync.Lab.Secrecy;
using CalSync.Sandbox;
using CalSync.Storage;
using CalSync.Storage.Identity;
using CalSync.Storage.Journal;
using CalSync.Sync;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Drills;

/// <summary>The drills run one after the other: each has several processes of its own.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class DrillSuites : ICollectionFixture<PostgresFixture>
{
    public const string Name = "Drills";
}

/// <summary>A sandbox, a database and any number of real processes of the product, to be killed at
/// will.</summary>
internal sealed class Stage : IAsyncDisposable
{
    public const string Maya = "maya@studio.test";
    public const string Arjun = "arjun@studio.test";
    private const string Correlation = "cor_drill";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("calsync-drill-");
    private readonly List<ProductProcess> _processes = [];
    private readonly List<IDisposable> _owned = [];
    private readonly string? _url;
    private readonly string[] _settings;
    private readonly SandboxServer _sandbox;
    private readonly IdSource _ids = new(TimeProvider.System, new Random(1));
    private string _tenantId = "";

    private Stage(string? url, string[] settings, SandboxServer sandbox)
    {
        (_url, _settings, _sandbox) = (url, settings, sandbox);
        Options = new DatabaseOptions { DataDirectory = _folder.FullName, Url = url };
        Database = Database.Open(Options);
        var http = Own(new HttpClient { BaseAddress = sandbox.BaseAddress });
        Control = new SandboxControl(http);
    }

    public DatabaseOptions Options { get; }

    public Uri SandboxAddress => _sandbox.BaseAddress;

    /// <summary>The product's database, read past the product.</summary>
    public Database Database { get; }

    public SandboxControl Control { get; }

    public string AdminToken { get; private set; } = "";

    /// <summary>Starts the sandbox and creates the schema and an admin; no process runs yet.</summary>
    /// <param name="url">PostgreSQL; null for SQLite.</param>
    /// <param name="settings">Configuration of every process, <c>key=value</c>.</param>
    public static async Task<Stage> SetAsync(string? url, params string[] settings)
    {
        var stage = new Stage(url, settings, await SandboxAsync());
        await new Migrator(stage.Database, TimeProvider.System).UpgradeAsync(CancellationToken.None);
        var tenant = await stage.Identities.CreateTenantAsync(
            "Drill", TenantKind.Test, "cli", Correlation, CancellationToken.None);
        stage._tenantId = tenant.Id;
        stage.AdminToken = (await stage.AddPersonAsync("ada@studio.test", Role.Admin)).Token;
        return stage;
    }

    /// <summary>Only a sandbox: the database has nothing in it.</summary>
    public static async Task<Stage> SetEmptyAsync(string? url) => new(url, [], await SandboxAsync());

    private static Task<SandboxServer> SandboxAsync() =>
        SandboxServer.StartAsync(new SandboxOptions(TimeProvider.System), CancellationToken.None);

    private IdentityStore Identities => new(Database, _ids, TimeProvider.System);

    public async Task<(string Id, string Token)> AddPersonAsync(string email, Role role)
    {
        var made = (UserCreation.Created)await Identities.CreateUserAsync(
            new NewUser(_tenantId, email, email, role, "America/New_York"), "cli", Correlation,
            CancellationToken.None);
        var token = await Identities.CreateTokenAsync(
            made.User.Id, "drill", null, "cli", Correlation, CancellationToken.None);
        return (made.User.Id, token!.Secret);
    }

    /// <summary>Creates students and returns their ids.</summary>
    public async Task<string[]> AddStudentsAsync(int count)
    {
        var ids = new string[count];
        for (var index = 0; index < count; index++)
            ids[index] = (await AddPersonAsync(Student(index), Role.Student)).Id;
        return ids;
    }

    public static string Student(int index) => $"student{index}@mail.test";

    /// <summary>Creates an instructor and connects the account through the API at an address.</summary>
    public async Task<(string Id, string Token)> AddInstructorAsync(Uri api, string email)
    {
        var person = await AddPersonAsync(email, Role.Instructor);
        using var client = Client(api, person.Token);
        await DemoConsent.GiveAsync(client, email, CancellationToken.None);
        return person;
    }

    /// <summary>Starts <c>serve</c>.</summary>
    /// <param name="withWorker">False for an API alone.</param>
    /// <param name="more">More configuration of this process alone.</param>
    public async Task<(ProductProcess Process, Uri Address)> ServeAsync(bool withWorker, params string[] more)
    {
        var process = await StartAsync(
            ["serve", "--urls", "http://127.0.0.1:0",
            .. withWorker ? Array.Empty<string>() : ["--no-worker"]], "http://", more);
        var line = process.ReadyLine;
        return (process,
            new Uri(line[line.IndexOf("http://", StringComparison.Ordinal)..].Split(' ')[0].TrimEnd('.')));
    }

    /// <summary>Starts <c>worker</c>.</summary>
    public Task<ProductProcess> WorkAsync() => StartAsync(["worker"], "is working", []);

    /// <summary>The API as one person uses it, each change with a key of its own.</summary>
    public static DemoApi Client(Uri api, string token) => new(api, token, () => Guid.NewGuid().ToString());

    public DemoApi Admin(Uri api) => Own(Client(api, AdminToken));

    /// <summary>A class with slots of an hour, a day apart, from 2030-01-07 09:00 New York plus
    /// <paramref name="hour"/>.</summary>
    public static JsonObject Class(
        string title, string instructorId, int capacity, int slots, int hour = 0) => new()
        {
            ["title"] = title,
            ["timeZone"] = "America/New_York",
            ["capacity"] = capacity,
            ["instructorId"] = instructorId,
            ["schedules"] = new JsonArray(new JsonObject
            {
                ["slots"] = new JsonArray(
                [.. Enumerable.Range(0, slots).Select(day => Times(hour + (24 * day)))]),
            }),
        };

    /// <summary>The times of a slot some hours after 2030-01-07 09:00.</summary>
    public static JsonObject Times(int hour) => new() { ["start"] = Start(hour), ["durationMinutes"] = 60 };

    public static string Start(int hour) =>
        new DateTime(2030, 1, 7, 9, 0, 0, DateTimeKind.Unspecified).AddHours(hour).ToString("s", null);

    public Task<long> CountAsync(string sql, object? args = null) =>
        Database.ReadAsync(session => session.ScalarAsync<long>(sql, args), CancellationToken.None);

    public Task<SandboxTruth> TruthAsync(string? calendar = null) =>
        Control.GetTruthAsync(calendar, CancellationToken.None);

    /// <summary>The events that are really in a calendar, cancelled ones left out.</summary>
    public async Task<TruthEvent[]> EventsAsync(string calendar) =>
        [.. (await TruthAsync(calendar)).Calendars.Where(found => !found.Deleted)
            .SelectMany(found => found.Events)
            .Where(found => !found.IsCopy && found.Status != "cancelled")];

    public Task QuietAsync() => UntilAsync(
        async () => await TruthCheck.UnderWayAsync(Database, CancellationToken.None) == 0,
        "nothing is under way");

    public async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        for (var giveUp = DateTimeOffset.UtcNow + Patience; !await holds();)
        {
            if (DateTimeOffset.UtcNow > giveUp)
            {
                Assert.Fail(
                    $"Not within {Patience.TotalSeconds} s: {what}.\n{await PendingAsync()}\n{Tails()}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(25));
        }
    }

    /// <summary>Waits for quiet; then both sides agree, the chain holds, and no operation is open or
    /// failed.</summary>
    public async Task AssertAgreesAsync()
    {
        await QuietAsync();
        var report = await TruthCheck.CompareAsync(Database, await TruthAsync(), CancellationToken.None);
        Assert.Empty(report.Differences);
        Assert.Equal(report.Slots, report.Events);
        Assert.IsType<ChainCheck.Intact>(
            await new JournalReader(Database).VerifyChainAsync(CancellationToken.None));
        Assert.Equal(
            0, await CountAsync("SELECT count(*) FROM operations WHERE NOT settled OR state <> 'verified'"));
        Assert.Equal(
            0, await CountAsync("SELECT count(*) FROM mirrors WHERE active AND state <> 'verified'"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
            await process.DisposeAsync();
        foreach (var owned in _owned)
            owned.Dispose();
        await Database.DisposeAsync();
        await _sandbox.DisposeAsync();
        Witness.SawDataDirectory(_folder.FullName);
        _folder.Delete(recursive: true);
    }

    private async Task<ProductProcess> StartAsync(string[] verb, string mark, string[] more)
    {
        string[] settings =
        [
            $"sandbox.url={SandboxAddress}", "google.provider=google-sandbox", "mirror.lease=5s",
                "retry.base=50ms",
            "breaker.connection_pause=1s", "breaker.provider_pause=1s", .. _settings, .. more,
        ];
        string[] arguments =
        [
            .. verb, "--data", _folder.FullName,
                .. _url is null ? Array.Empty<string>() : ["--database", _url],
            .. settings.SelectMany(setting => new[] { "--set", setting }),
        ];
        var process = await ProductProcess.StartAsync(
            arguments, mark, TimeProvider.System, CancellationToken.None);
        lock (_processes)
            _processes.Add(process);
        return process;
    }

    [SuppressMessage("Design", "CA1859", Justification = "Any disposable.")]
    private T Own<T>(T owned)
        where T : IDisposable
    {
        lock (_owned)
            _owned.Add(owned);
        return owned;
    }

    private async Task<string> PendingAsync()
    {
        var rows = await Database.ReadAsync(
            session => session.QueryAsync<PendingRow>(
                """
                SELECT 'mirror' AS kind, state, reason, count(*) AS count FROM mirrors WHERE active
                    GROUP BY state, reason
                UNION ALL
                SELECT 'operation', state, reason, count(*) FROM operations WHERE NOT settled
                    GROUP BY state, reason
                """),
            CancellationToken.None);
        return string.Join('\n', rows.Select(row => $"{row.Count} {row.Kind} {row.State} {row.Reason}"));
    }

    private string Tails() =>
        string.Join("\n---\n", _processes.TakeLast(3).Select(process => process.Tail()));

    private sealed record PendingRow
    {
        public string Kind { get; init; } = "";

        public string State { get; init; } = "";

        public string? Reason { get; init; }

        public long Count { get; init; }
    }
}
