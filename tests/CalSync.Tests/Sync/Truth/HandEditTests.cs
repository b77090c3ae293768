using System.Text.Json.Nodes;
using CalSync.App.Demo;
using CalSync.Classes;
using CalSync.Sandbox;
using CalSync.Sync.HandEdits;
using Xunit;
using HandEdit = CalSync.Sandbox.HandEdit;

namespace CalSync.Tests.Sync.Truth;

/// <summary>
/// Goal: what a person does to an event on the calendar is found, asked about once and never fought; our own
/// writes and unproved reads are never taken for it. Method: the whole product, a calendar that is read back
/// ten times a second, and a person at it.
/// </summary>
public sealed partial class HandEditTests
{
    private static CancellationToken None => CancellationToken.None;

    /// <summary>Accepted, the slot is where the event is: nothing is written, and the students are told once
    /// that was read back.</summary>
    [Fact]
    public async Task Accept_OfAMoveByHand_MovesTheSlotAndTellsTheStudents()
    {
        await using var world = await StartAsync();
        var made = await world.CreateAsync();
        using var sam = await world.PersonAsync("sam@student.test", Role.Student);
        await world.WaitAsync(
            (await sam.PostAsync($"classes/{made.Text("id")}/enrollments", new JsonObject(), None)).Expect(),
            "verified");
        await DragAsync(world, 16);
        await ProposedAsync(world, "moved", "pending");
        Assert.Equal(0, await ToldAsync(world));
        var proposal = await OnlyProposalAsync(world);
        Assert.Equal(1, (int)proposal.Body!["studentCount"]!);
        await world.Control.ClearCallsAsync(None);
        var accepted = (await world.Maya.PostAsync(
            $"proposals/{proposal.Text("id")}/accept", new JsonObject(), None, etag: proposal.ETag)).Expect();
        await world.WaitAsync(accepted, "verified");
        Assert.Equal("2030-01-01T21:30:00", (await world.SlotAsync(made)).Text("startLocal"));
        Assert.Empty(await world.CallsAsync("events.patch"));
        await world.UntilAsync(async () => await ToldAsync(world) == 1, "the student is told");
        await ReadSomeAsync(world);
        Assert.Equal(1, await CountAsync(world));
    }

    /// <summary>Refused, the event is brought back, and nobody is told anything.</summary>
    [Fact]
    public async Task Refuse_OfAMoveByHand_BringsTheEventBack()
    {
        await using var world = await StartAsync();
        await world.CreateAsync();
        var own = (await world.OnlyEventAsync()).Start;
        await DragAsync(world, 16);
        await ProposedAsync(world, "moved", "pending");
        var proposal = await OnlyProposalAsync(world);
        var refused = (await world.Maya.PostAsync(
            $"proposals/{proposal.Text("id")}/refuse", new JsonObject(), None, etag: proposal.ETag)).Expect();
        await world.WaitAsync(refused, "verified");
        Assert.Equal(own, (await world.OnlyEventAsync()).Start);
        await ReadSomeAsync(world);
        await VerifiedAsync(world);
        Assert.Equal((1, 0), (await CountAsync(world), await ToldAsync(world)));
    }

    /// <summary>A copy beside the original is nobody's deletion and no move.</summary>
    [Fact]
    public async Task Copy_ByHand_ChangesNothing()
    {
        await using var world = await StartAsync();
        await world.CreateAsync();
        await EditAsync(world, "copy");
        await ReadSomeAsync(world);
        await VerifiedAsync(world);
        Assert.Equal(0, await CountAsync(world));
    }

    /// <summary>A dragged event is left where it is and asked about; seats are given all the same.</summary>
    [Fact]
    public async Task Move_ByHand_IsAskedAndNotFought()
    {
        await using var world = await StartAsync();
        var made = await world.CreateAsync();
        await DragAsync(world, 16);
        await ProposedAsync(world, "moved", "pending");
        using var sam = await world.PersonAsync("sam@student.test", Role.Student);
        var seat = (await sam.PostAsync(
            $"classes/{made.Text("id")}/enrollments", new JsonObject(), None)).Expect();
        await world.WaitAsync(seat, "verified");
        await ReadSomeAsync(world);
        var shown = await world.OnlyEventAsync();
        Assert.Equal(16, shown.Start.Hour);
        Assert.Contains("sam@student.test", shown.Attendees.Keys);
        var slot = await world.SlotAsync(made);
        Assert.Equal("2030-01-01T15:30:00", slot.Text("startLocal"));
        Assert.Equal("moved_by_hand", (string?)slot.Body!["calendar"]!["reason"]);
        Assert.Equal(16, ((DateTimeOffset)slot.Body["calendar"]!["mirroredStartAt"]!).Hour);
        Assert.Equal(1, await CountAsync(world));
    }

    /// <summary>Dragged again it is the same question; dragged back it is none.</summary>
    [Fact]
    public async Task Move_ByHandTwiceAndBack_IsOneQuestionAndThenNone()
    {
        await using var world = await StartAsync();
        await world.CreateAsync();
        var own = (await world.OnlyEventAsync()).Start.Hour;
        await DragAsync(world, 16);
        await ProposedAsync(world, "moved", "pending");
        await DragAsync(world, 18);
        await world.UntilAsync(
            async () => (await world.ReadAsync<DateTimeOffset>("SELECT to_start FROM proposals")).Hour == 18,
            "the second move is proposed");
        Assert.Equal(2, await world.ReadAsync<long>("SELECT version FROM proposals"));
        await DragAsync(world, own);
        await ProposedAsync(world, "moved", "withdrawn");
        await VerifiedAsync(world);
        Assert.Equal("moved_back", await world.ReadAsync<string>("SELECT reason FROM proposals"));
        Assert.Null(await world.ReadAsync<string>("SELECT reason FROM mirrors"));
        Assert.Equal(1, await CountAsync(world));
    }

    /// <summary>A move that a write of ours meets before any reading does is asked about as well.</summary>
    [Fact]
    public async Task Move_ByHandWhileAWriteIsPending_IsAskedAndTheWriteIsMade()
    {
        await using var world = await StartAsync(readEvery: TimeSpan.FromHours(1));
        var made = await world.CreateAsync();
        await world.SpoilAsync("events.patch", new FaultEffect { Status = 503 }, times: 2);
        using var sam = await world.PersonAsync("sam@student.test", Role.Student);
        var seat = (await sam.PostAsync(
            $"classes/{made.Text("id")}/enrollments", new JsonObject(), None)).Expect();
        await DragAsync(world, 16);
        await world.WaitAsync(seat, "verified");
        await ProposedAsync(world, "moved", "pending");
        var shown = await world.OnlyEventAsync();
        Assert.Equal(16, shown.Start.Hour);
        Assert.Contains("sam@student.test", shown.Attendees.Keys);
    }

    /// <summary>A move of the platform's that is on its way goes before one by hand.</summary>
    [Fact]
    public async Task Move_ByHandWhileThePlatformMoves_IsOverwritten()
    {
        await using var world = await StartAsync(readEvery: TimeSpan.FromHours(1));
        var made = await world.CreateAsync();
        await world.SpoilAsync("events.patch", new FaultEffect { Status = 503 }, times: 2);
        var moved = await world.MoveAsync(made, day: 1, hour: 20);
        await DragAsync(world, 16);
        await world.WaitAsync(moved, "verified");
        Assert.Equal(15, (await world.OnlyEventAsync()).Start.Hour);
        Assert.Equal(0, await CountAsync(world));
    }

    /// <summary>Deleted, then moved by the platform: the class takes place, at the new time.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Delete_ByHandThenMovedByThePlatform_IsMadeAgainAtTheNewTime(bool isFound)
    {
        await using var world = await StartAsync(readEvery: isFound ? null : TimeSpan.FromHours(1));
        var made = await world.CreateAsync();
        await EditAsync(world, "delete");
        if (isFound)
            await ProposedAsync(world, "deleted", "pending");
        await world.WaitAsync(await world.MoveAsync(made, day: 1, hour: 20), "verified");
        Assert.Equal(15, (await world.OnlyEventAsync()).Start.Hour);
        if (isFound)
            await ProposedAsync(world, "deleted", "withdrawn");
        Assert.Equal(
            isFound ? "slot_moved" : null, await world.ReadAsync<string>("SELECT reason FROM proposals"));
    }

    /// <summary>Whatever we write ourselves, reading it back proposes nothing, also late.</summary>
    [Fact]
    public async Task OwnWrites_ReadBack_AreNeverProposals()
    {
        await using var world = await StartAsync();
        var made = await world.CreateAsync(slots: 3);
        using var sam = await world.PersonAsync("sam@student.test", Role.Student);
        await world.SpoilAsync("events.patch", new FaultEffect { StaleSeconds = 1 }, times: 2);
        for (var hour = 9; hour < 15; hour++)
            await world.MoveAsync(made, day: 1, hour);
        var seat = (await sam.PostAsync(
            $"classes/{made.Text("id")}/enrollments", new JsonObject(), None)).Expect();
        await world.WaitAsync(await world.MoveAsync(made, day: 2, hour: 11), "verified");
        await world.WaitAsync(seat, "verified");
        await ReadSomeAsync(world);
        await VerifiedAsync(world);
        Assert.Equal(0, await CountAsync(world));
    }

    /// <summary>A dead token, at the first page or a later one, ends in a complete reading that finds what
    /// happened.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Read_WhoseTokenIsDead_FindsTheChangeAllTheSame(int page)
    {
        await using var world = await StartAsync();
        await world.CreateAsync();
        await ReadSomeAsync(world);
        await world.Control.SetSettingsAsync(new SandboxSettings(EmptyPages: true), None);
        await world.Control.AddFaultAsync(
            new FaultScript("events.list", new FaultEffect { Status = 410, Reason = "fullSyncRequired" })
            {
                Nth = page,
            },
            None);
        await DragAsync(world, 16);
        await ProposedAsync(world, "moved", "pending");
        Assert.Contains(await world.CallsAsync("events.list"), call => call.Status == 410);
        Assert.Equal(1, await CountAsync(world));
    }

    /// <summary>What changed while every token was dead is found by the complete reading after it.</summary>
    [Fact]
    public async Task Read_AfterAllTokensDied_IsACompleteOne()
    {
        await using var world = await StartAsync();
        await world.CreateAsync();
        await ReadSomeAsync(world);
        await DragAsync(world, 16);
        await world.Control.InvalidateSyncTokensAsync(null, null, None);
        await ProposedAsync(world, "moved", "pending");
        await ReadSomeAsync(world);
        Assert.Single(await world.CallsAsync("events.list"), call => call.Status == 410);
        Assert.Equal(1, await CountAsync(world));
    }

    /// <summary>While a calendar cannot be read, its last good reading stays where it was.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-15-B")]
    public async Task Connections_SayWhenEachCalendarWasLastReadWell()
    {
        await using var world = await StartAsync();
        await world.CreateAsync();
        await ReadSomeAsync(world);
        await world.SpoilAsync("events.list", new FaultEffect { Status = 403, Reason = "forbidden" });
        await FailedAsync(1);
        var last = await LastGoodReadAsync();
        await FailedAsync(2);
        Assert.NotNull(last);
        Assert.Equal(last, await LastGoodReadAsync());
        await world.Control.ClearFaultsAsync(None);
        await world.UntilAsync(async () => await LastGoodReadAsync() != last, "it is read again");

        Task FailedAsync(int times) => world.UntilAsync(
            async () => (await world.Control.GetFaultsAsync(None)).Any(fault => fault.Fired >= times),
            $"{times} readings failed");

        async Task<string?> LastGoodReadAsync()
        {
            var answer = (await world.Maya.GetAsync("calendar/connections", None)).Expect();
            var calendars = answer.Body!["items"]![0]!["calendars"]!.AsArray();
            return (string?)calendars.Single(each => (bool)each!["selected"]!)!["lastGoodReadAt"];
        }
    }

    /// <summary>A listing that shows nothing, and one that fails, delete nothing: the events are
    /// read.</summary>
    [Theory]
    [InlineData("""{"kind":"calendar#events","items":[],"nextSyncToken":"x","timeZone":"UTC"}""")]
    [InlineData("<html>Sign in</html>")]
    public async Task Read_OfAnEmptyListing_ConcludesNothing(string body)
    {
        await using var world = await StartAsync();
        await world.CreateAsync(slots: 2);
        await ReadSomeAsync(world);
        await world.Control.InvalidateSyncTokensAsync(null, null, None);
        await world.SpoilAsync(
            "events.list", new FaultEffect { Body = body, BodyType = "application/json" }, times: 3);
        await world.UntilAsync(
            async () => (await world.Control.GetFaultsAsync(None)).All(fault => fault.Fired == 3),
            "the listings were shown");
        await ReadSomeAsync(world);
        await VerifiedAsync(world);
        Assert.Equal(0, await CountAsync(world));
        Assert.Equal(2, (await world.EventsAsync()).Count);
    }

    private static Task<SyncWorld> StartAsync(
        DeletionPolicy policy = DeletionPolicy.Ask, TimeSpan? readEvery = null) => SyncWorld.StartAsync(
        options => options with
        {
            Mirrors = options.Mirrors with
            {
                OnDeleted = policy,
                ReadEvery = readEvery ?? TimeSpan.FromMilliseconds(100),
            },
        });

    private static async Task EditAsync(
        SyncWorld world, string action, JsonObject? fields = null, string? eventId = null) =>
        await world.Control.EditEventAsync(
            new HandEdit(SyncWorld.Teacher, eventId ?? (await world.OnlyEventAsync()).Id, action)
            {
                Fields = fields,
            },
            None);

    private static Task DragAsync(SyncWorld world, int hour) => EditAsync(world, "patch", new JsonObject
    {
        ["start"] = new JsonObject { ["dateTime"] = $"2030-01-01T{hour:d2}:00:00Z" },
        ["end"] = new JsonObject { ["dateTime"] = $"2030-01-01T{hour + 1:d2}:00:00Z" },
    });

    private static Task ProposedAsync(SyncWorld world, string kind, string state) => world.UntilAsync(
        async () => await world.ReadAsync<long>(
            "SELECT count(*) FROM proposals WHERE kind = @kind AND state = @state", new { kind, state }) == 1,
        $"a proposal of kind {kind} is {state}");

    private static Task VerifiedAsync(SyncWorld world) => world.UntilAsync(
        async () => await world.ReadAsync<long>(
            "SELECT count(*) FROM mirrors WHERE state <> 'verified' OR look_wanted") == 0,
        "all mirrors are verified");

    private static async Task ReadSomeAsync(SyncWorld world)
    {
        const string Count = "SELECT COALESCE(max(fence), 0) FROM calendar_readings";
        var at = await world.ReadAsync<long>(Count);
        await world.UntilAsync(
            async () => await world.ReadAsync<long>(Count) > at + 3, "the calendar was read a few times");
    }

    private static async Task<DemoAnswer> OnlyProposalAsync(SyncWorld world) =>
        (await world.Maya.GetAsync(
            $"proposals/{await world.ReadAsync<string>("SELECT id FROM proposals")}", None)).Expect();

    private static Task<long> ToldAsync(SyncWorld world) =>
        world.ReadAsync<long>("SELECT count(*) FROM notices WHERE kind = 'slot_moved'");

    private static async Task<(string Id, int Hour)> ShownAsync(SyncWorld world)
    {
        var shown = await world.OnlyEventAsync();
        return (shown.Id, shown.Start.Hour);
    }

    private static Task<long> CountAsync(SyncWorld world) =>
        world.ReadAsync<long>("SELECT count(*) FROM proposals");
}
