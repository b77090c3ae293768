using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
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
/// <remarks>The sandbox lives in this process; API and worker are real child processes, so that one can be
/// killed.</remarks>
internal sealed class DemoWorld : IAsyncDisposable
{
    private const string Correlation = "cor_demo";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    private readonly DemoSettings _settings;
    private readonly IdSource _ids;
    private readonly SandboxServer _sandbox;
    private readonly HttpClient _sandboxHttp;
    private ProductProcess? _api;
    private ProductProcess? _worker;

    private DemoWorld(DemoSettings settings, IdSource ids, SandboxServer sandbox, Database database)
    {
        (_settings, _ids, _sandbox, Database) = (settings, ids, sandbox, database);
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

    /// <summary>The secondary calendar of the instructor in Kolkata.</summary>
    public string SecondaryCalendarId { get; private set; } = "";

    /// <summary>Starts everything and creates people, connections and classes.</summary>
    /// <param name="settings">Where and with what.</param>
    /// <param name="progress">Told what is being done, one short sentence at a time.</param>
    /// <param name="cancellation">Stops; what was started is stopped too.</param>
    [SuppressMessage("Reliability", "CA2000", Justification = "The world owns and disposes it.")]
    public static async Task<DemoWorld> StartAsync(
        DemoSettings settings, Action<string> progress, CancellationToken cancellation)
    {
        progress("Starting a Google to practise on");
        var sandbox = await SandboxServer.StartAsync(
            new SandboxOptions(settings.Clock) { Users = DemoCatalogue.Accounts }, cancellation);
        var database = Database.Open(
            new DatabaseOptions { DataDirectory = settings.DataDirectory, Url = settings.DatabaseUrl });
        var world = new DemoWorld(settings, new IdSource(settings.Clock, settings.Random), sandbox, database);
        try
        {
            progress("Creating the database");
            await new Migrator(database, settings.Clock).UpgradeAsync(cancellation);
            progress("Starting the API and a worker");
            await world.StartProductAsync(cancellation);
            progress("Creating people");
            await world.CreatePeopleAsync(cancellation);
            progress("Connecting two instructors through OAuth");
            await world.ConnectInstructorsAsync(cancellation);
            progress("Creating classes and enrolling students");
            await world.CreateClassesAsync(cancellation);
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

        foreach (var person in new[] { Maya, Arjun, Admin, OnCall }.Concat(Students))
            person?.Api.Dispose();
        _sandboxHttp.Dispose();
        await Database.DisposeAsync();
        await _sandbox.DisposeAsync();
    }

    private string[] Common() =>
    [
        "--data", _settings.DataDirectory,
        .. _settings.DatabaseUrl is { } url ? new[] { "--database", url } : [],
        "--set", $"sandbox.url={SandboxAddress}",
        "--set", "google.provider=google-sandbox",
        "--set", "calendar.fallback=primary",
        "--set", "mirror.lease=10s",
    ];

    private async Task StartProductAsync(CancellationToken cancellation)
    {
        _api = await ProductProcess.StartAsync(
            ["serve", "--no-worker", "--urls", $"http://127.0.0.1:{_settings.Port}", .. Common()], "http://",
            _settings.Clock, cancellation);
        Address = new Uri(
            _api.ReadyLine[_api.ReadyLine.IndexOf("http://", StringComparison.Ordinal)..].Split(
            ' ')[0].TrimEnd('.'));
        await StartWorkerAsync(cancellation);
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The world owns and disposes it.")]
    private async Task CreatePeopleAsync(CancellationToken cancellation)
    {
        var identities = new IdentityStore(Database, _ids, _settings.Clock);
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
                user.Id, "demo", TimeSpan.FromDays(7), "cli", Correlation, cancellation);
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

    private async Task CreateClassesAsync(CancellationToken cancellation)
    {
        var taken = 0;
        foreach (var (instructor, body, seats) in Data.Classes)
        {
            var person = instructor == DemoCatalogue.Maya ? Maya : Arjun;
            var made = (await person.Api.PostAsync("classes", body, cancellation)).Expect();
            await Task.WhenAll(Enumerable.Range(taken, seats).Select(async index =>
                (await Students[index % Students.Count].Api.PostAsync(
                    $"classes/{made.Text("id")}/enrollments", new JsonObject(), cancellation)).Expect()));
            taken += seats;
        }

        await QuietAsync(cancellation);
    }

    private async Task<string> StateAsync(string account, CancellationToken cancellation) =>
        await Database.ReadAsync(
            session => session.FirstOrDefaultAsync<string>(
                "SELECT state FROM connections WHERE account_email = @account", new { account }),
            cancellation) ?? "absent";
}

/// <summary>One person of the demo.</summary>
/// <param name="Name">First name.</param>
/// <param name="Email">Account and calendar address.</param>
/// <param name="UserId">The product's id.</param>
/// <param name="Token">Bearer token of the demo, valid for 7 days.</param>
/// <param name="Api">The interface as this person uses it.</param>
internal sealed record DemoPerson(string Name, string Email, string UserId, string Token, DemoApi Api);

/// <summary>Where the demo runs.</summary>
/// <param name="DataDirectory">Exists; holds the embedded database and the key file.</param>
/// <param name="DatabaseUrl">PostgreSQL; null for SQLite in the data directory.</param>
/// <param name="Port">Of the API; 0 picks a free one.</param>
/// <param name="Clock">The real clock.</param>
/// <param name="Random">Ids and keys.</param>
internal sealed record DemoSettings(
    string DataDirectory, string? DatabaseUrl, int Port, TimeProvider Clock, Random Random);
