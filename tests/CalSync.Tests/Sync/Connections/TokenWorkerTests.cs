using CalSync.Sync.Connections;
using Xunit;

namespace CalSync.Tests.Sync.Connections;

/// <summary>
/// Goal: while a worker runs no token falls below its margin, whatever becomes of single connections. Method:
/// the real keeper on a clock that stands still, with the settings that are said to matter.
/// </summary>
public sealed class TokenWorkerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken None => CancellationToken.None;

    /// <summary>token.proactive_threshold: what ends within it is renewed, what ends later is left
    /// alone.</summary>
    [Theory]
    [Trait("Requirement", "R-OAUTH-5")]
    [InlineData(15, 16, 0)]
    [InlineData(15, 14, 1)]
    [InlineData(30, 16, 1)]
    [InlineData(30, 31, 0)]
    [InlineData(15, -600, 1)]
    public async Task Turn_RenewsWhatEndsWithinTheThreshold(int threshold, int minutesLeft, int renewed)
    {
        await using var rig = await TokenRig.StartAsync(
            _ => TokenRig.Granted(),
            new ConnectionOptions { ProactiveThreshold = TimeSpan.FromMinutes(threshold) });
        var start = rig.Clock.GetUtcNow();
        await rig.ConnectAsync(TimeSpan.FromMinutes(minutesLeft));
        var turn = rig.NewWorker().TurnAsync(None);
        if (renewed > 0 && minutesLeft > 11)
        {
            // There is time to spare, so there is a pause.
            await PassPauseAsync(rig, timersBeside: 0, start.AddMinutes(minutesLeft));
        }

        Assert.Equal(renewed, await turn.WaitAsync(Patience));
        Assert.Equal(renewed, rig.Server.Requests.Count);
        Assert.Equal(renewed, await rig.JournalCountAsync("connection.refreshed"));
    }

    /// <summary>token.refresh_interval: one look at once, then one each interval and none between.</summary>
    [Theory]
    [Trait("Requirement", "R-OAUTH-5")]
    [Trait("Requirement", "R-OAUTH-6")]
    [InlineData(2)]
    [InlineData(5)]
    public async Task Run_LooksOncePerInterval(int interval)
    {
        await using var rig = await TokenRig.StartAsync(
            _ => TokenRig.Granted(),
            new ConnectionOptions { RefreshInterval = TimeSpan.FromMinutes(interval) });
        var start = rig.Clock.GetUtcNow();
        var id = await rig.ConnectAsync(TimeSpan.FromMinutes(16));
        using var stop = new CancellationTokenSource();
        var running = rig.NewWorker().RunAsync(stop.Token);

        rig.Clock.Advance(TimeSpan.FromMinutes(interval) - TimeSpan.FromSeconds(1));
        Assert.Empty(rig.Server.Requests);
        rig.Clock.Advance(TimeSpan.FromSeconds(1));
        await PassPauseAsync(rig, timersBeside: 1, start.AddMinutes(16));
        Assert.True(await rig.Server.Received(Patience));
        await UntilAsync(async () => (await rig.Store.LoadAsync(id, None))!.AccessToken == "renewed");

        await stop.CancelAsync();
        await running.WaitAsync(Patience);
        Assert.Single(rig.Server.Requests);
    }

    /// <summary>R-OAUTH-5: nobody asks for a token, and yet five minutes before its end it is a new
    /// one.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-5")]
    public async Task Run_WithoutTraffic_HasRenewedFiveMinutesBeforeTheEnd()
    {
        await using var rig = await TokenRig.StartAsync(_ => TokenRig.Granted());
        var id = await rig.ConnectAsync(TimeSpan.FromHours(1));
        var start = rig.Clock.GetUtcNow();
        using var stop = new CancellationTokenSource();
        var running = rig.NewWorker().RunAsync(stop.Token);
        for (var minute = 0; minute < 44; minute++)
            rig.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(rig.Server.Requests);
        rig.Clock.Advance(TimeSpan.FromMinutes(1));
        await PassPauseAsync(rig, timersBeside: 1, start.AddHours(1));
        Assert.True(await rig.Server.Received(Patience));
        Assert.InRange(rig.Clock.GetUtcNow(), start.AddMinutes(45), start.AddMinutes(55));
        await UntilAsync(async () => (await rig.Store.LoadAsync(id, None))!.AccessToken == "renewed");
        await stop.CancelAsync();
        await running.WaitAsync(Patience);
    }

    /// <summary>R-OAUTH-5: a grant that nobody uses is used by the worker, and so never lies idle for the
    /// months after which a provider forgets it.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-5")]
    public async Task Turns_OverAWeekWithoutTraffic_UseTheGrantEveryDay()
    {
        await using var rig = await TokenRig.StartAsync(_ => TokenRig.Granted());
        await rig.ConnectAsync(TimeSpan.FromHours(1));
        var worker = rig.NewWorker();
        for (var day = 1; day <= 7; day++)
        {
            rig.Clock.Advance(TimeSpan.FromDays(1));
            Assert.Equal(1, await worker.TurnAsync(None));
            Assert.Equal(day, rig.Server.Requests.Count);
        }
    }

    /// <summary>R-OAUTH-6: one row that cannot be read is noted, once a turn at most, and delays
    /// nobody.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-6")]
    [Trait("Requirement", "R-CAL-01-P")]
    public async Task Turn_WithAPoisonedRow_RenewsTheNinetyNineOthers()
    {
        await using var rig = await TokenRig.StartAsync(_ => TokenRig.Granted());
        var ids = new List<string>();
        for (var i = 0; i < 100; i++)
            ids.Add(await rig.ConnectAsync(TimeSpan.FromMinutes(1)));
        await rig.Database.WriteAsync(
            session => session.ExecuteAsync(
                "UPDATE connections SET refresh_token = access_token WHERE id = @Id", new { Id = ids[0] }),
            None);

        Assert.Equal(99, await rig.NewWorker().TurnAsync(None));
        Assert.Equal(99, await rig.JournalCountAsync("connection.refreshed"));
        Assert.Equal(99, rig.Server.Requests.Count);
        Assert.InRange(rig.Server.Requests.Select(request => request.Socket).Distinct().Count(), 1, 8);
        Assert.Equal("degraded SecretException", await rig.ReadAsync<string>(
            "SELECT state || ' ' || reason FROM connections WHERE id = @Id", new { Id = ids[0] }));
        Assert.Equal(
            (1, 1, 1),
            (await rig.JournalCountAsync("connection.refresh_failed"), rig.FailedCount,
            rig.LogCount("2101")));

        // Not again before its time; and it is whole again once its owner has consented.
        Assert.Equal(0, await rig.NewWorker().TurnAsync(None));
        Assert.Equal(1, rig.FailedCount);
        await rig.ConnectAsync(TimeSpan.FromMinutes(1), "account-1");
        Assert.Equal(1, await rig.NewWorker().TurnAsync(None));
        Assert.Equal(
            "healthy",
            await rig.ReadAsync<string>("SELECT state FROM connections WHERE id = @Id", new { Id = ids[0] }));
    }

    /// <summary>token.refresh_concurrency: so many at once and no more.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-6")]
    public async Task Turn_WithALowerConcurrency_UsesFewerSockets()
    {
        await using var rig = await TokenRig.StartAsync(
            _ => TokenRig.Granted(), new ConnectionOptions { RefreshConcurrency = 2 });
        for (var i = 0; i < 12; i++)
            await rig.ConnectAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(12, await rig.NewWorker().TurnAsync(None));
        Assert.InRange(rig.Server.Requests.Select(request => request.Socket).Distinct().Count(), 1, 2);
    }

    /// <summary>Connections of a provider that this process does not know are another process's.</summary>
    [Fact]
    public async Task Turn_LeavesOtherProvidersAlone()
    {
        await using var rig = await TokenRig.StartAsync(_ => TokenRig.Granted());
        await rig.ConnectAsync(TimeSpan.FromMinutes(1));
        var now = rig.Clock.GetUtcNow();
        var (others, ours) = (
            new DueTokens(["google"], now.AddHours(1), now),
            new DueTokens(["google", TokenRig.Provider], now.AddHours(1), now));
        Assert.Empty(await rig.Store.ExpiringAsync(others, null, 10, None));
        Assert.Equal(0, await rig.Store.ExpiringCountAsync(others, None));
        var only = Assert.Single(await rig.Store.ExpiringAsync(ours, null, 10, None));
        Assert.Equal(1, await rig.Store.ExpiringCountAsync(ours, None));
        Assert.Empty(await rig.Store.ExpiringAsync(ours, only, 10, None));
    }

    /// <summary>Tokens given out together are renewed apart, and none waits until it is below the
    /// margin.</summary>
    [Fact]
    public async Task Pause_SpreadsAndNeverReachesTheMargin()
    {
        var options = new ConnectionOptions();
        await using var rig = await TokenRig.StartAsync(_ => TokenRig.Granted(), options);
        var now = rig.Clock.GetUtcNow();
        for (var seed = 1; seed <= 200; seed++)
        {
            var worker = rig.NewWorker(seed);
            var token =
                new ExpiringToken { ConnectionId = "con", ExpiresAt = now + TimeSpan.FromSeconds(seed * 5) };
            var pause = worker.Pause(token, now, options.RefreshInterval / 2);
            var left = token.ExpiresAt - (now + pause);
            Assert.True(
                pause == TimeSpan.Zero || left >= options.ValidityMin + options.ClockSkew,
                $"seed {seed}: {left} left");
            Assert.InRange(pause, TimeSpan.Zero, options.RefreshInterval / 2);
        }

        var together =
            new ExpiringToken { ConnectionId = "con", ExpiresAt = now + options.ProactiveThreshold };
        var one = rig.NewWorker();
        var pauses = Enumerable.Range(0, 50)
            .Select(_ => one.Pause(together, now, options.RefreshInterval / 2)).ToList();
        Assert.Equal(50, pauses.Distinct().Count());
        Assert.True(pauses.Max() - pauses.Min() > TimeSpan.FromMinutes(1));
    }

    /// <summary>
    /// Lets the pause before a refresh go by, and no more time than that: the call that follows is measured
    /// by the same clock.
    /// </summary>
    private static async Task PassPauseAsync(TokenRig rig, int timersBeside, DateTimeOffset end)
    {
        await UntilAsync(() => rig.Clock.PendingTimerCount == timersBeside + 1);
        var twin = rig.NewWorker();
        rig.Clock.Advance(twin.Pause(
            new ExpiringToken { ConnectionId = "con", ExpiresAt = end }, rig.Clock.GetUtcNow(),
            new ConnectionOptions().RefreshInterval / 2));
    }

    private static Task UntilAsync(Func<bool> holds) => UntilAsync(() => Task.FromResult(holds()));

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var look = 0; look < 3000; look++)
        {
            if (await holds())
                return;
            await Task.Delay(TimeSpan.FromMilliseconds(10));
        }

        Assert.Fail("It did not happen within 30 s.");
    }
}
