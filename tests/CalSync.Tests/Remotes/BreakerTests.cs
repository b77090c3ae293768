using CalSync.Lab;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Remotes;

/// <summary>
/// Goal: a broken provider is left alone, a broken grant harms nobody, and both recover by themselves.
/// </summary>
public sealed class BreakerTests
{
    private static readonly ScriptedAnswer Broken = new ScriptedAnswer.Send(503);

    private static readonly ScriptedAnswer Fine = RemotesRig.Ok(RemotesRig.EventJson());

    /// <summary>What was seen before a call waited for its turn counts for a moment only.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-12-A")]
    public async Task Connection_ThatBreaksWhileACallWaits_IsLeftAlone()
    {
        var (ledger, clock) = (new MemoryBreakerLedger(), new ManualTimeProvider(DateTimeOffset.UnixEpoch));
        var gate = new ConnectionGate(ledger, new BreakerOptions(), clock);
        var look = await gate.LookAsync("con_1", CancellationToken.None);
        var open = new ConnectionBreaker(3, clock.GetUtcNow() + TimeSpan.FromMinutes(5));
        Assert.True(await ledger.SaveAsync(
            "con_1", ConnectionBreaker.Closed, open, CancellationToken.None));
        clock.Advance(TimeSpan.FromSeconds(1));
        var (wait, _) = await gate.EnterAsync("con_1", look, CancellationToken.None);
        Assert.Equal(TimeSpan.FromSeconds(299), wait);
    }

    /// <summary>Calls that follow each other closely share a look, for as long as a look counts.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-12-A")]
    public async Task Look_IsSharedForAMoment_AndThenTakenAnew()
    {
        var (ledger, clock) = (new MemoryBreakerLedger(), new ManualTimeProvider(DateTimeOffset.UnixEpoch));
        var gate = new ConnectionGate(ledger, new BreakerOptions(), clock);
        await gate.LookAsync("con_1", CancellationToken.None);
        Assert.True(await ledger.SaveAsync(
            "con_1", ConnectionBreaker.Closed, new(3, clock.GetUtcNow() + TimeSpan.FromMinutes(5)),
            CancellationToken.None));
        clock.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Null((await gate.LookAsync("con_1", CancellationToken.None)).OpenFor);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.NotNull((await gate.LookAsync("con_1", CancellationToken.None)).OpenFor);
    }

    /// <summary>
    /// R-CAL-12-A, C-10, C-11: three failures, five minutes, one probe; a failed probe starts again.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-CAL-12-A")]
    public async Task Connection_AfterThreeFailures_IsLeftAloneForFiveMinutesThenProbedOnce()
    {
        var answer = Broken;
        await using var rig = RemotesRig.Start(_ => answer);
        for (var call = 0; call < 3; call++)
            Assert.Equal(ProviderReason.ServerError, await GetAsync(rig));
        Assert.Equal(ProviderReason.BreakerOpen, await GetAsync(rig));
        rig.Clock.Advance(TimeSpan.FromSeconds(299));
        Assert.Equal(ProviderReason.BreakerOpen, await GetAsync(rig));
        Assert.Equal(3, rig.Server.Requests.Count);

        rig.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(ProviderReason.ServerError, await GetAsync(rig));
        Assert.Equal(ProviderReason.BreakerOpen, await GetAsync(rig));
        Assert.Equal(4, rig.Server.Requests.Count);

        answer = Fine;
        rig.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Null(await GetAsync(rig));
        Assert.Null(await GetAsync(rig));
        Assert.Equal(6, rig.Server.Requests.Count);
    }

    /// <summary>R-CAL-12-A: while one probes, the others are refused.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-12-A")]
    public async Task Connection_HalfOpen_SendsASingleProbe()
    {
        var answer = Broken;
        await using var rig = RemotesRig.Start(_ => answer);
        for (var call = 0; call < 3; call++)
            await GetAsync(rig);
        answer = new ScriptedAnswer.Silence();
        rig.Clock.Advance(TimeSpan.FromMinutes(5));
        var probe = GetAsync(rig);
        for (var request = 0; request < 4; request++)
            Assert.True(await rig.Server.Received(RemotesRig.Patience));
        for (var call = 0; call < 5; call++)
            Assert.Equal(ProviderReason.BreakerOpen, await GetAsync(rig));
        rig.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(ProviderReason.TimedOut, await probe);
        Assert.Equal(4, rig.Server.Requests.Count);
    }

    /// <summary>C-10: answers of a working provider open nothing, however many.</summary>
    [Theory]
    [InlineData(400, "invalid")]
    [InlineData(401, "authError")]
    [InlineData(403, "requiredAccessLevel")]
    [InlineData(403, "insufficientPermissions")]
    [InlineData(404, "notFound")]
    [InlineData(409, "duplicate")]
    [InlineData(412, "conditionNotMet")]
    public async Task Connection_AfterAnswersOfAWorkingProvider_StaysClosed(int status, string reason)
    {
        await using var rig = RemotesRig.Start(_ => RemotesRig.Error(status, reason));
        for (var call = 0; call < 25; call++)
            Assert.NotEqual(ProviderReason.BreakerOpen, await GetAsync(rig));
        Assert.Equal(25, rig.Server.Requests.Count);
        Assert.Equal(BreakerPhase.Closed, rig.Remotes.Health().Calendar);
    }

    /// <summary>
    /// R-CAL-12-A, C-10: half of twenty calls failing in 30 s stops all connections; one probe frees them.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-CAL-12-A")]
    public async Task Provider_WhenHalfOfTwentyCallsFail_IsLeftAloneByAllConnections()
    {
        await using var rig = RemotesRig.Start(request => request.Number is > 10 and <= 20 ? Broken : Fine);
        for (var call = 0; call < 20; call++)
            await GetAsync(rig, $"con_{call}");
        Assert.Equal(BreakerPhase.Open, rig.Remotes.Health().Calendar);
        Assert.Equal(ProviderReason.BreakerOpen, await GetAsync(rig, "another"));
        Assert.Equal(20, rig.Server.Requests.Count);

        rig.Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Null(await GetAsync(rig, "another"));
        Assert.Null(await GetAsync(rig, "con_1"));
        Assert.Equal(BreakerPhase.Closed, rig.Remotes.Health().Calendar);
    }

    /// <summary>C-10: nineteen failures are not yet a provider outage.</summary>
    [Fact]
    public async Task Provider_WithFewCalls_StaysClosed()
    {
        await using var rig = RemotesRig.Start(_ => Broken);
        for (var call = 0; call < 19; call++)
            Assert.Equal(ProviderReason.ServerError, await GetAsync(rig, $"con_{call}"));
        Assert.Equal(BreakerPhase.Closed, rig.Remotes.Health().Calendar);
    }

    /// <summary>
    /// R-CAL-12-A: a refused call is answered without the provider, in no time, and uses no quota.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-CAL-12-A")]
    public async Task Provider_WhileOpen_RefusesWithoutUsingQuota()
    {
        await using var rig = RemotesRig.Start(_ => Broken);
        for (var call = 0; call < 20; call++)
            await GetAsync(rig, $"con_{call}");
        var used = rig.Remotes.Health().Quota.ProjectUsed;
        for (var call = 0; call < 1000; call++)
            Assert.Equal(ProviderReason.BreakerOpen, await GetAsync(rig, "another"));
        Assert.Equal(used, rig.Remotes.Health().Quota.ProjectUsed);
    }

    /// <summary>The state is all in two columns: every step of the machine, by value.</summary>
    [Fact]
    public void ConnectionBreaker_Steps_AreAFunctionOfItsTwoNumbers()
    {
        var options = new BreakerOptions();
        var now = new DateTimeOffset(2026, 1, 5, 9, 0, 0, TimeSpan.Zero);
        var two = ConnectionBreaker.Closed.AfterFailure(now, options).AfterFailure(now, options);
        Assert.Equal(new ConnectionBreaker(2, null), two);
        var open = two.AfterFailure(now, options);
        Assert.Equal(new ConnectionBreaker(3, now + TimeSpan.FromMinutes(5)), open);
        Assert.Equal(BreakerPhase.Open, open.PhaseAt(now + TimeSpan.FromSeconds(299)));
        Assert.Equal(BreakerPhase.HalfOpen, open.PhaseAt(now + TimeSpan.FromSeconds(300)));
        var later = now + TimeSpan.FromSeconds(300);
        var probing = open.AfterProbeTaken(later, options);
        Assert.Equal(BreakerPhase.Open, probing.PhaseAt(later));
        Assert.Equal(BreakerPhase.HalfOpen, probing.PhaseAt(later + options.ProbeLease));
        Assert.Equal(
            new ConnectionBreaker(4, later + TimeSpan.FromMinutes(5)), probing.AfterFailure(later, options));
    }

    /// <summary>
    /// R-CAL-10-C: everything throttled for ten minutes, ten connections, four callers each.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Requirement", "R-CAL-10-C")]
    public async Task Throttled_ForTenMinutes_CallsFewTimesAndHonoursRetryAfter(bool named)
    {
        var options = new PipelineOptions { QuotaWaitMax = TimeSpan.Zero };
        await using var rig = RemotesRig.Start(
            _ => named ? RemotesRig.Error(429, "rateLimitExceeded", "Retry-After: 40")
                : RemotesRig.Error(403, "userRateLimitExceeded"),
            options);
        var sent = new List<DateTimeOffset>();
        for (var second = 0; second < 600; second++)
        {
            for (var caller = 0; caller < 40; caller++)
            {
                var reason = await GetAsync(rig, $"con_{caller % 10}");
                if (reason == ProviderReason.RateLimited && caller % 10 == 0)
                    sent.Add(rig.Clock.GetUtcNow());
                else
                    Assert.True(reason is ProviderReason.QuotaWait or ProviderReason.RateLimited);
            }

            rig.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        var gaps = sent.Zip(sent.Skip(1), (left, right) => right - left).ToArray();
        if (named)
        {
            Assert.All(gaps, gap => Assert.True(gap >= TimeSpan.FromSeconds(40)));
        }
        else
        {
            Assert.All(
                gaps.Skip(8), gap => Assert.InRange(gap, TimeSpan.FromSeconds(32), TimeSpan.FromSeconds(65)));
        }

        // 24,000 wishes: 10 connections, each at most 7 doubling waits and then one call per 32 s or more.
        Assert.InRange(rig.Server.Requests.Count, 100, 10 * (8 + 19));
    }

    private static async Task<ProviderReason?> GetAsync(RemotesRig rig, string connection = "con_1")
    {
        var read = await rig.Calendar.GetAsync(
            RemotesRig.Call(connection), RemotesRig.Address, CancellationToken.None);
        return read switch
        {
            EventRead.Found => null,
            EventRead.Missing => ProviderReason.NotFound,
            EventRead.Failed(var fault) => fault.Reason,
            _ => throw new System.Diagnostics.UnreachableException("Unknown read."),
        };
    }
}
