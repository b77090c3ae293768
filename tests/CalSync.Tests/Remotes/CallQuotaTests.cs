using CalSync.Lab;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Remotes;

/// <summary>
/// Goal: the provider never sees more than the budget, and nobody starves. Simulated time, seeded.
/// </summary>
[Trait("Requirement", "R-BCAL-T-2")]
public sealed class CallQuotaTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>
    /// R-CAL-10-P: whenever between sending and answer a call arrives, no sliding 60 s holds too many.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [Trait("Requirement", "R-CAL-10-P")]
    public async Task AdmitAsync_UnderPressure_KeepsEverySlidingMinuteWithinBothLimits(int seed)
    {
        var random = new Random(seed);
        var clock = new ManualTimeProvider();
        var options =
            new PipelineOptions { UserCallCountMax = 20, ProjectCallCountMax = 50, QuotaWaitMax = Second };
        using var quota = new CallQuota(options, new RetryPolicy(options.Retry, random), clock);
        var arrivals = new List<(string Connection, DateTimeOffset At)>();
        var asked = new List<(string Connection, Task<Admission> Turn)>();
        var underWay = new List<(CallTicket Ticket, DateTimeOffset Ends)>();
        for (var tick = 0; tick < 1200; tick++)
        {
            var connection = $"con_{random.Next(4)}";
            asked.Add(
                (connection,
                quota.AdmitAsync(connection, random.Next(2) == 0, false, CancellationToken.None)));
            clock.Advance(TimeSpan.FromMilliseconds(random.Next(1, 500)));
            var now = clock.GetUtcNow();
            foreach (var call in asked.Where(call => call.Turn.IsCompleted).ToArray())
            {
                asked.Remove(call);
                if (await call.Turn is not Admission.Granted(var ticket))
                    continue;
                var latency = TimeSpan.FromSeconds(random.NextDouble() * 9);
                arrivals.Add((call.Connection, now + (latency * random.NextDouble())));
                underWay.Add((ticket, now + latency));
            }

            foreach (var call in underWay.Where(call => call.Ends <= now).ToArray())
            {
                underWay.Remove(call);
                quota.Release(call.Ticket, null);
            }
        }

        Assert.True(arrivals.Count > 100);
        Assert.True(Busiest(arrivals) <= 50);
        foreach (var connection in arrivals.GroupBy(arrival => arrival.Connection))
            Assert.True(Busiest([.. connection]) <= 20);
    }

    /// <summary>R-CAL-10-P: a call that cannot be admitted in time is told when it could be.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-10-P")]
    public async Task AdmitAsync_WhenTheWindowIsFullForLong_RefusesAtOnceWithTheTime()
    {
        var clock = new ManualTimeProvider();
        using var quota = Quota(clock, user: 2, project: 100);
        for (var call = 0; call < 2; call++)
            quota.Release(await GrantAsync(quota, "a"), null);
        clock.Advance(Second * 10);
        var refused = await quota.AdmitAsync("a", true, false, CancellationToken.None);
        Assert.Equal(Second * 50, Assert.IsType<Admission.Refused>(refused).RetryAfter);
        await GrantAsync(quota, "b");
        clock.Advance(Second * 50);
        await GrantAsync(quota, "a");
    }

    /// <summary>R-CAL-10-P: interactive work is admitted before bulk that waited longer.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-10-P")]
    public async Task AdmitAsync_WhenAPlaceIsFreed_TakesInteractiveBeforeBulk()
    {
        var clock = new ManualTimeProvider();
        using var quota = Quota(clock, user: 10, project: 10, reserve: 0);
        var held = new List<CallTicket>();
        for (var call = 0; call < 10; call++)
            held.Add(await GrantAsync(quota, "a", interactive: false));
        quota.Release(held[0], null);
        clock.Advance(Second * 56);
        var bulk = quota.AdmitAsync("a", false, false, CancellationToken.None);
        clock.Advance(Second);
        var interactive = quota.AdmitAsync("a", true, false, CancellationToken.None);
        Assert.False(interactive.IsCompleted);
        clock.Advance(Second * 3);
        Assert.IsType<Admission.Granted>(await interactive);
        Assert.False(bulk.IsCompleted);
        clock.Advance(Second);
        Assert.IsType<Admission.Refused>(await bulk);
    }

    /// <summary>R-CAL-10-P: bulk leaves a tenth of the window to people who wait.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-10-P")]
    public async Task AdmitAsync_WhenBulkUsedItsShare_StillAdmitsInteractive()
    {
        var clock = new ManualTimeProvider();
        using var quota = Quota(clock, user: 10, project: 100);
        for (var call = 0; call < 9; call++)
            quota.Release(await GrantAsync(quota, "a", interactive: false), null);
        Assert.IsType<Admission.Refused>(await quota.AdmitAsync("a", false, false, CancellationToken.None));
        await GrantAsync(quota, "a");
        Assert.IsType<Admission.Refused>(await quota.AdmitAsync("a", true, false, CancellationToken.None));
    }

    /// <summary>R-CAL-10-A: a light connection goes before the backlog of a heavy one.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-10-A")]
    public async Task AdmitAsync_WithAHeavyBacklog_TakesTheLightConnectionFirst()
    {
        var clock = new ManualTimeProvider();
        using var quota = Quota(clock, user: 100, project: 10, reserve: 0);
        var held = new List<CallTicket>();
        for (var call = 0; call < 10; call++)
            held.Add(await GrantAsync(quota, "heavy", interactive: false));
        quota.Release(held[0], null);
        clock.Advance(Second * 56);
        var backlog = Enumerable.Range(0, 20)
            .Select(_ => quota.AdmitAsync("heavy", false, false, CancellationToken.None)).ToArray();
        var light = quota.AdmitAsync("light", false, false, CancellationToken.None);
        clock.Advance(Second * 4);
        Assert.IsType<Admission.Granted>(await light);
        Assert.All(backlog, call => Assert.False(call.IsCompleted));
    }

    /// <summary>
    /// R-CAL-10-P: a throttled connection pauses as long as it was told, the others go on; then one tries.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-CAL-10-P")]
    public async Task Release_AfterThrottling_PausesThatConnectionOnlyAndThenLetsOneTry()
    {
        var clock = new ManualTimeProvider();
        using var quota = Quota(clock, user: 100, project: 100);
        var slow = new ProviderFault(ProviderReason.RateLimited, null, 429, "m", TimeSpan.FromSeconds(30));
        quota.Release(await GrantAsync(quota, "a"), slow);
        var refused = Assert.IsType<Admission.Refused>(
            await quota.AdmitAsync("a", true, false, CancellationToken.None));
        Assert.InRange(refused.RetryAfter, Second * 30, Second * 31);
        await GrantAsync(quota, "b");

        clock.Advance(refused.RetryAfter);
        var probe = await GrantAsync(quota, "a");
        var second = quota.AdmitAsync("a", true, false, CancellationToken.None);
        Assert.False(second.IsCompleted);
        quota.Release(probe, null);
        Assert.IsType<Admission.Granted>(await second);
    }

    /// <summary>quotaExceeded stops the account's writes for long, not its reads.</summary>
    [Fact]
    public async Task Release_AfterQuotaExceeded_PausesWritesForAnHour()
    {
        var clock = new ManualTimeProvider();
        using var quota = Quota(clock, user: 100, project: 100);
        var full = new ProviderFault(ProviderReason.QuotaExceeded, "quotaExceeded", 403, "m");
        quota.Release(await GrantAsync(quota, "a"), full);
        var write = await quota.AdmitAsync("a", true, true, CancellationToken.None);
        Assert.Equal(TimeSpan.FromHours(1), Assert.IsType<Admission.Refused>(write).RetryAfter);
        Assert.IsType<Admission.Granted>(await quota.AdmitAsync("a", true, false, CancellationToken.None));
    }

    /// <summary>
    /// Whoever leaves the queue takes no place with him; whoever waits too long is refused.
    /// </summary>
    [Fact]
    public async Task AdmitAsync_CancelledOrTooLate_TakesNoPlace()
    {
        var clock = new ManualTimeProvider();
        using var quota = Quota(clock, user: 1, project: 100);
        var held = await GrantAsync(quota, "a");
        quota.Release(held, null);
        clock.Advance(Second * 56);
        using var source = new CancellationTokenSource();
        var leaving = quota.AdmitAsync("a", true, false, source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        var first = quota.AdmitAsync("a", true, false, CancellationToken.None);
        var second = quota.AdmitAsync("a", true, false, CancellationToken.None);
        clock.Advance(Second * 5);
        Assert.IsType<Admission.Granted>(await first);
        Assert.IsType<Admission.Refused>(await second);
        Assert.Equal(0, quota.Use().WaitingCount);
    }

    private static CallQuota Quota(TimeProvider clock, int user, int project, int reserve = 10)
    {
        var options = new PipelineOptions
        {
            UserCallCountMax = user,
            ProjectCallCountMax = project,
            InteractiveReservePercent = reserve,
        };
        return new CallQuota(options, new RetryPolicy(options.Retry, new Random(5)), clock);
    }

    private static async Task<CallTicket> GrantAsync(
        CallQuota quota, string connection, bool interactive = true) =>
        Assert.IsType<Admission.Granted>(
            await quota.AdmitAsync(connection, interactive, false, CancellationToken.None)).Ticket;

    private static int Busiest(List<(string Connection, DateTimeOffset At)> arrivals) =>
        arrivals.Max(first => arrivals.Count(one => one.At >= first.At && one.At < first.At + (Second * 60)));
}
