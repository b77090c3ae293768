using System.Text.Json.Nodes;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Sandbox;

/// <summary>calendars and calendarList, freeBusy, and the control plane's hand on calendars.</summary>
public sealed class CalendarTests : SandboxTest
{
    private const string List = "users/me/calendarList";

    [Fact]
    [Trait("Rule", "R17")]
    public async Task CalendarList_OfAnAccount_HasThePrimaryUnderItsAddress()
    {
        var list = await CallAsync("GET", List);
        var primary = Assert.Single(list.Body!["items"]!.AsArray())!;
        Assert.Equal(Maya, Text(primary, "id"));
        Assert.True(primary["primary"]!.GetValue<bool>());
        Assert.Equal("owner", Text(primary, "accessRole"));
        Assert.Equal("America/New_York", Text((await CallAsync("GET", List + "/primary")).Body!, "timeZone"));
    }

    [Fact]
    [Trait("Rule", "R18")]
    public async Task Insert_WithoutAZone_IsInUtcAndHasADataOwner()
    {
        var made = await CallAsync("POST", "calendars", new JsonObject { ["summary"] = "Studio" });
        Assert.Equal(200, made.Status);
        Assert.Equal("UTC", Text(made.Body!, "timeZone"));
        Assert.Equal(Maya, Text(made.Body!, "dataOwner"));
        AssertError(await CallAsync("POST", "calendars", new JsonObject()), 400, "required");
        AssertError(
            await CallAsync("POST", "calendars", new JsonObject
            {
                ["summary"] = "S",
                ["timeZone"] = "Mars"
            }), 400, "invalid");
    }

    /// <summary>
    /// R17: a calendar that went away leaves a tombstone of four properties and the deleted flag.
    /// </summary>
    [Fact]
    [Trait("Rule", "R17")]
    public async Task Delete_OfASecondary_LeavesATombstoneInTheIncrementalList()
    {
        var id = await StudioAsync();
        var token = Text((await CallAsync("GET", List)).Body!, "nextSyncToken");
        Assert.Equal(204, (await CallAsync("DELETE", "calendars/" + id)).Status);
        AssertError(await ListAsync(calendar: id), 404, "notFound");
        var changes = await CallAsync("GET", $"{List}?syncToken={token}");
        var tombstone = Assert.Single(changes.Body!["items"]!.AsArray())!.AsObject();
        Assert.Equal(
            ["kind", "etag", "id", "defaultReminders", "deleted"], tombstone.Select(pair => pair.Key));
        Assert.Single((await CallAsync("GET", List)).Body!["items"]!.AsArray());
        AssertError(
            await CallAsync("DELETE", "calendars/primary"), 403, "cannotDeletePrimaryCalendar");
    }

    [Fact]
    [Trait("Rule", "D-SYNC")]
    public async Task CalendarList_TokenConflictsAndExpiry_AreRefused()
    {
        var token = Text((await CallAsync("GET", List)).Body!, "nextSyncToken");
        AssertError(await CallAsync("GET", $"{List}?syncToken={token}&minAccessRole=owner"), 400, "invalid");
        AssertError(await CallAsync("GET", $"{List}?syncToken={token}&showDeleted=false"), 400, "invalid");
        await Control.InvalidateSyncTokensAsync(null, Maya, None);
        AssertError(await CallAsync("GET", $"{List}?syncToken={token}"), 410, "fullSyncRequired");
    }

    [Fact]
    public async Task CalendarList_InPages_GivesEachCalendarOnce()
    {
        for (var number = 0; number < 4; number++)
            await StudioAsync();
        var page = await CallAsync("GET", List + "?maxResults=2");
        var seen = Ids(page);
        while (page.Body!["nextPageToken"] is { } next)
        {
            page = await CallAsync("GET", $"{List}?maxResults=2&pageToken={next}");
            seen.AddRange(Ids(page));
        }

        Assert.Equal(5, seen.Distinct().Count());
        Assert.Equal(5, seen.Count);
    }

    [Fact]
    public async Task Patch_OfACalendar_ChangesItForItsOwnerOnly()
    {
        var id = await StudioAsync();
        var patched = await CallAsync("PATCH", "calendars/" + id, new JsonObject { ["summary"] = "B" });
        Assert.Equal("B", Text(patched.Body!, "summary"));
        Assert.Equal("B", Text((await CallAsync("GET", "calendars/" + id)).Body!, "summary"));
        await Control.SetAccessAsync(id, Arjun, "writer", None);
        AssertError(
            await CallAsync("PATCH", "calendars/" + id, new JsonObject { ["summary"] = "C" }, Arjun),
            403, "requiredAccessLevel");
    }

    [Fact]
    public async Task Control_DeleteCalendar_TakesItFromEveryone()
    {
        var id = await StudioAsync();
        await InsertAsync(Class("class1"), calendar: id);
        await Control.DeleteCalendarAsync(id, None);
        AssertError(await GetAsync("class1", calendar: id), 404, "notFound");
        var truth = Assert.Single((await Control.GetTruthAsync(id, None)).Calendars);
        Assert.True(truth.Deleted);
        Assert.Single(truth.Events);
    }

    [Fact]
    [Trait("Rule", "D-FREEBUSY")]
    public async Task FreeBusy_OfOverlappingEvents_IsMergedAndLeavesOutTransparentOnes()
    {
        await InsertAsync(Class("class1"));
        var second = Class("class2");
        second["start"] = new JsonObject { ["dateTime"] = "2026-01-12T10:30:00-05:00" };
        second["end"] = new JsonObject { ["dateTime"] = "2026-01-12T12:00:00-05:00" };
        await InsertAsync(second);
        var free = Class("class3");
        free["transparency"] = "transparent";
        await InsertAsync(free);
        var answer = await CallAsync("POST", "freeBusy", new JsonObject
        {
            ["timeMin"] = "2026-01-12T15:30:00Z",
            ["timeMax"] = "2026-01-13T00:00:00Z",
            ["items"] = new JsonArray(
                new JsonObject { ["id"] = "primary" }, new JsonObject { ["id"] = "nobody" }),
        });
        var busy = Assert.Single(answer.Body!["calendars"]!["primary"]!["busy"]!.AsArray())!;
        Assert.Equal(
            ("2026-01-12T15:30:00Z", "2026-01-12T17:00:00Z"), (Text(busy, "start"), Text(busy, "end")));
        Assert.Equal("notFound", Text(answer.Body!["calendars"]!["nobody"]!["errors"]![0]!, "reason"));
    }

    [Fact]
    public async Task Control_UsersLatencyClockAndReset_WorkOverHttp()
    {
        await Control.AddUserAsync(new SandboxUser("new@studio.test", "New", "Europe/Oslo"), None);
        Assert.Equal(200, (await ListAsync(user: "new@studio.test")).Status);
        await Control.SetLatencyAsync(TimeSpan.FromMilliseconds(50), None);
        Assert.Equal(50, (await Control.GetLatencyAsync(None)).TotalMilliseconds);
        var before = await Control.GetTimeAsync(None);
        Assert.Equal(before.AddSeconds(5), await Control.AdvanceClockAsync(TimeSpan.FromSeconds(5), None));
        await Control.ResetAsync(None);
        Assert.Equal(TimeSpan.Zero, await Control.GetLatencyAsync(None));
        Assert.Empty(await Control.GetCallsAsync(None));
        Assert.DoesNotContain(
            (await Control.GetTruthAsync(
                null, None)).Calendars, calendar => calendar.Owner == "new@studio.test");
    }

    private async Task<string> StudioAsync() => Text(
        (await CallAsync("POST", "calendars", new JsonObject { ["summary"] = "Studio" })).Body!, "id");
}
