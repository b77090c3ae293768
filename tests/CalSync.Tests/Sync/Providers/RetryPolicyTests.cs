using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Sync.Providers;

/// <summary>
/// Goal: waits follow the documented curve, and retries stay a small share of calls. Seeded.
/// </summary>
public sealed class RetryPolicyTests
{
    private static readonly RetryOptions Options = new();

    private static readonly DateTimeOffset Start = new(2026, 1, 5, 9, 0, 0, TimeSpan.Zero);

    /// <summary>R-FIX-5-C: BASE * MULT^n capped at MAX, with half of it jitter.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-5-C")]
    public void Delay_WithoutRetryAfter_FollowsTheCurve()
    {
        var policy = new RetryPolicy(Options, new Random(1));
        for (var round = 0; round < 200; round++)
        {
            for (var failures = 1; failures <= 12; failures++)
            {
                var ceiling = Math.Min(64, Math.Pow(2, failures - 1));
                Assert.Equal(TimeSpan.FromSeconds(ceiling), policy.Ceiling(failures));
                Assert.InRange(policy.Delay(failures, null).TotalSeconds, ceiling / 2, ceiling);
            }
        }
    }

    /// <summary>R-CAL-10-C: many callers that failed together do not come back together.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-10-C")]
    public void Delay_OfManyCallers_IsSpread()
    {
        var policy = new RetryPolicy(Options, new Random(1));
        var waits = Enumerable.Range(0, 1000).Select(_ => policy.Delay(5, null).TotalSeconds).ToArray();
        for (var slot = 8; slot < 16; slot++)
            Assert.InRange(waits.Count(wait => wait >= slot && wait < slot + 1), 75, 175);
    }

    /// <summary>
    /// R-CAL-10-C: never earlier than the provider said, hardly later; absurd waits are cut.
    /// </summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(7, 7)]
    [InlineData(-5, 0)]
    [InlineData(600, 600)]
    [InlineData(2_000_000_000, 86_400)]
    [Trait("Requirement", "R-CAL-10-C")]
    public void Delay_WithRetryAfter_FollowsIt(int named, int least)
    {
        var policy = new RetryPolicy(Options, new Random(1));
        for (var round = 0; round < 100; round++)
        {
            var wait = policy.Delay(1 + round, TimeSpan.FromSeconds(named)).TotalSeconds;
            Assert.InRange(wait, least, least + 1);
        }
    }

    /// <summary>Any count of failures has a wait.</summary>
    [Fact]
    public void Delay_AfterVeryManyFailures_IsTheCap() =>
        Assert.InRange(
            new RetryPolicy(Options, new Random(1)).Delay(int.MaxValue, null).TotalSeconds, 32, 64);

    /// <summary>One seed, one sequence.</summary>
    [Fact]
    public void Delay_WithOneSeed_RepeatsItself()
    {
        var left = new RetryPolicy(Options, new Random(9));
        var right = new RetryPolicy(Options, new Random(9));
        for (var failures = 1; failures < 50; failures++)
            Assert.Equal(left.Delay(failures, null), right.Delay(failures, null));
    }

    /// <summary>
    /// R-CAL-10-C: when every call fails and all want to retry, a tenth and the floor are retried.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-CAL-10-C")]
    public void Budget_WhenEverythingFails_AllowsATenthAndTheFloor()
    {
        var budget = new RetryBudget(Options);
        var retries = 0;
        for (var call = 0; call < 6000; call++)
        {
            budget.NoteCall();
            if (budget.TryTake(Start + TimeSpan.FromMilliseconds(100 * call)))
                retries++;
        }

        Assert.InRange(retries, 600, 600 + (6 * 11));
    }

    /// <summary>A quiet system may still retry, now and then.</summary>
    [Fact]
    public void Budget_WithoutCalls_GrowsBackToItsFloor()
    {
        var budget = new RetryBudget(Options);
        for (var retry = 0; retry < 6; retry++)
            Assert.True(budget.TryTake(Start));
        Assert.False(budget.TryTake(Start));
        Assert.False(budget.TryTake(Start - TimeSpan.FromHours(1)));
        Assert.False(budget.TryTake(Start + TimeSpan.FromSeconds(9)));
        Assert.True(budget.TryTake(Start + TimeSpan.FromSeconds(11)));
        Assert.Equal(6, budget.RemainingAt(Start + TimeSpan.FromDays(9)));
    }
}
