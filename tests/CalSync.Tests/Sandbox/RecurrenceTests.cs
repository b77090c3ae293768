using System.Text.Json.Nodes;
using Xunit;

namespace CalSync.Tests.Sandbox;

/// <summary>Series, their instances and exceptions (R13, R15; D, section 3.5).</summary>
public sealed class RecurrenceTests : SandboxTest
{
    /// <summary>
    /// R13: instance ids, shared ETag and UID, original start. R15: the insert answers the master.
    /// </summary>
    [Fact]
    [Trait("Rule", "R13")]
    [Trait("Rule", "R15")]
    public async Task Instances_OfASeries_AreNamedByTheirOriginalStart()
    {
        var master = await InsertAsync(Weekly());
        Assert.Equal("series1", Text(master, "id"));
        var instances = await CallAsync("GET", "calendars/primary/events/series1/instances");
        Assert.Equal(
            ["series1_20260302T150000Z", "series1_20260309T140000Z", "series1_20260316T140000Z"],
                Ids(instances));
        var second = instances.Body!["items"]![1]!;
        Assert.Equal(Text(master, "etag"), Text(second, "etag"));
        Assert.Equal(Text(master, "iCalUID"), Text(second, "iCalUID"));
        Assert.Equal("series1", Text(second, "recurringEventId"));
        Assert.Equal("2026-03-09T10:00:00-04:00", Text(second["originalStartTime"]!, "dateTime"));
        Assert.True(instances.Body!.ContainsKey("nextSyncToken"));
    }

    [Fact]
    [Trait("Rule", "D-RECURRENCE")]
    public async Task Patch_OfOneInstance_MakesAnExceptionAndLeavesTheMaster()
    {
        var master = await InsertAsync(Weekly());
        var patched = await PatchAsync("series1_20260309T140000Z", new JsonObject
        {
            ["start"] = new JsonObject { ["dateTime"] = "2026-03-09T12:00:00-04:00" },
            ["end"] = new JsonObject { ["dateTime"] = "2026-03-09T13:00:00-04:00" },
        });
        Assert.True(patched.Status == 200, patched.Text);
        Assert.Equal("2026-03-09T10:00:00-04:00", Text(patched.Body!["originalStartTime"]!, "dateTime"));
        Assert.Equal(Text(master, "etag"), (await GetAsync("series1")).ETag);
        Assert.Equal(["series1", "series1_20260309T140000Z"], Ids(await ListAsync()));
        var single = await ListAsync("?singleEvents=true&orderBy=startTime");
        Assert.Equal(
            ["series1_20260302T150000Z", "series1_20260309T140000Z", "series1_20260316T140000Z"],
                Ids(single));
        Assert.Equal("2026-03-09T12:00:00-04:00", Text(single.Body!["items"]![1]!["start"]!, "dateTime"));
    }

    /// <summary>
    /// Deleting one instance leaves the rules alone; the cancelled exception is listed even unasked.
    /// </summary>
    [Fact]
    [Trait("Rule", "D-RECURRENCE")]
    public async Task Delete_OfOneInstance_MakesACancelledException()
    {
        await InsertAsync(Weekly());
        var token = Text((await ListAsync()).Body!, "nextSyncToken");
        Assert.Equal(
            204, (await CallAsync("DELETE", "calendars/primary/events/series1_20260309T140000Z")).Status);
        Assert.Equal("""["RRULE:FREQ=WEEKLY;COUNT=3"]""", (
            await GetAsync("series1")).Body!["recurrence"]!.ToJsonString());
        Assert.Equal(["series1", "series1_20260309T140000Z"], Ids(await ListAsync()));
        var changes = await ListAsync("?syncToken=" + token);
        var tombstone = Assert.Single(changes.Body!["items"]!.AsArray())!.AsObject();
        Assert.Equal(
            ["kind", "etag", "id", "status", "recurringEventId", "originalStartTime"],
            tombstone.Select(pair => pair.Key));
        Assert.Equal(
            ["series1_20260302T150000Z", "series1_20260316T140000Z"], Ids(
                await ListAsync("?singleEvents=true")));
        AssertError(
            await CallAsync("DELETE", "calendars/primary/events/series1_20260309T140000Z"), 410, "deleted");
    }

    [Fact]
    [Trait("Rule", "D-RECURRENCE")]
    public async Task Get_OfAnInstanceThatIsNotOne_Answers404()
    {
        await InsertAsync(Weekly());
        Assert.Equal(200, (await GetAsync("series1_20260309T140000Z")).Status);
        AssertError(await GetAsync("series1_20260310T140000Z"), 404, "notFound");
        AssertError(await GetAsync("series1_nonsense"), 404, "notFound");
        await CallAsync("DELETE", "calendars/primary/events/series1");
        AssertError(await GetAsync("series1_20260309T140000Z"), 404, "notFound");
    }

    /// <summary>Recurring timed events need a timeZone even with an offset.</summary>
    [Fact]
    [Trait("Rule", "D-RECURRENCE")]
    public async Task Insert_OfASeriesWithoutATimeZone_Answers400()
    {
        var body = Class();
        body["recurrence"] = new JsonArray("RRULE:FREQ=DAILY");
        var refused = await CallAsync("POST", "calendars/primary/events", body);
        AssertError(refused, 400, "required");
        Assert.Contains(
            "Missing time zone definition for start time.", refused.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DTSTART:20260302T100000Z")]
    [InlineData("RRULE:FREQ=SOMETIMES")]
    [InlineData("RRULE:FREQ=DAILY;COUNT=-1;UNTIL=20270101T000000Z")]
    [InlineData("nonsense")]
    [Trait("Rule", "D-RECURRENCE")]
    public async Task Insert_WithABadRecurrenceLine_Answers400(string line)
    {
        var body = Weekly();
        body["recurrence"] = new JsonArray(line);
        AssertError(await CallAsync("POST", "calendars/primary/events", body), 400, "invalid");
    }

    [Fact]
    [Trait("Rule", "D-RECURRENCE")]
    public async Task List_InARange_ShowsTheInstancesThatTouchIt()
    {
        await InsertAsync(Weekly());
        var range = "timeMin=2026-03-09T14:30:00Z&timeMax=2026-03-10T00:00:00Z";
        Assert.Equal(["series1_20260309T140000Z"], Ids(await ListAsync("?singleEvents=true&" + range)));
        Assert.Equal(["series1"], Ids(await ListAsync("?" + range)));
        Assert.Empty(Ids(await ListAsync("?timeMin=2026-04-01T00:00:00Z")));
    }

    [Fact]
    [Trait("Rule", "D-RECURRENCE")]
    public async Task Instances_OfAnAllDaySeries_AreNamedByTheirDate()
    {
        await InsertAsync(new JsonObject
        {
            ["id"] = "series1",
            ["start"] = new JsonObject { ["date"] = "2026-03-02" },
            ["end"] = new JsonObject { ["date"] = "2026-03-04" },
            ["recurrence"] = new JsonArray(
                "RRULE:FREQ=DAILY;INTERVAL=3;COUNT=2", "EXDATE;VALUE=DATE:20260302"),
        });
        var instances = await CallAsync("GET", "calendars/primary/events/series1/instances");
        Assert.Equal(["series1_20260305"], Ids(instances));
        Assert.Equal("2026-03-07", Text(instances.Body!["items"]![0]!["end"]!, "date"));
        Assert.Equal(200, (await GetAsync("series1_20260305")).Status);
    }

    private static JsonObject Weekly()
    {
        var zoned = (
            string text) => new JsonObject { ["dateTime"] = text, ["timeZone"] = "America/New_York" };
        return new JsonObject
        {
            ["id"] = "series1",
            ["summary"] = "Yoga",
            ["start"] = zoned("2026-03-02T10:00:00"),
            ["end"] = zoned("2026-03-02T11:00:00"),
            ["recurrence"] = new JsonArray("RRULE:FREQ=WEEKLY;COUNT=3"),
        };
    }
}
