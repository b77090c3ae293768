using System.Globalization;
using CalSync.App.Demo;
using CalSync.Sandbox;
using CalSync.Tests.Contracts;
using Xunit;
using Xunit.Abstractions;

namespace CalSync.Tests.Drills;

/// <summary>
/// One token that has ended, three processes with seventeen workers each that all need it, and a token
/// endpoint that takes twelve seconds.
/// </summary>
[Collection(DrillSuites.Name)]
[Trait("Category", "Slow")]
[Trait("Requirement", "R-BCAL-T-1")]
public sealed class TokenDrills(PostgresFixture postgres, ITestOutputHelper output)
{
    private const int EventCount = 51;

    // So many workers each; and an endpoint that slow must not take longer than a request may.
    private static readonly string[] Settings =
    [
        "mirror.concurrency=17", "mirror.per_connection=17", "quota.account_calls=600", "token.timeout=15s",
        "token.refresh_lease=20s",
    ];

    private static readonly FaultEffect Slow = new() { DelayMs = 12_000 };

    private static CancellationToken None => CancellationToken.None;

    /// <summary>R-OAUTH-2, R-BCAL-1: one asks, fifty wait, nobody calls with the old token.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-2")]
    [Trait("Requirement", "R-BCAL-1")]
    public async Task Refresh_WantedByFiftyWorkersInThreeProcesses_IsMadeOnce()
    {
        await using var stage = await EndedTokenAsync();
        await stage.Control.AddFaultAsync(new FaultScript("token", Slow), None);
        await WorkAsync(stage);
        await AssertAsync(stage, refreshes: 1, failures: 0);
    }

    /// <summary>R-OAUTH-2, R-BCAL-1: who refreshed is killed: after its lease one other does it again, and
    /// what the dead one was given is stored by nobody.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-2")]
    [Trait("Requirement", "R-BCAL-1")]
    public async Task Refresh_WhoseProcessIsKilled_IsMadeOnceMoreByAnother()
    {
        await using var stage = await EndedTokenAsync();
        await stage.Control.AddFaultAsync(new FaultScript("token", Slow), None);
        var workers = await WorkAsync(stage);
        string? owner = null;
        await stage.UntilAsync(
            async () => (owner = await OwnerAsync(stage)) is not null
                && (await stage.Control.GetCallsAsync(None)).Count == 1,
            "somebody refreshes");
        var holder = workers.Single(worker => owner!.Contains(
            $":{worker.Id.ToString(CultureInfo.InvariantCulture)}:", StringComparison.Ordinal));
        await holder.KillAsync();
        await AssertAsync(stage, refreshes: 2, failures: 0);
    }

    /// <summary>R-OAUTH-2: the endpoint rotated the refresh token and its answer was lost: the one before
    /// renews, and the next refresh uses the newest.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-2")]
    [Trait("Requirement", "R-BCAL-1")]
    public async Task Refresh_WhoseAnswerIsLostAfterTheRotation_IsMadeOnceMoreWithTheTokenThatIsHeld()
    {
        await using var stage = await EndedTokenAsync();
        await stage.Control.SetSettingsAsync(new SandboxSettings(RotatesRefreshTokens: true), None);
        await stage.Control.AddFaultAsync(
            new FaultScript("token", Slow with { Drop = "after" }) { Times = 1 }, None);
        await WorkAsync(stage);
        await AssertAsync(stage, refreshes: 2, failures: 1);

        // The answer that was lost held a token too; the one that was stored is the one that counts.
        await EndAsync(stage);
        await stage.UntilAsync(
            async () => await stage.CountAsync("SELECT token_version FROM connections") == 3,
            "the workers renew ahead of need");
        Assert.Equal(3, (await RefreshesAsync(stage)).Length);
        Assert.Equal(
            1, await stage.CountAsync("SELECT count(*) FROM connections WHERE state = 'healthy'"));
    }

    /// <summary>A connected instructor with a class that no worker has seen, and a token that has
    /// ended.</summary>
    private async Task<Stage> EndedTokenAsync()
    {
        var stage = await Stage.SetAsync(
            await postgres.NewEmptyAsync(), [.. Settings, "token.refresh_interval=1min"]);
        var (_, api) = await stage.ServeAsync(withWorker: false);
        var maya = await stage.AddInstructorAsync(api, Stage.Maya);
        (await stage.Admin(api).PostAsync(
            "classes", Stage.Class("Crowd", maya.Id, 10, EventCount), None, prefer: "respond-async"))
            .Expect();
        await EndAsync(stage);
        await stage.Control.ClearCallsAsync(None);
        return stage;
    }

    private static async Task EndAsync(Stage stage)
    {
        await stage.Control.ExpireTokensAsync(Stage.Maya, None);
        await stage.Database.WriteAsync(
            session => session.ExecuteAsync(
                "UPDATE connections SET access_expires_at = @at", new { at = DateTimeOffset.UtcNow }),
            None);
    }

    private static Task<ProductProcess[]> WorkAsync(Stage stage) =>
        Task.WhenAll(Enumerable.Range(0, 3).Select(_ => stage.WorkAsync()));

    private static Task<string?> OwnerAsync(Stage stage) => stage.Database.ReadAsync(
        session => session.FirstOrDefaultAsync<string>(
            "SELECT lease_owner FROM connections WHERE lease_owner IS NOT NULL"),
        None);

    private static async Task<SandboxCall[]> RefreshesAsync(Stage stage) =>
        [.. (await stage.Control.GetCallsAsync(None)).Where(call => call.Detail == "refresh_token")];

    private async Task AssertAsync(Stage stage, int refreshes, int failures)
    {
        await stage.AssertAgreesAsync();
        var calls = await stage.Control.GetCallsAsync(None);
        var written = calls.Where(call =>
            call.Operation.StartsWith("events.", StringComparison.Ordinal)).ToArray();
        output.WriteLine($"{calls.Count} calls, {written.Length} of them on events");
        Assert.Equal(refreshes, (await RefreshesAsync(stage)).Length);
        Assert.DoesNotContain(written, call => call.TokenState != "valid");
        Assert.Equal(EventCount, written.Count(call => call.Operation == "events.insert"));
        Assert.Equal(EventCount, (await stage.EventsAsync(Stage.Maya)).Length);
        // One token was stored, by whoever held the lease last.
        Assert.Equal(2, await stage.CountAsync("SELECT token_version FROM connections"));
        Assert.Equal(
            (1, failures),
            (await stage.CountAsync("SELECT count(*) FROM journal WHERE kind = 'connection.refreshed'"),
                await stage.CountAsync(
                    "SELECT count(*) FROM journal WHERE kind = 'connection.refresh_failed'")));
        Assert.Equal(refreshes, await stage.CountAsync("SELECT lease_fence FROM connections"));
    }
}
