using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using CalSync.App.Demo;
using CalSync.Classes;
using CalSync.Sandbox;
using CalSync.Storage;
using CalSync.Storage.Identity;
using CalSync.Sync;

namespace CalSync.Lab.Bench;

/// <summary>The product as a benchmark needs it: one process that serves, a sandbox, one connected
/// instructor.</summary>
internal sealed class Studio : IAsyncDisposable
{
    private const string Instructor = "maya@studio.test";
    private const string Correlation = "cor_bench";

    private readonly TempFolder _folder;
    private readonly SandboxServer _sandbox;
    private readonly HttpClient _sandboxHttp;
    private readonly ProductProcess _product;
    private readonly IdentityStore _identities;
    private readonly string _tenantId;
    private readonly DemoApi _admin;
    private readonly string _adminToken;
    private readonly string _instructorId;

    private readonly string? _databaseUrl;

    private Studio(
        TempFolder folder, SandboxServer sandbox, HttpClient sandboxHttp, ProductProcess product,
        Database database, string? databaseUrl,
        IdentityStore identities, string tenantId, string adminToken, string instructorId, Uri address)
    {
        (_folder, _sandbox, _sandboxHttp, _product, Database) =
            (folder, sandbox, sandboxHttp, product, database);
        _databaseUrl = databaseUrl;
        (_identities, _tenantId, _adminToken, _instructorId, Address) =
            (identities, tenantId, adminToken, instructorId, address);
        _admin = new DemoApi(address, adminToken, () => Guid.NewGuid().ToString());
        Control = new SandboxControl(sandboxHttp);
    }

    /// <summary>Where the product listens.</summary>
    public Uri Address { get; }

    /// <summary>The process that serves.</summary>
    public int ProcessId => _product.Id;

    /// <summary>The product's data directory.</summary>
    public string DataDirectory => _folder.Path;

    /// <summary>What tells a command of the product's database besides its data directory.</summary>
    public IReadOnlyList<string> DatabaseWords =>
        _databaseUrl is null ? [] : ["--database", _databaseUrl];

    /// <summary>The product's database, read directly.</summary>
    public Database Database { get; }

    /// <summary>The sandbox's control plane.</summary>
    public SandboxControl Control { get; }

    [SuppressMessage("Reliability", "CA2000", Justification = "The studio owns and disposes it.")]
    public static async Task<Studio> StartAsync(
        string? databaseUrl, bool withWorker, CancellationToken cancellation)
    {
        var clock = TimeProvider.System;
        var folder = new TempFolder();
        var sandbox = await SandboxServer.StartAsync(new SandboxOptions(clock), cancellation);
        var database = Database.Open(new DatabaseOptions { DataDirectory = folder.Path, Url = databaseUrl });
        await new Migrator(database, clock).UpgradeAsync(cancellation);
        var ids = new IdSource(clock, new Random(1));
        var identities = new IdentityStore(database, ids, clock);
        var tenant = await identities.CreateTenantAsync(
            "Bench", TenantKind.Test, "cli", Correlation, cancellation);
        var admin = await PersonAsync(identities, tenant.Id, "admin@studio.test", Role.Admin, cancellation);
        var maya = await PersonAsync(identities, tenant.Id, Instructor, Role.Instructor, cancellation);
        var product = await ProductProcess.StartAsync(
            [
                "serve", "--urls", "http://127.0.0.1:0", "--data", folder.Path,
                .. withWorker ? Array.Empty<string>() : ["--no-worker"],
                .. databaseUrl is null ? Array.Empty<string>() : ["--database", databaseUrl],
                "--set", $"sandbox.url={sandbox.BaseAddress}", "--set", "google.provider=google-sandbox",
                "--set", "quota.account_calls=600",
            ],
            "http://", clock, cancellation);
        var line = product.ReadyLine;
        var address = new Uri(
            line[line.IndexOf("http://", StringComparison.Ordinal)..].Split(' ')[0].TrimEnd('.'));
        using (var instructor = new DemoApi(address, maya.Token, () => Guid.NewGuid().ToString()))
            await DemoConsent.GiveAsync(instructor, Instructor, cancellation);
        return new Studio(
            folder, sandbox, new HttpClient { BaseAddress = sandbox.BaseAddress }, product, database,
            databaseUrl, identities, tenant.Id, admin.Token, maya.Id, address);
    }

    /// <summary>Creates classes of one slot each, an hour apart.</summary>
    public async Task<IReadOnlyList<string>> CreateClassesAsync(
        int count, int capacity, CancellationToken cancellation)
    {
        var ids = new string[count];
        var at = new DateTime(2030, 1, 7, 9, 0, 0, DateTimeKind.Unspecified);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellation },
            async (index, stop) =>
            {
                var start = at.AddHours(index).ToString("s", null);
                var body = new JsonObject
                {
                    ["title"] = $"Class {index}",
                    ["timeZone"] = "America/New_York",
                    ["capacity"] = capacity,
                    ["instructorId"] = _instructorId,
                    ["schedules"] = new JsonArray(new JsonObject
                    {
                        ["slots"] = new JsonArray(
                            new JsonObject { ["start"] = start, ["durationMinutes"] = 50 }),
                    }),
                };
                ids[index] = (await _admin.PostAsync("classes", body, stop, prefer: "respond-async")).Expect()
                    .Text("id");
            });
        return ids;
    }

    /// <summary>Creates students.</summary>
    public async Task<IReadOnlyList<string>> CreateStudentsAsync(int count, CancellationToken cancellation)
    {
        var ids = new List<string>();
        for (var index = 0; index < count; index++)
        {
            var made = (UserCreation.Created)await _identities.CreateUserAsync(
                new NewUser(
                    _tenantId, $"Student {index}", $"student{index}@mail.test", Role.Student,
                    "Europe/London"),
                "cli", Correlation, cancellation);
            ids.Add(made.User.Id);
        }

        return ids;
    }

    /// <summary>The request that enrols a student, answered as soon as it is committed.</summary>
    public byte[] Enrol(string classId, string studentId, int number) => LoadClient.Request(
        "POST", Address, $"/api/v1/classes/{classId}/enrollments", $$"""{"studentId":"{{studentId}}"}""",
        $"Authorization: Bearer {_adminToken}", $"Idempotency-Key: bench-{number:d10}",
        "Prefer: respond-async");

    /// <summary>The request that reads a class.</summary>
    public byte[] ReadClass(string classId) => LoadClient.Request(
        "GET", Address, $"/api/v1/classes/{classId}", "", $"Authorization: Bearer {_adminToken}");

    /// <summary>Whether every pair was made equal once.</summary>
    public async Task<bool> IsPairSyncedAsync(CancellationToken cancellation) =>
        await Database.ReadAsync(
            session => session.ScalarAsync<long>(
                "SELECT count(*) FROM calendar_mappings WHERE first_synced_at IS NULL"),
            cancellation) == 0;

    /// <summary>Waits until no mirror or operation is under way.</summary>
    public async Task QuietAsync(CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < 1_200; attempt++)
        {
            if (await TruthCheck.UnderWayAsync(Database, cancellation) == 0)
                return;
            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
        }

        throw new TimeoutException("The product was still at work after a minute.");
    }

    /// <summary>Milliseconds from accepted to verified of every verified operation of a kind,
    /// ascending.</summary>
    public async Task<IReadOnlyList<double>> VerifiedAfterAsync(string kind, CancellationToken cancellation)
    {
        var rows = await Database.ReadAsync(
            session => session.QueryAsync<OperationRow>(
                """
                SELECT o.created_at, max(j.at) AS verified_at
                FROM operations o JOIN journal j ON j.subject_id = o.enrolment_id
                    AND j.kind = 'enrolment.active'
                WHERE o.kind = @kind AND o.state = 'verified' GROUP BY o.id, o.created_at
                """,
                new { kind }),
            cancellation);
        return [.. rows.Select(row => (row.VerifiedAt - row.CreatedAt).TotalMilliseconds).Order()];
    }

    public async ValueTask DisposeAsync()
    {
        await _product.DisposeAsync();
        _admin.Dispose();
        _sandboxHttp.Dispose();
        await Database.DisposeAsync();
        await _sandbox.DisposeAsync();
        _folder.Dispose();
    }

    private static async Task<(string Id, string Token)> PersonAsync(
        IdentityStore identities, string tenantId, string email, Role role, CancellationToken cancellation)
    {
        var made = (UserCreation.Created)await identities.CreateUserAsync(
            new NewUser(tenantId, email, email, role, "America/New_York"), "cli", Correlation, cancellation);
        var token = await identities.CreateTokenAsync(
            made.User.Id, "bench", null, "cli", Correlation, cancellation);
        return (made.User.Id, token!.Secret);
    }

    private sealed record OperationRow
    {
        public DateTimeOffset CreatedAt { get; init; }

        public DateTimeOffset VerifiedAt { get; init; }
    }
}

/// <summary>A folder that goes away with its owner.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("calsync-bench-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
