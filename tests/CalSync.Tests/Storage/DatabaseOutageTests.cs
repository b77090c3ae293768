using CalSync.Lab;
using CalSync.Storage;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Storage;

/// <summary>R-DB-T: a backend that is killed, a server that restarts, one that stops writing, a pool that is
/// full: each is told apart, leaves nothing half done, and is over without a restart of ours.</summary>
[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-T")]
public sealed class DatabaseOutageTests(PostgresFixture postgres) : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("calsync-test-");

    public void Dispose() => _directory.Delete(recursive: true);

    /// <summary>R-DB-5: killed between two statements of a transaction.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Requirement", "R-DB-5")]
    public async Task Write_BackendKilledInTheMiddle_IsUnavailableAndLeavesNothing(bool pooled)
    {
        var direct = await postgres.NewMigratedAsync();
        await using var database = Open(pooled ? await postgres.ThroughBouncerAsync(direct) : direct);
        var fault = await Assert.ThrowsAsync<DatabaseUnavailableException>(() => database.WriteAsync(
            async session =>
            {
                await AddTenantAsync(session, "ten_half");
                await KillAsync(await session.ScalarAsync<int>("SELECT pg_backend_pid()"));
                await AddTenantAsync(session, "ten_other");
            },
            CancellationToken.None));
        Assert.Equal(UnavailableReason.Ended, fault.Reason);
        await database.WriteAsync(session => AddTenantAsync(session, "ten_next"), CancellationToken.None);
        Assert.Equal(["ten_next"], await TenantsAsync(database));
    }

    /// <summary>R-DB-5: every idle connection ended, as by an operator; readers notice nothing.</summary>
    [Fact]
    [Trait("Requirement", "R-DB-5")]
    public async Task Read_IdleConnectionsKilled_IsDoneAgain()
    {
        var url = await postgres.NewMigratedAsync();
        await using var database = Open(url);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => TenantsAsync(database)));
        var name = new Uri(url).AbsolutePath.TrimStart('/');
        await postgres.Server.RunAsync(
            "postgres",
            $"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'",
            CancellationToken.None);
        for (var i = 0; i < 16; i++)
            Assert.Empty(await TenantsAsync(database));
        var report = await database.SnapshotAsync(
            session => session.ScalarAsync<long>("SELECT count(*) FROM tenants"), CancellationToken.None);
        Assert.Equal(0, report);
    }

    /// <summary>R-DB-5: what was acknowledged before, during and after a restart is there, and nothing
    /// else.</summary>
    [Fact]
    [Trait("Requirement", "R-DB-5")]
    public async Task Write_WhileTheServerRestarts_KeepsExactlyWhatWasAcknowledged()
    {
        await using var server = await PostgresServer.StartAsync(durable: true, CancellationToken.None);
        await using var database = Open(server.Url("postgres"));
        await new Migrator(database, TimeProvider.System).UpgradeAsync(CancellationToken.None);
        List<string> acknowledged = [];
        var unsure = 0;
        for (var i = 0; i < 60; i++)
        {
            var restarting = i == 20 ? server.RestartAsync(CancellationToken.None) : Task.CompletedTask;
            try
            {
                await database.WriteAsync(
                    session => AddTenantAsync(session, $"ten_{i:d2}"), CancellationToken.None);
                acknowledged.Add($"ten_{i:d2}");
            }
            catch (DatabaseUnavailableException)
            {
                unsure++;
            }

            await restarting;
        }

        var found = await TenantsAsync(database);
        Assert.Empty(acknowledged.Except(found));
        Assert.InRange(found.Count, acknowledged.Count, acknowledged.Count + unsure);
        // One connection was in the way of each pool at most; afterwards all is as before.
        Assert.InRange(acknowledged.Count, 55, 60);
    }

    /// <summary>R-DB-5: a server that only reads says so, readers go on, and it is used again when it
    /// writes.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Requirement", "R-DB-5")]
    public async Task Write_ServerSetToReadOnly_IsToldApartAndWritesAgainAfterwards(bool pooled)
    {
        var direct = await postgres.NewMigratedAsync();
        await using var database = Open(pooled ? await postgres.ThroughBouncerAsync(direct) : direct);
        Assert.True((await database.InspectAsync(CancellationToken.None)).Writable);
        await SetReadOnlyAsync(direct, true);
        await AfterKilledAsync(database);
        var fault = await Assert.ThrowsAsync<DatabaseUnavailableException>(() => database.WriteAsync(
            session => AddTenantAsync(session, "ten_1"), CancellationToken.None));
        Assert.Equal(UnavailableReason.ReadOnly, fault.Reason);
        Assert.Empty(await TenantsAsync(database));
        Assert.False((await database.InspectAsync(CancellationToken.None)).Writable);

        await SetReadOnlyAsync(direct, false);
        await AfterKilledAsync(database);
        await database.WriteAsync(session => AddTenantAsync(session, "ten_2"), CancellationToken.None);
        Assert.Equal(["ten_2"], await TenantsAsync(database));
    }

    /// <summary>R-DB-5: of several hosts the one that writes is used, also when they change.</summary>
    [Fact]
    [Trait("Requirement", "R-DB-5")]
    public async Task Write_WhenTheServersChangePlaces_GoesToTheOneThatWrites()
    {
        await using var other = await PostgresServer.StartAsync(false, CancellationToken.None);
        await using var first = await PostgresServer.StartAsync(false, CancellationToken.None);
        await SetReadOnlyAsync(other.Url("postgres"), true, other);
        await using var database = Open(
            $"postgres://calsync@127.0.0.1:{other.Port},127.0.0.1:{first.Port}/postgres?sslmode=disable");
        Assert.Equal(first.Port, await PortAsync(database));

        await SetReadOnlyAsync(other.Url("postgres"), false, other);
        await SetReadOnlyAsync(first.Url("postgres"), true, first);
        await AfterKilledAsync(database);
        Assert.Equal(other.Port, await PortAsync(database));
    }

    /// <summary>R-DB-4: a full pool is neither a server that is away nor a wait without end.</summary>
    [Fact]
    [Trait("Requirement", "R-DB-4")]
    [Trait("Requirement", "R-DB-5")]
    public async Task Write_PoolFull_IsToldApartAndOverWhenOneIsGivenBack()
    {
        var url = await postgres.NewMigratedAsync();
        await using var database = Open(url + "&pool_max=1&connect_timeout=1");
        await database.WriteAsync(
            async _ =>
            {
                var fault = await Assert.ThrowsAsync<DatabaseUnavailableException>(() => database.WriteAsync(
                    session => AddTenantAsync(session, "ten_1"), CancellationToken.None));
                Assert.Equal(UnavailableReason.PoolExhausted, fault.Reason);
                Assert.Equal([new PoolUse("general", 1, 1, 0)], database.PoolUse);
            },
            CancellationToken.None);
        await database.WriteAsync(session => AddTenantAsync(session, "ten_2"), CancellationToken.None);
        Assert.Equal(["ten_2"], await TenantsAsync(database));
        Assert.Equal([new PoolUse("general", 0, 1, 0)], database.PoolUse);
    }

    [Fact]
    [Trait("Requirement", "R-DB-5")]
    public async Task Connect_NobodyOfThisName_IsASignInRefused()
    {
        await using var database = Open(postgres.Server.TlsUrl("nowhere", "sslmode=disable"));
        var fault = await Assert.ThrowsAsync<DatabaseUnavailableException>(() => TenantsAsync(database));
        Assert.Equal(UnavailableReason.SignInRefused, fault.Reason);
    }

    private Database Open(string url) =>
        Database.Open(new() { DataDirectory = _directory.FullName, Url = url });

    // Connections made before keep what they were told; ending them is what a fail-over does.
    private async Task SetReadOnlyAsync(string url, bool isReadOnly, PostgresServer? server = null)
    {
        var name = new Uri(url).AbsolutePath.TrimStart('/');
        server ??= postgres.Server;
        await server.RunAsync(
            "template1", $"ALTER DATABASE {name} SET default_transaction_read_only = {isReadOnly}",
            CancellationToken.None);
        await server.RunAsync(
            "template1",
            $"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'",
            CancellationToken.None);
    }

    // The first that meets an ended connection hears so.
    private static async Task AfterKilledAsync(Database database)
    {
        for (var left = 50; ; left--)
        {
            try
            {
                await database.ReadAsync(
                    session => session.ScalarAsync<int>("SELECT 1"), CancellationToken.None);
                return;
            }
            catch (DatabaseUnavailableException) when (left > 0)
            {
                // The next one is another.
            }
        }
    }

    private async Task KillAsync(int backend) => await postgres.Server.RunAsync(
        "postgres", $"SELECT pg_terminate_backend({backend}, 5000)", CancellationToken.None);

    private static Task<int> AddTenantAsync(WriteSession session, string id) => session.ExecuteAsync(
        "INSERT INTO tenants (id, name, kind, created_at) VALUES (@id, 'T', 'test', @at)",
        new { id, at = DateTimeOffset.UnixEpoch });

    private static Task<IReadOnlyList<string>> TenantsAsync(Database database) => database.ReadAsync(
        session => session.QueryAsync<string>("SELECT id FROM tenants ORDER BY id"), CancellationToken.None);

    private static Task<int> PortAsync(Database database) => database.WriteAsync(
        session => session.ScalarAsync<int>("SELECT cast(current_setting('port') AS integer)"),
        CancellationToken.None);
}
