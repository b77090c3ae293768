using System.Text.Json.Nodes;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Sandbox.CalDav;

/// <summary>Faults, edits by hand, mails, the call log and the truth of the practice iCloud.</summary>
[Trait("Rule", "CALDAV")]
public sealed class CalDavControlTests : CalDavTest
{
    [Fact]
    public async Task Status_OfAScript_NamesConditionAndRetryAfter()
    {
        await FaultAsync("caldav.put", new FaultEffect { Status = 503, RetryAfter = 7 });
        var busy = await PutAsync("a.ics", Event("a"));
        Assert.Equal((503, 7d), (busy.Status, busy.Headers.RetryAfter!.Delta!.Value.TotalSeconds));
        await FaultAsync("caldav.sync", new FaultEffect { Status = 403, Reason = "valid-sync-token" });
        AssertRefused(await SyncAsync(""), 403, D + "valid-sync-token");
        await FaultAsync("caldav.put", new FaultEffect { Status = 403, Reason = "CALDAV:max-instances" });
        AssertRefused(await PutAsync("a.ics", Event("a")), 403, C + "max-instances");
        Assert.Equal(201, (await PutAsync("a.ics", Event("a"))).Status);
    }

    [Theory]
    [InlineData("before", false)]
    [InlineData("after", true)]
    public async Task Drop_LosesTheAnswer_BeforeOrAfterItWasStored(string drop, bool isStored)
    {
        await FaultAsync("caldav.*", new FaultEffect { Drop = drop });
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => PutAsync("a.ics", Event("a")));
        Assert.Equal(isStored ? 200 : 404, (await SendAsync("GET", Work + "a.ics")).Status);
    }

    /// <summary>Answers that are not what they seem: cut off, cut short, another page, another
    /// status.</summary>
    [Fact]
    public async Task SpoiledAnswers_ReachTheClientAsScripted()
    {
        await CreateAsync("a.ics", Event("a"));
        await FaultAsync("caldav.sync", new FaultEffect { Drop = "middle" });
        await Assert.ThrowsAnyAsync<Exception>(() => SyncAsync(""));
        await FaultAsync("caldav.sync", new FaultEffect { KeepBytes = 40 });
        var cut = await SyncAsync("");
        Assert.Equal((207, 40), (cut.Status, cut.Text.Length));
        await FaultAsync("caldav.sync", new FaultEffect { AnswerAs = 206 });
        Assert.Equal(206, (await SyncAsync("")).Status);
        await FaultAsync("caldav.sync", new FaultEffect { AnswerAs = 200, Body = "<html>Sign in</html>" });
        var page = await SyncAsync("");
        Assert.Equal((200, "<html>Sign in</html>"), (page.Status, page.Text));
        await FaultAsync("caldav.sync", new FaultEffect { Body = "" });
        var empty = await SyncAsync("");
        Assert.Equal((207, ""), (empty.Status, empty.Text));
        Assert.Equal(["a.ics"], Present(await SyncAsync("")));
    }

    [Fact]
    public async Task RowFault_RefusesOneResourceOfAReport_AndIsNotMeantByTheFamily()
    {
        await CreateAsync("a.ics", Event("a"));
        await CreateAsync("b.ics", Event("b"));
        await Control.AddFaultAsync(
            new FaultScript("caldav-row", new FaultEffect { Status = 403 }) { EventId = "a.ics" }, None);
        var reply = await MultigetAsync(Work + "a.ics", Work + "b.ics");
        Assert.Equal(["a.ics"], Gone(reply));
        Assert.Equal(["b.ics"], Present(reply));
        Assert.Contains("HTTP/1.1 403", reply.Text, StringComparison.Ordinal);
        await Control.ClearFaultsAsync(None);
        var all = await Control.AddFaultAsync(
            new FaultScript("*", new FaultEffect { Status = 500 }) { Nth = 2 }, None);
        Assert.Equal(2, Present(await MultigetAsync(Work + "a.ics", Work + "b.ics")).Count);
        Assert.Equal(1, (await Control.GetFaultsAsync(None)).Single(report => report.Id == all.Id).Seen);
    }

    [Fact]
    public async Task SwallowStoreInChangeFieldAndStale_LieAboutAWrite()
    {
        await FaultAsync("caldav.put", new FaultEffect { Swallow = true });
        Assert.Equal(201, (await PutAsync("a.ics", Event("a"))).Status);
        Assert.Equal(404, (await SendAsync("GET", Work + "a.ics")).Status);
        await FaultAsync("caldav.put", new FaultEffect { StoreIn = "home" });
        Assert.Equal(201, (await PutAsync("b.ics", Event("b"))).Status);
        Assert.Equal(200, (await SendAsync("GET", Home + "home/b.ics")).Status);
        await FaultAsync(
            "caldav.put",
            new FaultEffect { ChangeField = new FaultField("SUMMARY", JsonValue.Create("Cut")) });
        var changed = await PutAsync("c.ics", Event("c"));
        Assert.Equal((201, null), (changed.Status, changed.ETag));
        Assert.Contains("SUMMARY:Cut", await TextAsync("c.ics"), StringComparison.Ordinal);
        await FaultAsync("caldav.get", new FaultEffect { ChangeField = new FaultField("SUMMARY", null) });
        Assert.DoesNotContain("SUMMARY", await TextAsync("c.ics"), StringComparison.Ordinal);
        await FaultAsync("caldav.put", new FaultEffect { StaleSeconds = 3 });
        await PutAsync("c.ics", Event("c", "SUMMARY:New"));
        Assert.Contains("SUMMARY:Cut", await TextAsync("c.ics"), StringComparison.Ordinal);
        await Control.AdvanceClockAsync(TimeSpan.FromSeconds(3), None);
        Assert.Contains("SUMMARY:New", await TextAsync("c.ics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task EditsByHand_AreSeenBySyncCollection()
    {
        var token = Token(await SyncAsync(""));
        var made = await CalDav.EditAsync(
            new CalDavHandEdit(Maya, "work", "1A.ics", "put") { Content = "BEGIN:VCALENDAR\r\nodd" }, None);
        Assert.Equal(["1A.ics"], Present(await SyncAsync(token)));
        var touched = await CalDav.EditAsync(new CalDavHandEdit(Maya, "work", "1A.ics", "touch"), None);
        Assert.Equal(made.Content, touched.Content);
        Assert.NotEqual(made.ETag, touched.ETag);
        Assert.Equal(touched.ETag, await ETagAsync("1A.ics"));
        await CalDav.EditAsync(new CalDavHandEdit(Maya, "work", "1A.ics", "delete"), None);
        Assert.Equal(["1A.ics"], Gone(await SyncAsync(token)));
        await Assert.ThrowsAsync<HttpRequestException>(
            () => CalDav.EditAsync(new CalDavHandEdit(Maya, "work", "1A.ics", "delete"), None));
    }

    [Fact]
    public async Task Calls_SayWhoDidWhatWhere()
    {
        await CreateAsync("a.ics", Event("a"));
        await Control.ClearCallsAsync(None);
        await SyncAsync("");
        await PutAsync("a.ics", Event("a"), "If-Match: *");
        await SendAsync("GET", Work + "a.ics", null, "Authorization: none");
        var calls = await Control.GetCallsAsync(None);
        Assert.Equal(["caldav.sync", "caldav.put", "caldav.get"], calls.Select(call => call.Operation));
        Assert.Equal(["1 changes", null, null], calls.Select(call => call.Detail));
        Assert.Equal((Maya, "work", "a.ics", 204, true), (
            calls[1].User, calls[1].CalendarId, calls[1].EventId, calls[1].Status, calls[1].IfMatch));
        Assert.Equal((401, "absent"), (calls[2].Status, calls[2].TokenState));
    }

    /// <summary>RFC 6638: who is mailed for what, and what keeps the server from mailing.</summary>
    [Fact]
    public async Task MailsAttendees_UnlessTheClientSchedules()
    {
        await QuirksAsync(CalDavQuirks.None with { MailsAttendees = true });
        const string Organizer = "ORGANIZER:mailto:maya@icloud.test\r\n";
        var put = await PutAsync("a.ics", Event("a", Organizer + "ATTENDEE:mailto:sam@x.test"));
        Assert.Null(put.ETag);
        Assert.Contains("SCHEDULE-STATUS=1.1", await TextAsync("a.ics"), StringComparison.Ordinal);
        await PutAsync("a.ics", Event("a", Organizer + "ATTENDEE:mailto:sam@x.test\r\nLOCATION:Hall"));
        await SendAsync("DELETE", Work + "a.ics");
        var client = Event("b", Organizer + "ATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:sam@x.test");
        await PutAsync("b.ics", client);
        await SendAsync("DELETE", Work + "b.ics");
        var mails = await Control.GetMailsAsync(includeKeptBack: false, None);
        Assert.Equal(["invitation", "update", "cancellation"], mails.Select(mail => mail.Kind));
        Assert.All(mails, mail => Assert.Equal("sam@x.test", mail.To));
    }

    [Fact]
    public async Task MailsAttendees_RepliesForAGuest_UnlessToldNotTo()
    {
        await QuirksAsync(CalDavQuirks.None with { MailsAttendees = true });
        const string Guest = "ORGANIZER:mailto:boss@x.test\r\nATTENDEE;PARTSTAT={0}:mailto:maya@icloud.test";
        await PutAsync("a.ics", Event("a", Guest.Replace("{0}", "NEEDS-ACTION", StringComparison.Ordinal)));
        await PutAsync("a.ics", Event("a", Guest.Replace("{0}", "ACCEPTED", StringComparison.Ordinal)));
        await SendAsync("DELETE", Work + "a.ics", null, "Schedule-Reply: F");
        var mail = Assert.Single(await Control.GetMailsAsync(includeKeptBack: true, None));
        Assert.Equal(("reply", "boss@x.test"), (mail.Kind, mail.To));
        await Control.ClearMailsAsync(None);
        Assert.Empty(await Control.GetMailsAsync(includeKeptBack: true, None));
    }

    [Fact]
    public async Task Truth_KeepsWhatADeletedCalendarHeld_AndResetForgetsAll()
    {
        await CreateAsync("a.ics", Event("a"));
        await CalDav.AddUserAsync(new CalDavUser("new@icloud.test", "New", "p", ["q"]), None);
        await CalDav.AddCalendarAsync("new@icloud.test", "family", "Family", readOnly: true, None);
        await CalDav.DeleteCalendarAsync(Maya, "work", None);
        var truth = await CalDav.GetTruthAsync(None);
        var gone = Assert.Single(truth.Calendars, calendar => calendar.Deleted);
        Assert.Equal(Event("a"), Assert.Single(gone.Resources).Content);
        Assert.True(truth.Calendars.Single(calendar => calendar.Id == "family").ReadOnly);
        await Control.ResetAsync(None);
        Assert.Equal(6, (await CalDav.GetTruthAsync(None)).Calendars.Count);
    }

    [Theory]
    [InlineData("quirks", "{\"deadSyncToken\":\"nonsense\"}")]
    [InlineData("edit", "{}")]
    [InlineData("edit", "[")]
    [InlineData("users", "{\"email\":\"a\"}")]
    public async Task Control_WithABadBody_Answers400(string path, string body)
    {
        using var http = new HttpClient { BaseAddress = BaseAddress };
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var response = await http.PostAsync("_sandbox/caldav/" + path, content);
        Assert.Equal(400, (int)response.StatusCode);
    }

    private async Task<string> TextAsync(string name) => (await SendAsync("GET", Work + name)).Text;

    private Task<FaultReport> FaultAsync(string operation, FaultEffect effect) =>
        Control.AddFaultAsync(new FaultScript(operation, effect) { Times = 1 }, None);
}
