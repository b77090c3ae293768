using System.Text.Json.Nodes;
using CalSync.App.Demo;
using CalSync.Classes;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Sync.Truth;

/// <summary>
/// Goal: a guest whom the provider refuses costs nobody else their seat. Method: five students in one
/// provider write, one of them refused by a script, against the practice Google.
/// </summary>
[Trait("Category", "Slow")]
public sealed class GuestRefusalTests
{
    private const string Bad = "student3@mail.test";

    /// <summary>R-FIX-3-E: the four become active; the fifth is taken back with its address as the
    /// reason.</summary>
    [Theory]
    [Trait("Requirement", "R-FIX-3-E")]
    [Trait("Requirement", "R-FIX-3-C")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Enrol_WithOneRefusedGuestAmongFive_SeatsTheOtherFour(bool eventExists)
    {
        await using var world = await SyncWorld.StartAsync();
        var seats = await EnrolTogetherAsync(world, eventExists);

        await world.UntilAsync(
            async () => await StateOfAsync(world, seats[Bad]) == "failed_rolled_back",
                "the refused seat is taken back");
        var good = seats.Where(pair => pair.Key != Bad).ToArray();
        foreach (var (email, seat) in good)
        {
            await world.UntilAsync(async () => await StateOfAsync(world, seat) == "active",
                $"{email} is active");
        }

        Assert.Equal(good.Select(pair => pair.Key).Order(),
            (await world.OnlyEventAsync()).Attendees.Keys.Order());
        Assert.Equal($"AttendeeRejected: {Bad}", await ReasonOfAsync(world, seats[Bad]));
        Assert.Equal(1,
            await world.ReadAsync<long>("SELECT count(*) FROM enrolments WHERE reason IS NOT NULL"));
        await world.UntilAsync(
            async () => await world.ReadAsync<string>("SELECT state FROM mirrors") == "verified",
                "the event is verified");
        // Not a word about the refused one where the others look.
        Assert.Equal(0, await world.ReadAsync<long>(
            """
            SELECT count(*) FROM operations
            WHERE enrolment_id <> @id AND (detail LIKE @bad OR reason LIKE @bad)
            """,
            new { id = seats[Bad].Text("id"), bad = $"%{Bad}%" }));
        Assert.True((await world.CallsAsync("events.patch")).Count <= 8,
            "the search took more writes than halving needs");
    }

    /// <summary>A deferred seat stays with its refused guest for a person to see, and does not stop who
    /// comes after.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-3-RB")]
    public async Task Enrol_AfterARefusedDeferredGuest_IsStillSeated()
    {
        await using var world = await SyncWorld.StartAsync();
        var made = await world.CreateAsync();
        await RefuseAsync(world);
        await world.SwitchAsync("enrollment-calendar", "deferred");
        var bad = await EnrolAsync(world, made, Bad);
        await world.UntilAsync(
            async () => await world.ReadAsync<string>("SELECT state FROM mirrors") == "needs_attention",
                "a person is asked for");

        var other = await EnrolAsync(world, made, "student1@mail.test");
        await world.UntilAsync(async () => await StateOfAsync(world, other) == "active",
            "the next one is seated");

        Assert.Equal("active_without_calendar", await StateOfAsync(world, bad));
        Assert.Equal(
            $"AttendeeRejected: {Bad}",
            await world.ReadAsync<string>(
                "SELECT reason FROM operations WHERE enrolment_id = @id", new { id = bad.Text("id") }));
        Assert.Equal(["student1@mail.test"], (await world.OnlyEventAsync()).Attendees.Keys);
        Assert.Equal("needs_attention", await world.ReadAsync<string>("SELECT state FROM mirrors"));
    }

    private static Task<FaultReport> RefuseAsync(SyncWorld world) => world.Control.AddFaultAsync(
        new FaultScript("events.*", new FaultEffect { Status = 400, Reason = "invalidAttendee" })
        {
            Attendee = Bad,
        },
        CancellationToken.None);

    /// <summary>Five seats whose guests are all written at once: until then no write gets through.</summary>
    private static async Task<Dictionary<string, DemoAnswer>> EnrolTogetherAsync(
        SyncWorld world, bool eventExists)
    {
        var made = eventExists ? await world.CreateAsync() : null;
        await world.SpoilAsync("events.*", new FaultEffect { Status = 503 });
        made ??= await world.BeginAsync();
        var seats = new Dictionary<string, DemoAnswer>();
        for (var number = 1; number <= 5; number++)
        {
            var email = $"student{number}@mail.test";
            seats[email] = await EnrolAsync(world, made, email);
        }

        await world.Control.ClearFaultsAsync(CancellationToken.None);
        await RefuseAsync(world);
        await world.Control.ClearCallsAsync(CancellationToken.None);
        return seats;
    }

    private static async Task<DemoAnswer> EnrolAsync(SyncWorld world, DemoAnswer made, string email)
    {
        var student = await world.PersonAsync(email, Role.Student);
        return (await student.PostAsync(
            $"classes/{made.Text("id")}/enrollments", new JsonObject(), CancellationToken.None)).Expect();
    }

    private static Task<string?> StateOfAsync(SyncWorld world, DemoAnswer seat) =>
        world.ReadAsync<string>("SELECT state FROM enrolments WHERE id = @id", new { id = seat.Text("id") });

    private static Task<string?> ReasonOfAsync(SyncWorld world, DemoAnswer seat) =>
        world.ReadAsync<string>("SELECT reason FROM enrolments WHERE id = @id", new { id = seat.Text("id") });
}
