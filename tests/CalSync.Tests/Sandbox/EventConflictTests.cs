using System.Text;
using System.Text.Json.Nodes;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Sandbox;

/// <summary>
/// Ids, ETags, deletion and undeletion, permissions, and input Google refuses (D, sections 3.2 to 3.11).
/// </summary>
public sealed class EventConflictTests : SandboxTest
{
    [Fact]
    [Trait("Rule", "D-ETAG")]
    public async Task Write_WithAStaleETag_Answers412AndChangesNothing()
    {
        var made = await InsertAsync(Class("class1"));
        await PatchAsync("class1", new JsonObject { ["summary"] = "B" });
        var refused = await PatchAsync("class1", new JsonObject { ["summary"] = "C" }, Text(made, "etag"));
        AssertError(refused, 412, "conditionNotMet");
        Assert.Equal("If-Match", Text(refused.Body!["error"]!["errors"]![0]!, "location"));
        AssertError(await CallAsync(
            "PUT", "calendars/primary/events/class1", Class(), ifMatch: "\"1\""), 412, "conditionNotMet");
        AssertError(await CallAsync(
            "DELETE", "calendars/primary/events/class1", ifMatch: "\"1\""), 412, "conditionNotMet");
        Assert.Equal("B", Text((await GetAsync("class1")).Body!, "summary"));
    }

    [Fact]
    [Trait("Rule", "D-ETAG")]
    public async Task Get_WithTheCurrentETag_Answers304()
    {
        var made = await InsertAsync(Class("class1"));
        using var request = new HttpRequestMessage(
            HttpMethod.Get, "calendar/v3/calendars/primary/events/class1");
        request.Headers.TryAddWithoutValidation("If-None-Match", Text(made, "etag"));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + await TokenAsync(Maya));
        using var response = await Http.SendAsync(request);
        Assert.Equal(304, (int)response.StatusCode);
    }

    /// <summary>Reminders alone change neither updated nor the ETag.</summary>
    [Fact]
    [Trait("Rule", "D-ETAG")]
    public async Task Patch_OfRemindersOnly_LeavesTheETag()
    {
        var made = await InsertAsync(Class("class1"));
        var patched = await PatchAsync(
            "class1", new JsonObject { ["reminders"] = new JsonObject { ["useDefault"] = false } });
        Assert.False(patched.Body!["reminders"]!["useDefault"]!.GetValue<bool>());
        Assert.Equal(Text(made, "etag"), patched.ETag);
    }

    [Fact]
    [Trait("Rule", "D-ID")]
    public async Task Insert_OfOneIdFromManyClients_SucceedsExactlyOnce()
    {
        await TokenAsync(Maya);
        var replies = await Task.WhenAll(
            Enumerable.Range(
                0, 50).Select(_ => CallAsync("POST", "calendars/primary/events", Class("class1"))));
        Assert.Equal(1, replies.Count(reply => reply.Status == 200));
        Assert.Equal(49, replies.Count(reply => reply.Status == 409));
    }

    /// <summary>
    /// Fifty clients each add a guest under If-Match and read again on 412: nobody is lost.
    /// </summary>
    [Fact]
    [Trait("Rule", "D-ETAG")]
    public async Task Patch_FromManyClientsUnderIfMatch_LosesNobody()
    {
        await InsertAsync(Class("class1"));
        await Task.WhenAll(Enumerable.Range(0, 50).Select(number => AddAsync($"guest{number}@guest.test")));
        var truth = (await Control.GetTruthAsync(Maya, None)).Calendars[0].Events[0];
        Assert.Equal(50, truth.Attendees.Count);

        async Task AddAsync(string email)
        {
            while (true)
            {
                var read = await GetAsync("class1");
                var guests = read.Body!["attendees"]?.DeepClone().AsArray() ?? [];
                guests.Add(new JsonObject { ["email"] = email });
                var patched = await PatchAsync(
                    "class1", new JsonObject { ["attendees"] = guests }, read.ETag);
                if (patched.Status == 200)
                    return;
                AssertError(patched, 412, "conditionNotMet");
            }
        }
    }

    [Theory]
    [InlineData("abcd")]
    [InlineData("has-dash")]
    [InlineData("UPPERCASE")]
    [InlineData("letterwz")]
    [Trait("Rule", "D-ID")]
    public async Task Insert_WithAnIllegalId_Answers400(string id) => AssertError(
        await CallAsync("POST", "calendars/primary/events", Class(id)), 400, "invalid");

    [Fact]
    [Trait("Rule", "D-ID")]
    public async Task Insert_WithAnIdTakenLiveOrDeleted_Answers409Forever()
    {
        await InsertAsync(Class("class1"));
        AssertError(await CallAsync("POST", "calendars/primary/events", Class("class1")), 409, "duplicate");
        await CallAsync("DELETE", "calendars/primary/events/class1");
        AssertError(await CallAsync("POST", "calendars/primary/events", Class("class1")), 409, "duplicate");
        AssertError(await CallAsync("DELETE", "calendars/primary/events/class1"), 410, "deleted");
        AssertError(await PatchAsync("class1", new JsonObject { ["summary"] = "B" }), 410, "deleted");
    }

    [Fact]
    [Trait("Rule", "D-ID")]
    public async Task Insert_WithIdAndICalUid_Answers400()
    {
        var body = Class("class1");
        body["iCalUID"] = "uid@example.com";
        AssertError(await CallAsync("POST", "calendars/primary/events", body), 400, "invalid");
        var instance = Class();
        instance["recurringEventId"] = "series1";
        AssertError(await CallAsync("POST", "calendars/primary/events", instance), 400, "invalid");
    }

    [Fact]
    [Trait("Rule", "D-ID")]
    public async Task Patch_OfADeletedEventToConfirmed_BringsItBack()
    {
        await InsertAsync(Class("class1"));
        await CallAsync("DELETE", "calendars/primary/events/class1");
        var back = await PatchAsync("class1", new JsonObject { ["status"] = "confirmed" });
        Assert.Equal("confirmed", Text(back.Body!, "status"));
        Assert.Equal(["class1"], Ids(await ListAsync()));
    }

    [Fact]
    [Trait("Rule", "D-ID")]
    public async Task Patch_OfAnEventDeletedByHandForGood_Answers403()
    {
        await InsertAsync(Class("class1"));
        await Control.EditEventAsync(new HandEdit(Maya, "class1", "delete") { ForbidUndelete = true }, None);
        AssertError(
            await PatchAsync("class1", new JsonObject { ["status"] = "confirmed" }), 403, "forbidden");
    }

    [Fact]
    [Trait("Rule", "D-IMPORT")]
    public async Task Import_TwiceOrForOthersOnly_IsRefused()
    {
        var body = Class();
        AssertError(await CallAsync("POST", "calendars/primary/events/import", body), 400, "required");
        body["iCalUID"] = "uid@example.com";
        Assert.Equal(200, (await CallAsync("POST", "calendars/primary/events/import", body)).Status);
        AssertError(await CallAsync("POST", "calendars/primary/events/import", body), 409, "duplicate");
        body["iCalUID"] = "uid2@example.com";
        body["organizer"] = new JsonObject { ["email"] = "other@example.com" };
        AssertError(
            await CallAsync("POST", "calendars/primary/events/import", body), 400,
            "participantIsNeitherOrganizerNorAttendee");
        body["attendees"] = Guests(Maya);
        Assert.Equal(200, (await CallAsync("POST", "calendars/primary/events/import", body)).Status);
    }

    [Fact]
    [Trait("Rule", "D-SEQUENCE")]
    public async Task Patch_WithALowerSequence_Answers400()
    {
        var body = Class("class1");
        body["sequence"] = 5;
        await InsertAsync(body);
        AssertError(await PatchAsync("class1", new JsonObject { ["sequence"] = 4 }), 400, "invalid");
        Assert.Equal(7, (await PatchAsync(
            "class1", new JsonObject { ["sequence"] = 7 })).Body!["sequence"]!.GetValue<int>());
    }

    [Fact]
    [Trait("Rule", "D-ACCESS")]
    public async Task Write_AsReaderOrStranger_Answers403Or404()
    {
        await InsertAsync(Class("class1"));
        AssertError(await GetAsync("class1", Arjun, Maya), 404, "notFound");
        await Control.SetAccessAsync(Maya, Arjun, "reader", None);
        Assert.Equal(200, (await GetAsync("class1", Arjun, Maya)).Status);
        AssertError(
            await CallAsync(
                "DELETE", $"calendars/{Maya}/events/class1", user: Arjun), 403, "requiredAccessLevel");
        await Control.SetAccessAsync(Maya, Arjun, "freeBusyReader", None);
        var hidden = await GetAsync("class1", Arjun, Maya);
        Assert.False(hidden.Body!.ContainsKey("summary"));
        await Control.SetAccessAsync(Maya, Arjun, "none", None);
        AssertError(await GetAsync("class1", Arjun, Maya), 404, "notFound");
    }

    [Theory]
    [InlineData("""{"start":{"dateTime":"2026-01-12T10:00:00Z"}}""", "required")]
    [InlineData("""{"start":{"dateTime":"2026-01-12T10:00:00Z"},"end":{"date":"2026-01-12"}}""", "invalid")]

    [InlineData(
        """{"start":{"dateTime":"2026-01-12T10:00:00Z"},"end":{"dateTime":"2026-01-12T09:00:00Z"}}""",
        "timeRangeEmpty")]
    [InlineData("""{"start":{"date":"2026-01-12"},"end":{"date":"2026-01-12"}}""", "timeRangeEmpty")]
    [InlineData("""{"start":{"dateTime":"2026-01-12T10:00:00"},"end":{"dateTime":"2026-01-12T11:00:00Z"}}""",
        "required")]

    [InlineData(
        """{"start":{"dateTime":"2026-01-12T10:00:00Z","timeZone":"Eastern Standard Time"},"end":{}}""",
        "invalid")]

    [InlineData(
        """{"start":{"dateTime":"9999-12-31T23:59:59Z"},"end":{"dateTime":"9999-12-31T23:59:59Z"}}""",
        "invalid")]
    [InlineData("""{"summary":5}""", "invalid")]
    [InlineData("""{"attendees":{}}""", "invalid")]
    [InlineData("""{"attendees":["a@b.c"]}""", "invalid")]
    [InlineData("""{"attendees":[{"email":"nobody"}]}""", "invalid")]
    [InlineData("""{"attendees":[{"email":"a@b.c","responseStatus":"maybe"}]}""", "invalid")]
    [InlineData("""{"start":"2026-01-12"}""", "invalid")]
    [InlineData("""{"start":{"date":5}}""", "invalid")]
    [InlineData("""{"status":"unknown"}""", "invalid")]
    [InlineData("""{"sequence":1.5}""", "invalid")]
    [InlineData("""{"recurrence":[5]}""", "invalid")]
    [InlineData("""{"conferenceData":{"entryPoints":"x"}}""", "invalid")]
    [InlineData("""{"extendedProperties":{"private":{"a":5}}}""", "invalid")]
    [InlineData("""[]""", "parseError")]
    [InlineData("""{"a":""", "parseError")]
    [InlineData("""{"summary":"a","summary":"b"}""", "parseError")]
    [Trait("Rule", "D-INPUT")]
    public async Task Insert_OfWhatGoogleRefuses_Answers400InItsShape(string body, string reason)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "calendar/v3/calendars/primary/events");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + await TokenAsync(Maya));
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Http.SendAsync(request);
        AssertError(await ReadAsync(response), 400, reason);
        Assert.Empty((await Control.GetTruthAsync(Maya, None)).Calendars[0].Events);
    }

    [Fact]
    [Trait("Rule", "D-INPUT")]
    public async Task Insert_OfADeepOrHugeBody_Answers400()
    {
        var deep = JsonNode.Parse(
            string.Concat(Enumerable.Repeat("{\"a\":", 50)) + "1" + new string('}', 50));
        AssertError(await CallAsync("POST", "calendars/primary/events", deep), 400, "parseError");
        var huge = new JsonObject { ["summary"] = new string('a', 1_100_000) };
        AssertError(await CallAsync("POST", "calendars/primary/events", huge), 400, "parseError");
    }

    [Fact]
    [Trait("Rule", "D-INPUT")]
    public async Task AnyOtherPath_IsNotFoundInGooglesShape() =>
        AssertError(await CallAsync("GET", "colors/nothing"), 404, "notFound");

    /// <summary>Over-long keys are dropped and over-long values cut, both silently.</summary>
    [Fact]
    [Trait("Rule", "D-PROPERTIES")]
    public async Task Insert_WithOverlongProperties_LimitsThemSilently()
    {
        var body = Class("class1");
        body["extendedProperties"] = new JsonObject
        {
            ["private"] = new JsonObject
            {
                [new string(
                'k', 45)] = "x",
                ["long"] = new string('v', 2000),
                ["a"] = "1"
            },
        };
        var made = await InsertAsync(body);
        var kept = made["extendedProperties"]!["private"]!.AsObject();
        Assert.Equal(["long", "a"], kept.Select(pair => pair.Key));
        Assert.Equal(1024, Text(kept, "long").Length);
        var patch = new JsonObject { ["private"] = new JsonObject { ["long"] = null, ["b"] = "2" } };
        var patched = await PatchAsync("class1", new JsonObject { ["extendedProperties"] = patch });
        Assert.Equal(
            """{"private":{"a":"1","b":"2"}}""", patched.Body!["extendedProperties"]!.ToJsonString());
        var put = await CallAsync("PUT", "calendars/primary/events/class1", Class());
        Assert.False(put.Body!.ContainsKey("extendedProperties"));
    }

    [Fact]
    [Trait("Rule", "D-CONFERENCE")]
    public async Task Insert_OfAConference_IsMadeOnceAndOnlyForVersion1()
    {
        var create = new JsonObject { ["createRequest"] = new JsonObject { ["requestId"] = "r1" } };
        var body = Class("class1");
        body["conferenceData"] = create.DeepClone();
        Assert.False((await InsertAsync(body)).ContainsKey("conferenceData"));
        var patch = new JsonObject { ["conferenceData"] = create.DeepClone() };
        var made = await PatchAsync("class1", patch, query: "?conferenceDataVersion=1");
        var link = Text(made.Body!, "hangoutLink");
        Assert.Equal(
            "success", Text(made.Body!["conferenceData"]!["createRequest"]!["status"]!, "statusCode"));
        var again = await PatchAsync("class1", patch, query: "?conferenceDataVersion=1");
        Assert.Equal(link, Text(again.Body!, "hangoutLink"));
        var moved = await CallAsync("PUT", "calendars/primary/events/class1", Class());
        Assert.Equal(link, Text(moved.Body!, "hangoutLink"));
        var gone = await CallAsync("PUT", "calendars/primary/events/class1?conferenceDataVersion=1", Class());
        Assert.False(gone.Body!.ContainsKey("hangoutLink"));
    }

    /// <summary>A conference may stay pending, and its provisioning changes the ETag later.</summary>
    [Fact]
    [Trait("Rule", "D-CONFERENCE")]
    public async Task Insert_OfASlowConference_IsPendingThenReadyUnderANewETag()
    {
        await Control.SetSettingsAsync(new SandboxSettings(ConferenceDelaySeconds: 5), None);
        var body = Class("class1");
        body["conferenceData"] =
            new JsonObject { ["createRequest"] = new JsonObject { ["requestId"] = "r1" } };
        var made = await InsertAsync(body, query: "?conferenceDataVersion=1");
        Assert.False(made["conferenceData"]!.AsObject().ContainsKey("entryPoints"));
        Clock.Advance(TimeSpan.FromSeconds(6));
        var ready = await GetAsync("class1");
        Assert.NotEmpty(Text(ready.Body!, "hangoutLink"));
        Assert.NotEqual(Text(made, "etag"), ready.ETag);
    }

    [Fact]
    [Trait("Rule", "D-QUOTA")]
    public async Task Calls_OverTheQuota_AreRefusedInASlidingMinute()
    {
        await TokenAsync(Maya);
        await Control.SetQuotaAsync(new SandboxQuota(2, 3), None);
        Assert.Equal(200, (await ListAsync()).Status);
        Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(200, (await ListAsync()).Status);
        AssertError(await ListAsync(), 403, "userRateLimitExceeded");
        Assert.Equal(200, (await ListAsync(user: Arjun)).Status);
        AssertError(await ListAsync(user: Sam), 429, "rateLimitExceeded");
        Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(200, (await ListAsync()).Status);
        await Control.SetQuotaAsync(new SandboxQuota(CalendarUseExceeded: true), None);
        AssertError(await CallAsync("POST", "calendars/primary/events", Class()), 403, "quotaExceeded");
        Assert.Equal(200, (await ListAsync()).Status);
    }
}
