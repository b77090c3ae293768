using System.Text.Json.Nodes;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Sandbox;

/// <summary>Each effect a fault script can have, seen from the client and from the ground truth.</summary>
[Trait("Rule", "FAULTS")]
public sealed class FaultTests : SandboxTest
{
    [Fact]
    public async Task Status_OnTheNthCall_FiresOnceWithRetryAfter()
    {
        await Control.AddFaultAsync(
            new FaultScript(
                "events.insert", new FaultEffect { Status = 429, RetryAfter = 7 })
            { Nth = 2 }, None);
        await InsertAsync(Class());
        var refused = await CallAsync("POST", "calendars/primary/events", Class());
        AssertError(refused, 429, "rateLimitExceeded");
        Assert.Equal(7, refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds);
        await InsertAsync(Class());
        var report = Assert.Single(await Control.GetFaultsAsync(None));
        Assert.Equal((3, 1), (report.Seen, report.Fired));
    }

    [Fact]
    public async Task DropAfter_OnInsert_StoresTheEventAndAborts()
    {
        await Control.AddFaultAsync(
            new FaultScript("events.*", new FaultEffect { Drop = "after" }) { Times = 1 }, None);
        await Assert.ThrowsAnyAsync<HttpRequestException>(
            () => CallAsync("POST", "calendars/primary/events", Class("class1")));
        Assert.Equal("Yoga", Text((await GetAsync("class1")).Body!, "summary"));
        AssertError(await CallAsync("POST", "calendars/primary/events", Class("class1")), 409, "duplicate");
    }

    [Fact]
    public async Task DropBefore_OnInsert_StoresNothing()
    {
        await Control.AddFaultAsync(
            new FaultScript("*", new FaultEffect { Drop = "before" }) { User = Maya, Times = 1 }, None);
        await Assert.ThrowsAnyAsync<HttpRequestException>(
            () => CallAsync("POST", "calendars/primary/events", Class("class1")));
        AssertError(await GetAsync("class1"), 404, "notFound");
    }

    /// <summary>Reads see the time before the write until the stale window ends.</summary>
    [Fact]
    public async Task StaleSeconds_OnInsertAndPatch_HidesTheWriteFromReadsForAWhile()
    {
        await Control.AddFaultAsync(
            new FaultScript("events.insert", new FaultEffect { StaleSeconds = 3 }), None);
        var full = await ListAsync();
        await InsertAsync(Class("class1"));
        AssertError(await GetAsync("class1"), 404, "notFound");
        var token = Text(
            (await ListAsync("?syncToken=" + Text(full.Body!, "nextSyncToken"))).Body!, "nextSyncToken");
        await Control.AdvanceClockAsync(TimeSpan.FromSeconds(3), None);
        Assert.Equal(200, (await GetAsync("class1")).Status);
        Assert.Equal(["class1"], Ids(await ListAsync("?syncToken=" + token)));
    }

    [Fact]
    public async Task Swallow_OnInsert_AnswersSuccessAndStoresNothing()
    {
        await Control.AddFaultAsync(
            new FaultScript("events.insert", new FaultEffect { Swallow = true }) { Times = 1 }, None);
        Assert.Equal("class1", Text(await InsertAsync(Class("class1")), "id"));
        AssertError(await GetAsync("class1"), 404, "notFound");
        await InsertAsync(Class("class1"));
    }

    [Fact]
    public async Task StoreIn_OnInsert_PutsTheEventElsewhere()
    {
        var other = Text(
            (await CallAsync("POST", "calendars", new JsonObject { ["summary"] = "Other" })).Body!, "id");
        await Control.AddFaultAsync(
            new FaultScript("events.insert", new FaultEffect { StoreIn = other }), None);
        await InsertAsync(Class("class1"));
        AssertError(await GetAsync("class1"), 404, "notFound");
        var truth = await Control.GetTruthAsync(other, None);
        Assert.Equal("class1", Assert.Single(Assert.Single(truth.Calendars).Events).Id);
    }

    [Fact]
    public async Task ChangeField_OnAWriteAndOnARead_ChangesWhatIsStoredOrShown()
    {
        await Control.AddFaultAsync(
            new FaultScript(
                "events.insert", new FaultEffect { ChangeField = new FaultField("summary", "Other") }), None);
        await InsertAsync(Class("class1"));
        Assert.Equal("Other", Text((await GetAsync("class1")).Body!, "summary"));
        await Control.AddFaultAsync(
            new FaultScript(
                "events.get", new FaultEffect { ChangeField = new FaultField("start.dateTime", "x") }), None);
        Assert.Equal("x", Text((await GetAsync("class1")).Body!["start"]!, "dateTime"));
    }

    /// <summary>The sandbox sees the client give up.</summary>
    [Fact]
    public async Task Blackhole_UntilTheClientLeaves_IsSeenInTheCallLog()
    {
        await Control.AddFaultAsync(
            new FaultScript("events.get", new FaultEffect { Blackhole = true }), None);
        await TokenAsync(Maya);
        using var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        using var request = new HttpRequestMessage(
            HttpMethod.Get, "calendar/v3/calendars/primary/events/class1");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Http.SendAsync(request, impatient.Token));
        var seen = false;
        for (var turn = 0; turn < 200 && !seen; turn++)
        {
            await Task.Delay(10);
            seen = (await Control.GetCallsAsync(None)).Any(
                call => call is { Operation: "events.get", ClientDisconnected: true, Status: 0 });
        }

        Assert.True(seen);
    }

    [Fact]
    public async Task Delay_OnAPatch_IsWaitedOnTheClockAndAppliedAfterTheClientLeft()
    {
        await InsertAsync(Class("class1"));
        await Control.AddFaultAsync(
            new FaultScript("events.patch", new FaultEffect { DelayMs = 15_000 }), None);
        var waiting = PatchAsync("class1", new JsonObject { ["summary"] = "Late" });
        while (Clock.PendingTimerCount == 0)
            await Task.Delay(5);
        Assert.Equal("Yoga", Text((await GetAsync("class1")).Body!, "summary"));
        Clock.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal("Late", Text((await waiting).Body!, "summary"));
    }

    [Fact]
    public async Task Probability_WithASeed_RepeatsItself()
    {
        var first = await RunAsync();
        await Control.ClearFaultsAsync(None);
        Assert.Equal(first, await RunAsync());
        Assert.Contains(503, first);
        Assert.Contains(404, first);

        async Task<List<int>> RunAsync()
        {
            await Control.AddFaultAsync(
                new FaultScript(
                    "events.get", new FaultEffect { Status = 503 })
                { Probability = 0.5, Seed = 7 }, None);
            var statuses = new List<int>();
            for (var turn = 0; turn < 20; turn++)
                statuses.Add((await GetAsync("nothing")).Status);
            return statuses;
        }
    }

    [Theory]
    [InlineData("faults", "{}")]
    [InlineData("faults", "[")]
    [InlineData("edit-event", "{}")]
    [InlineData("set-access", "{\"calendarId\":null}")]
    [InlineData("clock", "{\"advanceSeconds\":\"x\"}")]
    public async Task Control_WithABadBody_Answers400(string path, string body)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var response = await Http.PostAsync("_sandbox/" + path, content);
        Assert.Equal(400, (int)response.StatusCode);
    }

    [Fact]
    public async Task Every_OtherCall_FiresOnEachSecond()
    {
        await Control.AddFaultAsync(
            new FaultScript("events.get", new FaultEffect { Status = 403, Reason = "userRateLimitExceeded" })
            {
                Every = 2,
                CalendarId = Maya,
            },
            None);
        AssertError(await GetAsync("nothing"), 404, "notFound");
        AssertError(await GetAsync("nothing"), 403, "userRateLimitExceeded");
        AssertError(await GetAsync("nothing"), 404, "notFound");
        AssertError(await GetAsync("nothing"), 403, "userRateLimitExceeded");
    }
}
