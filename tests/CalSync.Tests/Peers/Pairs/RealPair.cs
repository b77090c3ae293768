using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Lab;
using CalSync.Lab.Peers;
using CalSync.Storage;
using CalSync.Storage.Pairs;
using CalSync.Sync;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.Planning;
using Xunit;

namespace CalSync.Tests.Peers.Pairs;

/// <summary>A pair of calendars on servers, synced over the real ledger.</summary>
internal sealed class RealPair
{
    private readonly ManualTimeProvider _clock;
    private readonly PairSync _sync;
    private readonly string _pairId;

    private RealPair(
        PairSide left, PairSide right, PairStore store, PairSync sync, ManualTimeProvider clock,
        string pairId) =>
        (Left, Right, Store, _sync, _clock, _pairId) = (left, right, store, sync, clock, pairId);

    public PairSide Left { get; }

    public PairSide Right { get; }

    public PairStore Store { get; }

    private static CancellationToken None => CancellationToken.None;

    public static async Task<RealPair> AddAsync(
        Database database, string tenantId, PairSide left, PairSide right)
    {
        var clock = new ManualTimeProvider(TimeProvider.System.GetUtcNow());
        var ids = new IdSource(clock, new Random());
        var options = new PairOptions();
        var store = new PairStore(database, ids, options);
        var pairId = ids.Next("par");
        await store.AddAsync(
            new Pair(pairId, tenantId, pairId, left.Name, right.Name, ConflictPolicy.Newest),
            clock.GetUtcNow(), None);
        return new(left, right, store, new PairSync(store, options, clock, ids), clock, pairId);
    }

    /// <summary>Runs once, when an earlier run that broke off holds the pair no more.</summary>
    /// <param name="amid">Stands before the calendar of a side; null for the calendars themselves.</param>
    public Task<RunReport> RunAsync(Func<PairSide, IRemoteCalendar>? amid = null)
    {
        amid ??= side => side.Calendar;
        _clock.Advance(TimeSpan.FromMinutes(3));
        return _sync.RunAsync(
            _pairId, amid(Left), amid(Right), new RunRequest { Actor = "test" }, None);
    }

    /// <summary>Runs until nothing is left to do; what waits for a person waits.</summary>
    public async Task SettleAsync()
    {
        RunReport report = null!;
        for (var turn = 0; turn < 6; turn++)
        {
            report = await RunAsync();
            Assert.True(report.Fault is null, report.Fault?.Message);
            if (report.Written == 0 && report.Deferred == 0)
                return;
        }

        Assert.Fail($"Still {report.Written} written and {report.Deferred} deferred: "
            + string.Join("; ", (await WaitingAsync()).Select(item =>
                $"{item.Uid} {item.Trouble.Kind} {item.Attempts}: {item.Trouble.Why}"))
            + (report.Plan is { } plan ? "\n" + PlanText.Write(plan) : ""));
    }

    public async Task<ImmutableArray<WaitingItem>> WaitingAsync() => await Store.WaitingAsync(_pairId, None);

    /// <summary>A run that finds nothing to do: no write, and at most two requests a side.</summary>
    public async Task AssertQuietAsync()
    {
        await Left.MarkAsync();
        await Right.MarkAsync();
        var report = await RunAsync();
        Assert.True(
            report is { Outcome: RunOutcome.Equal, Written: 0 },
            $"{Left.Name} and {Right.Name} are {report.Outcome}:\n"
            + (report.Plan is { } plan ? PlanText.Write(plan) : ""));
        foreach (var side in new[] { Left, Right })
        {
            var asked = await side.AskedAsync();
            Assert.Empty(await side.WritesAsync());
            Assert.True(asked.Length is 1 or 2, $"{side.Name} was asked {string.Join(", ", asked)}");
        }
    }

    /// <summary>
    /// Each event is on both sides once and says the same, but for what the ledger says a server does not
    /// hold; that is in the base. What waits is named.
    /// </summary>
    /// <returns>How many events are on both sides.</returns>
    public async Task<int> AssertSameAsync()
    {
        var (left, right) = (await Left.HoldsAsync(), await Right.HoldsAsync());
        var waiting = (await WaitingAsync()).SelectMany(item => new[] { item.Left, item.Right }).ToHashSet();
        var mappings = await MappingsAsync();
        List<string> wrong = [];
        foreach (var mapping in mappings.Where(one => one.Status == MappingStatus.Active))
        {
            // Two that are one to a person were linked, each under the UID it has.
            if (left.GetValueOrDefault(mapping.Left!.Uid) is not { Content: { } here }
                || right.GetValueOrDefault(mapping.Right!.Uid) is not { Content: { } there })
            {
                wrong.Add($"{mapping.Uid} is not on both sides");
                continue;
            }

            wrong.AddRange((await UnsaidAsync(mapping, here, there))
                .Select(change => $"{mapping.Uid}: {change}"));
        }

        var known = mappings.SelectMany(one => new[] { one.Left?.Uid, one.Right?.Uid }).ToHashSet();
        wrong.AddRange(left.Concat(right)
            .Where(one => !known.Contains(one.Key) && !waiting.Contains(one.Value.Address))
            .Select(one => $"{one.Key} is not known"));
        Assert.True(wrong.Count == 0, $"{Left.Name} and {Right.Name}:\n" + string.Join('\n', wrong));
        return mappings.Count(one => one.Status == MappingStatus.Active);
    }

    /// <summary>The ledger's events.</summary>
    public async Task<ImmutableArray<EventMapping>> MappingsAsync()
    {
        var entries = await Store.EntriesAsync(_pairId, null, None);
        return await Store.LoadAsync(_pairId, [.. entries.Select(one => one.Id)], None);
    }

    /// <summary>What was written of an event.</summary>
    public async Task<ImmutableArray<WriteRecord>> WritesAsync(string uid) =>
        await Store.EventWritesAsync(_pairId, uid, None);

    /// <summary>On two real servers another program finds both collections equal.</summary>
    public async Task AssertVdirsyncerFindsNothingAsync()
    {
        await using var left = new CountingGate(Left.Address!);
        await using var right = new CountingGate(Right.Address!);
        Assert.Empty(await Vdirsyncer.SyncAsync(
            left.Through(Left.Address!), right.Through(Right.Address!), None));
        Assert.DoesNotContain(left.Requests.Concat(right.Requests), asked => asked.StartsWith(
            "PUT", StringComparison.Ordinal) || asked.StartsWith("DELETE", StringComparison.Ordinal));
    }

    private async Task<IEnumerable<CalendarChange>> UnsaidAsync(
        EventMapping mapping, CalendarDocument here, CalendarDocument there)
    {
        var changes = PairContent.Differences(here, ResourceContent.WithUid(
            there, PairContent.Uid(here)));
        if (changes.IsEmpty)
        {
            Assert.Equal(PairContent.Moments(here), PairContent.Moments(there));
            return [];
        }

        // Whatever one side holds more is in the base.
        var writes = await WritesAsync(mapping.Uid);
        var written = writes.Select(write => write.Side).ToHashSet();
        if (written.Count == 1)
        {
            var source = written.Single() == MergeSide.Left ? there : here;
            var missing = PairContent.Differences(
                ResourceContent.WithUid(source, mapping.Uid), mapping.Base!);
            Assert.True(
                missing.IsEmpty, $"{mapping.Uid} has lost in the base: {string.Join("; ", missing)}");
        }

        var lost = writes.SelectMany(write => write.Lost).ToArray();
        return changes.Where(change => !lost.Any(loss => PairContent.Names(loss, change)));
    }
}
