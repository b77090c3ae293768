using System.Collections.Immutable;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using CalSync.App.Commands;
using CalSync.App.Configuration;
using CalSync.Classes;
using CalSync.Client;
using CalSync.Sandbox;
using CalSync.Storage;
using CalSync.Storage.Identity;
using CalSync.Storage.Journal;
using CalSync.Sync;

namespace CalSync.App.Demo;

/// <summary>Everything the demo runs: the practice Google, one API process, one worker process, people and
/// classes.</summary>
/// <remarks>The sandbox lives in this process. Once the history is played, API and worker are real child
/// processes, so that one can be killed.</remarks>
internal sealed class DemoWorld : IAsyncDisposable
{
    private const string Correlation = "cor_demo";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan TokenLife = TimeSpan.FromDays(7);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    private readonly DemoSettings _settings;
    private readonly OffsetClock _clock;
    private readonly IdSource _ids;
    private readonly SandboxServer _sandbox;
    private readonly HttpClient _sandboxHttp;
    private ProductProcess? _api;
    private ProductProcess? _worker;

    private DemoWorld(DemoSettings settings, OffsetClock clock, SandboxServer sandbox, Database database)
    {
        (_settings, _clock, _sandbox, Database) = (settings, clock, sandbox, database);
        _ids = new IdSource(clock, settings.Random);
        _sandboxHttp = new HttpClient { BaseAddress = sandbox.BaseAddress };
        Control = new SandboxControl(_sandboxHttp);
        Data = new DemoCatalogue(settings.Clock.GetUtcNow());
    }

    /// <summary>The product's database, read directly.</summary>
    public Database Database { get; }

    /// <summary>The sandbox's control plane.</summary>
    public SandboxControl Control { get; }

    /// <summary>What the demo creates.</summary>
    public DemoCatalogue Data { get; }

    /// <summary>Where the product listens.</summary>
    public Uri Address { get; private set; } = new("http://127.0.0.1/");

    /// <summary>Where the practice Google listens.</summary>
    public Uri SandboxAddress => _sandbox.BaseAddress;

    /// <summary>The instructor in New York.</summary>
    public DemoPerson Maya { get; private set; } = null!;

    /// <summary>The instructor in Kolkata.</summary>
    public DemoPerson Arjun { get; private set; } = null!;

    /// <summary>Runs the studio.</summary>
    public DemoPerson Admin { get; private set; } = null!;

    /// <summary>The person on call.</summary>
    public DemoPerson OnCall { get; private set; } = null!;

    /// <summary>The students, in the order of the demo data.</summary>
    public IReadOnlyList<DemoPerson> Students { get; private set; } = [];

    private IEnumerable<DemoPerson> People =>
        new[] { Maya, Arjun, Admin, OnCall }.Concat(Students).OfType<DemoPerson>();

    /// <summary>The secondary calendar of the instructor in Kolkata.</summary>
    public string SecondaryCalendarId { get; private set; } = "";

    /// <summary>How long the token of the instructor in Kolkata was good for when the history
    /// ended.</summary>
    public TimeSpan TokenLeft { get; private set; }

    /// <summary>The folder with the embedded database.</summary>
    public string DataDirectory => _settings.DataDirectory;

    /// <summary>Starts everything and creates people, connections and classes.</summary>
    /// <param name="settings">Where and with what.</param>
    /// <param name="progress">Told what is being done, one short sentence at a time.</param>
    /// <param name="cancellation">Stops; what was started is stopped too.</param>
    [SuppressMessage("Reliability", "CA2000", Justification = "The world owns and disposes it.")]
    public static async Task<DemoWorld> StartAsync(
        DemoSettings settings, Action<string> progress, CancellationToken cancellation)
    {
        progress("Starting a Google to practise on");
        var clock = new OffsetClock(settings.Clock, -DemoHistory.Length);
        var sandbox = await SandboxServer.StartAsync(
            new SandboxOptions(clock) { Users = DemoCatalogue.Accounts }, cancellation);
        var database = Database.Open(
            new DatabaseOptions { DataDirectory = settings.DataDirectory, Url = settings.DatabaseUrl });
        var world = new DemoWorld(settings, clock, sandbox, database);
        try
        {
            progress("Playing three weeks of a studio: people, connections, classes, seats");
            await world.PlayHistoryAsync(cancellation);
            world.TokenLeft = await world.TokenLeftAsync(cancellation);
            progress("Starting the API and a worker");
            await world.StartProductAsync(cancellation);
            await DemoHistory.FailOneSlotAsync(world, cancellation);
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>A new idempotency key.</summary>
    public string NewKey() => _ids.Next("key");

    /// <summary>All live and deleted events of ours and others in calendars that still exist, without guests'
    /// copies.</summary>
    public async Task<IReadOnlyList<TruthEvent>> EventsAsync(CancellationToken cancellation) =>
        [.. (await Control.GetTruthAsync(null, cancellation)).Calendars
            .Where(calendar => !calendar.Deleted)
            .SelectMany(calendar => calendar.Events).Where(found => !found.IsCopy)];

    /// <summary>Waits until no mirror or operation is under way.</summary>
    public Task QuietAsync(CancellationToken cancellation) => UntilAsync(
        async () => await TruthCheck.UnderWayAsync(Database, cancellation) == 0, "everything is verified",
        cancellation);

    /// <summary>Waits until something is so.</summary>
    /// <param name="holds">Asked every 100 ms.</param>
    /// <param name="what">Completes "It did not happen within 60 s that ...".</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <exception cref="DemoFailedException">It was not so within 60 s.</exception>
    public async Task UntilAsync(Func<Task<bool>> holds, string what, CancellationToken cancellation)
    {
        var giveUp = _settings.Clock.GetUtcNow() + Patience;
        while (!await holds())
        {
            if (_settings.Clock.GetUtcNow() > giveUp)
            {
                throw new DemoFailedException(
                    $"It did not happen within {Patience.TotalSeconds} s that {what}. The worker last "
                        + $"said:\n{_worker?.Tail()}");
            }

            await Task.Delay(LookAgain, _settings.Clock, cancellation);
        }
    }

    /// <summary>Connects an account through the real authorization pages, consenting by script.</summary>
    public static Task ConnectAsync(DemoPerson person, string account, CancellationToken cancellation) =>
        DemoConsent.GiveAsync(person.Api, account, cancellation);

    /// <summary>Waits until the instructor's connection asks for consent.</summary>
    /// <returns>The connection's state and whether work waits parked.</returns>
    public async Task<(string State, bool Parked)> WaitForConsentNeededAsync(CancellationToken cancellation)
    {
        await UntilAsync(
            async () => await StateAsync(DemoCatalogue.Maya, cancellation) == "needs_reauth",
            "the revoked grant is noticed", cancellation);
        var parked = await Database.ReadAsync(
            session => session.ScalarAsync<long>(
            "SELECT count(*) FROM mirrors WHERE active AND state = 'parked'"), cancellation);
        return (await StateAsync(DemoCatalogue.Maya, cancellation), parked > 0);
    }

    /// <summary>The state of a student's newest seat in a class.</summary>
    public async Task<string> SeatStateAsync(string classId, string email, CancellationToken cancellation) =>
        await Database.ReadAsync(
            session => session.FirstOrDefaultAsync<string>(
                "SELECT state FROM enrolments WHERE class_id = @classId AND calendar_email = @email ORDER "
                    + "BY created_at DESC LIMIT 1",
                new { classId, email }),
            cancellation) ?? "absent";

    /// <summary>How often these fault scripts fired.</summary>
    public async Task<int> FiredAsync(IReadOnlyList<int> ids, CancellationToken cancellation) =>
        (await Control.GetFaultsAsync(cancellation)).Where(report => ids.Contains(report.Id))
            .Sum(report => report.Fired);

    /// <summary>What the history left, counted in the database.</summary>
    public async Task<DemoPast> PastAsync(CancellationToken cancellation)
    {
        var (counts, first) = await Database.SnapshotAsync(
            async session => (
                (await session.FirstOrDefaultAsync<DemoPast>(
                    """
                    SELECT count(*) AS classes,
                        count(CASE WHEN state = 'cancelled' THEN 1 END) AS cancelled,
                        count(CASE WHEN state = 'scheduled' AND seats_taken = capacity THEN 1 END) AS "full",
                        (SELECT count(*) FROM mirrors
                            WHERE active AND state = 'needs_attention') AS in_attention
                    FROM classes
                    """))!,
                await session.ScalarAsync<DateTimeOffset>("SELECT at FROM journal WHERE seq = 1")),
            cancellation);
        return counts with { Days = (int)Math.Round((_settings.Clock.GetUtcNow() - first).TotalDays) };
    }

    /// <summary>Checks the journal's hash chain: <c>intact</c>, or where it breaks.</summary>
    public async Task<string> VerifyJournalAsync(CancellationToken cancellation) =>
        await new JournalReader(Database).VerifyChainAsync(cancellation) switch
        {
            ChainCheck.Intact => "intact",
            ChainCheck.Broken broken => $"broken at {broken.Seq}: {broken.Problem}",
            var other => other.ToString(),
        };

    /// <summary>Kills the worker with SIGKILL.</summary>
    public async Task KillWorkerAsync() => await _worker!.DisposeAsync();

    /// <summary>Starts a worker.</summary>
    public async Task StartWorkerAsync(CancellationToken cancellation) =>
        _worker = await ProductProcess.StartAsync(
            ["worker", .. Common()], "is working", _settings.Clock, cancellation);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var process in new[] { _api, _worker })
        {
            if (process is not null)
                await process.DisposeAsync();
        }

        foreach (var person in People)
            person.Api.Dispose();
        _sandboxHttp.Dispose();
        await Database.DisposeAsync();
        await _sandbox.DisposeAsync();
    }

    // What every process of the demo is told, by key.
    private ImmutableDictionary<string, string> Told()
    {
        var told = ImmutableDictionary.CreateRange(new Dictionary<string, string>
        {
            [Keys.DataDirectory.Name] = _settings.DataDirectory,
            [Keys.SandboxUrl.Name] = SandboxAddress.ToString(),
            ["google.provider"] = "google-sandbox",
            ["calendar.fallback"] = "primary",
            ["mirror.lease"] = "10s",
        });
        if (_settings.DatabaseUrl is { } url)
            told = told.Add(Keys.DatabaseUrl.Name, url);
        return told.SetItems(_settings.Assignments);
    }

    private IEnumerable<string> Common() =>
        Told().SelectMany(pair => new[] { "--set", $"{pair.Key}={pair.Value}" });

    // API and worker in this process, because only here their clock can be set.
    private async Task PlayHistoryAsync(CancellationToken cancellation)
    {
        var settings = ConfigurationReader.Read(new ConfigurationInput(null, Told(), _settings.Environment))
            switch
        {
            ConfigurationOutcome.Valid valid => valid.Settings,
            ConfigurationOutcome.Invalid invalid => throw new InvalidConfigurationException(invalid.Errors),
            _ => throw new UnreachableException(),
        };
        var options = HostConfiguration.Read(settings, listens: true, works: true) with
        {
            Urls = ["http://127.0.0.1:0"],
        };
        await using var host = await CalSyncHost.BuildAsync(
            options, _clock, _settings.Random, null, cancellation);
        await host.StartAsync(cancellation);
        Address = host.Address;
        await CreatePeopleAsync(cancellation);
        await ConnectInstructorsAsync(cancellation);
        await new DemoHistory(this, _clock).PlayAsync(cancellation);
        await host.StopAsync(cancellation);
    }

    private async Task StartProductAsync(CancellationToken cancellation)
    {
        _api = await ProductProcess.StartAsync(
            ["serve", "--no-worker", "--urls", $"http://127.0.0.1:{_settings.Port}", .. Common()], "http://",
            _settings.Clock, cancellation);
        var ready = _api.ReadyLine;
        Address = new Uri(
            ready[ready.IndexOf("http://", StringComparison.Ordinal)..].Split(' ')[0].TrimEnd('.'));
        foreach (var person in People)
            person.Api.MoveTo(Address);
        await StartWorkerAsync(cancellation);
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The world owns and disposes it.")]
    private async Task CreatePeopleAsync(CancellationToken cancellation)
    {
        var identities = new IdentityStore(Database, _ids, _clock);
        var tenant = await identities.CreateTenantAsync(
            "Demo studio", TenantKind.Test, "cli", Correlation, cancellation);
        async Task<DemoPerson> PersonAsync(string name, string email, Role role, string zone)
        {
            var made = await identities.CreateUserAsync(
                new NewUser(tenant.Id, name, email, role, zone), "cli", Correlation, cancellation);
            var user = made is UserCreation.Created created
                ? created.User
                : throw new DemoFailedException($"{email} could not be created: {made}");
            var token = await identities.CreateTokenAsync(
                user.Id, "demo", DemoHistory.Length + TokenLife, "cli", Correlation, cancellation);
            var patience = new Patience(_settings.Clock, _settings.Random);
            var api = new DemoApi(Address, token!.Secret, NewKey, patience);
            return new DemoPerson(name, email, user.Id, token.Secret, api);
        }

        Admin = await PersonAsync("Ada", DemoCatalogue.Admin, Role.Admin, "America/New_York");
        OnCall = await PersonAsync("Omar", DemoCatalogue.OnCall, Role.Operator, "Europe/London");
        Maya = await PersonAsync("Maya", DemoCatalogue.Maya, Role.Instructor, "America/New_York");
        Arjun = await PersonAsync("Arjun", DemoCatalogue.Arjun, Role.Instructor, "Asia/Kolkata");
        var students = new List<DemoPerson>();
        foreach (var (name, email, zone) in DemoCatalogue.Students)
            students.Add(await PersonAsync(name, email, Role.Student, zone));
        Students = students;
    }

    private async Task ConnectInstructorsAsync(CancellationToken cancellation)
    {
        await ConnectAsync(Maya, DemoCatalogue.Maya, cancellation);
        SecondaryCalendarId = await Control.AddCalendarAsync(
            DemoCatalogue.Arjun, "Teaching", "Asia/Kolkata", cancellation);
        await ConnectAsync(Arjun, DemoCatalogue.Arjun, cancellation);
        var connection = (await Arjun.Api.GetAsync("calendar/connections", cancellation))
            .Expect().Body!["items"]![0]!;
        var teaching = connection["calendars"]!.AsArray()
            .Single(calendar => (string?)calendar!["summary"] == "Teaching")!;
        (await Arjun.Api.PutAsync(
            $"calendar/connections/{connection["id"]}/calendar",
            new JsonObject { ["calendarId"] = teaching["id"]!.ToString() }, cancellation)).Expect();
    }

    private async Task<TimeSpan> TokenLeftAsync(CancellationToken cancellation) =>
        await Database.ReadAsync(
            session => session.ScalarAsync<DateTimeOffset>(
                "SELECT access_expires_at FROM connections WHERE account_email = @Arjun",
                new { DemoCatalogue.Arjun }),
            cancellation) - _clock.GetUtcNow();

    private async Task<string> StateAsync(string account, CancellationToken cancellation) =>
        await Database.ReadAsync(
            session => session.FirstOrDefaultAsync<string>(
                "SELECT state FROM connections WHERE account_email = @account", new { account }),
            cancellation) ?? "absent";
}
