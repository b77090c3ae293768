using System.Collections.Immutable;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using CalSync.App;
using CalSync.App.Api.Authentication;
using CalSync.App.Configuration;
using CalSync.App.Demo;
using CalSync.Classes;
using CalSync.Lab.Secrecy;
using CalSync.Sandbox;
using CalSync.Storage;
using CalSync.Storage.Identity;
using CalSync.Sync;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CalSync.Lab.Running;

/// <summary>What a test wants of a <see cref="RunningProduct"/> that is not usual.</summary>
public sealed record ProductSettings
{
    /// <summary>PostgreSQL; null for SQLite in a folder of its own.</summary>
    public string? DatabaseUrl { get; init; }

    /// <summary>The clock of the product; the real one when null.</summary>
    public TimeProvider? Clock { get; init; }

    /// <summary>False: nothing is written to calendars.</summary>
    public bool RunsWorkers { get; init; } = true;

    /// <summary>How long a change waits for the calendar.</summary>
    public TimeSpan VerificationWait { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Settings of the product by key, as <c>--set</c> gives them.</summary>
    public IReadOnlyDictionary<string, string> Set { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>How often a quiet stream says that it lives.</summary>
    public TimeSpan StreamHeartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Where every log line goes, of the finest level; null for nowhere.</summary>
    public LogLines? Logs { get; init; }

    /// <summary>False: the instructor is not connected.</summary>
    public bool Connects { get; init; } = true;
}

/// <summary>
/// The whole product on loopback with a sandbox behind it, and one person of every role, one instructor among
/// them connected through the real authorization pages. Everything goes away with it.
/// </summary>
public sealed class RunningProduct : IAsyncDisposable
{
    private const string Correlation = "cor_lab";

    private readonly DirectoryInfo _folder;
    private readonly SandboxServer _sandbox;
    private readonly HttpClient _sandboxHttp;
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false });
    private readonly CalSyncHost _host;
    private readonly IdentityStore _identities;

    private RunningProduct(
        DirectoryInfo folder, SandboxServer sandbox, CalSyncHost host, Database database, TimeProvider clock)
    {
        (_folder, _sandbox, _host, Database) = (folder, sandbox, host, database);
        _sandboxHttp = new HttpClient { BaseAddress = sandbox.BaseAddress };
        Control = new SandboxControl(_sandboxHttp);
        _identities = new IdentityStore(database, new IdSource(clock, new Random(7)), clock);
    }

    /// <summary>Where the product listens.</summary>
    public Uri Address => _host.Address;

    /// <summary>Where its files are.</summary>
    public string DataDirectory => _folder.FullName;

    /// <summary>A second view of the product's database, for looking and for spoiling.</summary>
    public Database Database { get; }

    /// <summary>The sandbox's control plane.</summary>
    public SandboxControl Control { get; }

    /// <summary>What the product is made of.</summary>
    public IServiceProvider Services => _host.Services;

    /// <summary>The organisation.</summary>
    public Tenant Tenant { get; private set; } = null!;

    /// <summary>Runs the organisation.</summary>
    public Person Admin { get; private set; } = null!;

    /// <summary>On call.</summary>
    public Person Operator { get; private set; } = null!;

    /// <summary>The connected instructor, in New York.</summary>
    public Person Maya { get; private set; } = null!;

    /// <summary>An instructor without a connection, in Kolkata.</summary>
    public Person Arjun { get; private set; } = null!;

    /// <summary>A student with an account at the provider.</summary>
    public Person Bea { get; private set; } = null!;

    /// <summary>Another one.</summary>
    public Person Chen { get; private set; } = null!;

    /// <summary>Runs another organisation.</summary>
    public Person Stranger { get; private set; } = null!;

    /// <summary>Nobody: no token.</summary>
    public Person Nobody { get; private set; } = null!;

    /// <summary>Starts everything.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The product owns and disposes it.")]
    public static async Task<RunningProduct> StartAsync(
        ProductSettings? settings = null, CancellationToken cancellation = default)
    {
        settings ??= new ProductSettings();
        var clock = settings.Clock ?? TimeProvider.System;
        var folder = Directory.CreateTempSubdirectory("calsync-lab-");
        var sandbox = await SandboxServer.StartAsync(
            new SandboxOptions(clock)
            {
                Users =
                [
                    new SandboxUser("maya@studio.test", "Maya", "America/New_York"),
                    new SandboxUser("arjun@studio.test", "Arjun", "Asia/Kolkata"),
                    new SandboxUser("bea@mail.test", "Bea", "America/New_York"),
                    new SandboxUser("chen@mail.test", "Chen", "Asia/Kolkata"),
                ],
            },
            cancellation);
        var options = Configured(settings, folder, sandbox.BaseAddress);
        var storage = options.Database with { Url = settings.DatabaseUrl };
        var host = await CalSyncHost.BuildAsync(
            options with
            {
                Database = storage,
                Urls = ["http://127.0.0.1:0"],
                Api = options.Api with
                {
                    VerificationWait = settings.VerificationWait,
                    StreamHeartbeat = settings.StreamHeartbeat,
                },
            },
            clock, new Random(1),
            settings.Logs is { } logs ? log => log.SetMinimumLevel(LogLevel.Trace).AddProvider(logs) : null,
            cancellation);
        var product = new RunningProduct(folder, sandbox, host, Database.Open(storage), clock);
        await host.StartAsync(cancellation);
        await product.PopulateAsync(settings, cancellation);
        return product;
    }

    /// <summary>Sends any request, with nothing added but the address.</summary>
    public async Task<ApiAnswer> SendAsync(
        HttpRequestMessage request, CancellationToken cancellation = default)
    {
        request.RequestUri = new Uri(Address, request.RequestUri!.OriginalString);
        using var response = await _http.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        // A stream has no end to wait for: what it begins with is the answer.
        var text = response.Content.Headers.ContentType?.MediaType == EventListener.MediaType
            ? await EventListener.FirstAsync(response, cancellation)
            : await response.Content.ReadAsStringAsync(cancellation);
        return ApiAnswer.Of(response, text);
    }

    /// <summary>Creates a person with a token.</summary>
    public async Task<Person> AddPersonAsync(
        string name, string email, Role role, string zone, string? tenantId = null,
        CancellationToken cancellation = default)
    {
        var made = (UserCreation.Created)await _identities.CreateUserAsync(
            new NewUser(tenantId ?? Tenant.Id, name, email, role, zone), "cli", Correlation, cancellation);
        var token = await _identities.CreateTokenAsync(
            made.User.Id, "lab", null, "cli", Correlation, cancellation);
        return new Person(this, made.User.Id, email, token!.Secret);
    }

    /// <summary>Signs a person in with a password; they have one from then on.</summary>
    public async Task<Person> SignInAsync(Person person, string password = "correct horse battery")
    {
        ArgumentNullException.ThrowIfNull(person);
        var hash = await Services.GetRequiredService<Passwords>().HashAsync(password, default);
        await Services.GetRequiredService<PasswordStore>().SetAsync(
            person.Id, hash, null, null, "cli", Correlation, default);
        var answer = await Nobody.SendAsync(
            HttpMethod.Post, "auth/sessions",
            new JsonObject { ["email"] = person.Email, ["password"] = password });
        return person with { Token = answer.Expect(201)["token"] };
    }

    /// <summary>Connects an instructor through the authorization pages.</summary>
    public async Task ConnectAsync(Person person, string account, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(person);
        using var api = new DemoApi(Address, person.Token!, NewKey);
        await DemoConsent.GiveAsync(api, account, cancellation);
    }

    /// <summary>A class of Maya's with slots on successive days in January 2031 at 10:00 in New
    /// York.</summary>
    public static JsonObject ClassBody(
        string title, int slots = 1, int capacity = 10, string zone = "America/New_York") => new()
        {
            ["title"] = title,
            ["timeZone"] = zone,
            ["capacity"] = capacity,
            ["price"] = new JsonObject { ["minor"] = 2500, ["currency"] = "USD" },
            ["schedules"] = new JsonArray(new JsonObject
            {
                ["slots"] = new JsonArray([.. Enumerable.Range(0, slots).Select(day => new JsonObject
            {
                ["start"] = $"2031-01-{6 + day:d2}T10:00:00",
                ["durationMinutes"] = 60,
            })]),
            }),
        };

    /// <summary>A random idempotency key.</summary>
    public static string NewKey() => Guid.NewGuid().ToString();

    /// <summary>The live events of ours in all calendars, guests' copies left out.</summary>
    public async Task<IReadOnlyList<TruthEvent>> EventsAsync(CancellationToken cancellation = default) =>
        [.. (await Control.GetTruthAsync(null, cancellation)).Calendars.Where(calendar => !calendar.Deleted)
            .SelectMany(calendar => calendar.Events)
            .Where(found => !found.IsCopy && found.Status != "cancelled")];

    /// <summary>Waits until nothing is under way.</summary>
    public Task QuietAsync(CancellationToken cancellation = default) =>
        UntilAsync(
            async () => await TruthCheck.UnderWayAsync(Database, cancellation) == 0, "everything is at rest",
            cancellation);

    /// <summary>Waits until something is so, half a minute at most.</summary>
    public static async Task UntilAsync(
        Func<Task<bool>> holds, string what, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(holds);
        for (var look = 0; look < 600; look++)
        {
            if (await holds())
                return;
            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
        }

        throw new TimeoutException($"It did not happen within 30 s that {what}.");
    }

    /// <summary>Every difference between the database and what the calendars really hold.</summary>
    public async Task<IReadOnlyList<string>> DifferencesAsync(CancellationToken cancellation = default) =>
        (await TruthCheck.CompareAsync(
            Database, await Control.GetTruthAsync(null, cancellation), cancellation)).Differences;

    /// <summary>One number from the database.</summary>
    public Task<long> CountAsync(string sql, object? args = null) =>
        Database.ReadAsync(session => session.ScalarAsync<long>(sql, args), CancellationToken.None);

    /// <summary>One text from the database.</summary>
    public Task<string?> TextAsync(string sql, object? args = null) =>
        Database.ReadAsync(session => session.FirstOrDefaultAsync<string>(sql, args), CancellationToken.None);

    /// <summary>Changes the database past the product.</summary>
    public Task<int> ExecuteAsync(string sql, object? args = null) =>
        Database.WriteAsync(session => session.ExecuteAsync(sql, args), CancellationToken.None);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(new CancellationToken(true));
        await _host.DisposeAsync();
        await Database.DisposeAsync();
        _http.Dispose();
        _sandboxHttp.Dispose();
        await _sandbox.DisposeAsync();
        Witness.SawDataDirectory(_folder.FullName);
        _folder.Delete(recursive: true);
    }

    private static HostOptions Configured(ProductSettings settings, DirectoryInfo folder, Uri sandbox)
    {
        var set = settings.Set.ToImmutableDictionary()
            .Add(Keys.DataDirectory.Name, folder.FullName).Add(Keys.SandboxUrl.Name, sandbox.AbsoluteUri);
        return ConfigurationReader.Read(
            new ConfigurationInput(null, set, ImmutableDictionary<string, string>.Empty)) switch
        {
            ConfigurationOutcome.Valid valid =>
                HostConfiguration.Read(valid.Settings, true, settings.RunsWorkers),
            ConfigurationOutcome.Invalid invalid => throw new ArgumentException(
                string.Join('\n', invalid.Errors), nameof(settings)),
            var outcome => throw new UnreachableException($"Unknown outcome {outcome.GetType().Name}."),
        };
    }

    private async Task PopulateAsync(ProductSettings settings, CancellationToken cancellation)
    {
        Tenant = await _identities.CreateTenantAsync(
            "Studio", TenantKind.Test, "cli", Correlation, cancellation);
        var other = await _identities.CreateTenantAsync(
            "Elsewhere", TenantKind.Test, "cli", Correlation, cancellation);
        Admin = await AddPersonAsync(
            "Ada", "ada@studio.test", Role.Admin, "America/New_York", null, cancellation);
        Operator = await AddPersonAsync(
            "Omar", "omar@studio.test", Role.Operator, "Europe/London", null, cancellation);
        Maya = await AddPersonAsync(
            "Maya", "maya@studio.test", Role.Instructor, "America/New_York", null, cancellation);
        Arjun = await AddPersonAsync(
            "Arjun", "arjun@studio.test", Role.Instructor, "Asia/Kolkata", null, cancellation);
        Bea = await AddPersonAsync(
            "Bea", "bea@mail.test", Role.Student, "America/New_York", null, cancellation);
        Chen = await AddPersonAsync(
            "Chen", "chen@mail.test", Role.Student, "Asia/Kolkata", null, cancellation);
        Stranger = await AddPersonAsync(
            "Eve", "eve@elsewhere.test", Role.Admin, "Europe/London", other.Id, cancellation);
        Nobody = new Person(this, "", "", null);
        if (settings.Connects)
            await ConnectAsync(Maya, Maya.Email, cancellation);
    }
}
