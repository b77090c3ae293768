using CalSync.Lab;
using CalSync.Lab.Simulation;
using CalSync.Storage.Pairs;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>
/// Goal: a run over many events keeps nobody from the database. Method: during every call to a calendar
/// somebody else writes to the database that lets only one write at a time; a transaction that the run held
/// over the call would keep them waiting for ever. What it costs others in time is in docs/benchmarks.md.
/// </summary>
public sealed class BatchTransactionTests(SqliteTestDatabase fixture)
    : StoreContract(fixture), IClassFixture<SqliteTestDatabase>
{
    private const int EventCount = 500;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    [Trait("Requirement", "R-BCAL-3")]
    public async Task Run_OverManyEvents_HoldsNoTransactionDuringACall()
    {
        var clock = new ManualTimeProvider(Start);
        var store = new PairStore(Database, Ids, new PairOptions());
        var tenant = await NewTenantAsync();
        var pair = new Pair(Ids.Next("pair"), tenant, "batch", "l", "r", ConflictPolicy.Newest);
        await store.AddAsync(pair, Start, Cancellation);
        var writes = 0;
        SimulatedFault Count(string call)
        {
            WriteMeanwhile(tenant);
            Interlocked.Increment(ref writes);
            return SimulatedFault.None;
        }

        SimulatedCalendar Side(string name) =>
            new(name, new SimulatedHabits { TellsVersions = true }) { OnCall = Count };
        var (left, right) = (Side("google"), Side("icloud"));
        for (var index = 0; index < EventCount; index++)
            left.Put($"/google/e{index}.ics", PairWorld.Event($"e{index}", $"SUMMARY:title {index}|"));
        var report = await new PairSync(store, new PairOptions(), clock, Ids)
            .RunAsync(pair.Id, left, right, new RunRequest(), Cancellation);
        Assert.Equal((RunOutcome.Synced, EventCount), (report.Outcome, report.Created));
        Assert.InRange(writes, EventCount, 3 * EventCount);
    }

    /// <summary>Written, and linked where both sides have them already.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Requirement", "R-BCAL-3")]
    public async Task Run_OverManyEvents_KeepsTransactionsSmall(bool isOnBothSides)
    {
        var store = new MemoryPairStore();
        var pair = new Pair("par_1", "ten_1", "batch", "l", "r", ConflictPolicy.Newest);
        await store.AddAsync(pair, Start, Cancellation);
        var (left, right) = (
            new SimulatedCalendar("google", new SimulatedHabits { ParallelWritesMax = 16 }),
            new SimulatedCalendar("icloud", new SimulatedHabits { ParallelWritesMax = 16 }));
        for (var index = 0; index < EventCount; index++)
        {
            var content = PairWorld.Event($"e{index}", $"SUMMARY:title {index}|");
            left.Put($"/google/e{index}.ics", content);
            if (isOnBothSides)
                right.Put($"/icloud/e{index}.ics", content);
        }

        var report = await new PairSync(store, new PairOptions(), new ManualTimeProvider(Start), Ids)
            .RunAsync(pair.Id, left, right, new RunRequest(), Cancellation);
        Assert.Equal(
            isOnBothSides ? (0, EventCount) : (EventCount, 0), (report.Created, report.Linked));
        Assert.Equal(store.PartCountMax, store.LargestCount);
        Assert.Equal(EventCount, store.Mappings.Count());
    }

    /// <summary>However many groups of events are under way.</summary>
    [Fact]
    [Trait("Requirement", "R-BCAL-3")]
    public async Task Run_OverManyEvents_MakesOneTransactionAtATime()
    {
        var (underWay, most) = (0, 0);
        var store = new MemoryPairStore
        {
            OnTransaction = async () =>
            {
                most = Math.Max(most, Interlocked.Increment(ref underWay));
                await Task.Delay(1);
                Interlocked.Decrement(ref underWay);
            },
        };
        var pair = new Pair("par_1", "ten_1", "batch", "l", "r", ConflictPolicy.Newest);
        await store.AddAsync(pair, Start, Cancellation);
        SimulatedCalendar Side(string name) => new(name, new SimulatedHabits { ParallelWritesMax = 16 });
        var (left, right) = (Side("google"), Side("icloud"));
        for (var index = 0; index < EventCount; index++)
            left.Put($"/google/e{index}.ics", PairWorld.Event($"e{index}", $"SUMMARY:title {index}|"));
        var report = await new PairSync(store, new PairOptions(), new ManualTimeProvider(Start), Ids)
            .RunAsync(pair.Id, left, right, new RunRequest(), Cancellation);
        Assert.Equal((EventCount, 1), (report.Created, most));
    }

    /// <summary>Large ones while nobody else writes, for they are cheaper.</summary>
    [Fact]
    [Trait("Requirement", "R-BCAL-3")]
    public async Task Ledger_WhileOthersWrite_MakesSmallTransactions()
    {
        var store = new PairStore(Database, Ids, new PairOptions());
        var tenant = await NewTenantAsync();
        var pair = new Pair(Ids.Next("pair"), tenant, "shared", "l", "r", ConflictPolicy.Newest);
        await store.AddAsync(pair, Start, Cancellation);
        var lease = (await store.AcquireAsync(
            pair.Id, "run_1", "cli", Start, Start.AddMinutes(2), false, Cancellation))!;
        async Task<int> AtAsync(int milliseconds)
        {
            Assert.True(await store.RenewAsync(lease, Start.AddMilliseconds(milliseconds), Cancellation));
            return store.PartCountMax;
        }

        Assert.Equal((16, 16, 256), (await AtAsync(0), await AtAsync(249), await AtAsync(250)));
        WriteMeanwhile(tenant);
        Assert.Equal((16, 16, 256), (await AtAsync(1000), await AtAsync(1249), await AtAsync(1250)));
    }

    // Blocks the call, as a call blocks whoever waits for it.
    private void WriteMeanwhile(string tenant) => Database.WriteAsync(
        session => session.ExecuteAsync(
            "UPDATE tenants SET name = name WHERE id = @tenant", new { tenant }),
        Cancellation).WaitAsync(Patience).GetAwaiter().GetResult();
}
