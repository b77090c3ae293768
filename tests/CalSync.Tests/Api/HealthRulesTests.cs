using CalSync.App.Health;
using CalSync.Remotes;
using CalSync.Remotes.Pipeline;
using CalSync.Storage;
using CalSync.Storage.Running;
using CalSync.Sync.Providers;
using CalSync.Tests.Repository;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>From what is seen to a state, its effect and what to do: every rule, on both sides of its
/// threshold.</summary>
public sealed class HealthRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    private static readonly HealthFacts Well = new(true, [], [], [], [], [], Now, 1);

    public static TheoryData<string, string, string?> Cases => new()
    {
        { "well", "ok", null },
        { "database down", "down", "database-unreachable" },
        { "read only", "degraded", "database-read-only" },
        { "pool", "degraded", "pool-exhausted" },
        { "certificate 13 days", "degraded", "certificate-expired" },
        { "certificate 15 days", "ok", null },
        { "no worker", "degraded", "no-worker" },
        { "tokens 9 min", "ok", null },
        { "tokens 11 min", "degraded", "tokens-not-renewed" },
        { "30 of 100", "degraded", "token-revoked" },
        { "9 of 100", "ok", null },
        { "4 of 5", "ok", null },
        { "lag 59 s", "ok", null },
        { "lag 61 s", "degraded", "sync-lag" },
        { "parked for an hour", "ok", null },
        { "pairs 4 min", "ok", null },
        { "pairs 6 min", "degraded", "sync-lag" },
        { "google open", "degraded", "google-outage" },
        { "oauth half-open", "degraded", "google-outage" },
        { "caldav", "degraded", "google-outage" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    [Trait("Requirement", "R-CAL-15-P")]
    public void Rule_OnBothSidesOfItsThreshold(string name, string status, string? runbook)
    {
        var part = Part(name);
        Assert.Equal(
            (status, runbook is null ? null : $"docs/runbooks/{runbook}.md"), (part.Status, part.Runbook));
        Assert.Equal(part.Status == "ok", part.Effect is null);
        if (part.Runbook is not null)
            Assert.True(File.Exists(Path.Combine(SourceTree.Root, part.Runbook)));
    }

    /// <summary>R-CAL-15-A: an outage says how many changes of how many people it holds up.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-15-A")]
    public void Google_Open_SaysWhomItConcerns()
    {
        var facts = Well with { Waiting = [Waiting("retry_wait", 600, 37, 4), Waiting("parked", 60, 5, 5)] };
        var part = HealthRules.Google(Health(BreakerPhase.Open, BreakerPhase.Closed), facts);
        Assert.EndsWith("37 changes of 4 people wait.", part.Effect, StringComparison.Ordinal);
    }

    private static HealthPart Part(string name) => name switch
    {
        "well" => HealthRules.Database(Well, null, [], null, Now),
        "database down" => HealthRules.Database(null, "Nothing.", [], null, Now),
        "read only" => HealthRules.Database(Well with { IsWritable = false }, null, [], null, Now),
        "pool" => HealthRules.Database(Well, null, [new PoolUse("general", 4, 4, 1)], null, Now),
        "certificate 13 days" => HealthRules.Database(Well, null, [], Now.AddDays(13), Now),
        "certificate 15 days" => HealthRules.Database(Well, null, [], Now.AddDays(15), Now),
        "no worker" => HealthRules.Worker(Well with { WorkersAlive = 0 }),
        "tokens 9 min" => HealthRules.Tokens(Well with { Tokens = [Overdue(9)] }, Now),
        "tokens 11 min" => HealthRules.Tokens(Well with { Tokens = [Overdue(11)] }, Now),
        "30 of 100" => HealthRules.Tokens(Connections(30, 70), Now),
        "9 of 100" => HealthRules.Tokens(Connections(9, 91), Now),
        "4 of 5" => HealthRules.Tokens(Connections(4, 1), Now),
        "lag 59 s" => HealthRules.Mirrors(Well with { Waiting = [Waiting("pending", 59)] }, Now),
        "lag 61 s" => HealthRules.Mirrors(Well with { Waiting = [Waiting("pending", 61)] }, Now),
        "parked for an hour" => HealthRules.Mirrors(Well with { Waiting = [Waiting("parked", 3600)] }, Now),
        "pairs 4 min" => HealthRules.Pairs(Well with { Pairs = [Overdue(4)] }, Now),
        "pairs 6 min" => HealthRules.Pairs(Well with { Pairs = [Overdue(6)] }, Now),
        "google open" => HealthRules.Google(Health(BreakerPhase.Open, BreakerPhase.Closed), null),
        "oauth half-open" => HealthRules.Google(Health(BreakerPhase.Closed, BreakerPhase.HalfOpen), Well),
        _ => HealthRules.CalDav(1),
    };

    private static Overdue Overdue(int minutes) =>
        new() { TenantKind = "live", Count = 3, Since = Now.AddMinutes(-minutes) };

    private static HealthFacts Connections(int dead, int healthy) => Well with
    {
        Connections =
        [
            new ConnectionCount { TenantKind = "live", State = "needs_reauth", Count = dead },
            new ConnectionCount { TenantKind = "live", State = "healthy", Count = healthy },
            new ConnectionCount { TenantKind = "live", State = "disconnected", Count = 500 },
        ],
    };

    private static WaitingChanges Waiting(string state, int seconds, int count = 1, int people = 1) => new()
    {
        TenantKind = "live",
        State = state,
        Count = count,
        People = people,
        OldestAt = Now.AddSeconds(-seconds),
    };

    private static RemotesHealth Health(BreakerPhase calendar, BreakerPhase oauth) =>
        new(calendar, oauth, new QuotaUse(0, 1, 0, 1, 0), 1);
}
