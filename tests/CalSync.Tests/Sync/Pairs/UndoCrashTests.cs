using CalSync.Lab.Simulation;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.Planning;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>
/// Taking back survives a kill anywhere. Method: one run with everything in it is taken back again and again,
/// killed at each boundary in turn; the worker runs the pair before anybody asks again; in the end all must
/// be as if nobody had been killed.
/// </summary>
public sealed class UndoCrashTests
{
    private static readonly SimulatedHabits[] Habits =
    [
        new SimulatedHabits(), new SimulatedHabits { HasTokens = false },
        new SimulatedHabits { HasVersions = false, AnswersVersion = false },
    ];

    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [Trait("Requirement", "R-SYNC-3-C")]
    public async Task UndoKilledAtAnyBoundary_EndsAsIfItHadNotBeen(int habits, bool isRunBetween)
    {
        var (whole, run) = await LivedAsync(Habits[habits]);
        await whole.UndoAsync(run);
        await whole.QuietAsync();
        var expected = Told(whole);
        Assert.True(PairWorld.Has(whole.Left, "made"));
        Assert.False(PairWorld.Has(whole.Right, "made"));
        var boundary = 0;
        for (var isKilled = true; isKilled; boundary++)
        {
            var (world, killed) = await LivedAsync(Habits[habits]);
            isKilled = await KillAsync(world, boundary, () => world.UndoAsync(killed));
            if (isRunBetween)
                await world.RunAsync();
            var again = await world.UndoAsync(killed);
            Assert.Empty(again.Untouched);
            await world.QuietAsync();
            Assert.Equal((boundary, expected), (boundary, Told(world)));
            Assert.Equal(
                MappingStatus.Orphaned, world.Mapping("made").Status);
        }

        Assert.InRange(boundary, 20, 200);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task RestoreKilledAtAnyBoundary_EndsAsIfItHadNotBeen(int habits)
    {
        var (whole, _) = await LivedAsync(Habits[habits]);
        await whole.RestoreAsync(whole.Started);
        await whole.QuietAsync();
        var expected = Told(whole);
        var boundary = 0;
        for (var isKilled = true; isKilled; boundary++)
        {
            var (world, _) = await LivedAsync(Habits[habits]);
            isKilled = await KillAsync(world, boundary, () => world.RestoreAsync(world.Started));
            await world.RunAsync();
            await world.RestoreAsync(world.Started);
            await world.QuietAsync();
            Assert.Equal((boundary, expected), (boundary, Told(world)));
        }

        Assert.InRange(boundary, 20, 200);
    }

    /// <summary>A run was killed after the provider's write; the next one found it. It is the first one's
    /// all the same.</summary>
    [Fact]
    public async Task WriteOfAKilledRun_IsTakenBackUnderThatRun()
    {
        var world = new PairWorld();
        await world.FillAsync(2);
        PairWorld.Edit(world.Left, "e0", "title 0", "wrong");
        world.Right.OnWritten = _ => throw new SimulatedCrashException();
        await Assert.ThrowsAsync<SimulatedCrashException>(() => world.RunAsync());
        world.Right.OnWritten = _ => { };
        await world.RunAsync();
        var write = Assert.Single(world.Store.Writes, write => write.Rule == SyncRule.Edited);
        Assert.Equal("done", write.State);
        Assert.Equal(1, (await world.UndoAsync(write.RunId)).Updated);
        Assert.Contains("title 0", PairWorld.Text(world.Right, "e0"), StringComparison.Ordinal);
        await world.QuietAsync();
    }

    /// <summary>The deletion's answer is lost and it is done later: it is still nobody's deletion.</summary>
    [Theory]
    [InlineData(SimulatedFault.Late)]
    [InlineData(SimulatedFault.FailAfter)]
    [InlineData(SimulatedFault.TimesOut)]
    [Trait("Requirement", "R-SYNC-2-B")]
    public async Task LostAnswerToTheDeletionOfACopy_NeverDeletesTheOriginal(SimulatedFault fault)
    {
        var world = new PairWorld();
        await world.FillAsync(2);
        PairWorld.Put(world.Left, "made", "SUMMARY:made|");
        var run = await world.RunAsync();
        world.Right.OnCall = call => call == "delete" ? fault : SimulatedFault.None;
        await world.UndoAsync(run.RunId);
        world.Right.OnCall = _ => SimulatedFault.None;
        world.Right.Arrive();
        await world.RunAsync();
        await world.UndoAsync(run.RunId);
        await world.QuietAsync();
        Assert.True(PairWorld.Has(world.Left, "made"));
        Assert.False(PairWorld.Has(world.Right, "made"));
    }

    /// <summary>An event that has a UID of its own on one side was brought back there, and the run was
    /// killed: it is known by that UID, although the ledger has it nowhere.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-4-B")]
    public async Task EventBroughtBackUnderItsOwnUidByAKilledUndo_IsNotCopied()
    {
        var world = new PairWorld();
        PairWorld.Put(world.Left, "here", "SUMMARY:Yoga|");
        PairWorld.Put(world.Right, "there", "SUMMARY:Yoga|");
        await world.FillAsync(1);
        PairWorld.Delete(world.Left, "here");
        var run = await world.RunAsync();
        world.Right.OnWritten = _ => throw new SimulatedCrashException();
        await Assert.ThrowsAsync<SimulatedCrashException>(() => world.UndoAsync(run.RunId));
        world.Right.OnWritten = _ => { };
        await world.QuietAsync();
        Assert.True(PairWorld.Has(world.Right, "there"));
        Assert.Single(world.Left.Events);
        Assert.Equal(0, (await world.UndoAsync(run.RunId)).Written);
    }

    /// <summary>A provider that refuses is asked once; nothing waits for it, and nothing else is
    /// lost.</summary>
    [Fact]
    public async Task RefusedUndo_IsToldAndLeavesTheEventToTheSync()
    {
        var world = new PairWorld();
        await world.FillAsync(2);
        PairWorld.Edit(world.Left, "e0", "title 0", "wrong");
        var run = await world.RunAsync();
        world.Right.OnCall = call => call == "update" ? SimulatedFault.Refused : SimulatedFault.None;
        var undone = await world.UndoAsync(run.RunId);
        Assert.Equal((RunOutcome.Partly, 0), (undone.Outcome, undone.Written));
        Assert.Contains("refuses it", Assert.Single(undone.Untouched).Why, StringComparison.Ordinal);
        world.Right.OnCall = _ => SimulatedFault.None;
        Assert.Empty(await world.Store.WaitingAsync(PairWorld.PairId, CancellationToken.None));
        await world.QuietAsync();
        Assert.Equal(1, (await world.UndoAsync(run.RunId)).Updated);
    }

    /// <summary>A run in which events were made, changed on one side and on both, and deleted.</summary>
    private static async Task<(PairWorld World, string RunId)> LivedAsync(SimulatedHabits habits)
    {
        var world = new PairWorld(left: habits, right: habits);
        await world.FillAsync(4);
        world.Started = world.Clock.GetUtcNow();
        PairWorld.Put(world.Left, "made", "SUMMARY:made|");
        PairWorld.Delete(world.Left, "e0");
        PairWorld.Edit(world.Left, "e1", "title 1", "changed");
        PairWorld.Edit(world.Left, "e2", "title 2", "mine");
        PairWorld.Edit(world.Right, "e2", "T090000Z", "T093000Z");
        var run = await world.RunAsync();
        await world.RunAsync();
        return (world, run.RunId);
    }

    /// <summary>Runs something and kills it at one boundary; false when it ended before that.</summary>
    private static async Task<bool> KillAsync(PairWorld world, int boundary, Func<Task<RunReport>> run)
    {
        var (count, isDead) = (0, false);
        void Face()
        {
            isDead |= count++ == boundary;
            if (isDead)
                throw new SimulatedCrashException();
        }

        world.Store.OnStep = Face;
        foreach (var side in new[] { world.Left, world.Right })
        {
            side.OnWritten = _ => Face();
            side.OnCall = _ =>
            {
                Face();
                return SimulatedFault.None;
            };
        }

        try
        {
            await run();
        }
        catch (SimulatedCrashException)
        {
            // Killed.
        }

        world.Store.OnStep = () => { };
        foreach (var side in new[] { world.Left, world.Right })
        {
            side.OnWritten = _ => { };
            side.OnCall = _ => SimulatedFault.None;
        }

        return isDead;
    }

    /// <summary>What both sides say, without what servers add.</summary>
    private static string Told(PairWorld world) => string.Join(
        '\n', new[] { world.Left, world.Right }.SelectMany(side => side.Events
            .OrderBy(each => each.Key, StringComparer.Ordinal)
            .Select(each => $"{each.Key} {ResourceContent.Digest(each.Value)}")));
}
