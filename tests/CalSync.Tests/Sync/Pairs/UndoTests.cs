using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Lab.Simulation;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.Planning;
using CalSync.Sync.Pairs.Verification;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>
/// What a run wrote can be taken back, whatever happened since. Method: two simulated calendars and whole
/// runs; after each undo the next ordinary run must find nothing to do.
/// </summary>
public sealed class UndoTests
{
    [Fact]
    [Trait("Requirement", "R-SYNC-6-A")]
    public async Task UndoOfAMerge_GivesEachSideWhatItHadAndStaysSo()
    {
        var world = await MergedAsync();
        var merge = await world.RunAsync();
        Assert.Equal(2, merge.Updated);
        var undone = await world.UndoAsync(merge.RunId);
        Assert.Equal((RunOutcome.Synced, 2), (undone.Outcome, undone.Updated));
        Assert.Contains("SUMMARY:new title", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
        Assert.Contains("T090000Z", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
        Assert.Contains("SUMMARY:title 0", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        Assert.Contains("T093000Z", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        await world.QuietAsync();

        // A later edit of the field that was taken back is an edit like any other.
        PairWorld.Edit(world.Left, "e0", "new title", "newest");
        await world.RunAsync();
        Assert.Contains("SUMMARY:newest", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        Assert.Contains("T093000Z", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        await world.QuietAsync();
    }

    [Fact]
    public async Task UndoOfAnUndo_IsAsIfNothingHadBeenTakenBack()
    {
        var world = await MergedAsync();
        var merge = await world.RunAsync();
        var (left, right) = (PairWorld.Text(world.Left, "e0"), PairWorld.Text(world.Right, "e0"));
        var undone = await world.UndoAsync(merge.RunId);
        Assert.Equal(2, (await world.UndoAsync(undone.RunId)).Updated);
        Assert.True(Same(left, PairWorld.Text(world.Left, "e0")));
        Assert.True(Same(right, PairWorld.Text(world.Right, "e0")));
        await world.QuietAsync();
    }

    [Fact]
    public async Task UndoTwice_DoesNothingTheSecondTime()
    {
        var world = await MergedAsync();
        var merge = await world.RunAsync();
        await world.UndoAsync(merge.RunId);
        var writes = world.WriteCount;
        var again = await world.UndoAsync(merge.RunId);
        Assert.Equal((RunOutcome.Equal, 0), (again.Outcome, again.Written));
        Assert.Empty(again.Untouched);
        Assert.Equal(writes, world.WriteCount);
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-3-C")]
    [Trait("Requirement", "R-SYNC-2-B")]
    public async Task UndoOfACreation_DeletesTheCopyWithProofAndKeepsTheOriginal()
    {
        var world = new PairWorld();
        await world.FillAsync(2);
        PairWorld.Put(world.Left, "new", "SUMMARY:new|");
        var created = await world.RunAsync();
        var undone = await world.UndoAsync(created.RunId);
        Assert.Equal((RunOutcome.Synced, 1), (undone.Outcome, undone.Deleted));
        Assert.Equal(DeletionProof.Undone, Assert.Single(undone.Plan!.Steps).Proof);
        Assert.Equal(MappingStatus.Orphaned, world.Mapping("new").Status);
        await world.QuietAsync();
        await world.QuietAsync(isFull: true);
        Assert.True(PairWorld.Has(world.Left, "new"));
        Assert.False(PairWorld.Has(world.Right, "new"));

        var apart = PairComparison.Of(
            Resources(world.Left), Resources(world.Right), [.. world.Store.Mappings], []);
        Assert.True(apart.IsEqual);
        Assert.Equal(DifferenceClass.KeptApart, Assert.Single(apart.Differences).Class);

        // An edit of the one that is left brings the other back; undoing the undo does so at once.
        Assert.Equal(1, (await world.UndoAsync(undone.RunId)).Created);
        Assert.Equal(MappingStatus.Active, world.Mapping("new").Status);
        await world.QuietAsync();
        Assert.True(PairWorld.Has(world.Right, "new"));
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-4-C")]
    public async Task UndoOfADeletion_MakesItAgainUnderTheSameUidWhereTheRunDeletedIt()
    {
        var world = new PairWorld();
        PairWorld.Put(world.Left, "here", "SUMMARY:Yoga|");
        PairWorld.Put(world.Right, "there", "SUMMARY:Yoga|LOCATION:Room|");
        await world.FillAsync(1);
        PairWorld.Delete(world.Left, "here");
        var deleted = await world.RunAsync();
        Assert.False(PairWorld.Has(world.Right, "there"));
        var undone = await world.UndoAsync(deleted.RunId);
        Assert.Equal((RunOutcome.Synced, 1), (undone.Outcome, undone.Created));
        Assert.Contains("LOCATION:Room", PairWorld.Text(world.Right, "there"), StringComparison.Ordinal);
        Assert.Contains("UID:there", PairWorld.Text(world.Right, "there"), StringComparison.Ordinal);
        Assert.False(PairWorld.Has(world.Left, "here"));
        await world.QuietAsync(isFull: true);
        PairWorld.Edit(world.Right, "there", "Room", "Hall");
        await world.RunAsync();
        Assert.Equal(2, world.Left.Events.Count);
    }

    /// <summary>The loser of a conflict comes back where it was edited.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-A")]
    public async Task UndoOfADecidedConflict_GivesTheLoserBack()
    {
        var world = new PairWorld(ConflictPolicy.Left);
        await world.FillAsync(2);
        PairWorld.Edit(world.Left, "e0", "title 0", "left");
        PairWorld.Edit(world.Right, "e0", "title 0", "right");
        var decided = await world.RunAsync();
        Assert.Equal(1, decided.Conflicts);
        Assert.Contains("SUMMARY:left", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        await world.UndoAsync(decided.RunId);
        Assert.Contains("SUMMARY:right", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        Assert.Contains("SUMMARY:left", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
        await world.QuietAsync();
    }

    /// <summary>A later edit of the same field is kept and named; one of another field is kept beside what
    /// is taken back, and is still carried over when no run had seen it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task UndoAfterLaterEdits_KeepsThemAndSaysSo(bool isSynced)
    {
        var world = new PairWorld();
        await world.FillAsync(3);
        PairWorld.Edit(world.Left, "e0", "title 0", "wrong");
        PairWorld.Edit(world.Left, "e1", "title 1", "wrong");
        var run = await world.RunAsync();
        PairWorld.Edit(world.Right, "e0", "wrong", "mine");
        PairWorld.Edit(world.Right, "e1", "BEGIN:VEVENT\r\n", "BEGIN:VEVENT\r\nLOCATION:Room\r\n");
        if (isSynced)
            await world.RunAsync();
        var undone = await world.UndoAsync(run.RunId);
        Assert.Equal((RunOutcome.Partly, 1), (undone.Outcome, undone.Updated));
        var left = Assert.Single(undone.Untouched);
        Assert.Equal(("e0", MergeSide.Right), (left.Uid, left.Side));
        Assert.Contains("SUMMARY was edited since", left.Why, StringComparison.Ordinal);
        Assert.Contains("SUMMARY:mine", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        Assert.Contains("SUMMARY:title 1", PairWorld.Text(world.Right, "e1"), StringComparison.Ordinal);
        Assert.Contains("LOCATION:Room", PairWorld.Text(world.Right, "e1"), StringComparison.Ordinal);
        await world.RunAsync();
        Assert.Contains("LOCATION:Room", PairWorld.Text(world.Left, "e1"), StringComparison.Ordinal);
        Assert.Contains("SUMMARY:wrong", PairWorld.Text(world.Left, "e1"), StringComparison.Ordinal);
        await world.QuietAsync();
    }

    [Fact]
    public async Task UndoOfACreationThatWasEditedOrDeletedSince_LeavesIt()
    {
        var world = new PairWorld();
        await world.FillAsync(2);
        PairWorld.Put(world.Left, "edited", "SUMMARY:edited|");
        PairWorld.Put(world.Left, "gone", "SUMMARY:gone|");
        var run = await world.RunAsync();
        PairWorld.Edit(world.Right, "edited", "SUMMARY:edited", "SUMMARY:mine");
        PairWorld.Delete(world.Right, "gone");
        var undone = await world.UndoAsync(run.RunId);
        Assert.Equal((RunOutcome.Partly, 0), (undone.Outcome, undone.Written));
        Assert.Contains("it stays", Assert.Single(undone.Untouched).Why, StringComparison.Ordinal);
        await world.RunAsync();
        Assert.Contains("SUMMARY:mine", PairWorld.Text(world.Left, "edited"), StringComparison.Ordinal);
        Assert.False(PairWorld.Has(world.Left, "gone"));
    }

    /// <summary>Somebody writes between our read and our write: the version tells, and it is decided
    /// again.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-B")]
    public async Task EditWhileItIsTakenBack_IsNotLost()
    {
        var world = new PairWorld();
        await world.FillAsync(2);
        PairWorld.Edit(world.Left, "e0", "title 0", "wrong");
        var run = await world.RunAsync();
        world.Right.OnCall = call =>
        {
            if (call == "update")
            {
                world.Right.OnCall = _ => SimulatedFault.None;
                PairWorld.Edit(world.Right, "e0", "BEGIN:VEVENT\r\n", "BEGIN:VEVENT\r\nLOCATION:Room\r\n");
            }

            return SimulatedFault.None;
        };
        await world.UndoAsync(run.RunId);
        Assert.Contains("SUMMARY:title 0", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        Assert.Contains("LOCATION:Room", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        await world.RunAsync();
        Assert.Contains("LOCATION:Room", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
        await world.QuietAsync();
    }

    /// <summary>What waits may hold edits no cursor will show again, so it is left to wait.</summary>
    [Fact]
    public async Task UndoOfARunWithAQuarantinedEvent_TakesBackTheOthers()
    {
        var world = new PairWorld(ConflictPolicy.Ask);
        await world.FillAsync(3);
        PairWorld.Edit(world.Left, "e0", "title 0", "wrong");
        PairWorld.Edit(world.Left, "e1", "title 1", "wrong");
        var run = await world.RunAsync();
        PairWorld.Edit(world.Left, "e0", "wrong", "left");
        PairWorld.Edit(world.Right, "e0", "wrong", "right");
        Assert.Equal(1, (await world.RunAsync()).Waiting);
        var undone = await world.UndoAsync(run.RunId);
        Assert.Equal((RunOutcome.Partly, 1), (undone.Outcome, undone.Updated));
        Assert.Equal("e0", Assert.Single(undone.Untouched).Uid);
        Assert.Contains("SUMMARY:right", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        await world.RunAsync(new RunRequest
        {
            IsRetry = true,
            Choices = new Dictionary<string, MergeSide> { ["e0"] = MergeSide.Right },
        });
        Assert.Contains("SUMMARY:right", PairWorld.Text(world.Left, "e0"), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-5-A")]
    public async Task UndoOfAMovedAndACancelledOccurrence_GivesTheSeriesBack()
    {
        var world = new PairWorld();
        PairWorld.Put(world.Left, "s", "RRULE:FREQ=DAILY;COUNT=8|SUMMARY:Series|");
        await world.FillAsync(1);
        var before = PairWorld.Text(world.Right, "s");
        PairWorld.Edit(
            world.Left, "s", "SUMMARY:Series\r\nEND:VEVENT\r\n",
            "EXDATE:20260304T090000Z\r\nSUMMARY:Series\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:s\r\n"
                + "RECURRENCE-ID:20260305T090000Z\r\nDTSTART:20260305T110000Z\r\n"
                + "DTEND:20260305T120000Z\r\nSUMMARY:Moved\r\nEND:VEVENT\r\n");
        var run = await world.RunAsync();
        Assert.Contains("SUMMARY:Moved", PairWorld.Text(world.Right, "s"), StringComparison.Ordinal);
        await world.UndoAsync(run.RunId);
        Assert.True(Same(before, PairWorld.Text(world.Right, "s")));
        Assert.Contains("SUMMARY:Moved", PairWorld.Text(world.Left, "s"), StringComparison.Ordinal);
        await world.QuietAsync();
    }

    [Fact]
    public async Task DryRunOfAnUndo_SaysAllAndWritesNothing()
    {
        var world = await MergedAsync();
        var merge = await world.RunAsync();
        var writes = world.WriteCount;
        var planned = await world.UndoAsync(merge.RunId, isDryRun: true);
        Assert.Equal((RunOutcome.Planned, 2), (planned.Outcome, planned.Plan!.Steps.Length));
        Assert.All(planned.Plan.Steps, step => Assert.Equal(SyncRule.Undone, step.Rule));
        Assert.Equal(writes, world.WriteCount);
        await world.QuietAsync();
    }

    /// <summary>Undoing a first copy would delete much: held, and approved like any other plan.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-2-D")]
    public async Task UndoOfManyCreations_IsHeldUntilThatPlanIsApproved()
    {
        var world = new PairWorld();
        for (var index = 0; index < 20; index++)
            PairWorld.Put(world.Left, $"e{index}", $"SUMMARY:title {index}|");
        var run = await world.RunAsync();
        var held = await world.UndoAsync(run.RunId);
        Assert.Equal((RunOutcome.Held, 20), (held.Outcome, world.Right.Events.Count));
        Assert.Contains(
            "the run that is undone created them", held.Verdict!.Reasons[0], StringComparison.Ordinal);
        Assert.Equal($"calsync undo {run.RunId} --apply-plan {held.Plan!.Id}", held.Verdict.Approval);
        var done = await world.UndoAsync(run.RunId, planId: held.Plan.Id);
        Assert.Equal((20, 0), (done.Deleted, world.Right.Events.Count));
        await world.QuietAsync(isFull: true);
        Assert.Equal(20, world.Left.Events.Count);
    }

    private static async Task<PairWorld> MergedAsync()
    {
        var world = new PairWorld();
        await world.FillAsync(2);
        PairWorld.Edit(world.Left, "e0", "title 0", "new title");
        PairWorld.Edit(world.Right, "e0", "T090000Z", "T093000Z");
        return world;
    }

    private static ImmutableArray<RemoteResource> Resources(SimulatedCalendar side) =>
    [
        .. side.Events.Select(each =>
            new RemoteResource(new ResourceAddress(each.Key), null, each.Value)),
    ];

    private static bool Same(string one, string other) =>
        ResourceContent.IsSame(CalendarDocument.Parse(one), CalendarDocument.Parse(other));
}
