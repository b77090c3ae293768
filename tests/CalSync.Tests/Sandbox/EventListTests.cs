using System.Text.Json.Nodes;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Sandbox;

/// <summary>events.list: pages, sync tokens, filters and their conflicts (R4, R5; D, section 3.1).</summary>
public sealed class EventListTests : SandboxTest
{
    [Fact]
    [Trait("Rule", "R4")]
    public async Task List_WithTheSettingOn_BeginsWithAnEmptyPageThatHasANext()
    {
        await InsertAsync(Class("class1"));
        await Control.SetSettingsAsync(new SandboxSettings(EmptyPages: true), None);
        var first = await ListAsync();
        Assert.Empty(Ids(first));
        var second = await ListAsync("?pageToken=" + Text(first.Body!, "nextPageToken"));
        Assert.Equal(["class1"], Ids(second));
        Assert.NotEmpty(Text(second.Body!, "nextSyncToken"));
    }

    [Fact]
    [Trait("Rule", "R5")]
    public async Task List_OrderedByStart_EndsWithoutAnyToken()
    {
        await InsertAsync(Class("class1"));
        var ordered = await ListAsync("?orderBy=startTime&singleEvents=true&timeMin=2026-01-01T00:00:00Z");
        Assert.Equal(["class1"], Ids(ordered));
        Assert.False(
            ordered.Body!.ContainsKey("nextSyncToken") || ordered.Body!.ContainsKey("nextPageToken"));
        Assert.True((await ListAsync("?maxResults=2500")).Body!.ContainsKey("nextSyncToken"));
    }

    /// <summary>The sync token is on the last page only and continues from the first.</summary>
    [Fact]
    [Trait("Rule", "D-SYNC")]
    public async Task List_InPagesWhileEventsChange_LosesNothing()
    {
        for (var number = 0; number < 5; number++)
            await InsertAsync(Class($"class{number}"));
        var page = await ListAsync("?maxResults=2");
        Assert.False(page.Body!.ContainsKey("nextSyncToken"));
        await PatchAsync("class0", new JsonObject { ["summary"] = "B" });
        await InsertAsync(Class("class5"));
        var seen = Ids(page);
        while (page.Body!["nextPageToken"] is { } next)
        {
            page = await ListAsync("?maxResults=2&pageToken=" + next);
            seen.AddRange(Ids(page));
        }

        var changes = await ListAsync("?syncToken=" + Text(page.Body!, "nextSyncToken"));
        Assert.Equal(
            ["class0", "class1", "class2", "class3", "class4", "class5"], seen.Union(Ids(changes)).Order());
        Assert.Contains("class0", Ids(changes));
    }

    [Fact]
    [Trait("Rule", "D-SYNC")]
    public async Task List_SinceAToken_ShowsChangesAndTombstonesOnceEach()
    {
        await InsertAsync(Class("class1"));
        await InsertAsync(Class("class2"));
        var token = await SyncTokenAsync();
        await PatchAsync("class1", new JsonObject { ["summary"] = "B" });
        await PatchAsync("class1", new JsonObject { ["summary"] = "C" });
        await CallAsync("DELETE", "calendars/primary/events/class2");
        var changes = await ListAsync("?syncToken=" + token);
        Assert.Equal(["class1", "class2"], Ids(changes));
        var tombstone = changes.Body!["items"]![1]!.AsObject();
        Assert.Equal(["kind", "etag", "id", "status"], tombstone.Select(pair => pair.Key));
        Assert.Equal("cancelled", Text(tombstone, "status"));
        Assert.Empty(Ids(await ListAsync("?syncToken=" + Text(changes.Body!, "nextSyncToken"))));
    }

    /// <summary>An incremental listing is paged as well, repeating the sync token.</summary>
    [Fact]
    [Trait("Rule", "D-SYNC")]
    public async Task List_SinceATokenInPages_GivesEachChangeOnce()
    {
        var token = await SyncTokenAsync();
        for (var number = 0; number < 5; number++)
            await InsertAsync(Class($"class{number}"));
        var page = await ListAsync($"?maxResults=2&syncToken={token}");
        var seen = Ids(page);
        while (page.Body!["nextPageToken"] is { } next)
        {
            page = await ListAsync($"?maxResults=2&syncToken={token}&pageToken={next}");
            seen.AddRange(Ids(page));
        }

        Assert.Equal(["class0", "class1", "class2", "class3", "class4"], seen);
    }

    [Theory]
    [InlineData("iCalUID=x")]
    [InlineData("orderBy=updated")]
    [InlineData("privateExtendedProperty=a%3Db")]
    [InlineData("q=x")]
    [InlineData("sharedExtendedProperty=a%3Db")]
    [InlineData("timeMin=2026-01-01T00:00:00Z")]
    [InlineData("timeMax=2026-01-01T00:00:00Z")]
    [InlineData("updatedMin=2026-01-01T00:00:00Z")]
    [InlineData("showDeleted=false")]
    [Trait("Rule", "D-SYNC")]
    public async Task List_SinceATokenWithAForbiddenParameter_Answers400(string parameter) =>
        AssertError(await ListAsync($"?syncToken={await SyncTokenAsync()}&{parameter}"), 400, "invalid");

    [Theory]
    [InlineData("maxResults=0", "invalid")]
    [InlineData("maxResults=abc", "invalid")]
    [InlineData("timeMin=2026-01-01", "badRequest")]
    [InlineData("timeMin=2026-01-01T00:00:00", "badRequest")]
    [InlineData("timeMin=2026-01-02T00:00:00Z&timeMax=2026-01-02T00:00:00Z", "timeRangeEmpty")]
    [InlineData("orderBy=startTime", "invalid")]
    [InlineData("orderBy=id", "invalid")]
    [InlineData("singleEvents=yes", "invalid")]
    [InlineData("syncToken=nonsense!", "invalid")]
    [InlineData("pageToken=nonsense", "invalid")]
    [Trait("Rule", "D-INPUT")]
    public async Task List_WithABadParameter_Answers400(string parameters, string reason) =>
        AssertError(await ListAsync("?" + parameters), 400, reason);

    /// <summary>410 has three reasons: this one wipes, the others do not.</summary>
    [Fact]
    [Trait("Rule", "D-SYNC")]
    public async Task List_SinceAnInvalidatedOrOldToken_Answers410FullSyncRequired()
    {
        var token = await SyncTokenAsync();
        await Control.InvalidateSyncTokensAsync(Maya, null, None);
        var gone = await ListAsync("?syncToken=" + token);
        AssertError(gone, 410, "fullSyncRequired");
        Assert.Equal("syncToken", Text(gone.Body!["error"]!["errors"]![0]!, "location"));
        var old = await SyncTokenAsync();
        await Control.SetSettingsAsync(new SandboxSettings(SyncTokenLifetimeDays: 0), None);
        await Control.AdvanceClockAsync(TimeSpan.FromMinutes(10), None);
        AssertError(await ListAsync("?syncToken=" + old), 410, "fullSyncRequired");
        AssertError(await ListAsync("?updatedMin=2020-01-01T00:00:00Z"), 410, "updatedMinTooLongAgo");
    }

    [Fact]
    [Trait("Rule", "D-LIST")]
    public async Task List_InFull_HidesDeletionsUnlessAsked()
    {
        await InsertAsync(Class("class1"));
        await CallAsync("DELETE", "calendars/primary/events/class1");
        Assert.Empty(Ids(await ListAsync()));
        Assert.Equal(["class1"], Ids(await ListAsync("?showDeleted=true")));
        Assert.Equal(["class1"], Ids(await ListAsync("?updatedMin=2026-01-05T00:00:00Z")));
    }

    [Theory]
    [InlineData("timeMin=2026-01-12T16:00:00Z", "")]
    [InlineData("timeMin=2026-01-12T15:59:59Z", "class1")]
    [InlineData("timeMax=2026-01-12T15:00:00Z", "")]
    [InlineData("timeMax=2026-01-12T15:00:01Z", "class1")]
    [InlineData("q=yog", "class1")]
    [InlineData("q=pilates", "")]
    [InlineData("iCalUID=class1%40google.com", "class1")]
    [InlineData("iCalUID=other", "")]
    [InlineData("privateExtendedProperty=slot%3D7", "class1")]
    [InlineData("privateExtendedProperty=slot%3D8", "")]
    [InlineData("sharedExtendedProperty=slot%3D7", "")]
    [InlineData("updatedMin=2026-01-05T09:00:01Z", "")]
    [Trait("Rule", "D-LIST")]
    public async Task List_WithAFilter_ShowsWhatMatches(string filter, string expected)
    {
        var body = Class("class1");
        body["extendedProperties"] = new JsonObject { ["private"] = new JsonObject { ["slot"] = "7" } };
        await InsertAsync(body);
        Assert.Equal(expected, string.Join(',', Ids(await ListAsync("?" + filter))));
    }

    private async Task<string> SyncTokenAsync() => Text((await ListAsync()).Body!, "nextSyncToken");
}
