using CalSync.Lab;
using CalSync.Lab.Secrecy;
using CalSync.Storage;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>A migrated database for one test class.</summary>
public abstract class TestDatabase : IAsyncLifetime
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("calsync-test-");

    /// <summary>Open from before the first test of the class until after the last.</summary>
    public Database Database { get; private set; } = null!;

    /// <summary>What it was opened with, to open it once more as another process would.</summary>
    public DatabaseOptions Options { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Options = await CreateAsync(_directory.FullName);
        Database = Database.Open(Options);
        await new Migrator(Database, TimeProvider.System).UpgradeAsync(CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        await Database.DisposeAsync();
        Witness.SawDataDirectory(_directory.FullName);
        _directory.Delete(recursive: true);
    }

    /// <summary>The options of a database of the same engine with nothing in it.</summary>
    public abstract Task<DatabaseOptions> NewEmptyAsync();

    private protected abstract Task<DatabaseOptions> CreateAsync(string directory);

    private protected string NewDirectory() =>
        _directory.CreateSubdirectory(Guid.NewGuid().ToString("n")).FullName;
}

/// <summary>A SQLite file in a directory of its own.</summary>
public sealed class SqliteTestDatabase : TestDatabase
{
    public override Task<DatabaseOptions> NewEmptyAsync() =>
        Task.FromResult(new DatabaseOptions { DataDirectory = NewDirectory() });

    private protected override Task<DatabaseOptions> CreateAsync(string directory) =>
        Task.FromResult(new DatabaseOptions { DataDirectory = directory });
}

/// <summary>A database of the one PostgreSQL server of the run, copied from a migrated template.</summary>
/// <param name="server">The collection's server.</param>
public sealed class PostgresTestDatabase(PostgresFixture server) : TestDatabase
{
    public override async Task<DatabaseOptions> NewEmptyAsync() =>
        new() { DataDirectory = NewDirectory(), Url = await server.NewEmptyAsync() };

    private protected override async Task<DatabaseOptions> CreateAsync(string directory) =>
        new() { DataDirectory = directory, Url = await server.NewMigratedAsync() };
}

/// <summary>The same through PgBouncer in transaction mode, TLS verified in full.</summary>
/// <param name="server">The collection's server.</param>
public sealed class PgBouncerTestDatabase(PostgresFixture server) : TestDatabase
{
    public override async Task<DatabaseOptions> NewEmptyAsync() => new()
    {
        DataDirectory = NewDirectory(),
        Url = await server.ThroughBouncerAsync(await server.NewEmptyAsync()),
    };

    private protected override async Task<DatabaseOptions> CreateAsync(string directory) => new()
    {
        DataDirectory = directory,
        Url = await server.ThroughBouncerAsync(await server.NewMigratedAsync()),
    };
}

/// <summary>One real PostgreSQL for every class of the collection <see cref="Collection"/>.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    public const string Collection = "PostgreSQL";

    private const string Template = "migrated";
    private const int PoolSize = 10;

    private readonly Lazy<Task<PgBouncerServer>> _bouncer;
    private int _count;

    public PostgresFixture() => _bouncer = new(() => PgBouncerServer.StartAsync(
        Server, Authority, "transaction", PoolSize, isConsoleOpen: false, CancellationToken.None));

    public PostgresServer Server { get; private set; } = null!;

    /// <summary>Whose certificates server and pooler show.</summary>
    public TestAuthority Authority { get; } = new();

    public async Task InitializeAsync()
    {
        Server = await PostgresServer.StartAsync(
            durable: false, CancellationToken.None,
            Authority.Issue("server", ["127.0.0.1", "localhost"]));
        await Server.CreateDatabaseAsync(Template, null, CancellationToken.None);
        await using var database = Database.Open(new DatabaseOptions
        {
            DataDirectory = "unused",
            Url = Server.Url(Template),
        });
        await new Migrator(database, TimeProvider.System).UpgradeAsync(CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        if (_bouncer.IsValueCreated)
            await (await _bouncer.Value).DisposeAsync();
        await Server.DisposeAsync();
        Authority.Dispose();
    }

    /// <summary>The one pooler before the server, started when it is first wanted.</summary>
    public Task<PgBouncerServer> BouncerAsync() => _bouncer.Value;

    /// <summary>The address of a database through the pooler.</summary>
    public async Task<string> ThroughBouncerAsync(string url) =>
        (await BouncerAsync()).Url(new Uri(url).AbsolutePath.TrimStart('/'));

    /// <summary>The address of a new database with the schema in it.</summary>
    public Task<string> NewMigratedAsync() => NewAsync(Template);

    /// <summary>The address of a new database with nothing in it.</summary>
    public Task<string> NewEmptyAsync() => NewAsync(null);

    private async Task<string> NewAsync(string? template)
    {
        var name = $"test_{Interlocked.Increment(ref _count)}";
        await Server.CreateDatabaseAsync(name, template, CancellationToken.None);
        return Server.Url(name);
    }
}

[CollectionDefinition(PostgresFixture.Collection)]
public sealed class PostgresSuites : ICollectionFixture<PostgresFixture>;
