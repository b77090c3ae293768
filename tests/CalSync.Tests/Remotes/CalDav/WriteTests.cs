using CalSync.Calendar.Document;
using CalSync.Lab;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Remotes.CalDav;

/// <summary>
/// Goal: a write counts as done only when the server says so inside and out, and never over anything but what
/// it was decided on.
/// </summary>
public sealed class WriteTests
{
    private static readonly ResourceAddress Address = new("/dav/cal/a.ics");

    [Fact]
    [Trait("Requirement", "R-SYNC-4-A")]
    public async Task Create_SendsOneConditionalPut()
    {
        await using var rig = CalDavRig.Start(_ => DavXml.Status(201, "ETag: \"7\""));
        var stored = Assert.IsType<ResourceWrite.Stored>(await CreateAsync(rig, Draft("a")));
        Assert.Equal((Address, "\"7\""), (stored.Address, stored.Version));
        var put = Assert.Single(rig.Server.Requests);
        Assert.Equal(("PUT", "/dav/cal/a.ics", "*"), (put.Method, put.Target, put.Headers["If-None-Match"]));
        Assert.Equal("text/calendar; charset=utf-8", put.Headers["Content-Type"]);
        Assert.Equal(DavXml.Event("a").ReplaceLineEndings("\r\n"), put.Body);
    }

    /// <summary>A stored object has no METHOD (RFC 4791 section 4.1); the rest stays as it is.</summary>
    [Fact]
    public async Task Create_WithAMethod_LeavesItOut()
    {
        await using var rig = CalDavRig.Start(_ => DavXml.Status(201));
        var content = DavXml.Event("a").Replace(
            "VERSION:2.0\n", "VERSION:2.0\nMETHOD:REQUEST\n", StringComparison.Ordinal);
        await CreateAsync(rig, new("a", CalendarDocument.Parse(content), null));
        Assert.Equal(DavXml.Event("a").ReplaceLineEndings("\r\n"), rig.Server.Requests[0].Body);
    }

    /// <summary>SRV-2: success outside and a failure inside is a failure.</summary>
    [Theory]
    [InlineData(412, "<D:error><C:valid-calendar-data/></D:error>", "Refused")]
    [InlineData(412, "<D:error><C:no-uid-conflict/></D:error>", "Exists")]
    [InlineData(507, "", "Failed")]
    [InlineData(200, "", "Stored")]
    public async Task Create_AnsweredWithAMultistatus_IsJudgedByWhatIsInside(
        int inner, string error, string outcome)
    {
        await using var rig = CalDavRig.Start(request => DavXml.Kind(request) == "put"
            ? DavXml.Rows(DavXml.Failed("http%3A//x", inner, error))
            : DavXml.Status(404));
        Assert.Equal(outcome, (await CreateAsync(rig, Draft("a"))).GetType().Name);
    }

    /// <summary>One status, several meanings: what is there decides.</summary>
    [Theory]
    [InlineData(412, 200, "Exists")]
    [InlineData(412, 404, "Refused")]
    [InlineData(404, 404, "Refused")]
    [InlineData(409, 404, "Exists")]
    [InlineData(409, 200, "Exists")]
    [InlineData(400, 404, "Refused")]
    [InlineData(403, 404, "Refused")]
    [InlineData(413, 404, "Refused")]
    [InlineData(302, 404, "Failed")]
    [InlineData(500, 404, "Failed")]
    [InlineData(429, 404, "Failed")]
    public async Task Create_Refused_IsJudgedByReading(int put, int get, string outcome)
    {
        await using var rig = CalDavRig.Start(request => DavXml.Kind(request) switch
        {
            "put" => DavXml.Status(put, "Location: /dav/other/a.ics"),
            "get" => get == 200 ? DavXml.Body("a") : DavXml.Status(get),
            _ => DavXml.Rows(DavXml.State()),
        });
        Assert.Equal(outcome, (await CreateAsync(rig, Draft("a"))).GetType().Name);
        Assert.Single(rig.Asked, kind => kind == "put");
    }

    /// <summary>A server that says 412 or 403 of content it cannot take tells of no other writer and no
    /// missing right, and neither does the reason a person reads.</summary>
    [Theory]
    [InlineData(412, "<C:valid-calendar-data/>", "does not take this content (valid-calendar-data)")]
    [InlineData(403, "<C:max-resource-size/>", "does not take this content (max-resource-size)")]
    [InlineData(412, "", "does not take this content.")]
    public async Task Create_RefusedForItsContent_SaysSo(int status, string condition, string words)
    {
        await using var rig = CalDavRig.Start(request => DavXml.Kind(request) switch
        {
            "put" => DavXml.Error(status, condition),
            "get" => DavXml.Status(404),
            _ => DavXml.Rows(DavXml.State()),
        });
        var refused = Assert.IsType<ResourceWrite.Refused>(await CreateAsync(rig, Draft("a")));
        Assert.Contains(words, refused.Fault.Message, StringComparison.Ordinal);
        Assert.Equal(ProviderReason.InvalidRequest, refused.Fault.Reason);
    }

    [Fact]
    public async Task Create_WhenTheCalendarIsGone_Fails()
    {
        await using var rig = CalDavRig.Start(_ => DavXml.Status(404));
        Assert.IsType<ResourceWrite.Failed>(await CreateAsync(rig, Draft("a")));
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-4-C")]
    public async Task Create_OfAUidThatIsTaken_NamesWhereItLies()
    {
        await using var rig = CalDavRig.Start(_ => DavXml.Error(
            403,
            "<C:unique-scheduling-object-resource><D:href>/dav/cal/x%40y.ics</D:href>"
            + "</C:unique-scheduling-object-resource>"));
        var exists = Assert.IsType<ResourceWrite.Exists>(await CreateAsync(rig, Draft("a")));
        Assert.Equal("/dav/cal/x%40y.ics", exists.Address?.Value);
    }

    /// <summary>A lost answer is not a failure: it says that nobody knows, and nothing is sent
    /// again.</summary>
    [Fact]
    public async Task Create_WhenTheAnswerIsLost_SaysThatNobodyKnows()
    {
        await using var rig = CalDavRig.Start(
            _ => new ScriptedAnswer.Close(), new() { ReadAttempts = 3 });
        var failed = Assert.IsType<ResourceWrite.Failed>(await CreateAsync(rig, Draft("a")));
        Assert.True(failed.Fault.OutcomeUnknown);
        Assert.Single(rig.Server.Requests);
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-6-B")]
    public async Task Update_SendsTheVersionItWasDecidedOn()
    {
        await using var rig = CalDavRig.Start(_ => DavXml.Status(204));
        Assert.IsType<ResourceWrite.Stored>(await UpdateAsync(rig, "\"3\""));
        Assert.Equal("\"3\"", Assert.Single(rig.Server.Requests).Headers["If-Match"]);
    }

    /// <summary>412: somebody else wrote, or nobody did and the server cannot compare its own weak
    /// tag.</summary>
    [Theory]
    [InlineData("4", "a", "Changed", 1)]
    [InlineData("3", "a", "Stored", 2)]
    [InlineData("3", "b", "Changed", 1)]
    [InlineData(null, "a", "Gone", 1)]
    public async Task Update_Refused_IsJudgedByReading(string? tag, string uid, string outcome, int puts)
    {
        await using var rig = CalDavRig.Start(request => DavXml.Kind(request) switch
        {
            "put" => DavXml.Status(request.Headers.ContainsKey("If-Match") ? 412 : 204),
            "get" => tag is null ? DavXml.Status(404) : DavXml.Body(uid, tag),
            _ => DavXml.Rows(DavXml.State()),
        });
        Assert.Equal(outcome, (await UpdateAsync(rig, "\"3\"")).GetType().Name);
        Assert.Equal(puts, rig.Asked.Count(kind => kind == "put"));
    }

    /// <summary>One server answers 412 to content it cannot read: that is no conflict.</summary>
    [Fact]
    public async Task Update_RefusedWhateverTheVersion_IsRefused()
    {
        await using var rig = CalDavRig.Start(request =>
            DavXml.Kind(request) == "put" ? DavXml.Status(412) : DavXml.Body("a", "3"));
        Assert.IsType<ResourceWrite.Refused>(await UpdateAsync(rig, "\"3\""));
    }

    [Theory]
    [InlineData("a", "Stored")]
    [InlineData("b", "Changed")]
    public async Task Update_WithoutAVersion_ReadsAndComparesFirst(string there, string outcome)
    {
        await using var rig = CalDavRig.Start(request =>
            DavXml.Kind(request) == "put" ? DavXml.Status(204) : DavXml.Body(there, "9"));
        Assert.Equal(outcome, (await UpdateAsync(rig, null)).GetType().Name);
        Assert.Equal("get", rig.Asked.First());
        if (outcome == "Stored")
            Assert.Equal("\"9\"", rig.Server.Requests[1].Headers["If-Match"]);
    }

    /// <summary>404 to a PUT: the resource is gone, the content is refused, or the calendar is
    /// gone.</summary>
    [Theory]
    [InlineData(404, 207, "Gone")]
    [InlineData(200, 207, "Refused")]
    [InlineData(404, 404, "Failed")]
    public async Task Update_AnsweredWith404_IsJudgedByReading(int get, int state, string outcome)
    {
        await using var rig = CalDavRig.Start(request => DavXml.Kind(request) switch
        {
            "put" => DavXml.Status(404),
            "get" => get == 200 ? DavXml.Body("a", "3") : DavXml.Status(get),
            _ => state == 207 ? DavXml.Rows(DavXml.State()) : DavXml.Status(state),
        });
        Assert.Equal(outcome, (await UpdateAsync(rig, "\"3\"")).GetType().Name);
    }

    [Theory]
    [InlineData(200, 0, "Deleted")]
    [InlineData(204, 0, "Deleted")]
    [InlineData(404, 404, "AlreadyGone")]
    [InlineData(412, 404, "AlreadyGone")]
    [InlineData(412, 200, "Changed")]
    [InlineData(403, 0, "Failed")]
    [InlineData(500, 0, "Failed")]
    public async Task Delete_AnyAnswer_MeansOneThing(int delete, int get, string outcome)
    {
        await using var rig = CalDavRig.Start(request => DavXml.Kind(request) switch
        {
            "delete" => DavXml.Status(delete),
            "get" => get == 200 ? DavXml.Body("a", "4") : DavXml.Status(get),
            "options" => DavXml.Status(200, "DAV: 1, calendar-access"),
            _ => DavXml.Rows(DavXml.State()),
        });
        var done = await rig.Calendar.DeleteAsync(Address, "\"3\"", CancellationToken.None);
        Assert.Equal(outcome, done.GetType().Name);
        var sent = Assert.Single(rig.Server.Requests, request => request.Method == "DELETE");
        Assert.Equal(("\"3\"", "F"), (sent.Headers["If-Match"], sent.Headers["Schedule-Reply"]));
    }

    /// <summary>A 404 of a server that has lost the whole calendar proves nothing about one
    /// resource.</summary>
    [Fact]
    public async Task ReadAndDelete_WhenTheCalendarIsGone_Fail()
    {
        await using var rig = CalDavRig.Start(_ => DavXml.Status(404));
        Assert.IsType<ResourceRead.Failed>(await rig.Calendar.ReadAsync(Address, CancellationToken.None));
        Assert.IsType<ResourceDelete.Failed>(
            await rig.Calendar.DeleteAsync(Address, "\"3\"", CancellationToken.None));
    }

    [Fact]
    public async Task Read_APageInsteadOfTheResource_Fails()
    {
        await using var rig = CalDavRig.Start(_ => DavXml.Page());
        Assert.IsType<ResourceRead.Failed>(await rig.Calendar.ReadAsync(Address, CancellationToken.None));
    }

    /// <summary>Servers that name no ETag with GET name it in a report.</summary>
    [Fact]
    public async Task Read_WithoutAnETag_AsksForIt()
    {
        await using var rig = CalDavRig.Start(request =>
            request.Method == "GET"
                ? DavXml.Body("a", null)
                : DavXml.Rows(DavXml.Content("a.ics", "5", "a")));
        var found = Assert.IsType<ResourceRead.Found>(
            await rig.Calendar.ReadAsync(Address, CancellationToken.None));
        Assert.Equal("\"5\"", found.Resource.Version);
    }

    [Fact]
    public async Task Write_ToAReadOnlyCalendar_IsNotSent()
    {
        await using var rig = CalDavRig.Start(_ => DavXml.Status(201));
        var calendar = rig.Account.Calendar(new Uri(rig.Server.Address + CalDavRig.Path), isReadOnly: true);
        Assert.IsType<ResourceWrite.Refused>(await calendar.CreateAsync(Draft("a"), CancellationToken.None));
        Assert.IsType<ResourceDelete.Failed>(
            await calendar.DeleteAsync(Address, "\"1\"", CancellationToken.None));
        Assert.Empty(rig.Server.Requests);
    }

    /// <summary>SRV-4: the form a server takes is found and remembered; only the last one loses
    /// something.</summary>
    [Theory]
    [InlineData("iCloud", "DTSTART:20260504T090000Z\n", 404, "DTEND:20260504T090000Z", 0)]
    [InlineData("iCloud", "DTSTART;VALUE=DATE:20260504\n", 404, "DTEND;VALUE=DATE:20260505", 0)]
    [InlineData("Cyrus", "DTSTART:20260504T090000Z\nDTEND:20260504T090000Z\n", 403, "DURATION:PT1S", 1)]
    [InlineData("Cyrus", "DTSTART:20260504T090000Z\n", 403, "DURATION:PT1S", 1)]
    public async Task Create_AnEventWithoutALength_IsWrittenAsTheServerTakesIt(
        string server, string times, int refusal, string taken, int losses)
    {
        await using var rig = CalDavRig.Start(request => DavXml.Kind(request) switch
        {
            "put" when request.Body.Contains(taken, StringComparison.Ordinal) => DavXml.Status(201),
            "put" => DavXml.Status(refusal),
            "get" => DavXml.Status(404),
            _ => DavXml.Rows(DavXml.State()),
        });
        var content = DavXml.Event("a").Replace(
            "DTSTART:20260504T090000Z\nDTEND:20260504T100000Z\n", times, StringComparison.Ordinal);
        var draft = new ResourceDraft("a", CalendarDocument.Parse(content), null);
        var stored = Assert.IsType<ResourceWrite.Stored>(await CreateAsync(rig, draft));
        Assert.True(losses == stored.Lost.Length, server);
        var before = rig.Server.Requests.Count;
        Assert.IsType<ResourceWrite.Stored>(await CreateAsync(rig, draft));
        Assert.Equal(before + 1, rig.Server.Requests.Count);
    }

    /// <summary>A server that mails guests gets SCHEDULE-AGENT=CLIENT where the account takes part.</summary>
    [Theory]
    [InlineData("1, calendar-auto-schedule", "mailto:ann@example.test", true)]
    [InlineData("1, calendar-auto-schedule", "mailto:other@example.test", false)]
    [InlineData("1, calendar-access", "mailto:ann@example.test", false)]
    public async Task Create_WithGuests_KeepsTheServerFromMailing(string classes, string self, bool quiet)
    {
        await using var rig = CalDavRig.Start(request => Scheduling(request, classes, self));
        var draft = new ResourceDraft("a", CalendarDocument.Parse(WithGuests("")), null);
        await CreateAsync(rig, draft);
        await CreateAsync(rig, draft);
        var puts = rig.Server.Requests.Where(request => request.Method == "PUT").ToArray();
        Assert.Equal(quiet ? 2 : 0, Count(puts[0].Body, "SCHEDULE-AGENT=CLIENT"));
        Assert.Equal(puts[0].Body, puts[1].Body);
        Assert.Single(rig.Asked, kind => kind == "options");
    }

    /// <summary>What the server already looks after is not touched: any change would be mailed.</summary>
    [Theory]
    [InlineData("", false)]
    [InlineData(";SCHEDULE-AGENT=CLIENT", true)]
    public async Task Write_OverWhatTheServerSchedules_IsRefused(string parameter, bool sent)
    {
        await using var rig = CalDavRig.Start(request => DavXml.Kind(request) == "get"
            ? new ScriptedAnswer.Send(
                200, WithGuests(parameter), "Content-Type: text/calendar", "ETag: \"3\"")
            : Scheduling(request, "calendar-auto-schedule", "mailto:ann@example.test"));
        var held = CalendarDocument.Parse(WithGuests(parameter));
        var write = await rig.Calendar.UpdateAsync(
            Address, "\"3\"", new("a", held, held), CancellationToken.None);
        var delete = await rig.Calendar.DeleteAsync(Address, "\"3\"", CancellationToken.None);
        Assert.Equal(sent ? "Stored" : "Refused", write.GetType().Name);
        Assert.Equal(sent ? "Deleted" : "Failed", delete.GetType().Name);
        Assert.Equal(sent, rig.Server.Requests.Any(one => one.Method is "PUT" or "DELETE"));
    }

    /// <summary>Where the query finds nothing, only the whole calendar proves that there is
    /// nothing.</summary>
    [Theory]
    [InlineData(true, "Found")]
    [InlineData(false, "Gone")]
    public async Task Find_WhenTheQueryFindsNothing_SearchesTheCalendar(bool isThere, string outcome)
    {
        await using var rig = CalDavRig.Start(request => DavXml.Kind(request) switch
        {
            "get" when request.Target == "/dav/cal/a1.ics" && !isThere => DavXml.Status(404),
            "query" => DavXml.Rows(DavXml.Content("b.ics", "1", "b")),
            "state" => DavXml.Rows(DavXml.State("t")),
            "members" => DavXml.Rows(DavXml.State(), DavXml.Member(isThere ? "a1.ics" : "b.ics", "1")),
            _ => DavXml.Contents(request),
        });
        var found = await rig.Calendar.FindAsync("a1", CancellationToken.None);
        Assert.Equal(outcome, found.GetType().Name);
    }

    private static ScriptedAnswer Scheduling(ScriptedRequest request, string classes, string self) =>
        DavXml.Kind(request) switch
        {
            "options" => DavXml.Status(200, $"DAV: {classes}"),
            "put" => DavXml.Status(201),
            "delete" => DavXml.Status(204),
            _ when request.Target == CalDavRig.Path => DavXml.Rows(DavXml.State(
                more: "<D:current-user-principal><D:href>/p/</D:href></D:current-user-principal>")),
            _ => DavXml.Rows(DavXml.Row(
                "/p/",
                $"<C:calendar-user-address-set><D:href>{self}</D:href></C:calendar-user-address-set>")),
        };

    private static string WithGuests(string parameter) => DavXml.Event(
        "a",
        $"ORGANIZER{parameter}:mailto:Ann@example.test\nATTENDEE{parameter}:mailto:guest@example.test\n");

    private static int Count(string text, string part) =>
        text.Split(part, StringSplitOptions.None).Length - 1;

    private static ResourceDraft Draft(string uid) =>
        new(uid, CalendarDocument.Parse(DavXml.Event(uid)), null);

    private static Task<ResourceWrite> CreateAsync(CalDavRig rig, ResourceDraft draft) =>
        rig.Calendar.CreateAsync(draft, CancellationToken.None);

    private static Task<ResourceWrite> UpdateAsync(CalDavRig rig, string? version)
    {
        var held = CalendarDocument.Parse(DavXml.Event("a"));
        var next = CalendarDocument.Parse(DavXml.Event("a", "LOCATION:Hall\n"));
        return rig.Calendar.UpdateAsync(Address, version, new("a", next, held), CancellationToken.None);
    }
}
