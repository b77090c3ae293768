using System.Globalization;
using System.Text.Json.Nodes;
using Xunit;

namespace CalSync.Tests.Sandbox;

/// <summary>
/// Writing one event: the rules measured on recordings of the real service (R1 to R19) and the documented
/// ones, each asked over HTTP.
/// </summary>
public sealed class EventWriteTests : SandboxTest
{
    /// <summary>R1: an event's ETag is twice its modification time in microseconds.</summary>
    [Fact]
    [Trait("Rule", "R1")]
    public async Task Insert_AnyEvent_HasTwiceTheMicrosecondsAsETag()
    {
        var made = await InsertAsync(Class());
        var micros = long.Parse(Text(made, "etag").Trim('"'), CultureInfo.InvariantCulture) / 2;
        var updated = DateTimeOffset.Parse(Text(made, "updated"), CultureInfo.InvariantCulture);
        Assert.Equal(updated.ToUnixTimeMilliseconds(), micros / 1000);
    }

    /// <summary>R2: the ETag header is on single resources and equals the body's; lists have none.</summary>
    [Fact]
    [Trait("Rule", "R2")]
    public async Task Get_AnyEvent_HasTheETagHeaderAndListsHaveNone()
    {
        var made = await InsertAsync(Class("class1"));
        Assert.Equal(Text(made, "etag"), (await GetAsync("class1")).ETag);
        Assert.Null((await ListAsync()).ETag);
    }

    /// <summary>R3: dateTime is shown in the calendar's zone, timeZone stays the event's own.</summary>
    [Fact]
    [Trait("Rule", "R3")]
    public async Task Insert_InAnotherZone_IsShownInTheCalendarsZone()
    {
        var body = Class();
        body["start"] = new JsonObject
        {
            ["dateTime"] = "2026-03-20T09:00:00-07:00",
            ["timeZone"] = "America/Los_Angeles"
        };
        body["end"] = new JsonObject
        {
            ["dateTime"] = "2026-03-20T10:00:00-07:00",
            ["timeZone"] = "America/Los_Angeles"
        };
        var made = await InsertAsync(body, Arjun);
        Assert.Equal("2026-03-20T21:30:00+05:30", Text(made["start"]!, "dateTime"));
        Assert.Equal("America/Los_Angeles", Text(made["start"]!, "timeZone"));
    }

    /// <summary>R3: without a timeZone the calendar's is filled in.</summary>
    [Fact]
    [Trait("Rule", "R3")]
    public async Task Insert_WithoutATimeZone_GetsTheCalendarsZone()
    {
        var made = await InsertAsync(Class());
        Assert.Equal("America/New_York", Text(made["start"]!, "timeZone"));
    }

    /// <summary>R6: insert, patch and update answer 200, delete 204 without a body.</summary>
    [Fact]
    [Trait("Rule", "R6")]
    public async Task Writes_WhenTheySucceed_AnswerTheMeasuredStatuses()
    {
        Assert.Equal(200, (await CallAsync("POST", "calendars/primary/events", Class("class1"))).Status);
        Assert.Equal(200, (await PatchAsync("class1", new JsonObject { ["summary"] = "A" })).Status);
        Assert.Equal(200, (await CallAsync("PUT", "calendars/primary/events/class1", Class())).Status);
        var deleted = await CallAsync("DELETE", "calendars/primary/events/class1");
        Assert.Equal(204, deleted.Status);
        Assert.Equal("", deleted.Text);
    }

    /// <summary>R7: created has whole seconds, updated milliseconds.</summary>
    [Fact]
    [Trait("Rule", "R7")]
    public async Task Insert_BetweenSeconds_ShowsCreatedInWholeSeconds()
    {
        Clock.Advance(TimeSpan.FromMilliseconds(1234));
        var made = await InsertAsync(Class());
        Assert.EndsWith(":01.000Z", Text(made, "created"), StringComparison.Ordinal);
        Assert.EndsWith(":01.234Z", Text(made, "updated"), StringComparison.Ordinal);
    }

    /// <summary>
    /// R8: sequence stays with text and attendees, and rises by one when the time moves.
    /// </summary>
    [Fact]
    [Trait("Rule", "R8")]
    public async Task Patch_OfTextOrTime_RaisesTheSequenceForTimeOnly()
    {
        await InsertAsync(Class("class1"));
        await PatchAsync("class1", new JsonObject { ["location"] = "Room 2", ["summary"] = "B" });
        var text = await PatchAsync("class1", new JsonObject { ["attendees"] = Guests(Sam) });
        Assert.Equal(0, text.Body!["sequence"]!.GetValue<int>());
        var moved = await PatchAsync("class1", new JsonObject
        {
            ["start"] = new JsonObject { ["dateTime"] = "2026-01-12T12:00:00-05:00" },
            ["end"] = new JsonObject { ["dateTime"] = "2026-01-12T13:00:00-05:00" },
        });
        Assert.Equal(1, moved.Body!["sequence"]!.GetValue<int>());
    }

    /// <summary>R8: a cancelled event with an attendee has sequence 1.</summary>
    [Fact]
    [Trait("Rule", "R8")]
    public async Task Delete_WithAnAttendee_RaisesTheSequence()
    {
        await InsertAsync(Class("class1", Sam));
        await CallAsync("DELETE", "calendars/primary/events/class1");
        Assert.Equal(1, (await GetAsync("class1")).Body!["sequence"]!.GetValue<int>());
    }

    /// <summary>
    /// R9: attendees are replaced as a whole, answers default to needsAction, the organizer is not added.
    /// </summary>
    [Fact]
    [Trait("Rule", "R9")]
    public async Task Patch_OfAttendees_ReplacesTheWholeList()
    {
        await InsertAsync(Class("class1", Sam, Arjun));
        var patched = await PatchAsync("class1", new JsonObject { ["attendees"] = Guests("new@guest.test") });
        var only = Assert.Single(patched.Body!["attendees"]!.AsArray())!;
        Assert.Equal("new@guest.test", Text(only, "email"));
        Assert.Equal("needsAction", Text(only, "responseStatus"));
    }

    /// <summary>R10: a deleted event can be read: 200, cancelled, with all details.</summary>
    [Fact]
    [Trait("Rule", "R10")]
    public async Task Get_OfADeletedEvent_ShowsItCancelledWithItsDetails()
    {
        await InsertAsync(Class("class1"));
        await CallAsync("DELETE", "calendars/primary/events/class1");
        var read = await GetAsync("class1");
        Assert.Equal(200, read.Status);
        Assert.Equal("cancelled", Text(read.Body!, "status"));
        Assert.Equal("Yoga", Text(read.Body!, "summary"));
    }

    /// <summary>R10: a write that changes nothing changes neither ETag nor updated.</summary>
    [Fact]
    [Trait("Rule", "R10")]
    public async Task Update_WithTheSameBody_LeavesTheETag()
    {
        await InsertAsync(Class("class1"));
        await CallAsync("DELETE", "calendars/primary/events/class1");
        var read = await GetAsync("class1");
        Clock.Advance(TimeSpan.FromMinutes(1));
        var written = await CallAsync("PUT", "calendars/primary/events/class1", read.Body);
        Assert.Equal(200, written.Status);
        Assert.Equal(read.ETag, written.ETag);
    }

    /// <summary>R11: move answers with the cancelled source copy, organized by the destination.</summary>
    [Fact]
    [Trait("Rule", "R11")]
    public async Task Move_ToAnotherCalendar_AnswersTheCancelledSource()
    {
        var calendar = await CallAsync("POST", "calendars", new JsonObject { ["summary"] = "Studio" });
        var id = Text(calendar.Body!, "id");
        await InsertAsync(Class("class1"));
        var moved = await CallAsync(
            "POST", $"calendars/primary/events/class1/move?destination={Uri.EscapeDataString(id)}",
                new JsonObject());
        Assert.Equal(200, moved.Status);
        Assert.Equal("cancelled", Text(moved.Body!, "status"));
        Assert.Equal(id, Text(moved.Body!["organizer"]!, "email"));
        Assert.Equal("confirmed", Text((await GetAsync("class1", calendar: id)).Body!, "status"));
    }

    /// <summary>
    /// R12: an imported event's id is "_" and the base32hex of its iCalUID; an inserted one's UID is
    /// id@google.com.
    /// </summary>
    [Fact]
    [Trait("Rule", "R12")]
    public async Task Import_OfAForeignUid_DerivesTheId()
    {
        var body = Class();
        body["iCalUID"] = "test-import-event-2026-03-12@example.com";
        var made = await CallAsync("POST", "calendars/primary/events/import", body);
        Assert.StartsWith("_ehin6t1d", Text(made.Body!, "id"), StringComparison.Ordinal);
        Assert.Equal("class1@google.com", Text(await InsertAsync(Class("class1")), "iCalUID"));
    }

    /// <summary>
    /// R14: all-day events have dates without zone and do not use default reminders; defaults are left out.
    /// </summary>
    [Fact]
    [Trait("Rule", "R14")]
    public async Task Insert_AllDay_HasDatesOnly()
    {
        var made = await InsertAsync(new JsonObject
        {
            ["start"] = new JsonObject { ["date"] = "2026-01-12" },
            ["end"] = new JsonObject { ["date"] = "2026-01-13" },
            ["transparency"] = "opaque",
            ["visibility"] = "default",
        });
        Assert.Equal("""{"date":"2026-01-12"}""", made["start"]!.ToJsonString());
        Assert.False(made["reminders"]!["useDefault"]!.GetValue<bool>());
        Assert.False(made.ContainsKey("transparency") || made.ContainsKey("visibility"));
    }

    /// <summary>R19: the headers of the real answers.</summary>
    [Fact]
    [Trait("Rule", "R19")]
    public async Task Get_AnyEvent_HasTheMeasuredHeaders()
    {
        await InsertAsync(Class("class1"));
        var read = await GetAsync("class1");
        Assert.Equal("no-transform, must-revalidate, max-age=0, private",
            string.Join(
                ", ", read.Headers.CacheControl!.ToString().Split(", ").OrderDescending().OrderBy(Rank)));
        Assert.Contains("Referer", read.Headers.Vary);

        static int Rank(
            string part) => part[0] switch { 'n' => 0, 'm' when part[1] == 'u' => 1, 'm' => 2, _ => 3 };
    }
}
