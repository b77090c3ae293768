using CalSync.Lab.Simulation;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.Planning;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>
/// What a crash, a lost answer or a lying provider leaves behind, and what the next run makes of it. Method:
/// the shortest lives in which the simulation saw a promise broken, one named case each.
/// </summary>
public sealed class PairRecoveryTests
{
    /// <summary>
    /// Another event took the address of one that was deleted. Its copy was recorded, the deletion was not:
    /// the ledger has two events at one address.
    /// </summary>
    [Fact]
    public async Task AddressTakenByAnotherEvent_TheDeletionSurvivesACrash()
    {
        var world = new PairWorld();
        await world.FillAsync(3);
        world.Left.Put("/google/e1.ics", PairWorld.Event("other", "SUMMARY:Other|"));
        world.Right.OnCall = call => call == "delete" ? throw new SimulatedCrashException()
            : SimulatedFault.None;
        await Assert.ThrowsAsync<SimulatedCrashException>(() => world.RunAsync());
        Assert.True(PairWorld.Has(world.Right, "other"));
        world.Right.OnCall = _ => SimulatedFault.None;
        await world.RunAsync();
        Assert.False(PairWorld.Has(world.Right, "e1"));
        Assert.Equal((3, 3), (world.Left.Events.Count, world.Right.Events.Count));
    }

    /// <summary>A create whose answer was lost is tried again, not made an update of what lies
    /// there.</summary>
    [Fact]
    public async Task CreateThatTimesOut_LeavesAnotherEventAtTheOldAddressAlone()
    {
        var world = new PairWorld();
        await world.FillAsync(3);
        world.Left.Put("/google/e1.ics", PairWorld.Event("other", "SUMMARY:Other|"));
        PairWorld.Edit(world.Right, "e1", "title 1", "edited");
        FailOnce(world.Left, "create", SimulatedFault.TimesOut);
        await world.RunAsync();
        await world.RunAsync();
        Assert.Equal(
            ["Other", "edited", "title 0", "title 2"],
            world.Left.Events.Values.Select(ResourceContent.Title).Order(StringComparer.Ordinal));
        Assert.True(PairWorld.Has(world.Right, "other"));
    }

    /// <summary>An event was moved, and a listing that claims to be complete is empty.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-2-A")]
    public async Task MovedEventMissingFromAnEmptyListing_IsFoundByItsUidAndNotDeleted()
    {
        var world = new PairWorld(left: new SimulatedHabits { HasTokens = false });
        await world.FillAsync(1);
        world.Left.Move("/google/e0.ics", "/google/elsewhere.ics");
        FailOnce(world.Left, "changes", SimulatedFault.EmptyListing);
        await world.RunAsync();
        Assert.True(PairWorld.Has(world.Right, "e0"));
        await world.RunAsync(new RunRequest { IsFullRead = true });
        Assert.Equal((1, 1), (world.Left.Events.Count, world.Right.Events.Count));
        PairWorld.Edit(world.Right, "e0", "title 0", "edited");
        await world.RunAsync();
        Assert.Contains(
            "edited", world.Left.Events["/google/elsewhere.ics"].ToString(), StringComparison.Ordinal);
    }

    /// <summary>An empty listing that claims to be complete: the brake holds, and nothing is deleted even
    /// when a person lets it go on.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-2-D")]
    [Trait("Requirement", "R-SYNC-2-B")]
    public async Task EmptyListingThatClaimsToBeComplete_DeletesNothing()
    {
        var world = new PairWorld(left: new SimulatedHabits { HasTokens = false });
        await world.FillAsync(20);
        world.Left.OnCall = call => call == "changes" ? SimulatedFault.EmptyListing : SimulatedFault.None;
        // A change makes it list at all.
        PairWorld.Edit(world.Left, "e0", "title 0", "edited");
        Assert.Equal(RunOutcome.Held, (await world.RunAsync()).Outcome);
        var forced = await world.RunAsync(new RunRequest { Deletions = new DeletionLimit(null, 100) });
        Assert.Equal(0, forced.Deleted);
        Assert.Equal(20, world.Right.Events.Count);
        world.Left.OnCall = _ => SimulatedFault.None;
        await world.RunAsync();
        Assert.Contains("edited", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
    }

    /// <summary>Deleted here, and missing there from a listing alone: that is no proof that it is gone
    /// there.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-2-A")]
    public async Task DeletedHereAndUnlistedThere_IsNotTakenForDeletedOnBoth()
    {
        var world = new PairWorld(right: new SimulatedHabits { HasTokens = false });
        await world.FillAsync(2);
        PairWorld.Delete(world.Left, "e0");
        PairWorld.Edit(world.Right, "e1", "title 1", "edited");
        FailOnce(world.Right, "changes", SimulatedFault.EmptyListing);
        await world.RunAsync();
        await world.RunAsync();
        Assert.False(PairWorld.Has(world.Left, "e0"));
        Assert.False(PairWorld.Has(world.Right, "e0"));
        Assert.Contains("edited", PairWorld.Text(world.Left, "e1"), StringComparison.Ordinal);
    }

    /// <summary>Without versions only the content tells whether an event is still what was decided
    /// on.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-B")]
    public async Task DeletionWithoutAVersion_LooksAtWhatItWouldDelete()
    {
        var world = new PairWorld(right: new SimulatedHabits { HasVersions = false });
        await world.FillAsync(2);
        PairWorld.Delete(world.Left, "e0");
        world.Left.OnCall = call =>
        {
            // After both were read and before the deletion.
            if (call == "changes")
                world.Right.OnCall = EditFirst;
            return SimulatedFault.None;
        };
        SimulatedFault EditFirst(string call)
        {
            if (call == "read")
            {
                world.Right.OnCall = _ => SimulatedFault.None;
                PairWorld.Edit(world.Right, "e0", "title 0", "edited");
            }

            return SimulatedFault.None;
        }

        await world.RunAsync();
        world.Left.OnCall = _ => SimulatedFault.None;
        await world.RunAsync();
        Assert.Contains("edited", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
        Assert.Contains("edited", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
    }

    /// <summary>A cancelled instance says something new, however few words it has.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-5-C")]
    public async Task InstanceCancelledAfterALostAnswer_IsNotTakenForTheServersDamage()
    {
        var world = new PairWorld();
        PairWorld.Put(world.Left, "s", "RRULE:FREQ=DAILY;COUNT=9|SUMMARY:Yoga|");
        world.Right.OnWritten = _ => throw new SimulatedCrashException();
        await Assert.ThrowsAsync<SimulatedCrashException>(() => world.RunAsync());
        world.Right.OnWritten = _ => { };
        PairWorld.Edit(
            world.Right, "s", "END:VCALENDAR",
            "BEGIN:VEVENT\r\nUID:s\r\nRECURRENCE-ID:20260304T090000Z\r\nDTSTART:20260304T090000Z\r\n"
            + "DTEND:20260304T100000Z\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\nEND:VCALENDAR");
        await world.RunAsync();
        Assert.Contains("STATUS:CANCELLED", PairWorld.Text(world.Left, "s"), StringComparison.Ordinal);
    }

    /// <summary>
    /// The left got the right's edit; before the right got the left's, the right was edited again. What the
    /// left has from the right is no edit of the left, so there is no conflict.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-B")]
    public async Task EditedAgainBetweenTheTwoWritesOfOneDecision_TheLaterEditWins()
    {
        var world = new PairWorld(ConflictPolicy.Left);
        await world.FillAsync(2);
        PairWorld.Edit(world.Left, "e0", "T090000Z", "T093000Z");
        PairWorld.Edit(world.Right, "e0", "title 0", "first");
        world.Right.OnCall = call =>
        {
            if (call == "update" && PairWorld.Text(world.Right, "e0")
                .Contains("first", StringComparison.Ordinal))
            {
                PairWorld.Edit(world.Right, "e0", "first", "second");
            }

            return SimulatedFault.None;
        };
        var report = await world.RunAsync();
        Assert.Equal(0, report.Conflicts);
        foreach (var side in new[] { world.Left, world.Right })
        {
            Assert.Contains("SUMMARY:second", PairWorld.Text(side, "e0"), StringComparison.Ordinal);
            Assert.Contains("T093000Z", PairWorld.Text(side, "e0"), StringComparison.Ordinal);
        }

        Assert.Equal(RunOutcome.Equal, (await world.RunAsync()).Outcome);
    }

    /// <summary>Both writes of one decision arrived, neither was recorded, and one server cut its value
    /// short.</summary>
    [Fact]
    public async Task CrashAfterBothWrites_CarriesNoDamageOver()
    {
        var world = new PairWorld(left: new SimulatedHabits { IsDamaging = true });
        await world.FillAsync(2);
        PairWorld.Edit(world.Left, "e0", "SUMMARY:title 0", "DESCRIPTION:new\r\nSUMMARY:title 0");
        PairWorld.Edit(world.Right, "e0", "SUMMARY:title 0", "LOCATION:Hall\\, Delhi\r\nSUMMARY:title 0");
        world.Right.OnWritten = _ => throw new SimulatedCrashException();
        await Assert.ThrowsAsync<SimulatedCrashException>(() => world.RunAsync());
        Assert.Contains("LOCATION:Hall\r\n", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
        world.Right.OnWritten = _ => { };
        PairWorld.Edit(world.Left, "e0", "DESCRIPTION:new", "DESCRIPTION:newer");
        await world.RunAsync();
        var right = PairWorld.Text(world.Right, "e0");
        Assert.Contains("LOCATION:Hall\\, Delhi", right, StringComparison.Ordinal);
        Assert.Contains("DESCRIPTION:newer", right, StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Equal, (await world.RunAsync()).Outcome);
    }

    /// <summary>The cursors passed the move while the event waited.</summary>
    [Fact]
    public async Task MovedAndThenSetAside_IsNotTakenForACopyOfItself()
    {
        var world = new PairWorld();
        await world.FillAsync(2);
        world.Left.Move("/google/e0.ics", "/google/elsewhere.ics");
        PairWorld.Edit(world.Right, "e0", "title 0", "edited");
        FailOnce(world.Left, "update", SimulatedFault.Refused);
        Assert.Equal(1, (await world.RunAsync()).Waiting);
        world.Left.Put(
            "/google/elsewhere.ics", PairWorld.Event("e0", "LOCATION:Hall|SUMMARY:title 0|"));
        await world.RunAsync();
        Assert.Equal(2, world.Left.Events.Count);
        Assert.Contains(
            "edited", world.Left.Events["/google/elsewhere.ics"].ToString(), StringComparison.Ordinal);
        Assert.Contains("LOCATION:Hall", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        Assert.Empty(await world.Store.WaitingAsync(PairWorld.PairId, CancellationToken.None));
    }

    /// <summary>A write failed once; the next run reads that side anew and does not trust a read that is
    /// behind its own listing.</summary>
    [Fact]
    public async Task EventThatFailedOnce_IsNotReadApartFromTheListing()
    {
        var world = new PairWorld();
        await world.FillAsync(2);
        PairWorld.Edit(world.Right, "e0", "title 0", "first");
        await world.RunAsync();
        PairWorld.Edit(world.Right, "e0", "first", "second");
        FailOnce(world.Left, "update", SimulatedFault.FailBefore);
        Assert.Equal(1, (await world.RunAsync()).Deferred);
        FailOnce(world.Left, "read", SimulatedFault.StaleRead);
        await world.RunAsync();
        Assert.Contains("second", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
        Assert.Contains("second", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
    }

    /// <summary>A side in trouble ends the run: what was begun and never sent is not taken for
    /// sent.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-3-D")]
    public async Task RunThatStops_LeavesNoWriteOpenThatWasNeverSent()
    {
        var world = new PairWorld(options: new PairOptions { FailureStreakMax = 2 });
        await world.FillAsync(6);
        for (var index = 0; index < 6; index++)
            PairWorld.Edit(world.Left, $"e{index}", $"title {index}", $"new {index}");
        world.Right.OnCall = call => call == "update" ? SimulatedFault.FailBefore : SimulatedFault.None;
        var report = await world.RunAsync();
        Assert.Equal((RunOutcome.Failed, 6), (report.Outcome, report.Deferred));
        Assert.Empty(await world.Store.OpenWritesAsync(PairWorld.PairId, CancellationToken.None));
        world.Right.OnCall = _ => SimulatedFault.None;
        Assert.Equal(6, (await world.RunAsync()).Updated);
    }

    /// <summary>A server that fails on one event for ever holds up neither the others nor the
    /// cursors.</summary>
    [Theory]
    [InlineData(SimulatedFault.TimesOut, "The server answered 500")]
    [InlineData(SimulatedFault.None, "another program may be writing it")]
    [Trait("Requirement", "R-SYNC-6-B")]
    [Trait("Requirement", "R-SYNC-T-3")]
    public async Task EventThatFailsEachTimeItIsTried_WaitsApartWithTheReason(
        SimulatedFault fault, string reason)
    {
        var world = new PairWorld();
        await world.FillAsync(3);
        PairWorld.Edit(world.Left, "e0", "title 0", "new");
        var edits = 0;
        world.Right.OnCall = call =>
        {
            // Somebody is always faster.
            if (call == "update" && fault == SimulatedFault.None)
                PairWorld.Put(world.Right, "e0", $"LOCATION:{++edits}|SUMMARY:title 0|");
            return call == "update" ? fault : SimulatedFault.None;
        };
        for (var run = 1; run < 3; run++)
            Assert.Equal((run, 1), (run, (await world.RunAsync()).Deferred));
        PairWorld.Put(world.Left, "other", "SUMMARY:Other|");
        var report = await world.RunAsync();
        Assert.Equal((1, 0, 1), (report.Created, report.Deferred, report.Waiting));
        var waiting = Assert.Single(
            await world.Store.WaitingAsync(PairWorld.PairId, CancellationToken.None));
        Assert.Equal(TroubleKind.Failing, waiting.Trouble.Kind);
        Assert.Contains(reason, waiting.Trouble.Why, StringComparison.Ordinal);
        world.Right.OnCall = _ => SimulatedFault.None;
        await world.RunAsync();
        var calls = world.Left.CallCount + world.Right.CallCount;
        Assert.Equal(RunOutcome.Equal, (await world.RunAsync()).Outcome);
        Assert.Equal(calls + 2, world.Left.CallCount + world.Right.CallCount);
        await world.RunAsync(new RunRequest { IsRetry = true });
        Assert.Contains("SUMMARY:new", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        Assert.Empty(await world.Store.WaitingAsync(PairWorld.PairId, CancellationToken.None));
    }

    private static void FailOnce(SimulatedCalendar side, string call, SimulatedFault fault) =>
        side.OnCall = now =>
        {
            if (now != call)
                return SimulatedFault.None;
            side.OnCall = _ => SimulatedFault.None;
            return fault;
        };
}
