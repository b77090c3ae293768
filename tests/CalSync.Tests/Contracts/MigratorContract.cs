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

    /// <summary>A database with connections in use survives that their table is made anew: every row is
    /// there, and what refers to them still must.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-C-1")]
    public async Task Upgrade_WithConnectionsInUse_KeepsRowsAndReferences()
    {
        await using var database = await OpenEmptyAsync();
        var all = Migration.ReadAll(database.Engine);
        await new Migrator(database, TimeProvider.System, all[..2]).UpgradeAsync(Cancellation);
        await database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO tenants (id, name, kind, created_at) VALUES ('ten_1', 'T', 'test', @Start);
                INSERT INTO users (id, tenant_id, name, email, calendar_email, role, time_zone, created_at)
                VALUES ('usr_1', 'ten_1', 'U', 'u@example.test', 'u@example.test', 'admin', 'UTC', @Start);
                INSERT INTO connections (id, tenant_id, tenant_kind, user_id, provider, account_email,
                    account_subject, scopes, state, created_at, updated_at)
                VALUES ('con_1', 'ten_1', 'test', 'usr_1', 'google-sandbox', 'a@example.test', 'a', '',
                        'healthy', @Start, @Start),
                    ('con_2', 'ten_1', 'test', 'usr_1', 'google-sandbox', 'b@example.test', 'b', '',
                        'needs_reauth', @Start, @Start);
                INSERT INTO calendars (id, connection_id, remote_id, summary, kind, time_zone, access_role,
                    state, selected, updated_at)
                VALUES ('cal_1', 'con_1', 'p', '', 'PRIMARY', 'UTC', 'owner', 'available', TRUE, @Start),
                    ('cal_2', 'con_1', 's', '', 'SECONDARY', 'UTC', 'owner', 'available', FALSE, @Start)
                """,
                new { Start }),
            Cancellation);
        await new Migrator(database, TimeProvider.System).UpgradeAsync(Cancellation);

        var rows = await database.ReadAsync(
            session => session.QueryAsync<string>(
                "SELECT id || ' ' || state || ' ' || account_email FROM connections ORDER BY id"),
            Cancellation);
        Assert.Equal(["con_1 healthy a@example.test", "con_2 needs_reauth b@example.test"], rows);
        var fault = await Assert.ThrowsAsync<ConstraintViolatedException>(() => database.WriteAsync(
            session => session.ExecuteAsync("DELETE FROM connections WHERE id = 'con_1'"), Cancellation));
        Assert.Equal(ConstraintKind.ForeignKey, fault.Kind);
        fault = await Assert.ThrowsAsync<ConstraintViolatedException>(() => database.WriteAsync(
            session => session.ExecuteAsync("UPDATE calendars SET connection_id = 'con_9'"), Cancellation));
        Assert.Equal(ConstraintKind.ForeignKey, fault.Kind);
    }

    /// <summary>A ledger in use survives that its table is made anew: its events are there, one of a UID in a
    /// pair, and what they name must be.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-C-1")]
    [Trait("Requirement", "R-SYNC-S-3")]
    public async Task Upgrade_WithEventsInALedger_KeepsThemAndOneOfEachUid()
    {
        await using var database = await OpenEmptyAsync();
        var all = Migration.ReadAll(database.Engine);
        await new Migrator(database, TimeProvider.System, all[..14]).UpgradeAsync(Cancellation);
        await database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO calendar_mappings (id, tenant_id, name, google_calendar, icloud_calendar, policy,
                    created_at, updated_at)
                VALUES ('pair_1', 'ten_1', 'p', 'cal_1', 'cal_2', 'Newest', @Start, @Start);
                INSERT INTO event_contents (hash, octets) VALUES ('a', @Octets);
                INSERT INTO event_mappings (id, calendar_mapping_id, event_uid, google_etag, google_sequence,
                    sync_status, base_hash, created_at, updated_at)
                VALUES ('map_1', 'pair_1', 'one', '"1"', 3, 'active', 'a', @Start, @Start),
                    ('map_2', 'pair_1', 'two', NULL, 0, 'deleted', NULL, @Start, @Start)
                """,
                new { Start, Octets = new byte[] { 1 } }),
            Cancellation);
        await new Migrator(database, TimeProvider.System).UpgradeAsync(Cancellation);

        Assert.Equal(
            ["map_1 one \"1\" 3 active a", "map_2 two  0 deleted "],
            await database.ReadAsync(
                session => session.QueryAsync<string>(
                    """
                    SELECT id || ' ' || event_uid || ' ' || COALESCE(google_etag, '') || ' '
                        || google_sequence || ' ' || sync_status || ' ' || COALESCE(base_hash, '')
                    FROM event_mappings ORDER BY id
                    """),
                Cancellation));
        async Task<ConstraintKind> RefusedAsync(string sql) =>
            (await Assert.ThrowsAsync<ConstraintViolatedException>(() => database.WriteAsync(
                session => session.ExecuteAsync(sql), Cancellation))).Kind;
        Assert.Equal(
            ConstraintKind.Unique,
            await RefusedAsync("UPDATE event_mappings SET event_uid = 'one' WHERE id = 'map_2'"));
        Assert.Equal(
            ConstraintKind.ForeignKey,
            await RefusedAsync("UPDATE event_mappings SET icloud_seen_hash = 'b' WHERE id = 'map_2'"));
    }

    private async Task<Database> OpenEmptyAsync() => Database.Open(await Fixture.NewEmptyAsync());
}

public sealed class SqliteMigratorTests(SqliteTestDatabase fixture)
    : MigratorContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresMigratorTests(PostgresTestDatabase fixture)
    : MigratorContract(fixture), IClassFixture<PostgresTestDatabase>;
