using System.Text.Json.Nodes;
using CalSync.Classes;
using CalSync.Sandbox;
using CalSync.Sync.Connections;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Sync.Truth;

/// <summary>
/// Goal: new events go where their owner says, at once and from every process; those already made stay where
/// they are, unless they are moved, and then nothing of them is lost. Method: the whole product against a
/// practice Google with a second calendar in the account.
/// </summary>
public sealed class CalendarChoiceTests
{
    private static CancellationToken None => CancellationToken.None;

    /// <summary>R-CAL-05-P, R-CAL-05-A: chosen in one process, the next class made in another goes
    /// there.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-05-P")]
    [Trait("Requirement", "R-CAL-05-A")]
    public async Task Select_TakesEffectAtOnceInEveryProcess_AndLeavesWhatIsMade()
    {
        await using var world = await SyncWorld.StartAsync(before: AddCalendarAsync);
        var second = await world.AddHostAsync(options => options);
        var elsewhere = await world.MayaAtAsync(second);
        for (var turn = 0; turn < 3; turn++)
        {
            var (name, calendar) = turn % 2 == 0 ? ("Teaching", await SecondAsync(world)) : ("own", Primary);
            await SelectAsync(world, calendar);
            var made = (await elsewhere.PostAsync("classes", SyncWorld.Class(1, $"{name} {turn}"), None))
                .Expect();
            await world.WaitAsync(made, "verified");
        }

        Assert.Equal(["Teaching 0", "Teaching 2"], await TitlesAsync(world, await SecondAsync(world)));
        Assert.Equal(["own 1"], await TitlesAsync(world, Primary));
    }

    /// <summary>R-CAL-05-C, R-CAL-18-C: an event made before the choice is changed where it is.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-05-C")]
    [Trait("Requirement", "R-CAL-18-C")]
    public async Task Move_OfASlotMadeBeforeTheChoice_ChangesItsEventWhereItIs()
    {
        await using var world = await SyncWorld.StartAsync(before: AddCalendarAsync);
        var made = await world.CreateAsync(title: "Before");
        await SelectAsync(world, await SecondAsync(world));
        await world.WaitAsync((await world.MoveAsync(made, 9, 20)).Expect(), "verified");
        Assert.Equal(["Before"], await TitlesAsync(world, Primary));
        Assert.Empty(await TitlesAsync(world, await SecondAsync(world)));
        Assert.DoesNotContain(await world.Control.GetCallsAsync(None), call => call.Status == 404);
    }

    /// <summary>R-CAL-18-P: the events to come go to the other calendar with their ids and guests, a run that
    /// is cut off and one that fails in the middle included; the past stays.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-18-P")]
    public async Task Migrate_CutOffInTheMiddle_GoesOnAndKeepsIdsAndGuests()
    {
        await using var world = await SyncWorld.StartAsync(before: AddCalendarAsync);
        var sam = await world.PersonAsync("sam@student.test", Role.Student);
        var made = await world.CreateAsync(slots: 6);
        await world.WaitAsync(
            (await sam.PostAsync($"classes/{made.Text("id")}/enrollments", new JsonObject(), None)).Expect(),
            "verified");
        var past = await world.ReadAsync<string>("SELECT id FROM slots ORDER BY start_at LIMIT 1");
        await world.WriteAsync(
            "UPDATE slots SET start_at = @start, end_at = @end WHERE id = @past",
            new { start = Long.AddHours(-1), end = Long, past });
        var before = (await world.EventsAsync()).ToDictionary(found => found.Id);
        var route = await RouteAsync(world, await SecondAsync(world));

        // The second is moved and the answer lost; the third fails, and the run stops.
        await world.SpoilAsync("events.move", new FaultEffect { Drop = "after" }, nth: 2);
        await world.SpoilAsync("events.move", new FaultEffect { Status = 503 }, nth: 3);
        var first = await MigrateAsync(world, route);
        Assert.Equal((2, 3, "ServerError"), (first.MovedCount, first.LeftCount, first.StoppedBy));

        await world.Control.ClearFaultsAsync(None);
        await world.UntilAsync(
            async () => (await MigrateAsync(world, route)).LeftCount == 0, "everything is moved");
        await world.UntilAsync(
            async () => await world.ReadAsync<long>(
                "SELECT count(*) FROM mirrors WHERE active AND state <> 'verified'") == 0,
            "everything was read back");

        var there = await EventsOfAsync(world, await SecondAsync(world));
        Assert.Equal(5, there.Length);
        Assert.All(there, found => Assert.Equal(Brief(before[found.Id]), Brief(found)));
        Assert.Single(await EventsOfAsync(world, Primary));
        Assert.Empty(await world.Control.GetMailsAsync(false, None));
        Assert.Equal(5, await world.ReadAsync<long>(
            "SELECT count(*) FROM journal WHERE kind = 'mirror.migrated'"));
    }

    /// <summary>R-CAL-18-P: an event that an earlier run moved and did not record is found in the other
    /// calendar.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-18-P")]
    public async Task Migrate_OfAnEventMovedByARunThatDied_RecordsIt()
    {
        await using var world = await SyncWorld.StartAsync(before: AddCalendarAsync);
        await world.CreateAsync();
        var second = await SecondAsync(world);
        var route = await RouteAsync(world, second);
        var found = await world.OnlyEventAsync();
        var tokens = world.Service<ConnectionTokens>();
        var fresh = (TokenOutcome.Fresh)await tokens.GetAsync(
            world.ConnectionId, TimeSpan.FromMinutes(10), None);
        var calendar = world.Service<ProviderSet>()[route.Provider].Calendar;
        Assert.IsType<EventMove.Moved>(await calendar.MoveAsync(
            new ProviderCall(world.ConnectionId, fresh.AccessToken, true, "cor_test"),
            new EventAddress(route.FromRemoteId, found.Id), route.ToRemoteId, Notify.None, None));

        Assert.Equal((1, 0), await CountsAsync(world, route));
        Assert.Equal((0, 0), await CountsAsync(world, route));
        Assert.Single(await EventsOfAsync(world, second));
    }

    /// <summary>R-CAL-18-A: when the calendar is deleted, every slot of it is named at the first
    /// sync.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-18-A")]
    public async Task Sync_AfterTheCalendarWasDeleted_NamesEverySlotOfIt()
    {
        await using var world = await SyncWorld.StartAsync(before: AddCalendarAsync);
        var second = await SecondAsync(world);
        await SelectAsync(world, second);
        var made = await world.CreateAsync(slots: 3);
        await world.Control.DeleteCalendarAsync(second, None);
        (await world.MoveAsync(made, 9, 20)).Expect();
        await world.UntilAsync(
            async () => await world.ReadAsync<long>(
                "SELECT count(*) FROM mirrors WHERE reason = 'calendar_gone'") == 3,
            "the loss is found");
        var answer = (await world.Maya.PostAsync("calendar/sync", new JsonObject(), None)).Expect();
        Assert.Equal("partial", answer.Text("status"));
        Assert.Equal(
            ["not_found", "not_found", "not_found"],
            answer.Body!["skipped"]!.AsArray().Select(skipped => (string?)skipped!["class"]));
    }

    /// <summary>R-CAL-18-A: or all of them are made anew in the primary calendar, and who has a seat is told
    /// so once.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-18-A")]
    public async Task Sync_AfterTheCalendarWasDeleted_WithAFallback_MovesAllAndTellsTheStudentOnce()
    {
        await using var world = await SyncWorld.StartAsync(
            options => options with
            {
                Mirrors = options.Mirrors with { CalendarFallback = CalendarFallback.Primary },
            },
            AddCalendarAsync);
        var sam = await world.PersonAsync("sam@student.test", Role.Student);
        var second = await SecondAsync(world);
        await SelectAsync(world, second);
        var made = await world.CreateAsync(slots: 3);
        await world.WaitAsync(
            (await sam.PostAsync($"classes/{made.Text("id")}/enrollments", new JsonObject(), None)).Expect(),
            "verified");
        await world.Control.DeleteCalendarAsync(second, None);
        (await world.MoveAsync(made, 9, 20)).Expect();
        await world.UntilAsync(
            async () => (await EventsOfAsync(world, Primary)).Length == 3, "the events are made anew");
        JsonNode[] told = [];
        await world.UntilAsync(
            async () =>
            {
                told = [.. (await sam.GetAsync("me/notices", None)).Expect().Body!["items"]!.AsArray()
                    .Select(notice => notice!)
                    .Where(notice => (string?)notice["kind"] == "calendar_moved")];
                return told.Any(notice => (string?)notice["state"] == "sent");
            },
            "the student is told");
        Assert.Equal(made.Text("id"), (string?)Assert.Single(told)["classId"]);
    }

    private const string Primary = SyncWorld.Teacher;

    private static readonly DateTimeOffset Long = new(2020, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private static string Brief(TruthEvent found) =>
        $"{found.Summary} {found.Start:O} {string.Join(',', found.Attendees.Order())}";

    private static async Task AddCalendarAsync(SandboxControl control) =>
        await control.AddCalendarAsync(SyncWorld.Teacher, "Teaching", "Asia/Kolkata", None);

    private static async Task<string> SecondAsync(SyncWorld world) => (await world.ReadAsync<string>(
        "SELECT remote_id FROM calendars WHERE kind = 'SECONDARY'"))!;

    private static async Task SelectAsync(SyncWorld world, string remoteId)
    {
        var id = await world.ReadAsync<string>(
            "SELECT id FROM calendars WHERE remote_id = @remoteId", new { remoteId });
        Assert.Equal(
            CalendarChoice.Chosen,
            await world.Service<ConnectionFlow>().SelectCalendarAsync(
                world.ConnectionId, (await world.ReadAsync<string>("SELECT user_id FROM connections"))!, id!,
                None));
    }

    private static async Task<MigrationRoute> RouteAsync(SyncWorld world, string toRemoteId)
    {
        Task<string?> IdAsync(string remoteId) => world.ReadAsync<string>(
            "SELECT id FROM calendars WHERE remote_id = @remoteId", new { remoteId });
        return (await world.Service<IMigrationStore>().RouteAsync(
            (await IdAsync(Primary))!, (await IdAsync(toRemoteId))!, None))!;
    }

    private static Task<MigrationReport> MigrateAsync(SyncWorld world, MigrationRoute route) =>
        world.Service<CalendarMigration>().RunAsync(route, "test", "cor_test", None);

    private static async Task<(int Moved, int Left)> CountsAsync(SyncWorld world, MigrationRoute route)
    {
        var report = await MigrateAsync(world, route);
        return (report.MovedCount, report.LeftCount);
    }

    private static async Task<TruthEvent[]> EventsOfAsync(SyncWorld world, string calendarId) =>
        [.. (await world.Control.GetTruthAsync(calendarId, None)).Calendars.Single().Events
            .Where(found => !found.IsCopy && found.Status != "cancelled").OrderBy(found => found.Start)];

    private static async Task<string[]> TitlesAsync(SyncWorld world, string calendarId) =>
        [.. (await EventsOfAsync(world, calendarId)).Select(found => found.Summary!)
            .Order(StringComparer.Ordinal)];
}
