using CalSync.Sandbox;
using CalSync.Sync.Connections;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CalSync.Tests.Sync.Truth;

/// <summary>
/// Goal: no provider call without a valid token, one refresh however many ask, and nothing lost when a grant
/// ends. Method: the whole product against a practice Google whose token endpoint and grants misbehave.
/// </summary>
public sealed class TokenTests
{
    private static CancellationToken None => CancellationToken.None;

    /// <summary>R-FIX-2-A, R-FIX-2-B, R-FIX-2-F: a token that ends within the ten minutes is renewed
    /// first.</summary>
    [Theory]
    [Trait("Requirement", "R-FIX-2-A")]
    [Trait("Requirement", "R-FIX-2-B")]
    [Trait("Requirement", "R-FIX-2-F")]
    [InlineData(1, 1)]
    [InlineData(9, 1)]
    [InlineData(30, 0)]
    public async Task Create_WithATokenThatEndsSoon_RenewsItFirst(int minutesLeft, int refreshes)
    {
        await using var world = await SyncWorld.StartAsync();
        await world.LetTokenEndInAsync(TimeSpan.FromMinutes(minutesLeft));
        await world.CreateAsync();
        Assert.Equal(refreshes, await world.RefreshCountAsync());
        await AssertOnlyValidTokensAsync(world);
    }

    /// <summary>R-OAUTH-1: whatever is asked, a token that ends in a minute is renewed first, and it
    /// works.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-1")]
    public async Task EveryChange_WithATokenThatEndsInAMinute_Works()
    {
        await using var world = await SyncWorld.StartAsync();
        using var sam = await world.PersonAsync("sam@student.test", CalSync.Classes.Role.Student);
        var made = await DoAsync(() => world.BeginAsync(slots: 2));
        var id = made.Text("id");
        await DoAsync(() => world.MoveAsync(made, 20, 9));
        var seat = await DoAsync(() => sam.PostAsync(
            $"classes/{id}/enrollments", new System.Text.Json.Nodes.JsonObject(), None));
        Assert.Contains(await world.EventsAsync(), found => found.Attendees.ContainsKey("sam@student.test"));
        var held = (await sam.GetAsync($"classes/{id}/enrollments/{seat.Text("id")}", None)).Expect();
        await DoAsync(() => sam.DeleteAsync($"classes/{id}/enrollments/{seat.Text("id")}", held.ETag!, None));
        var slot = await world.SlotAsync(made);
        await DoAsync(
            () => world.Maya.DeleteAsync($"classes/{id}/slots/{slot.Text("id")}", slot.ETag!, None));
        var whole = (await world.Maya.GetAsync($"classes/{id}", None)).Expect();
        await DoAsync(() => world.Maya.DeleteAsync($"classes/{id}", whole.ETag!, None));
        Assert.Empty(await world.EventsAsync());
        Assert.Equal(6, await world.RefreshCountAsync());
        await AssertOnlyValidTokensAsync(world);

        async Task<App.Demo.DemoAnswer> DoAsync(Func<Task<App.Demo.DemoAnswer>> change)
        {
            await world.LetTokenEndInAsync(TimeSpan.FromMinutes(1));
            var answer = (await change()).Expect();
            await world.WaitAsync(answer, "verified");
            return answer;
        }
    }

    /// <summary>token.margin: a longer one renews a token that the usual one would still have used.</summary>
    [Theory]
    [InlineData(10, 0)]
    [InlineData(40, 1)]
    public async Task Create_WithALongerMargin_RenewsEarlier(int margin, int refreshes)
    {
        await using var world = await SyncWorld.StartAsync(options => options with
        {
            Connections = options.Connections with { ValidityMin = TimeSpan.FromMinutes(margin) },
        });
        await world.LetTokenEndInAsync(TimeSpan.FromMinutes(30));
        await world.CreateAsync();
        Assert.Equal(refreshes, await world.RefreshCountAsync());
    }

    /// <summary>R-FIX-2-A: with a token that ended and a token endpoint that fails, nothing is sent to the
    /// calendar.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-2-A")]
    public async Task Create_WithoutAToken_SendsNothing()
    {
        await using var world = await SyncWorld.StartAsync();
        await world.LetTokenEndInAsync(TimeSpan.FromMinutes(-1));
        await world.SpoilAsync("token", new FaultEffect { Status = 503 });
        var made = await world.BeginAsync();
        await world.WaitAsync(made, "retry_wait");
        Assert.DoesNotContain(
            await world.Control.GetCallsAsync(None),
            call => call.Operation.StartsWith("events.", StringComparison.Ordinal));
        await world.Control.ClearFaultsAsync(None);
        await world.WaitAsync(made, "verified");
        await AssertOnlyValidTokensAsync(world);
    }

    /// <summary>R-FIX-2-C, R-FIX-2-D, R-FIX-2-F: a revoked grant is told with its code, its words and what to
    /// do.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-2-C")]
    [Trait("Requirement", "R-FIX-2-D")]
    [Trait("Requirement", "R-FIX-2-F")]
    public async Task Problem_OfARevokedGrant_AsksForConsent()
    {
        await using var world = await SyncWorld.StartAsync();
        await world.Control.RevokeAsync(SyncWorld.Teacher, None);
        await world.LetTokenEndInAsync(TimeSpan.FromMinutes(1));
        var problem = await ProblemAsync(world);
        Assert.Equal(
            ("GOOGLE_AUTH_REQUIRED", true, null), (problem!.Code, problem.RequiresReauth, problem.RetryAt));
        Assert.Equal("Your Google Calendar connection has expired. Please reconnect.", problem.Message);
        Assert.Equal("Go to Settings → Connected Accounts → Reconnect Google Calendar", problem.Action);
        Assert.True(TimeProvider.System.GetUtcNow() - problem.At < TimeSpan.FromMinutes(1));
    }

    /// <summary>R-FIX-2-D: any other failure says nothing about the grant and can be tried again.</summary>
    [Theory]
    [Trait("Requirement", "R-FIX-2-C")]
    [Trait("Requirement", "R-FIX-2-D")]
    [InlineData(503)]
    [InlineData(500)]
    public async Task Problem_OfAFailedRefresh_CanBeTriedAgain(int status)
    {
        await using var world = await SyncWorld.StartAsync();
        await world.SpoilAsync("token", new FaultEffect { Status = status });
        await world.LetTokenEndInAsync(TimeSpan.FromMinutes(1));
        var problem = await ProblemAsync(world);
        Assert.Equal(("GOOGLE_AUTH_FAILED", false), (problem!.Code, problem.RequiresReauth));
        Assert.Equal(
            "Please try again. If the problem persists, reconnect your Google account.", problem.Action);
        Assert.NotNull(problem.RetryAt);
        Assert.Equal("degraded", await StateAsync(world));
    }

    /// <summary>R-FIX-2-E: without a refresh token the owner is asked, and nothing breaks.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-2-E")]
    public async Task Problem_WithoutARefreshToken_AsksForConsent()
    {
        await using var world = await SyncWorld.StartAsync();
        await world.WriteAsync("UPDATE connections SET refresh_token = NULL");
        await world.LetTokenEndInAsync(TimeSpan.FromMinutes(1));
        var problem = await ProblemAsync(world);
        Assert.Equal(("GOOGLE_AUTH_REQUIRED", true), (problem!.Code, problem.RequiresReauth));
        Assert.Equal(0, await world.RefreshCountAsync());
        Assert.Equal("needs_reauth", await StateAsync(world));
    }

    /// <summary>R-FIX-2-RB: with blocking off work queues instead of failing; still nothing is sent without a
    /// token.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-2-RB")]
    public async Task Create_WithBlockingOff_QueuesInsteadOfFailing()
    {
        await using var world = await SyncWorld.StartAsync();
        await world.Control.RevokeAsync(SyncWorld.Teacher, None);
        await world.LetTokenEndInAsync(TimeSpan.FromMinutes(1));
        await world.SwitchAsync("token-blocking", "off");
        Assert.Null(await ProblemAsync(world));
        var made = await world.BeginAsync();
        Assert.Equal(202, made.Code);
        await world.WaitAsync(made, "parked");
        Assert.Empty(await world.CallsAsync("events.insert"));
    }

    /// <summary>R-CAL-01-A: a token that ends in the middle of a class costs one refresh and no
    /// event.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-01-A")]
    public async Task Create_WhenTheTokenEndsAfterFourOfTen_MakesTenWithOneRefresh()
    {
        await using var world = await SyncWorld.StartAsync(options => options with
        {
            Mirrors = SyncWorld.QuickMirrors with { Concurrency = 2, PerConnectionMax = 2 },
        });
        await world.Control.SetLatencyAsync(TimeSpan.FromMilliseconds(60), None);
        var made = await world.BeginAsync(slots: 10);
        await world.UntilAsync(async () => (await world.EventsAsync()).Count >= 4, "four events are there");
        await world.Control.ExpireTokensAsync(SyncWorld.Teacher, None);
        await world.WaitAsync(made, "verified");
        var events = await world.EventsAsync();
        Assert.Equal(10, events.Count);
        Assert.Equal(10, events.Select(found => found.Start).Distinct().Count());
        Assert.Equal(1, await world.RefreshCountAsync());
        Assert.Equal(0, await world.ReadAsync<long>(
            $"SELECT count(*) FROM mirrors WHERE provider_event_id NOT IN "
                + $"('{string.Join("','", events.Select(e => e.Id))}')"));
    }

    /// <summary>R-CAL-01-B: a revoked grant parks the work, tells the owner once, and goes on after
    /// consent.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-01-B")]
    public async Task Revoked_ParksTheWork_AndGoesOnAfterConsent()
    {
        // Whoever moves a slot is answered when the worker has parked it, however long that takes.
        await using var world = await SyncWorld.StartAsync(options => options with
        {
            Api = options.Api with { VerificationWait = TimeSpan.FromSeconds(9) },
        });
        var made = await world.CreateAsync(slots: 2);
        using var sam = await world.PersonAsync("sam@student.test", CalSync.Classes.Role.Student);
        await world.Control.RevokeAsync(SyncWorld.Teacher, None);
        var seat = (await sam.PostAsync(
            $"classes/{made.Text("id")}/enrollments", new System.Text.Json.Nodes.JsonObject(), None))
            .Expect();
        await world.UntilAsync(
            async () => await StateAsync(world) == "needs_reauth", "the connection needs consent");
        await world.UntilAsync(
            async () => await world.ReadAsync<long>(
            "SELECT count(*) FROM mirrors WHERE state = 'parked'") == 2, "work is parked");
        var refused = await world.MoveAsync(made, 20, 9);
        Assert.Equal(409, refused.Code);
        Assert.Contains("GOOGLE_AUTH_REQUIRED", refused.Body!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(1, await world.ReadAsync<long>("SELECT count(*) FROM notices WHERE kind = 'reconnect'"));
        Assert.Equal("pending_calendar", await world.ReadAsync<string>("SELECT state FROM enrolments"));
        await world.ConnectAsync();
        await world.UntilAsync(
            async () =>
                await world.ReadAsync<long>("SELECT count(*) FROM operations WHERE state <> 'verified'") == 0,
            "all parked work is done");
        await world.UntilAsync(
            async () => await world.ReadAsync<string>("SELECT state FROM enrolments") == "active",
            "the seat is active");
        var events = await world.EventsAsync();
        Assert.All(events, found => Assert.Contains("sam@student.test", found.Attendees.Keys));
        Assert.Equal((2, 2), (events.Count, (await world.CallsAsync("events.insert")).Count));
        Assert.Contains(
            events, found => found.Start == new DateTimeOffset(2030, 1, 20, 4, 0, 0, TimeSpan.Zero));
        Assert.Equal(202, seat.Code);
    }

    /// <summary>R-CAL-01-C: while the token cannot be renewed nobody is told that a move was made.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-01-C")]
    public async Task Move_WhenTheRefreshFails_ShowsTheOldTimeUntilItIsTrue()
    {
        await using var world = await SyncWorld.StartAsync();
        var made = await world.CreateAsync();
        var before = (await world.SlotAsync(made)).Body!["calendar"]!["mirroredStartAt"]!.ToString();
        await world.LetTokenEndInAsync(TimeSpan.FromMinutes(1));
        await world.SpoilAsync("token", new FaultEffect { Status = 500 });
        var moved = (await world.MoveAsync(made, 3, 9)).Expect();
        Assert.Equal(202, moved.Code);
        await world.WaitAsync(moved, "retry_wait");
        var slot = (await world.SlotAsync(made)).Body!["calendar"]!;
        Assert.NotEqual("verified", (string?)slot["state"]);
        Assert.Equal(before, slot["mirroredStartAt"]!.ToString());
        await world.Control.ClearFaultsAsync(None);
        await world.WaitAsync(moved, "verified");
        Assert.Equal(
            (await world.OnlyEventAsync()).Start,
            DateTimeOffset.Parse(
                (await world.SlotAsync(made)).Body!["calendar"]!["mirroredStartAt"]!.ToString(),
                System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>R-OAUTH-2, R-BCAL-1: a hundred callers in two processes and a slow token endpoint: one
    /// refresh.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-2")]
    [Trait("Requirement", "R-BCAL-1")]
    public async Task Get_ByAHundredCallersInTwoInstances_RefreshesOnce()
    {
        await using var world = await SyncWorld.StartAsync();
        var second = await world.AddHostAsync(options => options);
        await world.LetTokenEndInAsync(TimeSpan.FromMinutes(1));
        await world.SpoilAsync("token", new FaultEffect { DelayMs = 800 });
        ConnectionTokens[] instances =
            [world.Service<ConnectionTokens>(), second.Services.GetRequiredService<ConnectionTokens>()];
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 100).Select(i =>
            instances[i % 2].GetAsync(world.ConnectionId, TimeSpan.FromMinutes(10), None)));
        Assert.Single(
            outcomes.Select(outcome => Assert.IsType<TokenOutcome.Fresh>(outcome).AccessToken).Distinct());
        Assert.Equal(1, await world.RefreshCountAsync());
        Assert.Equal(2, await world.ReadAsync<long>("SELECT token_version FROM connections"));
    }

    /// <summary>R-FLOW-1: what is stored of a connected account is ciphertext.</summary>
    [Fact]
    [Trait("Requirement", "R-FLOW-1")]
    public async Task Connect_StoresCiphertext()
    {
        await using var world = await SyncWorld.StartAsync();
        var listed = (await world.Maya.GetAsync("calendar/connections", None)).Expect().Body!["items"]![0]!;
        Assert.Equal("healthy", (string?)listed["state"]);
        var grant = (await world.Service<IConnectionStore>().LoadAsync(world.ConnectionId, None))!;
        var access = await world.ReadAsync<byte[]>("SELECT access_token FROM connections");
        var refresh = await world.ReadAsync<byte[]>("SELECT refresh_token FROM connections");
        foreach (var (stored, secret) in new[] { (access!, grant.AccessToken!),
            (refresh!, grant.RefreshToken!) })
        {
            Assert.True(secret.Length > 10);
            Assert.DoesNotContain(
                secret, System.Text.Encoding.Latin1.GetString(stored), StringComparison.Ordinal);
        }
    }

    private static Task<TokenProblem?> ProblemAsync(SyncWorld world) =>
        world.Service<ConnectionTokens>().ProblemAsync(world.ConnectionId, None);

    private static Task<string?> StateAsync(SyncWorld world) =>
        world.ReadAsync<string>("SELECT state FROM connections");

    private static async Task AssertOnlyValidTokensAsync(SyncWorld world) => Assert.All(
        (await world.Control.GetCallsAsync(None))
            .Where(call => call.Operation.StartsWith("events.", StringComparison.Ordinal)),
        call => Assert.Equal("valid", call.TokenState));
}
