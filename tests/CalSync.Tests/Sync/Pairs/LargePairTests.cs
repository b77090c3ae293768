using CalSync.Lab;
using CalSync.Lab.Simulation;
using CalSync.Storage.Pairs;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>
/// Goal: a pair of ten thousand events costs what changed in it, not what it holds. Method: whole runs over
/// the real ledger between simulated calendars, whose calls are counted; no time is measured, which
/// docs/benchmarks.md does.
/// </summary>
[Trait("Category", "Slow")]
[Trait("Requirement", "R-BCAL-T-3")]
public sealed class LargePairTests(SqliteTestDatabase fixture)
    : StoreContract(fixture), IClassFixture<SqliteTestDatabase>
{
    private const int Count = 10_000;

    [Fact]
    [Trait("Requirement", "R-SYNC-T-2")]
    [Trait("Requirement", "R-SYNC-3-B")]
    public async Task TenThousandEvents_AreCopiedOnceAndThenCostWhatChanged()
    {
        var clock = new ManualTimeProvider(Start);
        var store = new PairStore(Database, Ids, new PairOptions());
        var pair = new Pair(
            Ids.Next("pair"), await NewTenantAsync(), "large", "l", "r", ConflictPolicy.Newest);
        await store.AddAsync(pair, Start, Cancellation);
        List<string> calls = [];
        SimulatedCalendar Side(string name) =>
            new(name, new SimulatedHabits { TellsVersions = true }) { OnCall = call => Noted(calls, call) };
        var (left, right) = (Side("google"), Side("icloud"));
        for (var index = 0; index < Count; index++)
            left.Put($"/google/e{index}.ics", PairWorld.Event($"e{index}", $"SUMMARY:title {index}|"));
        var sync = new PairSync(store, new PairOptions(), clock, Ids);
        Task<RunReport> RunAsync()
        {
            calls.Clear();
            clock.Advance(TimeSpan.FromMinutes(3));
            return sync.RunAsync(pair.Id, left, right, new RunRequest(), Cancellation);
        }

        var first = await RunAsync();
        Assert.Equal((RunOutcome.Synced, Count), (first.Outcome, first.Created));
        Assert.Equal(Count, calls.Count(call => call == "create"));
        // Once a side proved honest its versions are looked at, those of several events in one call, and some
        // contents.
        Assert.InRange(calls.Count(call => call is "read" or "versions"), Count / 16, Count);
        Assert.InRange(calls.Count(call => call == "read"), Count / 16, Count / 8);
        await RunAsync();
        Assert.Equal(RunOutcome.Equal, (await RunAsync()).Outcome);
        Assert.Equal(["changes", "changes"], calls);

        // One edit and one deletion: each is read by the token and written where it lies, nothing searched.
        left.Put("/google/e77.ics", PairWorld.Event("e77", "SUMMARY:new title|"));
        right.Put("/icloud/e78.ics", null);
        var changed = await RunAsync();
        Assert.Equal((1, 1, 0), (changed.Updated, changed.Deleted, changed.Created));
        Assert.Equal(["changes", "changes", "delete", "read", "update"], calls.Order());
        Assert.Contains("new title", right.Events["/icloud/e77.ics"].ToString(), StringComparison.Ordinal);
        Assert.False(left.Events.ContainsKey("/google/e78.ics"));

        // A dead token costs a listing and no write.
        await RunAsync();
        left.KillTokens();
        var full = await RunAsync();
        Assert.Equal((0, RunOutcome.Equal), (full.Written, full.Outcome));
        Assert.Equal(3, calls.Count);
    }

    private static SimulatedFault Noted(List<string> calls, string call)
    {
        lock (calls)
            calls.Add(call);
        return SimulatedFault.None;
    }
}
