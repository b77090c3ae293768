using System.Text.Json;
using CalSync.Lab;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Remotes;

/// <summary>
/// Goal: what is sent is exactly what was meant, and what comes back is read by meaning or not at all.
/// </summary>
public sealed class GoogleCalendarTests
{
    /// <summary>
    /// R-FIX-1-G, D-01: id, local time with offset and zone, mark, conference, explicit flags; no sequence.
    /// </summary>
    [Theory]
    [InlineData(Notify.None, "none")]
    [InlineData(Notify.ExternalOnly, "externalOnly")]
    [InlineData(Notify.All, "all")]
    [Trait("Requirement", "R-FIX-1-G")]
    public async Task Insert_SendsTheWholeEventAndSaysWhomToMail(Notify notify, string word)
    {
        await using var rig = RemotesRig.Start(_ => RemotesRig.Ok(RemotesRig.EventJson()));
        var write = await rig.Calendar.InsertAsync(
            RemotesRig.Call(), RemotesRig.Address, RemotesRig.Content(), notify, CancellationToken.None);
        Assert.IsType<EventWrite.Accepted>(write);
        var sent = Assert.Single(rig.Server.Requests);
        Assert.Equal("POST", sent.Method);
        Assert.Equal(
            $"/calendar/v3/calendars/team%40studio.test/events?conferenceDataVersion=1&sendUpdates={word}",
            sent.Target);
        Assert.Equal("Bearer access-token-value", sent.Headers["Authorization"]);
        using var document = JsonDocument.Parse(sent.Body);
        var body = document.RootElement;
        Assert.Equal(RemotesRig.EventId, body.GetProperty("id").GetString());
        Assert.Equal(
            "2026-03-20T09:00:00+05:30", body.GetProperty("start").GetProperty("dateTime").GetString());
        Assert.Equal("Asia/Kolkata", body.GetProperty("start").GetProperty("timeZone").GetString());
        Assert.Equal(
            "mir_1",
            body.GetProperty("extendedProperties").GetProperty("private").GetProperty("calsyncMirror")
                .GetString());
        Assert.Equal(
            "room-1",
            body.GetProperty("conferenceData").GetProperty("createRequest").GetProperty("requestId")
                .GetString());
        Assert.False(body.TryGetProperty("sequence", out _));
        Assert.False(body.TryGetProperty("location", out _));
    }

    /// <summary>
    /// Only the named fields, an absent text as null, If-Match, and a cleared all-day date.
    /// </summary>
    [Fact]
    public async Task Patch_SendsOnlyTheNamedFieldsUnderIfMatch()
    {
        await using var rig = RemotesRig.Start(_ => RemotesRig.Ok(RemotesRig.EventJson()));
        await rig.Calendar.PatchAsync(
            RemotesRig.Call(), RemotesRig.Address, RemotesRig.Content(),
            [EventField.Location, EventField.Time, EventField.Status], "\"77\"", Notify.None,
            CancellationToken.None);
        var sent = Assert.Single(rig.Server.Requests);
        Assert.Equal(("PATCH", "\"77\""), (sent.Method, sent.Headers["If-Match"]));
        Assert.EndsWith("?conferenceDataVersion=1&sendUpdates=none", sent.Target, StringComparison.Ordinal);
        using var document = JsonDocument.Parse(sent.Body);
        var body = document.RootElement;
        Assert.Equal(
            ["end", "location", "start", "status"],
            body.EnumerateObject().Select(property => property.Name).Order());
        Assert.Equal(JsonValueKind.Null, body.GetProperty("location").ValueKind);
        Assert.Equal(JsonValueKind.Null, body.GetProperty("start").GetProperty("date").ValueKind);
    }

    /// <summary>A guest read before goes back whole, with fields this product does not know.</summary>
    [Fact]
    public async Task Patch_Attendees_KeepsExistingEntriesWhole()
    {
        const string Raw =
            """{"email":"Bob@Example.test","responseStatus":"accepted","comment":"late","futureField":[1]}""";
        await using var rig = RemotesRig.Start(request => RemotesRig.Ok(RemotesRig.EventJson(
            request.Method == "GET" ? $",\"attendees\":[{Raw}]" : "")));
        var found = Assert.IsType<EventRead.Found>(
            await rig.Calendar.GetAsync(RemotesRig.Call(), RemotesRig.Address, CancellationToken.None)).Event;
        var bob = Assert.Single(found.Attendees);
        Assert.Equal(("bob@example.test", "accepted"), (bob.Email, bob.ResponseStatus));
        var content = RemotesRig.Content() with { Attendees = [bob, new Attendee("ann@example.test")] };
        await rig.Calendar.PatchAsync(
            RemotesRig.Call(), RemotesRig.Address, content, [EventField.Attendees], found.ETag, Notify.None,
            CancellationToken.None);
        Assert.Equal(
            $$"""{"attendees":[{{Raw}},{"email":"ann@example.test","responseStatus":"needsAction"}]}""",
            rig.Server.Requests[1].Body);
    }

    /// <summary>A truncated guest list is never written back.</summary>
    [Fact]
    public async Task Patch_AttendeesOfATruncatedRead_IsNotSent()
    {
        await using var rig = RemotesRig.Start(_ => RemotesRig.Ok(RemotesRig.EventJson()));
        var content = RemotesRig.Content() with { AttendeesOmitted = true };
        var write = await rig.Calendar.PatchAsync(
            RemotesRig.Call(), RemotesRig.Address, content, [EventField.Attendees], null, Notify.None,
            CancellationToken.None);
        Assert.Equal(ProviderReason.InvalidRequest, Assert.IsType<EventWrite.Failed>(write).Fault.Reason);
        Assert.Empty(rig.Server.Requests);
    }

    /// <summary>
    /// D-02: the answer is rendered in another zone and under another name, and means the same.
    /// </summary>
    [Fact]
    public async Task Get_WithTheTimeRenderedElsewhere_ReadsTheSameInstantAndZone()
    {
        await using var rig = RemotesRig.Start(_ => RemotesRig.Ok(RemotesRig.EventJson()));
        var found = Assert.IsType<EventRead.Found>(
            await rig.Calendar.GetAsync(RemotesRig.Call(), RemotesRig.Address, CancellationToken.None)).Event;
        Assert.Equal(RemotesRig.Content().Start, found.Start);
        Assert.Equal(RemotesRig.Content().End, found.End);
        Assert.Equal("\"3181161784712000\"", found.ETag);
    }

    /// <summary>
    /// Optional fields may be missing, null or new; a time that cannot be read is null, not a guess.
    /// </summary>
    [Theory]
    [InlineData("""{"id":"ID","etag":"\"1\""}""")]
    [InlineData(
        """{"id":"ID","etag":"\"1\"","summary":null,"attendees":null,"start":null,"new":{"x":[1,2]}}""")]
    [InlineData("""{"id":"ID","etag":"\"1\"","start":{"date":"2026-03-20"}}""")]
    [InlineData(
        """{"id":"ID","etag":"\"1\"","start":{"dateTime":"2026-03-20T09:00:00Z","timeZone":"Mars/Base"}}""")]
    [InlineData(
        """
        {"id":"ID","etag":"\"1\"","start":{"dateTime":"2026-03-20T09:00:00","timeZone":"Asia/Kolkata"}}
        """)]
    [InlineData(
        """{"id":"ID","etag":"\"1\"","start":{"dateTime":"0001-01-01T00:00:00Z","timeZone":"UTC"}}""")]
    public async Task Get_WithMissingOrUnknownFields_IsFoundWithoutThem(string json)
    {
        await using var rig = RemotesRig.Start(
            _ => RemotesRig.Ok(json.Replace("ID", RemotesRig.EventId, StringComparison.Ordinal)));
        var found = Assert.IsType<EventRead.Found>(
            await rig.Calendar.GetAsync(RemotesRig.Call(), RemotesRig.Address, CancellationToken.None)).Event;
        Assert.Null(found.Start);
        Assert.Null(found.Summary);
        Assert.Empty(found.Attendees);
    }

    /// <summary>
    /// An answer of another shape is outside the protocol: no event, and never an exception.
    /// </summary>
    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("{}")]
    [InlineData("<html></html>")]
    [InlineData("""{"id":"ID"}""")]
    [InlineData("""{"etag":"\"1\""}""")]
    [InlineData("""{"id":7,"etag":"\"1\""}""")]
    [InlineData("""{"id":"ID","etag":"\"1\"","summary":5}""")]
    [InlineData("""{"id":"ID","etag":"\"1\"","sequence":"three"}""")]
    [InlineData("""{"id":"ID","etag":"\"1\"","sequence":1e400}""")]
    [InlineData("""{"id":"ID","etag":"\"1\"","status":"maybe"}""")]
    [InlineData("""{"id":"ID","etag":"\"1\"","status":true}""")]
    [InlineData("""{"id":"ID","etag":"\"1\"","start":5}""")]
    [InlineData("""{"id":"ID","etag":"\"1\"","start":{"dateTime":5}}""")]
    [InlineData("""{"id":"ID","etag":"\"1\"","attendees":{}}""")]
    [InlineData("""{"id":"ID","etag":"\"1\"","attendees":["ann"]}""")]
    [InlineData("""{"id":"ID","etag":"\"1\"","attendees":[{"email":1}]}""")]
    [InlineData("""{"id":"ID","etag":"\"1\"","attendeesOmitted":"yes"}""")]
    [InlineData("""{"id":"ID","etag":"\"1\"","extendedProperties":{"private":{"calsyncMirror":5}}}""")]
    [InlineData("""{"id":"ID","etag":"\"1\"","conferenceData":[]}""")]
    [InlineData("""{"id":"ID","etag":"\"1\"","summary":"\ud800"}""")]
    [InlineData("""{"id":"ID","etag":"a\r\nX-Evil: 1"}""")]
    [InlineData("""{"id":"ID","id":"ID","etag":"\"1\""}""")]
    [InlineData("""{"id":"another","etag":"\"1\""}""")]
    public async Task GetAndInsert_WithAnotherShape_AreOutsideProtocol(string json)
    {
        await using var rig = RemotesRig.Start(
            _ => RemotesRig.Ok(json.Replace("ID", RemotesRig.EventId, StringComparison.Ordinal)));
        var read = await rig.Calendar.GetAsync(RemotesRig.Call(), RemotesRig.Address, CancellationToken.None);
        Assert.Equal(ProviderReason.OutsideProtocol, Assert.IsType<EventRead.Failed>(read).Fault.Reason);
        var write = await rig.Calendar.InsertAsync(
            RemotesRig.Call(), RemotesRig.Address, RemotesRig.Content(), Notify.None, CancellationToken.None);
        var fault = Assert.IsType<EventWrite.Failed>(write).Fault;
        Assert.Equal((ProviderReason.OutsideProtocol, true), (fault.Reason, fault.OutcomeUnknown));
    }

    /// <summary>Deep nesting is refused, not followed.</summary>
    [Fact]
    public async Task Get_WithDeepNesting_IsOutsideProtocol()
    {
        var deep = $",\"x\":{new string('[', 5000)}{new string(']', 5000)}";
        await using var rig = RemotesRig.Start(_ => RemotesRig.Ok(RemotesRig.EventJson(deep)));
        var read = await rig.Calendar.GetAsync(RemotesRig.Call(), RemotesRig.Address, CancellationToken.None);
        Assert.Equal(ProviderReason.OutsideProtocol, Assert.IsType<EventRead.Failed>(read).Fault.Reason);
    }

    /// <summary>
    /// R-BCAL-2: a rejected token is a value for the token's owner, and no breaker's business.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-BCAL-2")]
    public async Task Get_WithARejectedToken_IsCredentialsRejectedEveryTime()
    {
        await using var rig = RemotesRig.Start(_ => RemotesRig.Error(401, "authError"));
        for (var call = 0; call < 30; call++)
        {
            var read = await rig.Calendar.GetAsync(
                RemotesRig.Call(), RemotesRig.Address, CancellationToken.None);
            Assert.Equal(
                ProviderReason.CredentialsRejected, Assert.IsType<EventRead.Failed>(read).Fault.Reason);
        }

        Assert.Equal(30, rig.Server.Requests.Count);
    }

    /// <summary>404 and 410 are outcomes of their own, where they are Google's word.</summary>
    [Fact]
    public async Task GetAndDelete_OfAnAbsentEvent_AreMissingOrGone()
    {
        await using var rig = RemotesRig.Start(request =>
            request.Method == "GET" || request.Headers.ContainsKey("If-Match")
                ? RemotesRig.Error(404, "notFound")
                : request.Number % 2 == 0 ? RemotesRig.Error(410, "deleted") : new ScriptedAnswer.Send(204));
        var call = RemotesRig.Call();
        Assert.IsType<EventRead.Missing>(
            await rig.Calendar.GetAsync(call, RemotesRig.Address, CancellationToken.None));
        Assert.IsType<EventDelete.Gone>(
            await rig.Calendar.DeleteAsync(
                call, RemotesRig.Address, null, Notify.None, CancellationToken.None));
        Assert.IsType<EventDelete.Gone>(
            await rig.Calendar.DeleteAsync(
                call, RemotesRig.Address, null, Notify.None, CancellationToken.None));
        Assert.IsType<EventDelete.Missing>(
            await rig.Calendar.DeleteAsync(
                call, RemotesRig.Address, "\"1\"", Notify.None, CancellationToken.None));
        Assert.EndsWith("?sendUpdates=none", rig.Server.Requests[1].Target, StringComparison.Ordinal);
    }

    /// <summary>An id that would address another resource is never sent.</summary>
    [Theory]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("")]
    public async Task Delete_WithAnIdThatIsAPath_IsNotSent(string id)
    {
        await using var rig = RemotesRig.Start(_ => new ScriptedAnswer.Send(204));
        var deleted = await rig.Calendar.DeleteAsync(
            RemotesRig.Call(), new EventAddress("primary", id), null, Notify.None, CancellationToken.None);
        Assert.IsType<EventDelete.Failed>(deleted);
        Assert.Empty(rig.Server.Requests);
    }

    /// <summary>
    /// All pages, empty ones too; events that are not ours are dropped even if the server did not filter.
    /// </summary>
    [Fact]
    public async Task FindByMirror_ReadsAllPagesAndKeepsOnlyOurs()
    {
        const string Mine =
            """,{"id":"mine","etag":"\"1\"","extendedProperties":{"private":{"calsyncMirror":"mir_1"}}}""";
        await using var rig = RemotesRig.Start(request => RemotesRig.Ok(
            request.Target.Contains("pageToken=b%2B", StringComparison.Ordinal)
                ? $$"""{"items":[{"id":"other","etag":"\"1\""}{{Mine}}]}"""
                : """{"items":[],"nextPageToken":"b+"}"""));
        var search = await rig.Calendar.FindByMirrorAsync(
            RemotesRig.Call(), "primary", "mir_1", CancellationToken.None);
        var found = Assert.Single(Assert.IsType<EventSearch.Complete>(search).Events);
        Assert.Equal("mine", found.Address.EventId);
        Assert.Equal(2, rig.Server.Requests.Count);
        Assert.Contains(
            "privateExtendedProperty=calsyncMirror%3Dmir_1", rig.Server.Requests[0].Target,
            StringComparison.Ordinal);
    }

    /// <summary>A failed, endless or shapeless listing is never an empty one.</summary>
    [Theory]
    [InlineData(500, "{}")]
    [InlineData(200, "{}")]
    [InlineData(200, "[]")]
    [InlineData(200, """{"items":{}}""")]
    [InlineData(200, """{"items":[5]}""")]
    [InlineData(200, """{"items":[],"nextPageToken":7}""")]
    [InlineData(200, """{"items":[],"nextPageToken":"same"}""")]
    public async Task Listings_ThatAreNotComplete_Fail(int status, string json)
    {
        await using var rig = RemotesRig.Start(_ => new ScriptedAnswer.Send(status, json));
        Assert.IsType<EventSearch.Failed>(await rig.Calendar.FindByMirrorAsync(
            RemotesRig.Call(), "primary", "mir_1", CancellationToken.None));
        Assert.IsType<CalendarSearch.Failed>(
            await rig.Calendar.ListCalendarsAsync(RemotesRig.Call("con_2"), CancellationToken.None));
    }

    /// <summary>The calendars of the account, with what the console shows.</summary>
    [Fact]
    public async Task ListCalendars_ReadsIdNameZoneAndRole()
    {
        await using var rig = RemotesRig.Start(_ => RemotesRig.Ok(
            """
            {"items":[
              {"id":"team@studio.test","summary":"team","primary":true,"timeZone":"Asia/Kolkata",
               "accessRole":"owner"},
              {"id":"c2","summary":"a","summaryOverride":"Studio","timeZone":"UTC","accessRole":"writer",
               "extra":1}]}
            """));
        var search = await rig.Calendar.ListCalendarsAsync(RemotesRig.Call(), CancellationToken.None);
        Assert.Equal(
            [
                new ProviderCalendar("team@studio.test", "team", true, "Asia/Kolkata", "owner"),
                new ProviderCalendar("c2", "Studio", false, "UTC", "writer"),
            ],
            Assert.IsType<CalendarSearch.Complete>(search).Calendars.AsEnumerable());
    }
}
