using CalSync.Storage;
using CalSync.Storage.Pairs;
using CalSync.Sync.Pairs;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>The ledger of pairs on PostgreSQL, and what can only be seen there.</summary>
[Collection(PostgresFixture.Collection)]
public sealed class PostgresPairStoreTests(PostgresTestDatabase fixture)
    : PairStoreContract(fixture), IClassFixture<PostgresTestDatabase>
{
    /// <summary>The text of the queries is that of the monitoring guide, letter for letter.</summary>
    [Theory]
    [Trait("Requirement", "R-SYNC-S-1")]
    [Trait("Requirement", "R-SYNC-S-2")]
    [Trait("Requirement", "R-SYNC-S-4")]
    [InlineData("""
        SELECT 
          COUNT(*) as total_mappings,
          COUNT(google_sync_token) as google_tokens,
          COUNT(icloud_sync_token) as icloud_tokens
        FROM calendar_mappings 
        WHERE enabled = true;
        """)]
    [InlineData("""
        SELECT 
          COUNT(*) as total_mappings,
          COUNT(event_uid) as with_uid,
          COUNT(icloud_resource_url) as with_resource_url
        FROM event_mappings 
        WHERE sync_status = 'active';
        """)]
    [InlineData("""
        SELECT 
          sync_direction,
          COUNT(*) as deletion_count,
          AVG(CASE WHEN sync_token_used THEN 1 ELSE 0 END) as token_usage_rate
        FROM sync_operations 
        WHERE operation = 'delete' 
          AND created_at > NOW() - INTERVAL '24 hours'
        GROUP BY sync_direction;
        """)]
    public async Task MonitoringQueries_RunUnchanged(string sql)
    {
        await NewPairAsync();
        await Database.ReadAsync(session => session.QueryAsync<dynamic>(sql), Cancellation);
    }

    /// <summary>What is begun is on disk before anything is asked for; how it ended may follow, unless
    /// somebody else's commit would have to wait for it.</summary>
    [Fact]
    public async Task Keep_OnlyTheEndsOfWritesAndWhileNobodyElseWrites_LeavesTheDiskToLater()
    {
        await RunAsync(
            "CREATE TABLE commits (kind text, deferred boolean, at bigint GENERATED ALWAYS AS IDENTITY)",
            """
            CREATE FUNCTION note_commit() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO commits (kind, deferred)
                SELECT TG_TABLE_NAME, setting = 'off' AND source = 'session' FROM pg_settings
                WHERE name = 'synchronous_commit';
                RETURN NULL;
            END $$
            """,
            """
            CREATE TRIGGER note_begun AFTER INSERT ON sync_operations
            FOR EACH ROW EXECUTE FUNCTION note_commit()
            """,
            """
            CREATE TRIGGER note_ended AFTER INSERT OR UPDATE ON event_mappings
            FOR EACH ROW EXECUTE FUNCTION note_commit()
            """);
        try
        {
            var store = new PairStore(Database, Ids, new PairOptions());
            var pair = await NewPairAsync();
            var lease = (await store.AcquireAsync(
                pair.Id, Ids.Next("run"), "worker", Start, Start.AddMinutes(2), false, Cancellation))!;
            var now = Start.AddSeconds(1);
            async Task KeepAsync(params LedgerPart[] parts)
            {
                now = now.AddMilliseconds(20);
                Assert.True(await store.KeepAsync(lease, parts, now, Cancellation));
            }

            LedgerPart Ended(string uid) => store.Prepare(
                lease,
                Change(new EventMapping(
                    Ids.Next("map"), uid, MappingStatus.Active, Content("b"), null, null)),
                now);
            await store.RenewAsync(lease, now, Cancellation);
            await KeepAsync(store.Prepare(lease, NewWrite("1")));
            await KeepAsync(Ended("2"));
            await KeepAsync(Ended("3"), store.Prepare(lease, NewWrite("4")));
            await NewTenantAsync();
            await store.RenewAsync(lease, now, Cancellation);
            await KeepAsync(Ended("5"));
            var kept = await Database.ReadAsync(
                session => session.QueryAsync<string>(
                    "SELECT kind || ' ' || deferred::text FROM commits ORDER BY at"),
                Cancellation);
            Assert.Equal(
                [
                    "sync_operations false", "event_mappings true", "event_mappings false",
                    "sync_operations false", "event_mappings false",
                ],
                kept);
        }
        finally
        {
            await RunAsync("DROP FUNCTION note_commit() CASCADE", "DROP TABLE commits");
        }
    }

    private async Task RunAsync(params string[] statements)
    {
        foreach (var statement in statements)
            await Database.WriteAsync(session => session.ExecuteAsync(statement), Cancellation);
    }
}
