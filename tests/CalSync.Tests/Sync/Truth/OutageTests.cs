using System.Text.Json.Nodes;
using CalSync.Classes;
using CalSync.Sandbox;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Sync.Truth;

/// <summary>
/// Goal: lost answers, throttling, silence and lost calendars end in the one true state, and nobody is told
/// otherwise meanwhile. Method: the whole product against a practice Google that breaks off, throttles or
/// never answers.
/// </summary>
public sealed class OutageTests
{
    private static CancellationToken None => CancellationToken.None;

    /// <summary>R-CAL-02-A: a move that cannot be sent shows both times, and students are told only when it
    /// is true.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-02-A")]
    public async Task Move_WhenTheConnectionBreaks_TellsNobodyUntilItIsTrue()
    {
        await using var world = await SyncWorld.StartAsync();
        var made = await world.CreateAsync();
        using var sam = await world.PersonAsync("sam@student.test", Role.Student);
        await world.WaitAsync(await EnrolAsync(sam, made), "verified");
        await world.SpoilAsync("events.patch", new FaultEffect { Drop = "before" });
        var moved = (await world.MoveAsync(made, 3, 9)).Expect();
        await world.WaitAsync(moved, "retry_wait");
        var slot = (await world.SlotAsync(made)).Body!;
        Assert.NotEqual(slot["startAt"]!.ToString(), slot["calendar"]!["mirroredStartAt"]!.ToString());
        Assert.Equal(0, await MovedNoticesAsync(world));
        await world.Control.ClearFaultsAsync(None);
        await world.WaitAsync(moved, "verified");
        await world.UntilAsync(async () => await MovedNoticesAsync(world) == 1, "the student is told once");
        slot = (await world.SlotAsync(made)).Body!;
        Assert.Equal(slot["startAt"]!.ToString(), slot["calendar"]!["mirroredStartAt"]!.ToString());
    }

    /// <summary>R-CAL-02-B: eight at once and throttled after five: five are called verified, three wait with
    /// a time.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-02-B")]
    public async Task Create_WhenThrottledAfterFive_SaysWhichWait()
    {
        await using var world = await SyncWorld.StartAsync(options => options with
        {
            Mirrors = SyncWorld.QuickMirrors with { Concurrency = 1, PerConnectionMax = 1 },
        });
        var effect = new FaultEffect { Status = 429, Reason = "rateLimitExceeded", RetryAfter = 2 };
        for (var nth = 6; nth <= 8; nth++)
            await world.SpoilAsync("events.insert", effect, nth: nth);
        var made = await world.BeginAsync(slots: 8);
        JsonNode? operation = null;
        await world.UntilAsync(
            async () => (operation = await world.OperationAsync(made))["steps"]!.AsArray().Count(
                step => step!["nextAttemptAt"] is not null && (string?)step["state"] != "verified") == 3
                && operation["steps"]!.AsArray().Any(step => (string?)step!["state"] == "retry_wait"),
            "three wait");
        var steps = operation!["steps"]!.AsArray();
        Assert.Equal(5, steps.Count(step => (string?)step!["state"] == "verified"));
        Assert.Equal(5, (int)operation["stepsVerified"]!);
        Assert.NotEqual("verified", (string?)operation["state"]);
        await world.WaitAsync(made, "verified");
        Assert.Equal(8, (await world.EventsAsync()).Count);
    }

    /// <summary>A quota, an error of Google's or a broken line says nothing about the event: it is not taken
    /// for deleted, and neither is the class.</summary>
    [Theory]
    [InlineData(403, "rateLimitExceeded")]
    [InlineData(500, "backendError")]
    [InlineData(null, null)]
    [Trait("Requirement", "R-CAL-02-A")]
    public async Task Move_WhenGoogleRefusesEveryCall_DeletesNothing(int? status, string? reason)
    {
        await using var world = await SyncWorld.StartAsync();
        var made = await world.CreateAsync();
        var before = await world.OnlyEventAsync();
        await world.SpoilAsync("events.*", status is null
            ? new FaultEffect { Drop = "before" }
            : new FaultEffect { Status = status, Reason = reason });
        var moved = (await world.MoveAsync(made, 3, 9)).Expect();
        await world.UntilAsync(
            async () => (await world.Control.GetCallsAsync(None)).Count(
                call => call.Operation is "events.patch" or "events.get") >= 3, "it is tried again");
        Assert.Equal(before.Id, (await world.OnlyEventAsync()).Id);
        Assert.Equal(200, (await world.SlotAsync(made)).Code);
        await world.Control.ClearFaultsAsync(None);
        await world.WaitAsync(moved, "verified");
        var after = await world.OnlyEventAsync();
        Assert.Equal(before.Id, after.Id);
        Assert.NotEqual(before.Start, after.Start);
        Assert.Empty(await world.CallsAsync("events.delete"));
    }

    /// <summary>R-CAL-02-C: the lost answer of a change is looked up before anything is sent again.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-02-C")]
    public async Task Move_WhenTheAnswerIsLost_LooksBeforeItWritesAgain()
    {
        await using var world = await SyncWorld.StartAsync();
        var made = await world.CreateAsync();
        await world.Control.ClearCallsAsync(None);
        await world.SpoilAsync("events.patch", new FaultEffect { Drop = "after" }, times: 1);
        var moved = (await world.MoveAsync(made, 3, 9)).Expect();
        await world.WaitAsync(moved, "verified");
        var calls = (await world.Control.GetCallsAsync(None)).Where(
            call => call.Operation.StartsWith("events.", StringComparison.Ordinal))
                .Select(call => call.Operation);
        Assert.Equal(["events.patch", "events.get"], calls);
        Assert.Equal(1, (await world.OnlyEventAsync()).Sequence);
    }

    /// <summary>R-CAL-12-C: the lost answer of a creation costs no second event.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-12-C")]
    public async Task Create_WhenTheAnswerIsLost_IsOneEvent()
    {
        await using var world = await SyncWorld.StartAsync();
        await world.SpoilAsync("events.insert", new FaultEffect { Drop = "after" }, times: 1);
        var made = await world.CreateAsync();
        var shown = await world.OnlyEventAsync();
        Assert.Equal(shown.Id, (string?)(await world.SlotAsync(made)).Body!["calendar"]!["eventId"]);
        Assert.Equal(1, (await world.CallsAsync("events.insert")).Count(call => call.Status is 0 or 200));
    }

    /// <summary>R-CAL-04-B: a seat is not active before its invitation was read back.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-04-B")]
    public async Task Enrol_WhenTheConnectionBreaks_IsPendingUntilTheInvitationIsThere()
    {
        await using var world = await SyncWorld.StartAsync();
        var made = await world.CreateAsync();
        using var sam = await world.PersonAsync("sam@student.test", Role.Student);
        await world.SpoilAsync("events.patch", new FaultEffect { Drop = "before" });
        var seat = await EnrolAsync(sam, made);
        Assert.Equal((202, "pending_calendar"), (seat.Code, seat.Text("state")));
        await world.UntilAsync(
            async () => (await world.CallsAsync("events.patch")).Count >= 2, "the invitation is tried again");
        Assert.Equal("pending_calendar", await world.ReadAsync<string>("SELECT state FROM enrolments"));
        await world.Control.ClearFaultsAsync(None);
        await world.UntilAsync(
            async () => await world.ReadAsync<string>("SELECT state FROM enrolments") == "active",
            "the seat is active");
        Assert.Contains("sam@student.test", (await world.OnlyEventAsync()).Attendees.Keys);
    }

    /// <summary>C-31, R-CAL-04-P: guests added by hand and answers given stay, and adding a student mails
    /// nobody.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-04-P")]
    public async Task Enrol_KeepsGuestsAndAnswers_AndMailsNobody()
    {
        await using var world = await SyncWorld.StartAsync();
        var made = await world.CreateAsync();
        using var sam = await world.PersonAsync("sam@student.test", Role.Student);
        using var eva = await world.PersonAsync("eva@student.test", Role.Student);
        await world.WaitAsync(await EnrolAsync(sam, made), "verified");
        var shown = await world.OnlyEventAsync();
        var guests = new JsonArray([.. shown.Body["attendees"]!.AsArray().Select(guest => guest!.DeepClone()),
            new JsonObject { ["email"] = "grandma@elsewhere.test", ["displayName"] = "Grandma",
                ["optional"] = true }]);
        await world.Control.EditEventAsync(
            new HandEdit(SyncWorld.Teacher, shown.Id,
            "patch")
            { Fields = new JsonObject { ["attendees"] = guests } }, None);
        await world.Control.EditEventAsync(
            new HandEdit(SyncWorld.Teacher, shown.Id, "answer")
            {
                Attendee = "sam@student.test",
                Answer = "accepted"
            }, None);
        await world.Control.ClearMailsAsync(None);
        await world.WaitAsync(await EnrolAsync(eva, made), "verified");
        shown = await world.OnlyEventAsync();
        Assert.Equal("accepted", shown.Attendees["sam@student.test"]);
        Assert.Contains("eva@student.test", shown.Attendees.Keys);
        var grandma = shown.Body["attendees"]!.AsArray()
            .Single(guest => (string?)guest!["email"] == "grandma@elsewhere.test")!;
        Assert.Equal(("Grandma", true), ((string?)grandma["displayName"], (bool)grandma["optional"]!));
        Assert.Empty(await world.Control.GetMailsAsync(includeKeptBack: false, None));
        Assert.All(
            await world.CallsAsync("events.patch"), call => Assert.Equal("none", call.Detail ?? "none"));
    }

    /// <summary>R-CAL-05-B, R-STORM-2: a deleted calendar is noticed at the first call; its events are
    /// held.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-05-B")]
    [Trait("Requirement", "R-STORM-2")]
    public async Task Create_InADeletedCalendar_HoldsTheWork()
    {
        await using var world = await StartInSecondaryAsync(CalendarFallback.Hold);
        var made = await world.BeginAsync(slots: 20);
        var operation = await world.WaitAsync(made, "parked");
        Assert.Equal("calendar_gone", (string?)operation["reason"]);
        Assert.Equal(20, await world.ReadAsync<long>(
            "SELECT count(*) FROM mirrors WHERE state = 'parked' AND reason = 'calendar_gone' AND "
                + "verified_version = 0"));
        Assert.Empty(await world.EventsAsync());
        Assert.InRange((await world.CallsAsync("events.insert")).Count, 1, 8);
    }

    /// <summary>R-CAL-05-B, R-STORM-2: or they move to the primary calendar, all of them.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-05-B")]
    [Trait("Requirement", "R-STORM-2")]
    public async Task Create_InADeletedCalendar_FallsBackToThePrimaryOne()
    {
        await using var world = await StartInSecondaryAsync(CalendarFallback.Primary);
        var made = await world.BeginAsync(slots: 20);
        await world.WaitAsync(made, "verified");
        var truth = await world.Control.GetTruthAsync(SyncWorld.Teacher, None);
        var events = Assert.Single(truth.Calendars).Events.Where(found => found.Status != "cancelled")
            .ToList();
        Assert.Equal(20, events.Count);
        Assert.Equal(0, await world.ReadAsync<long>(
            $"SELECT count(*) FROM mirrors WHERE provider_event_id NOT IN "
                + $"('{string.Join("','", events.Select(e => e.Id))}')"));
        Assert.Equal("PRIMARY", (string?)(await world.SlotAsync(made)).Body!["calendar"]!["calendarKind"]);
    }

    /// <summary>R-CAL-12-A: a silent provider costs a bounded wait, then nothing is even sent, and it heals
    /// by itself.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-12-A")]
    public async Task Create_WhenTheProviderIsSilent_AnswersInTimeAndHealsByItself()
    {
        await using var world = await SyncWorld.StartAsync(options => options with
        {
            Api = options.Api with { VerificationWait = TimeSpan.FromSeconds(1) },
            Pipeline = options.Pipeline with
            {
                AttemptTimeout = TimeSpan.FromMilliseconds(300),
                Breaker = new BreakerOptions { FailureCountMax = 3, OpenFor = TimeSpan.FromSeconds(2) },
            },
        });
        await world.SpoilAsync("events.*", new FaultEffect { Blackhole = true });
        var asked = TimeProvider.System.GetTimestamp();
        var made = await world.BeginAsync();
        Assert.Equal(202, made.Code);
        Assert.True(TimeProvider.System.GetElapsedTime(asked) < TimeSpan.FromSeconds(10));
        await world.UntilAsync(
            async () =>
                await world.ReadAsync<DateTimeOffset?>("SELECT open_until FROM connections") is not null,
            "the breaker opens");
        var calendar = world.Service<CalSync.Sync.Connections.ProviderSet>()["google-sandbox"].Calendar;
        var before = (await world.Control.GetCallsAsync(None)).Count;
        asked = TimeProvider.System.GetTimestamp();
        var read = await calendar.GetAsync(
            new ProviderCall(world.ConnectionId, "token", true, "cor_test"),
            new EventAddress("primary", "csx"), None);
        var took = TimeProvider.System.GetElapsedTime(asked);
        Assert.Equal(ProviderReason.BreakerOpen, Assert.IsType<EventRead.Failed>(read).Fault.Reason);
        Assert.True(took < TimeSpan.FromMilliseconds(250), $"It took {took}.");
        Assert.Equal(before, (await world.Control.GetCallsAsync(None)).Count);
        await world.Control.ClearFaultsAsync(None);
        await world.WaitAsync(made, "verified");
        await world.OnlyEventAsync();
    }

    /// <summary>R-CAL-12-B: a client that goes away loses nothing, and its retry gets the answer.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-12-B")]
    public async Task Create_WhenTheClientGoesAway_HappensOnceAndIsReplayed()
    {
        await using var world = await SyncWorld.StartAsync(options => options with
        {
            Api = options.Api with { VerificationWait = TimeSpan.FromSeconds(8) },
        });
        await world.Control.SetLatencyAsync(TimeSpan.FromMilliseconds(400), None);
        using var leaves = new CancellationTokenSource(TimeSpan.FromMilliseconds(300), TimeProvider.System);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => world.Maya.PostAsync("classes", SyncWorld.Class(1), leaves.Token, key: "key-1"));
        await world.UntilAsync(
            async () => await world.ReadAsync<long>("SELECT count(*) FROM operations WHERE settled") == 1,
            "it is done");
        await world.UntilAsync(
            async () =>
                await world.ReadAsync<int?>(
                "SELECT status FROM idempotency_keys WHERE key = 'key-1'") is not null,
            "its answer is kept");
        var again = (await world.Maya.PostAsync("classes", SyncWorld.Class(1), None, key: "key-1")).Expect();
        Assert.True(again.Replayed);
        Assert.Equal(201, again.Code);
        Assert.Single(await world.CallsAsync("events.insert"));
        Assert.Equal(1, await world.ReadAsync<long>("SELECT count(*) FROM classes"));
    }

    /// <summary>R-FIX-5-RB, R-FIX-5-A, R-FIX-5-E: the limit of a call follows its switch at once, down and
    /// up.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-5-RB")]
    [Trait("Requirement", "R-FIX-5-A")]
    public async Task Create_WithAShorterCallLimit_GivesUpEarlier()
    {
        await using var world = await SyncWorld.StartAsync();
        await world.SwitchAsync("provider-timeout", "1");
        await world.SpoilAsync("events.insert", new FaultEffect { DelayMs = 3000 }, times: 1);
        var made = await world.BeginAsync();
        var operation = await world.WaitAsync(made, "retry_wait");
        Assert.Equal("outcome_unknown", (string?)operation["reason"]);
        var journal = await world.ReadAsync<string>(
            "SELECT after FROM journal WHERE kind = 'mirror.retry_wait' LIMIT 1");
        Assert.Contains("timed out after 1000ms", journal, StringComparison.Ordinal);
        await world.UntilAsync(
            async () => (await world.CallsAsync("events.insert"))[0].ClientDisconnected,
            "the call is really ended");
        await world.WaitAsync(made, "verified");
        await world.OnlyEventAsync();
    }

    private static async Task<App.Demo.DemoAnswer> EnrolAsync(
        App.Demo.DemoApi student, App.Demo.DemoAnswer made) =>
        (await student.PostAsync($"classes/{made.Text("id")}/enrollments", new JsonObject(), None)).Expect();

    private static async Task<long> MovedNoticesAsync(SyncWorld world) =>
        await world.ReadAsync<long>("SELECT count(*) FROM notices WHERE kind = 'slot_moved'");

    /// <summary>An account whose chosen secondary calendar has just been deleted at the provider.</summary>
    private static async Task<SyncWorld> StartInSecondaryAsync(CalendarFallback fallback)
    {
        var remoteId = "";
        var world = await SyncWorld.StartAsync(
            options => options with { Mirrors = SyncWorld.QuickMirrors with { CalendarFallback = fallback } },
            async control =>
                remoteId = await control.AddCalendarAsync(
                SyncWorld.Teacher, "Teaching", "Asia/Kolkata", None));
        var id = await world.ReadAsync<string>(
            "SELECT id FROM calendars WHERE remote_id = @remoteId", new { remoteId });
        (await world.Maya.PutAsync(
            $"calendar/connections/{world.ConnectionId}/calendar", new JsonObject { ["calendarId"] = id },
            None)).Expect();
        await world.Control.DeleteCalendarAsync(remoteId, None);
        return world;
    }
}
