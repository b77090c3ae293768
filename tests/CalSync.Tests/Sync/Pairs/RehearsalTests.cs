using CalSync.Calendar.Comparison;
using CalSync.Lab.Simulation;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.Planning;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>
/// Goal: a dry run of one's own calendars tells each write of the real run, with its reason, and writes
/// nothing. Method: two simulated calendars that are filled, linked in part, edited and emptied.
/// </summary>
public sealed class RehearsalTests
{
    [Fact]
    [Trait("Requirement", "R-SYNC-C-4")]
    public async Task DryRunOverTwoFilledCalendars_WritesNothingAndIsWhatTheRunThenDoes()
    {
        var world = new PairWorld(right: new SimulatedHabits { HasTokens = false });
        for (var index = 0; index < 12; index++)
        {
            PairWorld.Put(index % 3 == 0 ? world.Left : world.Right, $"e{index}", $"SUMMARY:title {index}|");
            PairWorld.Put(world.Left, $"both{index}", $"SUMMARY:both {index}|");
            PairWorld.Put(world.Right, $"both{index}", $"SUMMARY:both {index}|LOCATION:Hall|");
        }

        await AssertRehearsedAsync(world, created: 12, updated: 12, deleted: 0);
        PairWorld.Edit(world.Left, "e0", "title 0", "edited");
        PairWorld.Edit(world.Right, "both3", "both 3", "edited too");
        PairWorld.Delete(world.Right, "e1");
        PairWorld.Delete(world.Left, "e3");
        PairWorld.Put(world.Left, "new", "SUMMARY:new|");
        await AssertRehearsedAsync(world, created: 1, updated: 2, deleted: 2);
    }

    private static async Task AssertRehearsedAsync(PairWorld world, int created, int updated, int deleted)
    {
        var before = (Contents(world.Left), Contents(world.Right), world.WriteCount);
        var told = await world.RunAsync(new RunRequest { IsDryRun = true });
        Assert.Equal((RunOutcome.Planned, 0), (told.Outcome, told.Written));
        Assert.Equal(before, (Contents(world.Left), Contents(world.Right), world.WriteCount));
        int Told(StepKind kind) =>
            told.Plan!.Count(kind, MergeSide.Left) + told.Plan.Count(kind, MergeSide.Right);
        Assert.Equal(
            (created, updated, deleted),
            (Told(StepKind.Create), Told(StepKind.Update), Told(StepKind.Delete)));
        Assert.All(told.Plan!.Steps, step => Assert.NotEqual(SyncRule.Equal, step.Rule));

        // Exactly this plan can be applied: its id is a digest of all it would do.
        var done = await world.RunAsync(new RunRequest { PlanId = told.Plan.Id });
        Assert.Equal(
            (RunOutcome.Synced, created, updated, deleted),
            (done.Outcome, done.Created, done.Updated, done.Deleted));
        Assert.Equal(created + updated + deleted, world.WriteCount - before.WriteCount);
        Assert.Equal(RunOutcome.Equal, (await world.RunAsync()).Outcome);
    }

    private static string Contents(SimulatedCalendar side) => string.Join(
        '\n', side.Events.OrderBy(each => each.Key, StringComparer.Ordinal)
            .Select(each => $"{each.Key}\n{each.Value}"));
}
