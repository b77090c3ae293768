using System.Text.Json.Nodes;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// Goal: whoever mends a connection is told what went wrong, and can end it whatever its grant is worth.
/// Method: the authorization pages of the sandbox, with another account, with a box left unticked, and with
/// a provider that knows the grant no more.
/// </summary>
public sealed class ReconnectTests : ProductTest
{
    private static CancellationToken None => CancellationToken.None;

    /// <summary>R-CAL-01-B: the reason that is known last is the one that is told, until it is
    /// mended.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-01-B")]
    public async Task Reconnecting_ThatDoesNotHelp_SaysWhyOnTheConnection()
    {
        var id = await RevokedAsync();
        Assert.Equal("GrantRevoked", (string?)(await ConnectionAsync())["reason"]);

        Assert.Equal(409, await ConsentAsync(id, "&sandbox_user=arjun@studio.test"));
        var other = await ConnectionAsync();
        Assert.Equal(("needs_reauth", "DifferentAccount"), (State(other), (string?)other["reason"]));
        Assert.Contains("another account", (string?)other["message"], StringComparison.Ordinal);

        Assert.Equal(409, await ConsentAsync(
            id, "&sandbox_user=maya@studio.test&sandbox_scopes=openid%20email"));
        var withheld = await ConnectionAsync();
        Assert.Equal(("needs_reauth", "ScopeWithheld"), (State(withheld), (string?)withheld["reason"]));

        Assert.Equal(200, await ConsentAsync(id, "&sandbox_user=maya@studio.test"));
        var mended = await ConnectionAsync();
        Assert.Equal(("healthy", null), (State(mended), (string?)mended["reason"]));
        Assert.Equal(2, await Product.CountAsync(
            "SELECT count(*) FROM journal WHERE kind = 'connection.reconnect_failed'"));
    }

    /// <summary>A connection that works is not spoken ill of because somebody chose a wrong
    /// account.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-01-B")]
    public async Task Reconnecting_OfAConnectionThatWorks_LeavesItAsItIs()
    {
        var id = (string)(await ConnectionAsync())["id"]!;
        Assert.Equal(409, await ConsentAsync(id, "&sandbox_user=arjun@studio.test"));
        var kept = await ConnectionAsync();
        Assert.Equal(("healthy", null), (State(kept), (string?)kept["reason"]));
    }

    /// <summary>R-CAL-01-B: ending a connection works although the provider knows the grant no more, or does
    /// not answer.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("before")]
    [InlineData("after")]
    [Trait("Requirement", "R-CAL-01-B")]
    public async Task Disconnecting_WithADeadGrant_EndsTheConnectionAllTheSame(string? drop)
    {
        var id = await RevokedAsync();
        if (drop is not null)
        {
            await Product.Control.AddFaultAsync(
                new FaultScript("revoke", new FaultEffect { Drop = drop }), None);
        }

        (await Product.Maya.DeleteAsync($"calendar/connections/{id}", null)).Expect(204);
        Assert.Equal("disconnected", State(await ConnectionAsync()));
        Assert.Equal(1, await Product.CountAsync(
            "SELECT count(*) FROM connections WHERE access_token IS NULL AND refresh_token IS NULL"));
        Assert.Equal(200, await ConsentAsync(id, "&sandbox_user=maya@studio.test"));
        Assert.Equal("healthy", State(await ConnectionAsync()));
    }

    /// <summary>R-OAUTH-15: the breakers of one's own organisation's connections, whichever process opened
    /// them.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-15")]
    public async Task Breakers_AreSeenPerConnectionByTheirOwnOrganisation()
    {
        var until = TimeProvider.System.GetUtcNow().AddMinutes(5);
        await Product.ExecuteAsync(
            "UPDATE connections SET open_until = @until, consecutive_failures = 3", new { until });
        var seen = (await Product.Operator.GetAsync("admin/breakers")).Expect(200);
        Assert.Equal(("closed", "closed"), (seen["calendar"], seen["oAuth"]));
        var breaker = Assert.Single(seen.Body!["connections"]!.AsArray())!;
        Assert.Equal(("open", 3), ((string?)breaker["phase"], (int)breaker["consecutiveFailures"]!));
        var elsewhere = (await Product.Stranger.GetAsync("admin/breakers")).Expect(200);
        Assert.Empty(elsewhere.Body!["connections"]!.AsArray());
    }

    private async Task<JsonNode> ConnectionAsync() =>
        (await Product.Maya.GetAsync("calendar/connections")).Expect(200).Body!["items"]![0]!;

    private static string? State(JsonNode connection) => (string?)connection["state"];

    /// <summary>Maya takes the permission back, and the product finds out.</summary>
    private async Task<string> RevokedAsync()
    {
        await Product.Control.RevokeAsync(Product.Maya.Email, None);
        (await Product.Maya.PostAsync("calendar/sync", null)).Expect(409);
        return (string)(await ConnectionAsync())["id"]!;
    }

    /// <summary>Goes through the pages and gives the status of the last one.</summary>
    private async Task<int> ConsentAsync(string reconnectId, string choice)
    {
        var started = (await Product.Maya.PostAsync(
            "calendar/connections/google", new JsonObject { ["reconnectId"] = reconnectId })).Expect(200);
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var browser = new HttpClient(handler);
        using var agreed = await browser.GetAsync(
            new Uri($"{started["authorizationUrl"]}&sandbox_consent=allow{choice}"));
        using var finished = await browser.GetAsync(agreed.Headers.Location);
        return (int)finished.StatusCode;
    }
}
