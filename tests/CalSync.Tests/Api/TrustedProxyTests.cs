using System.Text.Json.Nodes;
using CalSync.App.Api;
using CalSync.Lab.Running;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>Behind a proxy that is trusted, attempts are counted by the client's own address, and nobody
/// chooses theirs. The tests call from loopback, which is the proxy.</summary>
public sealed class TrustedProxyTests : ProductTest
{
    protected override ProductSettings Settings => Behind("127.0.0.0/8, ::1");

    internal static ProductSettings Behind(string proxies) => new()
    {
        RunsWorkers = false,
        VerificationWait = TimeSpan.Zero,
        Connects = false,
        Set = new Dictionary<string, string>
        {
            ["server.trusted_proxies"] = proxies,
            ["sign_in.per_address"] = "2",
        },
    };

    [Fact]
    public async Task Clients_BehindATrustedProxy_AreCountedApart()
    {
        Assert.Equal([401, 401, 429], await TryAsync(Product, "203.0.113.9", "203.0.113.9", "203.0.113.9"));
        Assert.Equal([401, 401, 429], await TryAsync(Product, "2001:db8::9", "2001:db8::9", "2001:db8::9"));
    }

    /// <summary>A client may write what it likes; the proxy adds to the right where it really is.</summary>
    [Fact]
    public async Task Client_ThatWritesTheHeaderItself_IsCountedWhereItIs()
    {
        Assert.Equal(
            [401, 401, 429, 429, 429],
            await TryAsync(
                Product, "203.0.113.9", "198.51.100.1, 203.0.113.9", "198.51.100.2,203.0.113.9",
                "127.0.0.1, 203.0.113.9", "rubbish, 203.0.113.9"));
    }

    [Fact]
    public async Task Chain_OfTrustedProxies_IsFollowedToTheFirstThatIsNot()
    {
        Assert.Equal(
            [401, 401, 429, 401],
            await TryAsync(
                Product, "203.0.113.9, 127.0.0.2", "198.51.100.1, 203.0.113.9, 127.0.0.3, 127.0.0.2",
                "203.0.113.9", "203.0.113.8, 127.0.0.2"));
    }

    [Theory]
    [InlineData("10.0.0.0/8", true)]
    [InlineData("10.0.0.7, 2001:db8::/32", true)]
    [InlineData("0.0.0.0/0", false)]
    [InlineData("::/0", false)]
    [InlineData("10.0.0.0/33", false)]
    [InlineData("10.0.0.0/8,", false)]
    [InlineData("proxy.example.com", false)]
    public void Read_OfWhatIsNoNetworkOrIsEverybody_IsRefused(string text, bool isRead) =>
        Assert.Equal(isRead, TrustedProxies.Read(text) is not null);

    internal static async Task<IReadOnlyList<int>> TryAsync(RunningProduct product, params string[] forwarded)
    {
        var statuses = new List<int>();
        foreach (var header in forwarded)
        {
            // Another account each time, so that only the address counts.
            var body = new JsonObject
            {
                ["email"] = $"nobody-{Guid.NewGuid()}@mail.test",
                ["password"] = "wrong horse battery",
            };
            var answer = await product.Nobody.SendAsync(
                HttpMethod.Post, "auth/sessions", body, ("X-Forwarded-For", header));
            statuses.Add(answer.Status);
        }

        return statuses;
    }
}

/// <summary>The header means nothing from somebody who is not named.</summary>
public sealed class UntrustedPeerTests : ProductTest
{
    protected override ProductSettings Settings => TrustedProxyTests.Behind("192.0.2.0/24");

    [Fact]
    public async Task Header_FromAPeerThatIsNotTrusted_ChangesNothing() => Assert.Equal(
        [401, 401, 429, 429],
        await TrustedProxyTests.TryAsync(
            Product, "203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4, 192.0.2.1"));
}
