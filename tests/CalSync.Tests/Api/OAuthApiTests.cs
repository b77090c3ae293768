using CalSync.Lab.Running;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// Goal: an owner sees how each of their connections stands and can have the tokens renewed, one failing
/// connection not keeping another from it. Method: one person with two accounts, of which one is spoiled.
/// </summary>
public sealed class OAuthApiTests : ProductTest
{
    private const string Check = "oauth/google/health-check";
    private const string Refresh = "oauth/google/refresh-tokens";

    private static CancellationToken None => CancellationToken.None;

    /// <summary>R-OAUTH-13: per connection its state, end and warnings, and one word for all.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-3")]
    [Trait("Requirement", "R-OAUTH-13")]
    public async Task HealthCheck_ListsEachConnectionWithItsEndAndWarnings()
    {
        var whole = (await Product.Maya.GetAsync(Check)).Expect(200);
        Assert.Equal("healthy", whole["overall"]);
        var service = Assert.Single(whole.Body!["services"]!.AsArray())!;
        Assert.Equal(
            ["service", "connectionId", "account", "status", "message", "action", "expiresAt",
                "expiresInSeconds", "grantExpiresAt", "nextAttemptAt", "warnings"],
            service.AsObject().Select(member => member.Key));
        Assert.Equal(
            ("google-sandbox", "healthy", "maya@studio.test"),
            ((string?)service["service"], (string?)service["status"], (string?)service["account"]));
        Assert.InRange((long)service["expiresInSeconds"]!, 3_500, 3_600);
        Assert.Empty(service["warnings"]!.AsArray());

        await EndAsync("maya@studio.test", TimeSpan.FromMinutes(5));
        var soon = (await Product.Maya.GetAsync(Check)).Expect(200);
        Assert.Equal("healthy", soon["overall"]);
        Assert.Equal("expiring_soon", (string?)soon.Body!["services"]![0]!["status"]);
        Assert.Equal(
            "token_expires_soon", (string?)soon.Body!["services"]![0]!["warnings"]![0]!["code"]);

        await Product.ConnectAsync(Product.Maya, "arjun@studio.test");
        await SetAsync("arjun@studio.test", "needs_reauth", "GrantRevoked");
        var dead = (await Product.Maya.GetAsync(Check)).Expect(200);
        Assert.Equal("needs_reauth", dead["overall"]);
        Assert.Equal(["expiring_soon", "needs_reauth"], Words(dead, "status"));
        Assert.Equal("not_connected", (await Product.Arjun.GetAsync(Check)).Expect(200)["overall"]);
        Assert.DoesNotContain("ya29", dead.Text, StringComparison.Ordinal);
    }

    /// <summary>R-OAUTH-4: what ends soon is renewed, each connection for itself.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-4")]
    public async Task Refresh_RenewsWhatEndsSoonAndTellsEachResult()
    {
        await Product.ConnectAsync(Product.Maya, "arjun@studio.test");
        Assert.Equal(["still_valid", "still_valid"], Words(await RefreshAsync(0), "result"));

        await EndAsync("maya@studio.test", TimeSpan.FromMinutes(5));
        Assert.Equal(["refreshed", "still_valid"], Words(await RefreshAsync(1), "result"));

        // One endpoint for all: the first of the two to ask meets the fault.
        await EndAsync("maya@studio.test", TimeSpan.FromMinutes(5));
        await EndAsync("arjun@studio.test", TimeSpan.FromMinutes(5));
        await Product.Control.AddFaultAsync(
            new FaultScript("token", new FaultEffect { Status = 503 }) { Times = 1 }, None);
        Assert.Equal(
            ["failed", "refreshed"], Words(await RefreshAsync(1), "result").Order(StringComparer.Ordinal));

        // Whichever of the two it was: from here on only Maya's own connection has a trouble.
        await EndAsync("arjun@studio.test", TimeSpan.FromHours(1));
        await Product.Control.RevokeAsync("maya@studio.test", None);
        await SetAsync("maya@studio.test", "healthy", null);
        await EndAsync("maya@studio.test", TimeSpan.FromMinutes(5));
        var revoked = await RefreshAsync(0);
        Assert.Equal(["needs_reauth", "still_valid"], Words(revoked, "result").Order(StringComparer.Ordinal));
        Assert.Contains("taken back", revoked.Text, StringComparison.Ordinal);

        var id = await Product.TextAsync(
            "SELECT id FROM connections WHERE account_email = 'maya@studio.test'");
        (await Product.Maya.DeleteAsync($"calendar/connections/{id}", null)).Expect(204);
        Assert.Contains("disconnected", Words(await RefreshAsync(0), "result"));
        Assert.Empty((await Product.Arjun.PostAsync(Refresh, null)).Expect(200).Body!["services"]!.AsArray());
    }

    /// <summary>The listing says in words how a connection stands.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-01-B")]
    public async Task Connections_SayWhyOneDoesNotWorkAndWhatToDo()
    {
        await SetAsync("maya@studio.test", "needs_reauth", "ScopeWithheld");
        var listed = (await Product.Maya.GetAsync("calendar/connections")).Expect(200).Body!["items"]![0]!;
        Assert.Equal(
            ("needs_reauth", "ScopeWithheld"), ((string?)listed["state"], (string?)listed["reason"]));
        Assert.Contains("left unticked", (string?)listed["message"], StringComparison.Ordinal);
        Assert.Contains("Tick every box", (string?)listed["action"], StringComparison.Ordinal);
    }

    private async Task<ApiAnswer> RefreshAsync(int count)
    {
        var answer = (await Product.Maya.PostAsync(Refresh, null)).Expect(200);
        Assert.Equal(count, (int)answer.Body!["refreshedCount"]!);
        return answer;
    }

    private static string[] Words(ApiAnswer answer, string member) =>
        [.. answer.Body!["services"]!.AsArray().Select(service => (string)service![member]!)];

    private Task<int> EndAsync(string account, TimeSpan left) => Product.ExecuteAsync(
        """
        UPDATE connections SET access_expires_at = @at, next_attempt_at = NULL
        WHERE account_email = @account
        """,
        new { account, at = TimeProvider.System.GetUtcNow() + left });

    private Task<int> SetAsync(string account, string state, string? reason) => Product.ExecuteAsync(
        """
        UPDATE connections SET state = @state, reason = @reason, next_attempt_at = NULL
        WHERE account_email = @account
        """,
        new { account, state, reason });
}
