using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Lab.Simulation;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.Planning;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>
/// What other programs lose and this one keeps, one named case each. Method: two simulated calendars and
/// whole runs.
/// </summary>
public sealed class PairPromiseTests
{
    [Fact]
    [Trait("Requirement", "R-SYNC-6-A")]
    public async Task TitleHereAndTimeThere_BothStay()
    {
        var world = new PairWorld();
        await world.FillAsync(2);
        PairWorld.Edit(world.Left, "e0", "title 0", "new title");
        PairWorld.Edit(world.Right, "e0", "T090000Z", "T093000Z");
        var report = await world.RunAsync();
        Assert.Equal((2, 0), (report.Updated, report.Conflicts));
        foreach (var side in new[] { world.Left, world.Right })
        {
            Assert.Contains("SUMMARY:new title", PairWorld.Text(side, "e0"), StringComparison.Ordinal);
            Assert.Contains("DTSTART:20260302T093000Z", PairWorld.Text(side, "e0"), StringComparison.Ordinal);
        }

        Assert.Equal(RunOutcome.Equal, (await world.RunAsync()).Outcome);
    }

    [Theory]
    [InlineData(ConflictPolicy.Newest, "SEQUENCE:1|", "SEQUENCE:2|", "right", SyncRule.HigherSequence)]
    [InlineData(ConflictPolicy.Newest, "LAST-MODIFIED:20260105T000000Z|", "LAST-MODIFIED:20260104T000000Z|",
        "left", SyncRule.LaterModified)]
    [InlineData(ConflictPolicy.Newest, "", "", "left", SyncRule.LeftByDefault)]
    [InlineData(ConflictPolicy.Left, "", "SEQUENCE:2|", "left", SyncRule.Chosen)]
    [InlineData(ConflictPolicy.Right, "SEQUENCE:2|", "", "right", SyncRule.Chosen)]
    [Trait("Requirement", "R-SYNC-6-A")]
    public async Task OneFieldEditedOnBothSides_IsDecidedAndTheLoserKept(
        ConflictPolicy policy, string left, string right, string winner, SyncRule rule)
    {
        var world = new PairWorld(policy);
        await world.FillAsync(2);
        PairWorld.Put(world.Left, "e0", left + "SUMMARY:left|");
        PairWorld.Put(world.Right, "e0", right + "SUMMARY:right|");
        var plan = (await world.RunAsync(new RunRequest { IsDryRun = true })).Plan!;
        Assert.Equal(rule, plan.Steps[0].Rule);
        await world.RunAsync();
        Assert.Contains("SUMMARY:" + winner, PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
        Assert.Contains("SUMMARY:" + winner, PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        var conflict = Assert.Single(world.Store.Conflicts);
        Assert.Equal(("left", "right"), (conflict.Left, conflict.Right));
        Assert.Contains(
            world.Store.Contents, text => text.Contains("SUMMARY:left", StringComparison.Ordinal));
        Assert.Contains(
            world.Store.Contents, text => text.Contains("SUMMARY:right", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AskingPair_LeavesBothSidesUntilAPersonChooses()
    {
        var world = new PairWorld(ConflictPolicy.Ask);
        await world.FillAsync(2);
        PairWorld.Edit(world.Left, "e0", "title 0", "left");
        PairWorld.Edit(world.Right, "e0", "title 0", "right");
        var writes = world.WriteCount;
        Assert.Equal(1, (await world.RunAsync()).Waiting);
        Assert.Equal(RunOutcome.Equal, (await world.RunAsync()).Outcome);
        Assert.Equal(writes, world.WriteCount);
        await world.RunAsync(new RunRequest
        {
            IsRetry = true,
            Choices = new Dictionary<string, MergeSide> { ["e0"] = MergeSide.Right },
        });
        Assert.Contains("SUMMARY:right", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
        Assert.Empty(await world.Store.WaitingAsync(PairWorld.PairId, CancellationToken.None));
    }

    /// <summary>95 of 100 vanish; a guard that only fires at all of them stays silent.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-2-D")]
    public async Task NinetyFivePercentVanish_TheRunIsHeldUntilThisPlanIsApproved()
    {
        var world = new PairWorld();
        await world.FillAsync(100);
        for (var index = 0; index < 95; index++)
            PairWorld.Delete(world.Left, $"e{index}");
        var held = await world.RunAsync();
        Assert.Equal(RunOutcome.Held, held.Outcome);
        Assert.Contains(
            "delete 95 of 100 events on the right", held.Verdict!.Reasons[0], StringComparison.Ordinal);
        Assert.Equal($"calsync sync home --apply-plan {held.Plan!.Id}", held.Verdict.Approval);
        Assert.Equal(100, world.Right.Events.Count);

        // The base moves: what was approved is not what would be done.
        PairWorld.Edit(world.Right, "e3", "title 3", "edited");
        var moved = await world.RunAsync(new RunRequest { PlanId = held.Plan.Id });
        Assert.Equal(RunOutcome.PlanMoved, moved.Outcome);
        Assert.Equal(100, world.Right.Events.Count);
        var applied = await world.RunAsync(new RunRequest { PlanId = moved.Plan!.Id });
        Assert.Equal((94, 1), (applied.Deleted, applied.Created));
        Assert.True(PairWorld.Has(world.Left, "e3"));
        Assert.Equal(6, world.Right.Events.Count);
    }

    [Theory]
    [InlineData(SimulatedFault.ReadFails)]
    [InlineData(SimulatedFault.PartialRead)]
    [Trait("Requirement", "R-SYNC-2-B")]
    public async Task FailedOrPartialRead_DeletesAndCreatesNothing(SimulatedFault fault)
    {
        var world = new PairWorld(left: new SimulatedHabits { HasTokens = false });
        await world.FillAsync(20);
        var writes = world.WriteCount;
        PairWorld.Put(world.Right, "new", "SUMMARY:new|");
        PairWorld.Edit(world.Left, "e1", "title 1", "changed");
        world.Left.OnCall = call => call == "changes" ? fault : SimulatedFault.None;
        var report = await world.RunAsync();
        Assert.Equal((RunOutcome.Failed, MergeSide.Left), (report.Outcome, report.FaultSide));
        Assert.Equal(20, world.Left.Events.Count);
        Assert.Equal(21, world.Right.Events.Count);
        Assert.InRange(world.WriteCount - writes, 0, 1);
        world.Left.OnCall = _ => SimulatedFault.None;
        await world.RunAsync();
        Assert.True(PairWorld.Has(world.Left, "new"));
        Assert.Contains("changed", PairWorld.Text(world.Right, "e1"), StringComparison.Ordinal);
    }

    /// <summary>A complete listing that misses events which a direct read still gives deletes none.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-1-D")]
    [Trait("Requirement", "R-SYNC-2-A")]
    public async Task DeadToken_ReadsEverythingAndDeletesOnlyWhatADirectReadSaysIsGone()
    {
        var world = new PairWorld();
        await world.FillAsync(20);
        PairWorld.Delete(world.Left, "e1");
        world.Left.KillTokens();
        var report = await world.RunAsync();
        Assert.Equal((1, 0, 0), (report.Deleted, report.Created, report.Updated));
        Assert.False(PairWorld.Has(world.Right, "e1"));
        Assert.Equal(DeletionProof.AbsentFromListing, report.Plan!.Steps[0].Proof);
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-4-A")]
    public async Task CrashAfterHalfOfAFirstSync_GoesOnWithoutACopy()
    {
        var world = new PairWorld();
        for (var index = 0; index < 300; index++)
            PairWorld.Put(world.Left, $"e{index}", $"SUMMARY:title {index}|");
        world.Right.OnWritten = _ =>
        {
            if (world.Right.WriteCount == 50)
                throw new SimulatedCrashException();
        };
        await Assert.ThrowsAsync<SimulatedCrashException>(() => world.RunAsync());
        Assert.InRange(world.Right.Events.Count, 50, 299);
        world.Right.OnWritten = _ => { };
        await world.RunAsync();
        Assert.Equal(300, world.Right.Events.Count);
        Assert.Equal(300, world.Right.WriteCount);
        Assert.Equal(RunOutcome.Equal, (await world.RunAsync()).Outcome);
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-4-B")]
    public async Task FirstRunOverTwoFilledCalendars_LinksAndCopiesNothing()
    {
        var world = new PairWorld();
        for (var index = 0; index < 10; index++)
        {
            PairWorld.Put(world.Left, $"l{index}", $"SUMMARY:Title, {index}|");
            PairWorld.Put(world.Right, $"r{index}", $"SUMMARY:title {index}!|");
            PairWorld.Put(world.Left, $"same{index}", $"SUMMARY:same {index}|");
            PairWorld.Put(world.Right, $"same{index}", $"SUMMARY:same {index}|");
        }

        var report = await world.RunAsync();
        Assert.Equal(0, report.Created);
        Assert.Equal((20, 20), (world.Left.Events.Count, world.Right.Events.Count));
        PairWorld.Edit(world.Left, "l3", "BEGIN:VEVENT\r\n", "BEGIN:VEVENT\r\nLOCATION:Room\r\n");
        await world.RunAsync();
        Assert.Contains("LOCATION:Room", PairWorld.Text(world.Right, "r3"), StringComparison.Ordinal);
        Assert.Contains("UID:r3", PairWorld.Text(world.Right, "r3"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TwoOnOneSideThatLookLikeOneOnTheOther_WaitForAPerson()
    {
        var world = new PairWorld();
        PairWorld.Put(world.Left, "l", "SUMMARY:Yoga|");
        PairWorld.Put(world.Right, "r1", "SUMMARY:Yoga|");
        PairWorld.Put(world.Right, "r2", "SUMMARY:Yoga|");
        PairWorld.Put(world.Left, "else", "SUMMARY:Else|");
        var report = await world.RunAsync();
        Assert.Equal((1, 3), (report.Created, report.Waiting));
        PairWorld.Edit(world.Left, "l", "SUMMARY:Yoga", "LOCATION:Hall\r\nSUMMARY:Yoga");
        Assert.Equal(0, (await world.RunAsync()).Created);
        PairWorld.Delete(world.Right, "r2");
        await world.RunAsync();
        Assert.Equal((2, 2), (world.Left.Events.Count, world.Right.Events.Count));
        Assert.Empty(await world.Store.WaitingAsync(PairWorld.PairId, CancellationToken.None));
    }

    [Fact]
    public async Task EditBeatsDelete()
    {
        var world = new PairWorld();
        await world.FillAsync(3);
        PairWorld.Delete(world.Left, "e0");
        PairWorld.Edit(world.Right, "e0", "title 0", "edited");
        var report = await world.RunAsync();
        Assert.Equal((1, 0), (report.Created, report.Deleted));
        Assert.Contains("edited", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-5-A")]
    [Trait("Requirement", "R-SYNC-5-C")]
    public async Task OneInstanceMovedHereAndAnotherCancelledThere_TheSeriesStaysOne()
    {
        var world = new PairWorld();
        PairWorld.Put(world.Left, "s", "RRULE:FREQ=DAILY;COUNT=5|SUMMARY:Yoga|");
        await world.RunAsync();
        PairWorld.Edit(world.Left, "s", "END:VCALENDAR",
            "BEGIN:VEVENT\r\nUID:s\r\nRECURRENCE-ID:20260303T090000Z\r\nDTSTART:20260303T120000Z\r\n"
            + "DTEND:20260303T130000Z\r\nSUMMARY:Yoga\r\nEND:VEVENT\r\nEND:VCALENDAR");
        PairWorld.Edit(world.Right, "s", "SUMMARY", "EXDATE:20260304T090000Z\r\nSUMMARY");
        var report = await world.RunAsync();
        Assert.Equal((2, 0), (report.Updated, report.Conflicts));
        Assert.Empty(CalendarDiff.Compare(
            CalendarDocument.Parse(PairWorld.Text(world.Left, "s")),
            CalendarDocument.Parse(PairWorld.Text(world.Right, "s"))));
        Assert.Contains("EXDATE", PairWorld.Text(world.Left, "s"), StringComparison.Ordinal);
        Assert.Contains("RECURRENCE-ID", PairWorld.Text(world.Right, "s"), StringComparison.Ordinal);
    }

    /// <summary>What a server cut short is not pushed back, and an edit beside it still crosses.</summary>
    [Fact]
    public async Task DamageByAServer_IsNotTakenForAnEdit()
    {
        var world = new PairWorld(right: new SimulatedHabits { IsDamaging = true, IsLossy = true });
        PairWorld.Put(world.Left, "d", "LOCATION:Hall\\, Delhi|CONTACT:Ann|SUMMARY:Yoga|");
        await world.RunAsync();
        Assert.Contains("LOCATION:Hall\r\n", PairWorld.Text(world.Right, "d"), StringComparison.Ordinal);
        PairWorld.Edit(world.Right, "d", "SUMMARY:Yoga", "SUMMARY:Yin");
        await world.RunAsync();
        var left = PairWorld.Text(world.Left, "d");
        Assert.Contains("LOCATION:Hall\\, Delhi", left, StringComparison.Ordinal);
        Assert.Contains("CONTACT:Ann", left, StringComparison.Ordinal);
        Assert.Contains("SUMMARY:Yin", left, StringComparison.Ordinal);
        var writes = world.WriteCount;
        for (var idle = 0; idle < 100; idle++)
            Assert.Equal(RunOutcome.Equal, (await world.RunAsync()).Outcome);
        Assert.Equal(writes, world.WriteCount);
    }

    [Fact]
    public async Task OneBadEvent_IsQuarantinedAndTheRestGoesOn()
    {
        var world = new PairWorld();
        await world.FillAsync(5);
        world.Left.Put("/google/bad.ics", CalendarDocument.Parse("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"));
        PairWorld.Edit(world.Left, "e1", "title 1", "changed");
        var report = await world.RunAsync();
        Assert.Equal((RunOutcome.Partly, 1, 1), (report.Outcome, report.Updated, report.Waiting));
        var waiting = Assert.Single(
            await world.Store.WaitingAsync(PairWorld.PairId, CancellationToken.None));
        Assert.Equal(
            (TroubleKind.Unreadable, "It holds no event."), (waiting.Trouble.Kind, waiting.Trouble.Why));
        Assert.Equal(RunOutcome.Equal, (await world.RunAsync()).Outcome);
        PairWorld.Put(world.Left, "bad", "SUMMARY:Good now|");
        await world.RunAsync();
        Assert.True(PairWorld.Has(world.Right, "bad"));
        Assert.Empty(await world.Store.WaitingAsync(PairWorld.PairId, CancellationToken.None));
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-1-A")]
    public async Task SecondRun_WritesNothingAndAsksEachSideOnce()
    {
        var world = new PairWorld();
        await world.FillAsync(50);
        await world.RunAsync();
        var (calls, writes) = (world.Left.CallCount + world.Right.CallCount, world.WriteCount);
        Assert.Equal(RunOutcome.Equal, (await world.RunAsync()).Outcome);
        Assert.Equal(calls + 2, world.Left.CallCount + world.Right.CallCount);
        Assert.Equal(writes, world.WriteCount);
    }

    [Fact]
    public async Task SomebodyWritesFirst_TheRunDecidesAgain()
    {
        var world = new PairWorld();
        await world.FillAsync(2);
        PairWorld.Edit(world.Left, "e0", "title 0", "new title");
        var isFirst = true;
        world.Right.OnCall = call =>
        {
            if (call == "update" && isFirst)
            {
                isFirst = false;
                PairWorld.Edit(world.Right, "e0", "T090000Z", "T093000Z");
            }

            return SimulatedFault.None;
        };
        var report = await world.RunAsync();
        Assert.Equal((RunOutcome.Synced, 2), (report.Outcome, report.Updated));
        Assert.Contains("T093000Z", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
        Assert.Contains("new title", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
    }

    /// <summary>A run that takes longer than its lease holds its pair as long as it lives.</summary>
    [Fact]
    public async Task RunLongerThanItsLease_HoldsThePairToItsEnd()
    {
        var world = new PairWorld();
        for (var index = 0; index < 300; index++)
            PairWorld.Put(world.Left, $"e{index}", $"SUMMARY:title {index}|");
        var rivals = new List<RunOutcome>();
        var reading = new SlowListing(world.Left, async () =>
        {
            for (var time = 0; time < 40; time++)
            {
                var renewals = world.Store.RenewalCount;
                world.Clock.Advance(TimeSpan.FromSeconds(31));
                for (var spin = 0; spin < 100_000 && world.Store.RenewalCount == renewals; spin++)
                    await Task.Yield();
                rivals.Add((await world.RivalAsync()).Outcome);
            }
        });
        world.Right.OnWritten = _ => world.Clock.Advance(TimeSpan.FromSeconds(1));
        var report = await world.Sync.RunAsync(
            PairWorld.PairId, reading, world.Right, new RunRequest(), CancellationToken.None);
        Assert.Equal((RunOutcome.Synced, 300), (report.Outcome, report.Created));
        Assert.Equal(40, rivals.Count);
        Assert.All(rivals, outcome => Assert.Equal(RunOutcome.Busy, outcome));
        Assert.Equal(RunOutcome.Equal, (await world.RunAsync()).Outcome);
    }

    /// <summary>A calendar whose listing takes its time.</summary>
    private sealed class SlowListing(IRemoteCalendar inner, Func<Task> waitAsync) : IRemoteCalendar
    {
        public RemoteTraits Traits => inner.Traits;

        public async Task<ChangeRead> ReadChangesAsync(
            SyncCursor? since, IReadOnlyDictionary<ResourceAddress, string> known,
            CancellationToken cancellation)
        {
            await waitAsync();
            return await inner.ReadChangesAsync(since, known, cancellation);
        }

        public Task<ResourceRead> ReadAsync(ResourceAddress address, CancellationToken cancellation) =>
            inner.ReadAsync(address, cancellation);

        public Task<ResourceRead> FindAsync(string uid, CancellationToken cancellation) =>
            inner.FindAsync(uid, cancellation);

        public Task<ResourceWrite> CreateAsync(ResourceDraft draft, CancellationToken cancellation) =>
            inner.CreateAsync(draft, cancellation);

        public Task<ResourceWrite> UpdateAsync(
            ResourceAddress address, string? version, ResourceDraft draft, CancellationToken cancellation) =>
            inner.UpdateAsync(address, version, draft, cancellation);

        public Task<ResourceDelete> DeleteAsync(
            ResourceAddress address, string? version, CancellationToken cancellation) =>
            inner.DeleteAsync(address, version, cancellation);
    }
}
