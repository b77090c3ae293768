using CalSync.Lab;
using CalSync.Remotes.OAuth;
using CalSync.Sync.Connections;
using Xunit;

namespace CalSync.Tests.Sync.Connections;

/// <summary>
/// Goal: no refresh fails silently; each failure is a journal entry, a count, a state of the connection and a
/// log line, or none of them. Method: a token endpoint that fails in every way it can, one at a time.
/// </summary>
public sealed class RefreshFailureTests
{
    private static readonly TimeSpan Needed = TimeSpan.FromMinutes(10);

    /// <summary>How the endpoint fails, and what the connection then says.</summary>
    public static TheoryData<string, string, string> Failures => new()
    {
        { "500", "degraded", "ServerError" },
        { "503", "degraded", "ServerError" },
        { "429", "degraded", "RateLimited" },
        { "silence", "degraded", "TimedOut" },
        { "closed", "degraded", "Unreachable" },
        { "reset", "degraded", "Unreachable" },
        { "garbage", "degraded", "Unreachable" },
        { "html", "degraded", "OutsideProtocol" },
        { "empty", "degraded", "OutsideProtocol" },
        { "no lifetime", "degraded", "OutsideProtocol" },
        { "endless", "degraded", "OutsideProtocol" },
        { "invalid_client", "degraded", "AccessNotConfigured" },
        { "invalid_grant", "needs_reauth", "GrantRevoked" },
    };

    /// <summary>R-CAL-01-P: all of them, exactly once; and a later success leaves the connection
    /// whole.</summary>
    [Theory]
    [MemberData(nameof(Failures))]
    [Trait("Requirement", "R-CAL-01-P")]
    [Trait("Requirement", "R-OAUTH-14")]
    public async Task Refresh_ThatFails_LeavesStateJournalCountAndLogLine(
        string how, string state, string reason)
    {
        var fails = true;
        await using var rig = await TokenRig.StartAsync(_ => fails ? Fail(how) : TokenRig.Granted());
        var id = await rig.ConnectAsync(TimeSpan.FromMinutes(1));

        var asked = rig.Tokens.GetAsync(id, Needed, CancellationToken.None);
        if (how == "silence")
        {
            Assert.True(await rig.Server.Received(TimeSpan.FromSeconds(30)));
            rig.Clock.Advance(new OAuthOptions().TokenTimeout);
        }

        Assert.IsNotType<TokenOutcome.Fresh>(await asked.WaitAsync(TimeSpan.FromSeconds(30)));
        await AssertNotedOnceAsync(rig, id, state, reason);
        // Asking again while it waits changes nothing and counts nothing.
        Assert.IsNotType<TokenOutcome.Fresh>(await rig.Tokens.GetAsync(id, Needed, CancellationToken.None));
        await AssertNotedOnceAsync(rig, id, state, reason);
        Assert.Single(rig.Server.Requests);

        fails = false;
        rig.Clock.Advance(TimeSpan.FromMinutes(5));
        var later = await rig.Tokens.GetAsync(id, Needed, CancellationToken.None);
        Assert.Equal(state == "degraded", later is TokenOutcome.Fresh);
        if (state == "degraded")
            Assert.Equal("healthy", await rig.ReadAsync<string>("SELECT state FROM connections"));
        Assert.Equal(1, rig.FailedCount + rig.ConsentCount);
    }

    /// <summary>R-CAL-01-P: a failure that concerns tokens which were replaced meanwhile leaves nothing at
    /// all.</summary>
    [Theory]
    [InlineData("500")]
    [InlineData("invalid_grant")]
    [Trait("Requirement", "R-CAL-01-P")]
    public async Task Refresh_ThatFailsAfterTheOwnerReconnected_LeavesNothing(string how)
    {
        TokenRig? rig = null;
        var reconnected = new TaskCompletionSource();
        await using var server = rig = await TokenRig.StartAsync(_ =>
        {
            // The owner consents while the endpoint thinks about the old grant.
            rig!.ConnectAsync(TimeSpan.FromHours(1), "account-1").ContinueWith(
                _ => reconnected.SetResult(), TaskScheduler.Default);
            reconnected.Task.Wait(TimeSpan.FromSeconds(30));
            return Fail(how);
        });
        var id = await rig.ConnectAsync(TimeSpan.FromMinutes(1));

        var asked = rig.Tokens.GetAsync(id, Needed, CancellationToken.None);
        for (var look = 0; look < 1000 && !asked.IsCompleted; look++)
        {
            // It looks at the row again after a while.
            await Task.Delay(TimeSpan.FromMilliseconds(20));
            if (reconnected.Task.IsCompleted)
                rig.Clock.Advance(new ConnectionOptions().RefreshPoll);
        }

        var outcome = Assert.IsType<TokenOutcome.Fresh>(await asked.WaitAsync(TimeSpan.FromSeconds(1)));
        Assert.Equal("access-of-account-1", outcome.AccessToken);
        Assert.Equal("healthy", await rig.ReadAsync<string>("SELECT state FROM connections"));
        Assert.Equal((0, 0), (rig.FailedCount, rig.ConsentCount));
        Assert.Equal(0, await rig.JournalCountAsync("connection.refresh_failed"));
        Assert.Equal(0, await rig.JournalCountAsync("connection.needs_reauth"));
        Assert.Empty(rig.Logs.All);
    }

    private static async Task AssertNotedOnceAsync(TokenRig rig, string id, string state, string reason)
    {
        Assert.Equal(
            $"{state} {reason}",
            await rig.ReadAsync<string>("SELECT state || ' ' || reason FROM connections"));
        var dead = state == "needs_reauth";
        Assert.Equal((dead ? 0 : 1, dead ? 1 : 0), (rig.FailedCount, rig.ConsentCount));
        Assert.Equal(
            (dead ? 0 : 1, dead ? 1 : 0),
            (await rig.JournalCountAsync("connection.refresh_failed"),
                await rig.JournalCountAsync("connection.needs_reauth")));
        Assert.Equal((dead ? 0 : 1, dead ? 1 : 0), (rig.LogCount("2101"), rig.LogCount("2102")));
        var line = Assert.Single(rig.Logs.All);
        Assert.Contains(id, line, StringComparison.Ordinal);
        foreach (var secret in new[] { "access-of", "refresh-of", "secret-c", "<html>" })
            Assert.DoesNotContain(secret, line, StringComparison.Ordinal);
    }

    private static ScriptedAnswer Fail(string how) => how switch
    {
        "500" => new ScriptedAnswer.Send(500, "<html>broken</html>"),
        "503" => new ScriptedAnswer.Send(503),
        "429" => new ScriptedAnswer.Send(429, """{"error":"rate_limit_exceeded"}""", "Retry-After: 60"),
        "silence" => new ScriptedAnswer.Silence(),
        "closed" => new ScriptedAnswer.Close(),
        "reset" => new ScriptedAnswer.Reset(),
        "garbage" => new ScriptedAnswer.Garbage([1, 2, 3, 4]),
        "html" => new ScriptedAnswer.Send(200, "<html>sign in</html>"),
        "empty" => new ScriptedAnswer.Send(200, "{}"),
        "no lifetime" => Lasting(0),
        "endless" => Lasting(999_999_999),
        "invalid_client" => new ScriptedAnswer.Send(401, """{"error":"invalid_client"}"""),
        "invalid_grant" => new ScriptedAnswer.Send(400, """{"error":"invalid_grant"}"""),
        _ => throw new ArgumentOutOfRangeException(nameof(how)),
    };

    private static ScriptedAnswer.Send Lasting(int seconds) => new(
        200, $$"""{"access_token":"a","expires_in":{{seconds}},"token_type":"Bearer"}""");
}
