using CalSync.Calendar.Comparison;
using CalSync.Lab.Simulation;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.Planning;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>
/// What a calendar held at a moment can be had back. Method: two simulated calendars and whole runs; after a
/// restore of both sides they are equal and the next run finds nothing to do.
/// </summary>
public sealed class RestoreTests
{
    [Fact]
    [Trait("Requirement", "R-SYNC-2-D")]
    public async Task RestoreOfACalendarAfterAMassDeletion_BringsEveryEventBackOnBothSides()
    {
        var world = new PairWorld();
        await world.FillAsync(30);
        var before = world.Clock.GetUtcNow();
        for (var index = 0; index < 25; index++)
            PairWorld.Delete(world.Left, $"e{index}");
        var held = await world.RunAsync();
        await world.RunAsync(new RunRequest { PlanId = held.Plan!.Id });
        Assert.Equal((5, 5), (world.Left.Events.Count, world.Right.Events.Count));
        PairWorld.Put(world.Right, "later", "SUMMARY:later|");
        await world.RunAsync();

        var asked = await world.RestoreAsync(before);
        Assert.Equal(RunOutcome.Held, asked.Outcome);
        var restored = await world.RestoreAsync(before, planId: asked.Plan!.Id);
        Assert.Equal((RunOutcome.Synced, 50), (restored.Outcome, restored.Created));
        Assert.Equal((31, 31), (world.Left.Events.Count, world.Right.Events.Count));
        Assert.Contains("UID:e7", PairWorld.Text(world.Right, "e7"), StringComparison.Ordinal);
        await world.QuietAsync(isFull: true);
        Assert.Equal(RunOutcome.Equal, (await world.RestoreAsync(before)).Outcome);
    }

    /// <summary>Held, so not carried over yet: only the side that lost them is written to.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-2-D")]
    public async Task RestoreWhileTheDeletionIsHeld_PutsThemBackWhereTheyAreMissing()
    {
        var world = new PairWorld();
        await world.FillAsync(30);
        var before = world.Clock.GetUtcNow();
        for (var index = 0; index < 25; index++)
            PairWorld.Delete(world.Left, $"e{index}");
        Assert.Equal(RunOutcome.Held, (await world.RunAsync()).Outcome);
        var asked = await world.RestoreAsync(before);
        var restored = await world.RestoreAsync(before, planId: asked.Plan!.Id);
        Assert.Equal((25, 0), (restored.Created, restored.Updated));
        await world.QuietAsync();
        Assert.Equal((30, 30), (world.Left.Events.Count, world.Right.Events.Count));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(MergeSide.Right)]
    public async Task RestoreOfAnEvent_BringsBackWhatItSaidThen(MergeSide? side)
    {
        var world = new PairWorld();
        await world.FillAsync(2);
        var before = world.Clock.GetUtcNow();
        PairWorld.Edit(world.Left, "e0", "title 0", "wrong");
        PairWorld.Edit(world.Left, "e1", "title 1", "right");
        await world.RunAsync();
        PairWorld.Edit(world.Left, "e0", "wrong", "worse");
        await world.RunAsync();
        var restored = await world.RestoreAsync(before, "e0", side);
        Assert.Equal((RunOutcome.Synced, side is null ? 2 : 1), (restored.Outcome, restored.Updated));
        Assert.All(restored.Plan!.Steps, step => Assert.Equal(SyncRule.Restored, step.Rule));
        Assert.Contains("title 0", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        Assert.Contains(
            side is null ? "title 0" : "worse", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
        Assert.Contains("SUMMARY:right", PairWorld.Text(world.Right, "e1"), StringComparison.Ordinal);
        await world.QuietAsync();
        Assert.Equal(RunOutcome.Equal, (await world.RestoreAsync(before, "e0", side)).Outcome);
        Assert.Equal(
            restored.Updated, (await world.UndoAsync(restored.RunId)).Updated);
        Assert.Contains("worse", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        await world.QuietAsync();
    }

    /// <summary>What both had agreed on comes back too: one edit after a restore is one edit.</summary>
    [Fact]
    public async Task EditAfterARestore_IsMergedAgainstWhatWasRestored()
    {
        var world = new PairWorld();
        await world.FillAsync(1);
        var before = world.Clock.GetUtcNow();
        PairWorld.Edit(world.Left, "e0", "title 0", "wrong");
        await world.RunAsync();
        await world.RestoreAsync(before, "e0");
        PairWorld.Edit(world.Right, "e0", "BEGIN:VEVENT\r\n", "BEGIN:VEVENT\r\nLOCATION:Room\r\n");
        Assert.Equal((1, 0), ((await world.RunAsync()).Updated, world.Store.Conflicts.Length));
        Assert.Contains("LOCATION:Room", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
        Assert.Contains("title 0", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
    }

    /// <summary>What both had agreed on comes back with an undo of a restore: one side deletes and the other
    /// edits, and what is made again is what was there last.</summary>
    [Fact]
    public async Task UndoOfARestore_GivesBackWhatBothHadAgreedOn()
    {
        var world = new PairWorld(right: new SimulatedHabits { IsDamaging = true });
        await world.FillAsync(1);
        var before = world.Clock.GetUtcNow();
        PairWorld.Edit(world.Left, "e0", "title 0", "newer");
        await world.RunAsync();
        var restored = await world.RestoreAsync(before);
        Assert.Equal(2, (await world.UndoAsync(restored.RunId)).Updated);
        PairWorld.Delete(world.Left, "e0");
        PairWorld.Edit(world.Right, "e0", "BEGIN:VEVENT\r\n", "BEGIN:VEVENT\r\nCOMMENT:mine\r\n");
        await world.RunAsync();
        Assert.Contains("SUMMARY:newer", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
        Assert.Contains("COMMENT:mine", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RestoreToBeforeAnEventWasThere_DeletesNothing()
    {
        var world = new PairWorld();
        await world.FillAsync(1);
        var before = world.Clock.GetUtcNow();
        PairWorld.Put(world.Left, "new", "SUMMARY:new|");
        await world.RunAsync();
        foreach (var uid in new[] { "new", null })
            Assert.Equal(0, (await world.RestoreAsync(before, uid)).Written);
        Assert.True(PairWorld.Has(world.Right, "new"));
        PairWorld.Delete(world.Left, "e0");
        await world.RunAsync();
        var deleted = world.Clock.GetUtcNow();
        PairWorld.Put(world.Left, "e0", "SUMMARY:again|");
        await world.RunAsync();
        Assert.Equal(0, (await world.RestoreAsync(deleted)).Written);
        Assert.True(PairWorld.Has(world.Right, "e0"));
    }

    /// <summary>A server that gives no versions and lists everything each time.</summary>
    [Fact]
    public async Task UndoAndRestoreWithoutVersionsAndTokens_DoTheSame()
    {
        var plain = new SimulatedHabits { HasTokens = false, HasVersions = false, AnswersVersion = false };
        var world = new PairWorld(left: plain, right: plain);
        await world.FillAsync(3);
        var before = world.Clock.GetUtcNow();
        PairWorld.Edit(world.Left, "e0", "title 0", "wrong");
        PairWorld.Delete(world.Left, "e1");
        var run = await world.RunAsync();
        PairWorld.Edit(world.Right, "e0", "BEGIN:VEVENT\r\n", "BEGIN:VEVENT\r\nLOCATION:Room\r\n");
        var undone = await world.UndoAsync(run.RunId);
        Assert.Equal((1, 1), (undone.Updated, undone.Created));
        Assert.Contains("SUMMARY:title 0", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        await world.RunAsync();
        Assert.Contains("LOCATION:Room", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
        await world.QuietAsync();
        await world.RestoreAsync(before);
        await world.QuietAsync();
        Assert.Contains("SUMMARY:title 0", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
        Assert.Equal((3, 3), (world.Left.Events.Count, world.Right.Events.Count));
    }

    [Fact]
    public async Task BrokenOffListing_TakesNothingBack()
    {
        var world = new PairWorld(left: new SimulatedHabits { HasTokens = false });
        await world.FillAsync(4);
        PairWorld.Edit(world.Right, "e0", "title 0", "wrong");
        var run = await world.RunAsync();
        PairWorld.Edit(world.Left, "e1", "title 1", "elsewhere");
        world.Left.OnCall = call => call == "changes" ? SimulatedFault.PartialRead : SimulatedFault.None;
        var undone = await world.UndoAsync(run.RunId);
        Assert.Equal((RunOutcome.Failed, 0), (undone.Outcome, undone.Written));
        Assert.Contains("wrong", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
    }
}
