using CalSync.Storage;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>Migrations: once each, forward only, never over somebody else's work.</summary>
public abstract class MigratorContract(TestDatabase fixture) : StoreContract(fixture)
{
    [Fact]
    public async Task Upgrade_EmptyDatabaseThenAgain_AppliesOnceAndReportsFromAndTo()
    {
        await using var database = await OpenEmptyAsync();
        var migrator = new Migrator(database, TimeProvider.System);
        var newest = Assert.IsType<SchemaState.Empty>(await migrator.CheckAsync(Cancellation)).Newest;
        Assert.Equal(new SchemaUpgrade(0, newest), await migrator.UpgradeAsync(Cancellation));
        Assert.Equal(new SchemaUpgrade(newest, newest), await migrator.UpgradeAsync(Cancellation));
        Assert.Equal(new SchemaState.UpToDate(newest), await migrator.CheckAsync(Cancellation));
    }

    [Fact]
    public async Task Upgrade_FromFourProcessesAtOnce_AppliesOnce()
    {
        var options = await Fixture.NewEmptyAsync();
        var databases = Enumerable.Range(0, 4).Select(_ => Database.Open(options)).ToArray();
        var upgrades = await Task.WhenAll(databases.Select(database =>
            new Migrator(database, TimeProvider.System).UpgradeAsync(Cancellation)));
        Assert.Single(upgrades, upgrade => upgrade.From == 0);
        Assert.All(upgrades, upgrade => Assert.Equal(upgrades[0].To, upgrade.To));
        foreach (var database in databases)
            await database.DisposeAsync();
    }

    [Fact]
    public async Task Upgrade_AppliedFileWasEdited_ChangesNothing()
    {
        await using var database = await OpenEmptyAsync();
        var migrator = new Migrator(database, TimeProvider.System);
        await migrator.UpgradeAsync(Cancellation);
        await database.WriteAsync(
            session => session.ExecuteAsync(
                "UPDATE schema_migrations SET checksum = 'other' WHERE version = 1"),
            Cancellation);
        Assert.Equal(1, Assert.IsType<SchemaState.Damaged>(await migrator.CheckAsync(Cancellation)).Version);
        await Assert.ThrowsAsync<MigrationMismatchException>(() => migrator.UpgradeAsync(Cancellation));
    }

    [Fact]
    public async Task Upgrade_DatabaseIsNewer_IsRefusedAndTheNewerProgramGoesOn()
    {
        await using var database = await OpenEmptyAsync();
        var older = new Migrator(database, TimeProvider.System);
        var known = Migration.ReadAll(database.Engine);
        var next = known[^1].Version + 1;
        var newer = new Migrator(
            database,
            TimeProvider.System,
            known.Add(new Migration(next, "next", ["CREATE TABLE next (at {instant}, raw {bytes})"])));
        await older.UpgradeAsync(Cancellation);
        Assert.Equal(new SchemaState.Behind(next - 1, next), await newer.CheckAsync(Cancellation));
        Assert.Equal(new SchemaUpgrade(next - 1, next), await newer.UpgradeAsync(Cancellation));
        Assert.Equal(new SchemaState.Ahead(next, next - 1), await older.CheckAsync(Cancellation));
        await Assert.ThrowsAsync<MigrationMismatchException>(() => older.UpgradeAsync(Cancellation));
    }

    [Fact]
    public async Task Upgrade_FailsHalfWay_LeavesNothing()
    {
        await using var database = await OpenEmptyAsync();
        var known = Migration.ReadAll(database.Engine);
        var broken = known.Add(
            new Migration(known[^1].Version + 1, "broken", ["CREATE TABLE half (id text); NONSENSE"]));
        await Assert.ThrowsAsync<StatementFailedException>(
            () => new Migrator(database, TimeProvider.System, broken).UpgradeAsync(Cancellation));
        Assert.IsType<SchemaState.Empty>(
            await new Migrator(database, TimeProvider.System).CheckAsync(Cancellation));
    }

    private async Task<Database> OpenEmptyAsync() => Database.Open(await Fixture.NewEmptyAsync());
}

public sealed class SqliteMigratorTests(SqliteTestDatabase fixture)
    : MigratorContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresMigratorTests(PostgresTestDatabase fixture)
    : MigratorContract(fixture), IClassFixture<PostgresTestDatabase>;
