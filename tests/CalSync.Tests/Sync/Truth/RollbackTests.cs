using System.Text.Json.Nodes;
using CalSync.App.Demo;
using CalSync.Classes;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Sync.Truth;

/// <summary>
/// Goal: undoing that gets stuck half-way leaves a database that knows exactly what is still at the provider,
/// and goes on from there. Method: the whole product against a practice Google that refuses some of the
/// removals.
/// </summary>
public sealed class RollbackTests
{
    private static CancellationToken None => CancellationToken.None;

    /// <summary>R-CAL-07-B: five made, the sixth refused, three removed, two stuck: the two are known; then
    /// they go too.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-07-B")]
    public async Task CancelClass_WhenThreeOfFiveAreRemoved_KnowsExactlyWhichAreLeft()
    {
        await using var world = await SyncWorld.StartAsync();
        await world.SpoilAsync("events.insert", new FaultEffect { Status = 400, Reason = "invalid" }, nth: 6);
        var made = await world.BeginAsync(slots: 6);
        await RestAsync(world);
        Assert.Equal("needs_attention", (string?)(await world.OperationAsync(made))["state"]);
        await AssertSameIdsAsync(world, 5);

        foreach (var stuck in (await world.EventsAsync()).Take(2))
        {
            await world.Control.AddFaultAsync(
                new FaultScript(
                    "events.delete",
                    new FaultEffect { Status = 403, Reason = "forbidden" })
                { EventId = stuck.Id },
                None);
        }

        var read = (await world.Maya.GetAsync($"classes/{made.Text("id")}", None)).Expect();
        var cancelled = (await world.Maya.DeleteAsync($"classes/{made.Text("id")}", read.ETag!, None))
            .Expect();
        await RestAsync(world);
        Assert.Equal("needs_attention", (string?)(await world.OperationAsync(cancelled))["state"]);
        Assert.Equal("cancelling", await world.ReadAsync<string>("SELECT state FROM classes"));
        await AssertSameIdsAsync(world, 2);

        await world.Control.ClearFaultsAsync(None);
        using var omar = await world.PersonAsync("omar@studio.test", Role.Operator);
        (await omar.PostAsync($"operations/{SyncWorld.OperationId(cancelled)}/retry", new JsonObject(), None))
            .Expect();
        await world.WaitAsync(cancelled, "verified");
        await world.UntilAsync(
            async () => await world.ReadAsync<string>("SELECT state FROM classes") == "cancelled",
            "the class is cancelled");
        await AssertSameIdsAsync(world, 0);
    }

    /// <summary>R-CAL-07-B: a seat added to three of five events and refused by two is taken off the
    /// three.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-07-B")]
    public async Task Enrol_WhenTwoOfFiveEventsRefuse_LeavesTheGuestOnNone()
    {
        await using var world = await SyncWorld.StartAsync();
        var made = await world.CreateAsync(slots: 5);
        using var sam = await world.PersonAsync("sam@student.test", Role.Student);
        foreach (var refusing in (await world.EventsAsync()).Take(2))
        {
            await world.Control.AddFaultAsync(
                new FaultScript(
                    "events.patch",
                    new FaultEffect { Status = 400, Reason = "invalid" })
                { EventId = refusing.Id },
                None);
        }

        await sam.PostAsync($"classes/{made.Text("id")}/enrollments", new JsonObject(), None);
        await world.UntilAsync(
            async () => await world.ReadAsync<string>("SELECT state FROM enrolments") == "failed_rolled_back",
            "the seat is given back");
        await RestAsync(world);
        Assert.All(
            await world.EventsAsync(),
            found => Assert.DoesNotContain("sam@student.test", found.Attendees.Keys));
        await AssertSameIdsAsync(world, 5);
        Assert.Empty((await TruthCheck.CompareAsync(
            world.Database, await world.Control.GetTruthAsync(null, None), None)).Differences);
        Assert.Equal(0, await world.ReadAsync<long>(
            "SELECT count(*) FROM notices WHERE kind IN ('reminder', 'seat_confirmed')"));
    }

    /// <summary>Nothing is under way by itself any more; what needs a person stays so.</summary>
    private static Task RestAsync(SyncWorld world) => world.UntilAsync(
        async () => await world.ReadAsync<long>(
            """
            SELECT (SELECT count(*) FROM mirrors WHERE active
                AND state IN ('pending', 'in_flight', 'retry_wait'))
                 + (SELECT count(*) FROM operations WHERE NOT settled AND state NOT IN ('needs_attention'))
            """) == 0,
        "nothing is under way");

    private static async Task AssertSameIdsAsync(SyncWorld world, int count)
    {
        var stored = await world.Database.ReadAsync(
            session => session.QueryAsync<string>(
                "SELECT provider_event_id FROM mirrors WHERE active AND applied_version > 0 AND state <> "
                    + "'gone'"),
            None);
        var events = (await world.EventsAsync()).Select(found => found.Id);
        Assert.Equal(events.Order(StringComparer.Ordinal), stored.Order(StringComparer.Ordinal));
        Assert.Equal(count, stored.Count);
    }
}
