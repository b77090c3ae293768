using CalSync.Calendar.Comparison;
using CalSync.Lab.Simulation;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.Planning;
using CalSync.Sync.Pairs.Verification;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>
/// A marker event must be seen on both sides before a deletion is carried over. Method: two simulated
/// calendars with few deletions, which the share alone would let pass.
/// </summary>
public sealed class CanaryTests
{
    [Theory]
    [InlineData(true, MergeSide.Left)]
    [InlineData(true, MergeSide.Right)]
    [InlineData(false, MergeSide.Left)]
    [InlineData(false, MergeSide.Right)]
    [Trait("Requirement", "R-SYNC-2-D")]
    public async Task ADeletion_WhereTheMarkerIsGoneToo_IsHeldUntilItIsBackOrThePlanApproved(
        bool hasTokens, MergeSide side)
    {
        var world = await WorldAsync(hasTokens);
        var calendar = side == MergeSide.Left ? world.Left : world.Right;
        PairWorld.Delete(calendar, Canary.Uid(PairWorld.PairId, side));
        PairWorld.Delete(world.Left, "e0");
        var held = await world.RunAsync();
        Assert.Equal(RunOutcome.Held, held.Outcome);
        var reason = Assert.Single(held.Verdict!.Reasons);
        Assert.Contains($"on the {side.Word()} is ", reason, StringComparison.Ordinal);
        Assert.EndsWith("calsync pairs canary home on", reason, StringComparison.Ordinal);
        Assert.True(PairWorld.Has(world.Right, "e0"));

        Put(calendar, side, world);
        Assert.Equal(1, (await world.RunAsync()).Deleted);
        PairWorld.Delete(calendar, Canary.Uid(PairWorld.PairId, side));
        PairWorld.Delete(world.Right, "e1");
        held = await world.RunAsync();
        Assert.Equal(RunOutcome.Held, held.Outcome);
        Assert.Equal(1, (await world.RunAsync(new RunRequest { PlanId = held.Plan!.Id })).Deleted);
    }

    /// <summary>Edits and new events need no marker; neither does an undo, which rests on no read.</summary>
    [Fact]
    public async Task WithoutADeletion_TheMarkerIsNotAskedFor()
    {
        var world = await WorldAsync();
        PairWorld.Delete(world.Left, Canary.Uid(PairWorld.PairId, MergeSide.Left));
        PairWorld.Edit(world.Left, "e0", "title 0", "new title");
        PairWorld.Put(world.Right, "new", "SUMMARY:new|");
        var calls = world.Left.CallCount;
        var run = await world.RunAsync();
        Assert.Equal((1, 1), (run.Updated, run.Created));
        Assert.InRange(world.Left.CallCount - calls, 1, 3);
        Assert.Equal(1, (await world.UndoAsync(run.RunId)).Deleted);
    }

    /// <summary>A listing that lacks it is believed less than a search that finds it; a search that fails
    /// proves nothing.</summary>
    [Theory]
    [InlineData("changes", SimulatedFault.EmptyListing, "is not in what that calendar lists")]
    [InlineData("find", SimulatedFault.ReadFails, "could not be looked for")]
    public async Task AReadThatIsNotToBeTrusted_DeletesNothing(string call, SimulatedFault fault, string why)
    {
        var world = await WorldAsync(hasTokens: false);
        PairWorld.Delete(world.Left, "e0");
        world.Left.OnCall = each => each == call ? fault : SimulatedFault.None;
        var held = await world.RunAsync(new RunRequest { Deletions = new DeletionLimit(1000, null) });
        Assert.Equal(RunOutcome.Held, held.Outcome);
        Assert.Contains(why, held.Verdict!.Reasons[0], StringComparison.Ordinal);
        Assert.Equal(10, PairEvents(world.Right));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TheMarker_IsNeverSyncedCopiedOrADifference(bool hasCanary)
    {
        var world = await WorldAsync(hasCanary: hasCanary);
        Assert.Equal((11, 11), (world.Left.Events.Count, world.Right.Events.Count));
        Assert.DoesNotContain(
            world.Store.Mappings, each => each.Uid.StartsWith("calsync-canary", StringComparison.Ordinal));
        await world.QuietAsync(isFull: true);
        var compared = PairComparison.Of(
            Resources(world.Left), Resources(world.Right), [.. world.Store.Mappings], []);
        Assert.Equal((10, 10, 10, 0), (
            compared.Left, compared.Right, compared.Equal, compared.Differences.Length));
        world.LoseLedger();
        await world.RunAsync();
        Assert.Equal((11, 11), (world.Left.Events.Count, world.Right.Events.Count));
    }

    private static int PairEvents(SimulatedCalendar side) =>
        side.Events.Values.Count(each => !Canary.Is(each));

    private static System.Collections.Immutable.ImmutableArray<RemoteResource> Resources(
        SimulatedCalendar side) =>
        [.. side.Events.Select(each => new RemoteResource(new ResourceAddress(each.Key), null, each.Value))];

    private static void Put(SimulatedCalendar calendar, MergeSide side, PairWorld world)
    {
        var draft = Canary.Draft(PairWorld.PairId, side, world.Clock.GetUtcNow());
        calendar.Put($"/{calendar.Traits.Provider}/{draft.Uid}.ics", draft.Content);
    }

    private static async Task<PairWorld> WorldAsync(bool hasTokens = true, bool hasCanary = true)
    {
        var habits = new SimulatedHabits { HasTokens = hasTokens };
        var world = new PairWorld(left: habits, right: habits, hasCanary: hasCanary);
        Put(world.Left, MergeSide.Left, world);
        Put(world.Right, MergeSide.Right, world);
        await world.FillAsync(10);
        return world;
    }
}
