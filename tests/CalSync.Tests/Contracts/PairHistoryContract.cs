using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Lab;
using CalSync.Lab.Simulation;
using CalSync.Storage.Pairs;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.History;
using CalSync.Sync.Pairs.Planning;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>
/// What any history of pairs must do: say what both sides held at any time, and who wrote it. Method: whole
/// runs over simulated calendars, and the store's answers.
/// </summary>
public abstract class PairHistoryContract(TestDatabase fixture) : StoreContract(fixture)
{
    private readonly ManualTimeProvider _clock = new(Start);
    private readonly SimulatedCalendar _left = new("google", new SimulatedHabits());
    private readonly SimulatedCalendar _right = new("icloud", new SimulatedHabits());
    private string _pairId = "";

    private PairStore Store => new(Database, Ids, new PairOptions());

    [Fact]
    [Trait("Requirement", "R-SYNC-6-A")]
    public async Task Versions_OfAnEvent_TellWhatEachRunFoundAndLeft()
    {
        await PairAsync();
        var first = await RunAsync();
        _left.Put("/google/e1.ics", Content("e1", "left"));
        _right.Put("/icloud/e1.ics", Content("e1", "right"));
        var second = await RunAsync();
        _left.Put("/google/e1.ics", null);
        var third = await RunAsync();
        await RunAsync();

        var versions = await Store.VersionsAsync(_pairId, "e1", Cancellation);
        Assert.Equal([first.RunId, second.RunId, third.RunId], versions.Select(each => each.RunId));
        Assert.All(versions, each => Assert.Equal("test", each.Actor));
        Assert.Equal(
            [SyncRule.CopiedNew, SyncRule.LeftByDefault, SyncRule.Deleted],
            versions.Select(each => each.Rule));
        Assert.Equal(["title e1", "left", null], versions.Select(each => Said(each.Left.Found)));
        Assert.Equal([null, "right", "left"], versions.Select(each => Said(each.Right.Found)));
        Assert.Equal(["title e1", "left", null], versions.Select(each => Said(each.Right.Held)));
        Assert.Equal(["e1", "e1", null], versions.Select(each => each.Left.Uid));
        Assert.Equal(
            [MappingStatus.Active, MappingStatus.Active, MappingStatus.Deleted],
            versions.Select(each => each.Status));
        Assert.Single(await Store.VersionsAsync(_pairId, "e2", Cancellation));
    }

    [Fact]
    public async Task State_AtATime_IsThatOfTheLastRunBefore()
    {
        await PairAsync();
        var before = _clock.GetUtcNow();
        await RunAsync();
        var synced = _clock.GetUtcNow();
        _left.Put("/google/e1.ics", Content("e1", "changed"));
        _left.Put("/google/e3.ics", Content("e3", "new"));
        await RunAsync();
        var changed = _clock.GetUtcNow();
        Assert.Empty(await Store.StateAsync(_pairId, null, before, Cancellation));
        Assert.Equal(
            ["title e1", "title e2"],
            (await Store.StateAsync(_pairId, null, synced, Cancellation))
                .Select(each => Said(each.Right.Held)));
        Assert.Equal(
            ["changed", "title e2", "new"],
            (await Store.StateAsync(_pairId, null, changed, Cancellation)).Select(each => Said(each.Base)));
        Assert.Equal(
            "title e2",
            Said(Assert.Single(await Store.StateAsync(_pairId, "e2", changed, Cancellation)).Left.Held));
    }

    /// <summary>A deletion that takes a copy away is looked for after a crash; an ordinary one is
    /// not.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-3-C")]
    public async Task OpenWrites_HaveDeletionsOfAnUndoAndWhatTheyTakeToFinish()
    {
        await PairAsync();
        await RunAsync();
        var lease = (await Store.AcquireAsync(
            _pairId, Ids.Next("run"), "test", _clock.GetUtcNow(), _clock.GetUtcNow().AddMinutes(2), false,
            Cancellation))!;
        WriteRecord Deletion(SyncRule rule) => new(
            Ids.Next("wrt"), "e1", "title", StepKind.Delete, MergeSide.Right, rule, Start)
        {
            UidThere = "there",
            Before = Content("e1", "before"),
            Base = Content("e1", "base"),
            Proof = DeletionProof.Undone,
        };
        var undone = Deletion(SyncRule.Undone);
        await Store.BeginAsync(lease, [undone, Deletion(SyncRule.Deleted)], Start, Cancellation);
        var open = Assert.Single(await Store.OpenWritesAsync(_pairId, Cancellation));
        Assert.Equal((undone.Id, SyncRule.Undone, true), (open.Id, open.Rule, open.IsTakeBack));
        Assert.Equal("before", Said(open.Held));
        Assert.Null(open.Sent);

        var entries = await Store.EntriesAsync(_pairId, null, Cancellation);
        var mapping = (await Store.LoadAsync(
            _pairId, [entries.First(each => each.Uid == "e1").Id], Cancellation))[0];
        await Store.RecordAsync(
            lease,
            [
                new LedgerChange(
                    mapping with { Right = null, Status = MappingStatus.Orphaned }, SyncRule.Equal, [], [],
                    mapping.Left!.Seen, mapping.Right!.Seen)
                {
                    Arrived = [new ArrivedWrite(open, null)],
                },
            ],
            Start, Cancellation);
        Assert.Empty(await Store.OpenWritesAsync(_pairId, Cancellation));
        var writes = (await Store.RunWritesAsync(_pairId, lease.RunId, Cancellation))
            .ToDictionary(each => each.Rule);
        Assert.Equal(
            ("done", "there", "void"),
            (
                writes[SyncRule.Undone].State, writes[SyncRule.Undone].UidThere,
                writes[SyncRule.Deleted].State));
    }

    /// <summary>What was in force when the time that is kept began stays; what was over before is
    /// forgotten.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-2-C")]
    public async Task Prune_OfTheHistory_KeepsWhatWasInForceSince()
    {
        await PairAsync();
        var first = await RunAsync();
        _left.Put("/google/e1.ics", Content("e1", "changed"));
        _left.Put("/google/e2.ics", null);
        await RunAsync();
        var cutoff = _clock.GetUtcNow();
        _left.Put("/google/e1.ics", Content("e1", "again"));
        var last = await RunAsync();
        var before = await Store.StateAsync(_pairId, null, cutoff, Cancellation);
        var directory = new PairDirectory(Database, Ids);
        Assert.InRange(await directory.PruneHistoryAsync(cutoff, 100, Cancellation), 6, 100);
        Assert.Equal(0, await directory.PruneHistoryAsync(cutoff, 100, Cancellation));
        var kept = await Store.VersionsAsync(_pairId, "e1", Cancellation);
        Assert.Equal(["changed", "again"], kept.Select(each => Said(each.Base)));
        Assert.Empty(await Store.VersionsAsync(_pairId, "e2", Cancellation));
        var after = await Store.StateAsync(_pairId, null, cutoff, Cancellation);
        Assert.Equal(
            before.Where(each => each.Status == MappingStatus.Active).Select(each => Said(each.Left.Held)),
            after.Select(each => Said(each.Left.Held)));
        Assert.Empty(await Store.RunWritesAsync(_pairId, first.RunId, Cancellation));
        Assert.Single(await Store.RunWritesAsync(_pairId, last.RunId, Cancellation));
        Assert.Equal(1, (await RunAsync(new TakeBack.Run(last.RunId))).Updated);
    }

    /// <summary>A run, its undo, a restore and an undo of that, over the database.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-2-D")]
    public async Task UndoAndRestore_OverTheDatabase_EndWhereTheyBegan()
    {
        await PairAsync();
        await RunAsync();
        var synced = _clock.GetUtcNow();
        _left.Put("/google/e1.ics", null);
        _left.Put("/google/e2.ics", Content("e2", "changed"));
        _left.Put("/google/e3.ics", Content("e3", "new"));
        var run = await RunAsync();
        Assert.Equal((1, 1, 1), (run.Created, run.Updated, run.Deleted));
        var undone = await RunAsync(new TakeBack.Run(run.RunId));
        Assert.Equal((1, 1, 1), (undone.Created, undone.Updated, undone.Deleted));
        Assert.Equal(["e1", "e2"], Uids(_right));
        Assert.Equal(["e2", "e3"], Uids(_left));
        Assert.Equal(RunOutcome.Equal, (await RunAsync()).Outcome);
        Assert.Equal(0, (await RunAsync(new TakeBack.Run(run.RunId))).Written);
        var restored = await RunAsync(new TakeBack.Since(synced, null, null));
        Assert.Equal((1, 1, 0), (restored.Created, restored.Updated, restored.Deleted));
        Assert.Equal(["e1", "e2", "e3"], Uids(_left));
        Assert.Equal(RunOutcome.Equal, (await RunAsync()).Outcome);
        Assert.Equal((0, 1, 1), Counts(await RunAsync(new TakeBack.Run(restored.RunId))));
        Assert.Equal((1, 1, 1), Counts(await RunAsync(new TakeBack.Run(undone.RunId))));
        Assert.Equal(["e2", "e3"], Uids(_right));
        Assert.Equal(["e2", "e3"], Uids(_left));
        Assert.Equal(RunOutcome.Equal, (await RunAsync()).Outcome);
    }

    private static (int Created, int Updated, int Deleted) Counts(RunReport run) =>
        (run.Created, run.Updated, run.Deleted);

    private async Task PairAsync()
    {
        _pairId = Ids.Next("par");
        await Store.AddAsync(
            new Pair(
                _pairId, await NewTenantAsync(), _pairId, "google:primary", "icloud:home",
                ConflictPolicy.Newest),
            Start, Cancellation);
        foreach (var uid in new[] { "e1", "e2" })
            _left.Put($"/google/{uid}.ics", Content(uid, $"title {uid}"));
    }

    private Task<RunReport> RunAsync(TakeBack? takeBack = null)
    {
        _clock.Advance(TimeSpan.FromMinutes(3));
        return new PairSync(Store, new PairOptions(), _clock, Ids).RunAsync(
            _pairId, _left, _right, new RunRequest { Actor = "test", TakeBack = takeBack }, Cancellation);
    }

    private static IEnumerable<string?> Uids(SimulatedCalendar side) => side.Events.Values
        .Select(each => ResourceContent.Uid(each, out _)).Order(StringComparer.Ordinal);

    private static string? Said(CalendarDocument? content) =>
        content is null ? null : ResourceContent.Title(content);

    private static CalendarDocument Content(string uid, string title) => CalendarDocument.Parse(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n" + $"UID:{uid}\r\n"
        + $"DTSTART:20260302T090000Z\r\nDTEND:20260302T100000Z\r\nSUMMARY:{title}\r\n"
        + "END:VEVENT\r\nEND:VCALENDAR\r\n");
}

public sealed class SqlitePairHistoryTests(SqliteTestDatabase fixture)
    : PairHistoryContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresPairHistoryTests(PostgresTestDatabase fixture)
    : PairHistoryContract(fixture), IClassFixture<PostgresTestDatabase>;
