using CalSync.Storage;
using CalSync.Storage.Journal;
using CalSync.Sync.Journal;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>The journal: commit order, nothing missed by a reader, append-only, tampering found.</summary>
public abstract class JournalContract(TestDatabase fixture) : StoreContract(fixture)
{
    /// <summary>
    /// A reader that remembers the last number misses nothing while writers of two processes interleave.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-CAL-19-P")]
    public async Task Read_WhileTwoProcessesAppend_SeesEveryEntryInOrder()
    {
        const int WriterCount = 8;
        const int PerWriter = 20;
        var tenant = await NewTenantAsync();
        await using var other = Database.Open(Fixture.Options);
        var reader = new JournalReader(Database);
        var start = await reader.LastSeqAsync(Cancellation);
        var writers = Enumerable.Range(0, WriterCount).Select(async writer =>
        {
            var database = writer % 2 == 0 ? Database : other;
            for (var i = 0; i < PerWriter; i++)
            {
                await database.WriteAsync(
                    async session =>
                    {
                        session.Journal(Entry(tenant, $"cls_{writer}_{i}"));
                        await session.ScalarAsync<long>("SELECT count(*) FROM tenants");
                        session.Journal(Entry(tenant, $"cls_{writer}_{i}", "class.changed"));
                    },
                    Cancellation);
            }
        }).ToArray();
        var seen = new List<JournalRecord>();
        while (seen.Count < WriterCount * PerWriter * 2)
        {
            var finished = writers.All(writer => writer.IsCompleted);
            var after = seen.Count == 0 ? start : seen[^1].Seq;
            var page = await reader.ReadAsync(new JournalQuery { After = after, CountMax = 7 }, Cancellation);
            seen.AddRange(page);
            if (finished && page.IsEmpty)
                break;
            await Task.Yield();
        }

        await Task.WhenAll(writers);
        Assert.Equal(
            Enumerable.Range(1, WriterCount * PerWriter * 2).Select(step => start + step),
            seen.Select(record => record.Seq));
        Assert.IsType<ChainCheck.Intact>(await reader.VerifyChainAsync(Cancellation));
    }

    [Fact]
    [Trait("Requirement", "R-CAL-11-P")]
    public async Task Read_ByEachCondition_ReturnsWhatWasWritten()
    {
        var tenant = await NewTenantAsync();
        var entry = new JournalEntry(
            Start.AddTicks(12_345_670), tenant, "usr_9", "request", "cor_" + tenant, "slot.moved", "slot",
            "slt_" + tenant, "cls_" + tenant, "{\"a\":\"é \\\" \\n\"}", null);
        await Database.WriteAsync(
            session =>
            {
                session.Journal(Entry(tenant, "cls_other"));
                session.Journal(entry);
                return Task.CompletedTask;
            },
            Cancellation);
        JournalQuery[] queries =
        [
            new() { SubjectId = "slt_" + tenant },
            new() { ClassId = "cls_" + tenant },
            new() { CorrelationId = "cor_" + tenant },
            new() { TenantId = tenant, SubjectId = "slt_" + tenant },
        ];
        foreach (var query in queries)
        {
            var record = Assert.Single(await new JournalReader(Database).ReadAsync(query, Cancellation));
            Assert.Equal(entry, record.Entry);
        }
    }

    [Theory]
    [InlineData("UPDATE journal SET actor = 'somebody else'")]
    [InlineData("DELETE FROM journal")]
    [Trait("Requirement", "R-CAL-11-P")]
    public async Task Journal_EditedOrDeleted_IsRefused(string sql)
    {
        var tenant = await NewTenantAsync();
        await AppendAsync(Database, tenant, 1);
        var fault = await Assert.ThrowsAsync<ConstraintViolatedException>(
            () => Database.WriteAsync(session => session.ExecuteAsync(sql), Cancellation));
        Assert.Equal(ConstraintKind.Refused, fault.Kind);
        Assert.Contains("append-only", fault.Constraint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPDATE journal SET actor = 'nobody' WHERE seq = 2", 2)]
    [InlineData("UPDATE journal SET after = NULL WHERE seq = 3", 3)]
    [InlineData("DELETE FROM journal WHERE seq = 1", 1)]
    [InlineData("DELETE FROM journal WHERE seq = 3", 3)]
    [InlineData("DELETE FROM journal WHERE seq = 4", 4)]
    [Trait("Requirement", "R-CAL-11-P")]
    public async Task VerifyChain_AfterTampering_NamesTheFirstBrokenEntry(string sql, long seq)
    {
        await using var database = Database.Open(await Fixture.NewEmptyAsync());
        await new Migrator(database, TimeProvider.System).UpgradeAsync(Cancellation);
        var reader = new JournalReader(database);
        await AppendAsync(database, "ten_1", 4);
        var intact = Assert.IsType<ChainCheck.Intact>(await reader.VerifyChainAsync(Cancellation));
        Assert.Equal(4, intact.Count);
        await database.WriteAsync(
            async session =>
            {
                string[] disarm = session.Engine == Engine.Postgres
                    ? ["ALTER TABLE journal DISABLE TRIGGER ALL"]
                    : ["DROP TRIGGER journal_is_not_updated", "DROP TRIGGER journal_is_not_deleted"];
                foreach (var statement in disarm)
                    await session.ExecuteAsync(statement);
                await session.ExecuteAsync(sql);
            },
            Cancellation);
        var broken = Assert.IsType<ChainCheck.Broken>(await reader.VerifyChainAsync(Cancellation));
        Assert.Equal(seq, broken.Seq);
    }

    private static Task AppendAsync(Database database, string tenant, int count) => database.WriteAsync(
        session =>
        {
            for (var i = 0; i < count; i++)
                session.Journal(Entry(tenant, $"cls_{i}"));
            return Task.CompletedTask;
        },
        Cancellation);
}

public sealed class SqliteJournalTests(SqliteTestDatabase fixture)
    : JournalContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresJournalTests(PostgresTestDatabase fixture)
    : JournalContract(fixture), IClassFixture<PostgresTestDatabase>
{
    /// <summary>On SQLite the second writer waits for the first; here both are open at once.</summary>
    [Fact]
    public async Task Append_TwoOpenTransactions_AreNumberedInCommitOrder()
    {
        var tenant = await NewTenantAsync();
        await Database.WriteAsync(
            async first =>
            {
                first.Journal(Entry(tenant, "cls_slow"));
                await first.ExecuteAsync("UPDATE tenants SET name = 'x' WHERE id = @tenant", new { tenant });
                await Database.WriteAsync(
                    second =>
                    {
                        second.Journal(Entry(tenant, "cls_quick"));
                        return Task.CompletedTask;
                    },
                    Cancellation);
            },
            Cancellation);
        var entries = await new JournalReader(Database).ReadAsync(
            new JournalQuery { TenantId = tenant }, Cancellation);
        Assert.Equal(["cls_quick", "cls_slow"], entries.Select(record => record.Entry.SubjectId));
    }
}
