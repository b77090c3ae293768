using System.Text.Json.Nodes;
using Xunit;

namespace CalSync.Tests.Sandbox;

/// <summary>
/// R-TEST-11: every supported operation, request and answer, through a validating proxy with the published
/// OpenAPI description of Calendar v3. That description knows only 200 answers, so other statuses are its one
/// allowed remark.
/// </summary>
[Trait("Category", "Slow")]
[Trait("Requirement", "R-TEST-11")]
public sealed class ContractTests : SandboxTest
{
    private Uri? _proxy;

    protected override Uri CalendarBase => _proxy ?? base.CalendarBase;

    [Fact]
    public async Task EveryOperation_ThroughTheValidatingProxy_KeepsTheContract()
    {
        await using var proxy = await ContractProxy.StartAsync(base.CalendarBase);
        _proxy = proxy.BaseAddress;
        var studio = await CalendarsAsync();
        await EventsAsync(studio);
        await SeriesAsync();
        await ListsAndChannelsAsync();
    }

    /// <summary>The check can fail: a field of the wrong type is noticed on either side.</summary>
    [Fact]
    public async Task WrongTypes_ThroughTheValidatingProxy_AreNoticed()
    {
        await using var proxy = await ContractProxy.StartAsync(base.CalendarBase);
        _proxy = proxy.BaseAddress;
        await InsertAsync(Class("class1"));
        Assert.Equal(422, (await PatchAsync("class1", new JsonObject { ["summary"] = 5 })).Status);
        await Control.AddFaultAsync(
            new("events.get", new() { ChangeField = new("sequence", "three") }) { Times = 1 }, None);
        Assert.Equal(500, (await GetAsync("class1")).Status);
    }

    private async Task<string> CalendarsAsync()
    {
        var made = await CheckAsync(200, "POST", "calendars", new JsonObject { ["summary"] = "Studio" });
        var studio = Uri.EscapeDataString(Text(made.Body!, "id"));
        await CheckAsync(200, "GET", "calendars/" + studio);
        await CheckAsync(
            200, "PATCH", "calendars/" + studio, new JsonObject { ["timeZone"] = "Asia/Kolkata" });
        await CheckAsync(200, "GET", "users/me/calendarList/" + studio);
        var spare = await CheckAsync(200, "POST", "calendars", new JsonObject { ["summary"] = "Spare" });
        await CheckAsync(204, "DELETE", "calendars/" + Uri.EscapeDataString(Text(spare.Body!, "id")));
        return studio;
    }

    private async Task EventsAsync(string studio)
    {
        var rich = Class("class1", Sam, "new@guest.test");
        rich["location"] = "Room 2";
        rich["extendedProperties"] = new JsonObject { ["private"] = new JsonObject { ["slot"] = "7" } };
        rich["conferenceData"] =
            new JsonObject { ["createRequest"] = new JsonObject { ["requestId"] = "r1" } };
        var made = await CheckAsync(
            200, "POST", $"calendars/{studio}/events?conferenceDataVersion=1&sendUpdates=all", rich);
        var one = $"calendars/{studio}/events/class1";
        await CheckAsync(200, "GET", one);
        await CheckAsync(200, "PATCH", one, new JsonObject { ["summary"] = "B" }, Text(made.Body!, "etag"));
        await CheckAsync(412, "PATCH", one, new JsonObject { ["summary"] = "C" }, Text(made.Body!, "etag"));
        await CheckAsync(409, "POST", $"calendars/{studio}/events", Class("class1"));
        await CheckAsync(200, "PUT", one, Class());
        await CheckAsync(200, "POST", one + "/move?destination=primary");
        await CheckAsync(204, "DELETE", "calendars/primary/events/class1");
        await CheckAsync(410, "DELETE", "calendars/primary/events/class1");
        await CheckAsync(200, "GET", "calendars/primary/events/class1");
        await CheckAsync(404, "GET", "calendars/primary/events/nothing");
        var foreign = Class();
        foreign["iCalUID"] = "uid@example.com";
        await CheckAsync(200, "POST", "calendars/primary/events/import", foreign);
    }

    private async Task SeriesAsync()
    {
        var series = new JsonObject
        {
            ["id"] = "series1",
            ["start"] = new JsonObject { ["date"] = "2026-03-02" },
            ["end"] = new JsonObject { ["date"] = "2026-03-03" },
            ["recurrence"] = new JsonArray("RRULE:FREQ=DAILY;COUNT=3"),
        };
        await CheckAsync(200, "POST", "calendars/primary/events", series);
        await CheckAsync(204, "DELETE", "calendars/primary/events/series1_20260303");
        await CheckAsync(200, "GET", "calendars/primary/events/series1/instances?showDeleted=true");
        await CheckAsync(200, "GET", "calendars/primary/events?singleEvents=true&orderBy=startTime");
    }

    private async Task ListsAndChannelsAsync()
    {
        var list = await CheckAsync(200, "GET", "users/me/calendarList");
        await CheckAsync(200, "GET", "users/me/calendarList?syncToken=" + Text(list.Body!, "nextSyncToken"));
        var full = await CheckAsync(200, "GET", "calendars/primary/events?maxResults=250&showDeleted=true");
        await CheckAsync(
            200, "GET", "calendars/primary/events?syncToken=" + Text(full.Body!, "nextSyncToken"));
        await CheckAsync(200, "POST", "freeBusy", new JsonObject
        {
            ["timeMin"] = "2026-03-01T00:00:00Z",
            ["timeMax"] = "2026-04-01T00:00:00Z",
            ["items"] = new JsonArray(
                new JsonObject { ["id"] = "primary" }, new JsonObject { ["id"] = "nobody" }),
        });
        var ask = new JsonObject
        {
            ["id"] = "channel1",
            ["type"] = "web_hook",
            ["address"] = "http://127.0.0.1:9/"
        };
        var opened = await CheckAsync(200, "POST", "calendars/primary/events/watch", ask);
        var stop = new JsonObject { ["id"] = "channel1", ["resourceId"] = Text(opened.Body!, "resourceId") };
        await CheckAsync(204, "POST", "channels/stop", stop);
        ask["id"] = "channel2";
        await CheckAsync(200, "POST", "users/me/calendarList/watch", ask.DeepClone());
    }

    private async Task<Reply> CheckAsync(
        int status, string method, string path, JsonNode? body = null, string? ifMatch = null)
    {
        var reply = await CallAsync(method, path, body, ifMatch: ifMatch);
        var header = reply.Headers.TryGetValues(
            "sl-violations", out var lines) ? string.Join(',', lines) : "[]";
        foreach (var remark in reply.Body?["validation"]?.AsArray() ?? JsonNode.Parse(header)!.AsArray())
        {
            var isAboutTheStatus = remark!["message"]!.GetValue<string>()
                .StartsWith("Unable to match the returned status code", StringComparison.Ordinal);
            Assert.True(status != 200 && isAboutTheStatus, $"{method} {path}: {remark.ToJsonString()}");
        }

        // The proxy replaces a 204 by its remark that only 200 is described; then the call log has the real
        // status.
        var real = reply.Body?["validation"] is null
            ? reply.Status
            : (await Control.GetCallsAsync(None))[^1].Status;
        Assert.True(real == status, $"{method} {path}: {reply.Status} {reply.Text}");
        return reply;
    }
}
