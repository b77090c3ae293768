using System.Text.Json.Nodes;
using CalSync.Lab.Running;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// Goal: whatever the provider does, asking for a sync is answered with what it means for a person, and never
/// with 500. Method: each fault the sandbox knows, against each route, by a person whose account nobody else
/// spoils; every body is compared whole.
/// </summary>
[Trait("Category", "Slow")]
public sealed class CalendarSyncTests : ProductTest
{
    private const string Sync = "calendar/sync";
    private const string Auto = "calendar/sync/auto";
    private static readonly (string, string) Legacy = ("Accept", "application/json, text/plain, */*");
    private int _count;

    private static CancellationToken None => CancellationToken.None;

    // Nothing may wait, and the breakers stay closed: behind them every fault looks the same.
    protected override ProductSettings Settings => new()
    {
        VerificationWait = TimeSpan.FromMilliseconds(600),
        Set = new Dictionary<string, string>
        {
            ["server.request_budget"] = "4s",
            ["enrolment.wait"] = "1s",
            ["breaker.provider_calls"] = "10000",
            ["breaker.connection_failures"] = "20",
            ["quota.wait"] = "0ms",
            ["provider.timeout"] = "1000ms",
        },
    };

    private static FaultEffect Status(int status, string? reason = null) =>
        new() { Status = status, Reason = reason };

    // Of the read that shows whether the account works.
    private static (FaultEffect Effect, string Type)[] ReadFaults =>
    [
        (Status(400), Unavailable), (Status(401), Expired), (Status(404), Unavailable),
        (Status(403, "insufficientPermissions"), Forbidden), (Status(403, "forbidden"), Forbidden),
        (Status(403, "rateLimitExceeded"), Busy), (Status(403, "userRateLimitExceeded"), Busy),
        (Status(403, "quotaExceeded"), Busy), (Status(403, "accessNotConfigured"), Unavailable),
        (Status(409), Unavailable), (Status(410), Unavailable), (Status(412), Unavailable),
        (Status(429), Busy), (Status(429) with { RetryAfter = 60 }, Busy), (Status(500), Unavailable),
        (Status(502), Unavailable), (Status(503), Unavailable),
        (Status(503) with { RetryAfter = 7 }, Unavailable),
        (new() { Drop = "before" }, Unavailable), (new() { Drop = "after" }, Unavailable),
        (new() { Drop = "middle" }, Unavailable), (new() { AnswerAs = 500 }, Unavailable),
        (new() { Body = "<html>sign in</html>" }, Unavailable), (new() { Body = "" }, Unavailable),
        (new() { KeepBytes = 9 }, Unavailable), (new() { Blackhole = true }, Unavailable),
        (new() { DelayMs = 3_000 }, Unavailable), (new() { DelayAfterMs = 3_000 }, Unavailable),
        (new() { DelayMs = 50 }, Works), (new() { StaleSeconds = 60 }, Works),
    ];

    // Of the token endpoint, when the token has ended.
    private static (FaultEffect Effect, string Type)[] TokenFaults =>
    [
        (Status(400, "invalid_grant"), Expired), (Status(400, "invalid_request"), Unavailable),
        (Status(401, "invalid_client"), Failed), (Status(403, "access_denied"), Unavailable),
        (Status(429, "rate_limit_exceeded"), Busy), (Status(500), Unavailable), (Status(503), Unavailable),
        (new() { Drop = "before" }, Unavailable), (new() { Drop = "after" }, Unavailable),
        (new() { Drop = "middle" }, Unavailable), (new() { AnswerAs = 500 }, Unavailable),
        (new() { Body = "<html>sign in</html>" }, Failed), (new() { KeepBytes = 9 }, Failed),
        (new() { Blackhole = true }, Unavailable), (new() { DelayMs = 50 }, Works),
    ];

    private const string Works = "works";
    private const string Expired = "authentication_expired";
    private const string Failed = "refresh_failed";
    private const string Forbidden = "permission_denied";
    private const string Busy = "rate_limited";
    private const string Unavailable = "service_unavailable";

    // What each means: the status, what to do next, and the older contract's body, which R-OAUTH-11 and
    // R-OAUTH-12 fix to the letter.
    private static readonly Dictionary<string, GoldenAnswer> Golden = new()
    {
        [Expired] = new(
            409, "GOOGLE_AUTH_REQUIRED", "after-a-person",
            """{"status":"token_unavailable","message":"Your Google Calendar connection has expired. """
            + """Please reconnect your account.","error_type":"authentication_expired"}"""),
        [Failed] = new(
            409, "GOOGLE_AUTH_FAILED", "later",
            """{"status":"token_unavailable","message":"Failed to refresh your Google Calendar """
            + """connection.","error_type":"refresh_failed"}"""),
        [Forbidden] = new(
            403, "GOOGLE_PERMISSION_MISSING", "after-a-person",
            """{"status":"forbidden","message":"Your Google Calendar may not be used. Please """
            + """reconnect and allow access.","error_type":"permission_denied"}"""),
        [Busy] = new(
            429, "GOOGLE_RATE_LIMITED", "later",
            """{"status":"rate_limited","message":"Google Calendar is temporarily busy. Please try """
            + """again in a few minutes.","error_type":"rate_limited"}"""),
        [Unavailable] = new(
            503, "provider-unreachable", "later",
            """{"status":"unavailable","message":"Google Calendar cannot be reached just now. Please """
            + """try again in a few minutes.","error_type":"service_unavailable"}"""),
    };

    private static readonly Dictionary<string, string> Messages = new()
    {
        [Expired] = "Your Google Calendar connection has expired. Please reconnect.",
        [Failed] = "Failed to refresh your Google Calendar connection.",
        [Forbidden] = "Your Google Calendar may not be used. Please reconnect and allow access.",
        [Busy] = "Google Calendar is temporarily busy. Please try again in a few minutes.",
        [Unavailable] = "Google Calendar cannot be reached just now. Please try again in a few minutes.",
    };

    /// <summary>R-OAUTH-9 to 12: every fault of the read that comes first.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-9")]
    [Trait("Requirement", "R-OAUTH-10")]
    [Trait("Requirement", "R-OAUTH-11")]
    [Trait("Requirement", "R-OAUTH-12")]
    public async Task EveryRoute_WhateverTheCalendarAnswers_SaysWhatItMeansAndNever500()
    {
        var wrong = new List<string>();
        foreach (var (effect, type) in ReadFaults)
        {
            var person = await ConnectedAsync();
            await Product.Control.AddFaultAsync(
                new FaultScript("calendarList.list", effect) { User = person.Email }, None);
            wrong.AddRange(await AskAllAsync(person, effect, type));
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    /// <summary>R-OAUTH-9 to 12: every fault of the token endpoint, when the token has ended.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-9")]
    [Trait("Requirement", "R-OAUTH-10")]
    [Trait("Requirement", "R-OAUTH-11")]
    [Trait("Requirement", "R-OAUTH-12")]
    public async Task EveryRoute_WhateverTheTokenEndpointAnswers_SaysWhatItMeansAndNever500()
    {
        var wrong = new List<string>();
        foreach (var (effect, type) in TokenFaults)
        {
            var person = await ConnectedAsync();
            await EndTokenAsync(person);
            var fault = await Product.Control.AddFaultAsync(new FaultScript("token", effect), None);
            wrong.AddRange(await AskAllAsync(person, effect, type));
            await Product.Control.ClearFaultsAsync(None);
            Assert.True(fault.Id > 0);
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    /// <summary>R-OAUTH-9, R-BCAL-5: faults of the events themselves are told event by event.</summary>
    [Theory]
    [InlineData(400, "invalid", "not_verified|refused")]
    [InlineData(401, null, "authentication_expired")]
    [InlineData(403, "rateLimitExceeded", "rate_limited")]
    [InlineData(429, null, "rate_limited")]
    [InlineData(500, null, "service_unavailable")]
    [InlineData(503, null, "service_unavailable")]
    [Trait("Requirement", "R-OAUTH-10")]
    [Trait("Requirement", "R-BCAL-5")]
    public async Task Sync_WhenEventsFail_NamesEachWithItsClassAndAttempt(
        int status, string? reason, string classes)
    {
        var person = await ConnectedAsync();
        await Product.Control.AddFaultAsync(
            new FaultScript("events.*", Status(status, reason)) { User = person.Email }, None);
        var made = (await person.PostAsync("classes", RunningProduct.ClassBody("Drawing", slots: 2)))
            .Expect(202);
        await RunningProduct.UntilAsync(
            async () => await Product.CountAsync(
                "SELECT count(*) FROM mirrors WHERE reason IS NOT NULL AND slot_id IN "
                + "(SELECT id FROM slots WHERE class_id = @id)", new { id = made["id"] }) == 2,
            "both events have failed");

        ApiAnswer? answer = null;
        await RunningProduct.UntilAsync(
            async () => (answer = await person.PostAsync(Sync, null)).Status == 200, "nothing is under way");

        Assert.Equal("partial", answer!["status"]);
        Assert.Equal(("0", "2", "0"), (answer["synced"], answer["failedCount"], answer["skippedCount"]));
        foreach (var failed in answer.Body!["failed"]!.AsArray())
        {
            Assert.Equal(
                ["eventId", "slotId", "classId", "class", "reason", "attempt", "nextAttemptAt"],
                failed!.AsObject().Select(member => member.Key));
            Assert.Equal(made["id"], (string?)failed["classId"]);
            Assert.Contains((string)failed["class"]!, classes.Split('|'));
            Assert.True((int)failed["attempt"]! >= 0);
        }
    }

    /// <summary>R-OAUTH-10: what only waited is tried at once, and the answer comes when it is
    /// done.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-10")]
    public async Task Sync_WhenTheProviderIsWellAgain_BringsEverythingUpToDateAtOnce()
    {
        var person = await ConnectedAsync();
        await Product.Control.AddFaultAsync(
            new FaultScript("events.insert", Status(503) with { RetryAfter = 3600 })
            {
                User = person.Email,
                Times = 1,
            },
            None);
        (await person.PostAsync("classes", RunningProduct.ClassBody("Drawing"))).Expect(202);
        await RunningProduct.UntilAsync(
            async () => await Product.CountAsync(
                """
                SELECT count(*) FROM mirrors WHERE state = 'retry_wait' AND connection_id IN
                    (SELECT id FROM connections WHERE user_id = @Id)
                """,
                new { person.Id }) == 1,
            "the event waits");

        var looked = (await person.GetAsync(Auto)).Expect(200);
        Assert.Equal(("partial", "0", "1"), (looked["status"], looked["synced"], looked["failedCount"]));
        ApiAnswer? synced = null;
        await RunningProduct.UntilAsync(
            async () => (synced = await person.PostAsync(Sync, null))["status"] == "synced", "it is synced");
        Assert.Equal((200, "1", "0"), (synced!.Status, synced["synced"], synced["pending"]));
        Assert.Equal("synced", (await person.GetAsync(Auto)).Expect(200)["status"]);
    }

    /// <summary>Decision C-09: an answer that says "reconnect" with 200 is not what the key is answered with
    /// after reconnecting.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-11")]
    public async Task Auto_AnsweredWithAProblem_AnswersTheSameKeyAnewWhenItIsMended()
    {
        var person = await ConnectedAsync();
        await Product.Control.RevokeAsync(person.Email, None);
        var key = RunningProduct.NewKey();
        var expired = (await person.PostAsync(Auto, null, key, Legacy)).Expect(200);
        Assert.Equal("token_unavailable", expired["status"]);
        await Product.ConnectAsync(person, person.Email);
        Assert.Equal("synced", (await person.PostAsync(Auto, null, key, Legacy)).Expect(200)["status"]);
    }

    /// <summary>R-OAUTH-9: nobody is asked to repair a connection that was never made.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-9")]
    public async Task EveryRoute_WithoutAConnection_SaysSo()
    {
        Assert.Equal("no-calendar", (await Product.Arjun.PostAsync(Sync, null)).Expect(409)["code"]);
        Assert.Equal("no-calendar", (await Product.Arjun.GetAsync(Auto)).Expect(409)["code"]);
        Assert.Equal(
            """{"status":"not_connected","message":"No Google Calendar is connected. Please connect one.","""
            + "\"error_type\":\"not_connected\"}",
            (await Product.Arjun.PostAsync(Auto, null, null, Legacy)).Expect(200).Text);
    }

    private static async Task<List<string>> AskAllAsync(Person person, FaultEffect effect, string type)
    {
        var wrong = new List<string>();
        var golden = Golden.GetValueOrDefault(type);
        var status = golden?.Status ?? 200;
        void Check(string what, ApiAnswer answer, int wanted, string? body)
        {
            if (answer.Status != wanted || (body is not null && answer.Text != body))
                wrong.Add($"{effect}: {what} expected {wanted} {body}, was {answer.Status} {answer.Text}");
        }

        foreach (var answer in new[] { await person.GetAsync(Auto), await person.PostAsync(Sync, null),
            await person.PostAsync(Auto, null) })
        {
            Check("a route", answer, status, null);
            if (golden is not null && answer.Status == status)
                wrong.AddRange(Differences(answer, type).Select(found => $"{effect}: {found}"));
        }

        var legacy = golden?.Legacy;
        Check("auto", await person.PostAsync(Auto, null, null, Legacy), 200, legacy);
        Check("auto", await person.SendAsync(HttpMethod.Get, Auto, null, Legacy), 200, legacy);
        Check("manual", await person.PostAsync(Sync, null, null, Legacy), status, legacy);
        return wrong;
    }

    private static IEnumerable<string> Differences(ApiAnswer answer, string type)
    {
        var golden = Golden[type];
        var body = answer.Body!;
        var expected = new Dictionary<string, string>
        {
            ["status"] = $"{golden.Status}",
            ["code"] = golden.Code,
            ["retry"] = golden.Retry,
            ["message"] = Messages[type],
            ["error_type"] = type,
            ["sync_status"] = (string)JsonNode.Parse(golden.Legacy)!["status"]!,
            ["requiresReauth"] = golden.Retry == "after-a-person" ? "true" : "false",
        };
        string[] members =
        [
            "type", "title", "status", "detail", "code", "action", "retry", "correlationId", "requiresReauth",
            "message", "error_type", "sync_status", "details",
        ];
        if (!members.SequenceEqual(body.AsObject().Select(member => member.Key)))
            yield return $"other members: {answer.Text}";
        if (answer.MediaType != "application/problem+json")
            yield return $"media type {answer.MediaType}";
        if ((golden.Retry == "later") != (answer.Header("Retry-After").Length > 0))
            yield return $"Retry-After is '{answer.Header("Retry-After")}'";
        foreach (var (name, value) in expected)
        {
            if (body[name]?.ToString() != value)
                yield return $"{name} is {body[name]}, expected {value}";
        }
    }

    /// <summary>Somebody new, connected with an account of their own.</summary>
    private async Task<Person> ConnectedAsync()
    {
        var email = $"teacher{++_count}@studio.test";
        await Product.Control.AddUserAsync(new SandboxUser(email, email, "America/New_York"), None);
        var person = await Product.AddPersonAsync(
            email, email, CalSync.Classes.Role.Instructor, "America/New_York");
        await Product.ConnectAsync(person, email);
        return person;
    }

    private sealed record GoldenAnswer(int Status, string Code, string Retry, string Legacy);

    private Task<int> EndTokenAsync(Person person) => Product.ExecuteAsync(
        "UPDATE connections SET access_expires_at = @at WHERE user_id = @Id",
        new { at = TimeProvider.System.GetUtcNow(), person.Id });
}
