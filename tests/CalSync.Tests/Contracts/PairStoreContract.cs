using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Lab;
using CalSync.Lab.Simulation;
using CalSync.Storage;
using CalSync.Storage.Pairs;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.Planning;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>
/// What any ledger of pairs must do: give back what it was given, let one run hold a pair, and move cursors
/// with the ledger. Method: the store alone, then whole runs over simulated calendars.
/// </summary>
public abstract class PairStoreContract(TestDatabase fixture) : StoreContract(fixture)
{
    private static readonly DateTimeOffset Later = Start.AddMinutes(1);

    private PairStore Store => new(Database, Ids, new PairOptions());

    [Fact]
    [Trait("Requirement", "R-SYNC-3-A")]
    public async Task Record_OfAnEvent_IsLoadedWithEveryField()
    {
        var lease = await AcquireAsync(await NewPairAsync());
        var (left, right) = (Content("one", "X-A:1\r\n"), Content("one", "SEQUENCE:3\r\n"));
        var mapping = new EventMapping(
            Ids.Next("map"), "uid,1", MappingStatus.Active, Content("base"),
            new SidePlace(new ResourceAddress("abc"), "\"1\"", "uid,1", left),
            new SidePlace(new ResourceAddress("/c/1.ics"), null, "other", right));
        Assert.True(await Store.RecordAsync(lease, [Change(mapping)], Later, Cancellation));

        var loaded = Assert.Single(await Store.LoadAsync(lease.Pair.Id, [mapping.Id], Cancellation));
        Assert.Equal(mapping.Base!.ToString(), loaded.Base!.ToString());
        Assert.Equal(left.ToString(), loaded.Left!.Seen.ToString());
        Assert.Equal(mapping.Left! with { Seen = loaded.Left.Seen }, loaded.Left);
        Assert.Equal(mapping.Right! with { Seen = loaded.Right!.Seen }, loaded.Right);
        foreach (var filter in new LedgerFilter[]
        {
            new(["abc"], [], []), new([], ["/c/1.ics"], []), new([], [], ["other"]), new([], [], ["uid,1"]),
        })
        {
            Assert.Equal(
                mapping.Id,
                Assert.Single(await Store.EntriesAsync(lease.Pair.Id, filter, Cancellation)).Id);
        }

        Assert.Empty(await Store.EntriesAsync(lease.Pair.Id, new(["x"], ["abc"], ["x"]), Cancellation));
        Assert.Equal(1, await Store.CountAsync(lease.Pair.Id, Cancellation));
        Assert.Equal(3, await ScalarAsync<int>(
            "SELECT icloud_sequence FROM event_mappings WHERE id = @Id", new { mapping.Id }));
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-S-5")]
    public async Task Finish_WithATokenOfFourThousandLetters_KeepsAllOfThem()
    {
        var pair = await NewPairAsync();
        var token = new string('t', 4000);
        await FinishAsync(await AcquireAsync(pair), new SyncCursor(token, CursorKind.SyncToken));
        var lease = await AcquireAsync(pair);
        Assert.Equal(new SyncCursor(token, CursorKind.SyncToken), lease.Left);
        Assert.Equal(CursorKind.Tag, lease.Right!.Kind);
        Assert.False(lease.IsFirst);
    }

    [Fact]
    public async Task Acquire_ByAnotherRun_WaitsForTheEndOrTheLease()
    {
        var pair = await NewPairAsync();
        var first = await AcquireAsync(pair);
        Assert.Null(await Store.AcquireAsync(pair.Id, Ids.Next("run"), "worker", Later,
            Later.AddMinutes(2), false, Cancellation));
        var second = await Store.AcquireAsync(pair.Id, Ids.Next("run"), "worker", Start.AddMinutes(5),
            Start.AddMinutes(7), false, Cancellation);
        Assert.NotNull(second);

        // The first run was only slow: it may change nothing any more.
        var mapping = new EventMapping(
            Ids.Next("map"), "late", MappingStatus.Active, Content("late"), null, null);
        Assert.False(await Store.RecordAsync(first, [Change(mapping)], Later, Cancellation));
        Assert.False(await Store.FinishAsync(first, End(null, null), Later, Cancellation));
        Assert.Empty(await Store.EntriesAsync(pair.Id, null, Cancellation));
        await FinishAsync(second, null);
        await AcquireAsync(pair);
    }

    [Fact]
    public async Task Renew_OfALease_HoldsThePairForLongerUntilItIsLost()
    {
        var pair = await NewPairAsync();
        var lease = await AcquireAsync(pair);
        Task<PairLease?> TakeAsync(DateTimeOffset now) => Store.AcquireAsync(
            pair.Id, Ids.Next("run"), "worker", now, now.AddMinutes(2), false, Cancellation);
        Assert.True(await Store.RenewAsync(lease, Start.AddSeconds(110), Cancellation));
        Assert.Null(await TakeAsync(Start.AddSeconds(200)));
        Assert.NotNull(await TakeAsync(Start.AddSeconds(230)));
        Assert.False(await Store.RenewAsync(lease, Start.AddSeconds(231), Cancellation));
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-6-A")]
    public async Task Prune_OfConflictsAndPlans_ForgetsOnlyWhatIsOver()
    {
        var pair = await NewPairAsync();
        var lease = await AcquireAsync(pair);
        var conflict = new MergeConflict(
            new ComponentKey("VEVENT", "u", ""), "SUMMARY", null, null, "base", "left", "right",
            MergeSide.Left);
        foreach (var (uid, at) in new[] { ("old", Start), ("new", Later) })
        {
            var mapping = new EventMapping(
                Ids.Next("map"), uid, MappingStatus.Active, Content(uid), null, null);
            await Store.RecordAsync(
                lease, [Change(mapping) with { Conflicts = [conflict] }], at, Cancellation);
            await Store.SavePlanAsync(
                new SyncPlan(pair.Id, Start, [], 0, []) { Id = $"pln_{pair.Id}_{uid}" }, lease.RunId, at,
                Cancellation);
        }

        var directory = new PairDirectory(Database, Ids);
        Assert.InRange(await directory.PruneAsync(Start, Start, 100, Cancellation), 2, 100);
        Assert.Equal(0, await directory.PruneAsync(Start, Start, 100, Cancellation));
        foreach (var table in new[] { "event_conflicts", "sync_plans" })
        {
            Assert.Equal(1, await ScalarAsync<int>(
                $"SELECT count(*) FROM {table} WHERE calendar_mapping_id = @Id", pair));
        }
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-3-C")]
    public async Task BegunWrites_AreOpenUntilTheyAreRecordedOrVoid()
    {
        var pair = await NewPairAsync();
        var lease = await AcquireAsync(pair);
        var writes = Enumerable.Range(0, 3).Select(index => NewWrite($"u{index}")).ToArray();
        Assert.True(await Store.BeginAsync(lease, writes, Later, Cancellation));
        var open = await Store.OpenWritesAsync(pair.Id, Cancellation);
        Assert.Equal(["u0", "u1", "u2"], open.Select(write => write.Uid).Order());
        Assert.Equal("other", open[0].Other!.Uid);
        Assert.Equal(writes[0].Before!.ToString(), open[0].Held!.ToString());

        await Store.VoidAsync(lease, [writes[0].Id], Later, Cancellation);
        var mapping = new EventMapping(
            Ids.Next("map"), "u1", MappingStatus.Active, Content("u1"), null, null);
        var done = writes[1] with
        {
            After = Content("read back"),
            Lost = [new CarryLoss("X-A", "No place.")],
        };
        await Store.RecordAsync(
            lease, [Change(mapping) with { Done = [done] }], Later, Cancellation);
        Assert.Equal("u2", Assert.Single(await Store.OpenWritesAsync(pair.Id, Cancellation)).Uid);
        var kept = Assert.Single(await Store.EventWritesAsync(pair.Id, "u1", Cancellation));
        Assert.Equal(("done", "X-A", lease.RunId), (kept.State, kept.Lost[0].What, kept.RunId));

        // What waits may still have been done; everything else is known to be over.
        await Store.SetAsideAsync(lease, [NewWaiting("u2")], Later, Cancellation);
        await FinishAsync(lease, null);
        Assert.Single(await Store.OpenWritesAsync(pair.Id, Cancellation));
        Assert.Equal(
            "u2", Assert.Single(await Store.WaitingAsync(pair.Id, Cancellation)).Uid);
    }

    /// <summary>A paused pair can be taken back; one that is detached cannot.</summary>
    [Fact]
    public async Task Acquire_OfAPausedPair_IsForTakingBackOnly()
    {
        var pair = await NewPairAsync();
        var directory = new PairDirectory(Database, Ids);
        await directory.SetEnabledAsync((await directory.FindAsync(pair.Id, Cancellation))!, false, Start,
            Cancellation);
        Task<PairLease?> TakeAsync(bool evenPaused) => Store.AcquireAsync(
            pair.Id, Ids.Next("run"), "cli", Start, Later, evenPaused, Cancellation);
        Assert.Null(await TakeAsync(false));
        var lease = await TakeAsync(true);
        await Store.ReleaseAsync(lease!, Cancellation);
        Assert.True(await directory.DetachAsync(
            (await directory.FindAsync(pair.Id, Cancellation))!, Start, Cancellation));
        Assert.Null(await TakeAsync(true));
    }

    /// <summary>A deletion without proof is refused by the schema itself.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-2-B")]
    public async Task Begin_OfADeletionWithoutProof_IsRefused()
    {
        var lease = await AcquireAsync(await NewPairAsync());
        var write = NewWrite("u") with { Kind = StepKind.Delete, Sent = null };
        await Assert.ThrowsAsync<ConstraintViolatedException>(
            () => Store.BeginAsync(lease, [write], Later, Cancellation));
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-S-3")]
    public async Task Schema_HasTheNamedIndexes()
    {
        string[] wanted =
        [
            "idx_event_mappings_event_uid", "idx_event_mappings_google_ical_uid",
            "idx_event_mappings_icloud_uid", "idx_event_mappings_sync_status",
        ];
        var found = await Database.ReadAsync(
            session => session.QueryAsync<string>(Database.Engine == Engine.Postgres
                ? "SELECT indexname FROM pg_indexes WHERE tablename = 'event_mappings'"
                : "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'event_mappings'"),
            Cancellation);
        Assert.Subset(found.ToHashSet(), wanted.ToHashSet());
    }

    /// <summary>
    /// Whole runs over the database: first sync, an edit on each side, a deletion, and nothing to do.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-C")]
    [Trait("Requirement", "R-SYNC-1-B")]
    public async Task Runs_OverTheDatabase_ConvergeAndThenWriteNothing()
    {
        var pair = await NewPairAsync();
        var clock = new ManualTimeProvider(Start);
        var (left, right) = (
            new SimulatedCalendar("google", new SimulatedHabits()),
            new SimulatedCalendar("icloud", new SimulatedHabits { IsDamaging = true }));
        var sync = new PairSync(Store, new PairOptions(), clock, Ids);
        Task<RunReport> RunAsync() =>
            sync.RunAsync(pair.Id, left, right, new RunRequest { Actor = "test" }, Cancellation);
        for (var index = 0; index < 8; index++)
            left.Put($"/google/e{index}.ics", Content($"title {index}", "LOCATION:a\\, b\r\n", $"e{index}"));
        var first = await RunAsync();
        Assert.Equal((RunOutcome.Synced, 8), (first.Outcome, first.Created));
        Assert.Equal(RunOutcome.Equal, (await RunAsync()).Outcome);

        left.Put("/google/e1.ics", Content("new title", "LOCATION:a\\, b\r\n", "e1"));
        right.Put("/icloud/e1.ics", CalendarDocument.Parse(right.Events["/icloud/e1.ics"].ToString()
            .Replace("T100000Z", "T110000Z", StringComparison.Ordinal)));
        right.Put("/icloud/e2.ics", null);
        var second = await RunAsync();
        Assert.Equal((2, 1, 0), (second.Updated, second.Deleted, second.Conflicts));
        Assert.Contains("T110000Z", left.Events["/google/e1.ics"].ToString(), StringComparison.Ordinal);
        Assert.Contains(
            "LOCATION:a\\, b", left.Events["/google/e1.ics"].ToString(), StringComparison.Ordinal);
        Assert.Contains("new title", right.Events["/icloud/e1.ics"].ToString(), StringComparison.Ordinal);
        var writes = left.WriteCount + right.WriteCount;
        for (var idle = 0; idle < 5; idle++)
            Assert.Equal(RunOutcome.Equal, (await RunAsync()).Outcome);
        Assert.Equal(writes, left.WriteCount + right.WriteCount);

        Assert.Equal(
            (8, 1),
            (
                await ScalarAsync<int>(
                    "SELECT count(*) FROM event_mappings WHERE calendar_mapping_id = @Id", pair),
                await ScalarAsync<int>(
                    """
                    SELECT count(*) FROM event_mappings
                    WHERE calendar_mapping_id = @Id AND sync_status = 'deleted'
                    """,
                    pair)));
        Assert.Equal(1, await ScalarAsync<int>(
            """
            SELECT count(*) FROM calendar_mappings
            WHERE id = @Id AND google_sync_token IS NOT NULL AND icloud_sync_token IS NOT NULL
            """,
            pair));
        Assert.NotEmpty(await Store.RunWritesAsync(pair.Id, second.RunId, Cancellation));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(MergeSide.Left)]
    [InlineData(MergeSide.Right)]
    [Trait("Requirement", "R-SYNC-7-A")]
    public async Task Acquire_KnowsTheSideThatShowsOnlyBusy(MergeSide? side)
    {
        var pair = await NewPairAsync(side);
        Assert.Equal(side, (await AcquireAsync(pair)).Pair.Busy);
        var directory = new PairDirectory(Database, Ids);
        Assert.Equal(side, (await directory.FindAsync(pair.Name, Cancellation))!.ToPair().Busy);
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-2-D")]
    public async Task Acquire_KnowsWhetherTheCanaryMustBeSeen()
    {
        var pair = await NewPairAsync();
        var directory = new PairDirectory(Database, Ids);
        foreach (var canary in new[] { true, false })
        {
            var found = (await directory.FindAsync(pair.Name, Cancellation))!;
            await directory.SetCanaryAsync(found, canary, Start, Cancellation);
            Assert.Equal(canary, (await directory.FindAsync(pair.Name, Cancellation))!.ToPair().HasCanary);
            var lease = await AcquireAsync(pair);
            Assert.Equal(canary, lease.Pair.HasCanary);
            await Store.ReleaseAsync(lease, Cancellation);
        }
    }

    private protected async Task<Pair> NewPairAsync(MergeSide? busy = null)
    {
        var id = Ids.Next("par");
        var pair = new Pair(
            id, await NewTenantAsync(), id, "google:primary", "icloud:home", ConflictPolicy.Newest)
        {
            Busy = busy,
        };
        await Store.AddAsync(pair, Start, Cancellation);
        return pair;
    }

    private async Task<PairLease> AcquireAsync(Pair pair) => (await Store.AcquireAsync(
        pair.Id, Ids.Next("run"), "worker", Start, Start.AddMinutes(2), false, Cancellation))!;

    private async Task FinishAsync(PairLease lease, SyncCursor? left) => Assert.True(
        await Store.FinishAsync(
            lease, End(left, new SyncCursor("tag", CursorKind.Tag)), Start, Cancellation));

    private static RunEnd End(SyncCursor? left, SyncCursor? right) =>
        new("Equal", left, right, IsComplete: true, IsFullRead: true, 0, [], "{}");

    private protected WriteRecord NewWrite(string uid) => new(
        Ids.Next("wrt"), uid, "A title\0", StepKind.Update, MergeSide.Right, SyncRule.Edited, Start)
    {
        Before = Content("before"),
        Sent = Content("sent"),
        Base = Content("base"),
        Other = new SidePlace(new ResourceAddress("there"), "\"7\"", "other", Content("other")),
        Address = new ResourceAddress("/c/1.ics"),
    };

    private static WaitingItem NewWaiting(string uid) => new(
        "uid:" + uid, uid, new ResourceAddress("l"), null,
        new Trouble(TroubleKind.Refused, "It is refused.", "raw\0"), 1, Later, IsSettled: true);

    private protected static LedgerChange Change(EventMapping mapping) =>
        new(mapping, SyncRule.Edited, [], [], mapping.Left?.Seen, mapping.Right?.Seen);

    private protected Task<T> ScalarAsync<T>(string sql, object args) =>
        Database.ReadAsync(session => session.ScalarAsync<T>(sql, args), Cancellation);

    private protected static CalendarDocument Content(
        string title, string lines = "", string uid = "uid,1") =>
        CalendarDocument.Parse(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n" + $"UID:{uid}\r\n"
            + "DTSTART:20260302T090000Z\r\nDTEND:20260302T100000Z\r\n"
            + $"{lines}SUMMARY:{title}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
}

public sealed class SqlitePairStoreTests(SqliteTestDatabase fixture)
    : PairStoreContract(fixture), IClassFixture<SqliteTestDatabase>;
