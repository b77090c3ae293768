using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using CalSync.Sandbox;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CalSync.Tests.Sandbox;

/// <summary>Push channels with real POSTs to a receiver on loopback (R16; D, section 3.13).</summary>
public sealed class PushTests : SandboxTest
{
    private readonly Channel<(IHeaderDictionary Headers, long Length)> _received =
        Channel.CreateUnbounded<(IHeaderDictionary, long)>();

    /// <summary>
    /// R16: a channel lives seven days unless asked otherwise, in milliseconds as a string.
    /// </summary>
    [Fact]
    [Trait("Rule", "R16")]
    public async Task Watch_WithoutAnExpiration_LivesSevenDays()
    {
        var opened = await CallAsync(
            "POST", "calendars/primary/events/watch", Ask("channel1", "http://127.0.0.1:9/"));
        var expiration = long.Parse(Text(opened.Body!, "expiration"), CultureInfo.InvariantCulture);
        Assert.Equal(Clock.GetUtcNow().AddDays(7).ToUnixTimeMilliseconds(), expiration);
        var list = await CallAsync(
            "POST", "users/me/calendarList/watch", Ask("channel2", "http://127.0.0.1:9/"));
        Assert.Equal(200, list.Status);
        var again = await CallAsync(
            "POST", "calendars/primary/events/watch", Ask("channel3", "http://127.0.0.1:9/"));
        Assert.Equal(Text(opened.Body!, "resourceId"), Text(again.Body!, "resourceId"));
        AssertError(
            await CallAsync("POST", "calendars/primary/events/watch", Ask("channel1", "http://127.0.0.1:9/")),
            400, "channelIdNotUnique");
    }

    [Fact]
    [Trait("Rule", "D-PUSH")]
    public async Task Watch_ThenChangeThenStop_SendsSyncThenExistsThenNothing()
    {
        await using var receiver = await ReceiveAsync();
        var opened = await CallAsync(
            "POST", "calendars/primary/events/watch", Ask("channel1", receiver.Urls.First() + "/hook"));
        var sync = await NextAsync();
        Assert.Equal("sync", sync["X-Goog-Resource-State"]);
        Assert.Equal("1", sync["X-Goog-Message-Number"]);
        Assert.Equal("secret", sync["X-Goog-Channel-Token"]);
        Assert.Equal(Text(opened.Body!, "resourceId"), sync["X-Goog-Resource-ID"]);
        await InsertAsync(Class("class1"));
        var exists = await NextAsync();
        Assert.Equal(("exists", "channel1"), (
            exists["X-Goog-Resource-State"].ToString(), exists["X-Goog-Channel-ID"].ToString()));
        var stop = new JsonObject { ["id"] = "channel1", ["resourceId"] = Text(opened.Body!, "resourceId") };
        AssertError(await CallAsync("POST", "channels/stop", stop, Arjun), 404, "notFound");
        Assert.Equal(204, (await CallAsync("POST", "channels/stop", stop)).Status);
        await InsertAsync(Class("class2"));
        await CallAsync(
            "POST", "calendars/primary/events/watch", Ask("channel2", receiver.Urls.First() + "/hook"));
        Assert.Equal("channel2", (await NextAsync())["X-Goog-Channel-ID"]);
    }

    [Fact]
    [Trait("Rule", "D-PUSH")]
    public async Task Watch_AfterItExpiredOrUnderAFault_LosesMessages()
    {
        await using var receiver = await ReceiveAsync();
        await CallAsync(
            "POST", "calendars/primary/events/watch", Ask("channel1", receiver.Urls.First() + "/hook"));
        await NextAsync();
        await Control.AddFaultAsync(
            new FaultScript("notify", new FaultEffect { Drop = "before" }) { Times = 1 }, None);
        await InsertAsync(Class("class1"));
        await InsertAsync(Class("class2"));
        Assert.Equal("3", (await NextAsync())["X-Goog-Message-Number"]);
        await Control.AddFaultAsync(
            new FaultScript("notify", new FaultEffect { Status = 500 }) { Times = 1 }, None);
        await InsertAsync(Class("class3"));
        Assert.Equal("4", (await NextAsync())["X-Goog-Message-Number"]);
        Assert.Equal("4", (await NextAsync())["X-Goog-Message-Number"]);
        await Control.AdvanceClockAsync(TimeSpan.FromDays(7), None);
        await Control.EditEventAsync(new HandEdit(Maya, "class1", "delete"), None);
        Assert.False(_received.Reader.TryRead(out _));
    }

    [Theory]
    [InlineData("channel1", "web_hook", "https://elsewhere.example/hook", 401)]
    [InlineData("channel1", "mail", "http://127.0.0.1:9/", 400)]
    [InlineData("channel 1", "web_hook", "http://127.0.0.1:9/", 400)]
    [InlineData("", "web_hook", "http://127.0.0.1:9/", 400)]
    [Trait("Rule", "D-PUSH")]
    public async Task Watch_WithABadChannel_IsRefused(string id, string type, string address, int status)
    {
        var ask = Ask(id, address);
        ask["type"] = type;
        Assert.Equal(status, (await CallAsync("POST", "calendars/primary/events/watch", ask)).Status);
    }

    private static JsonObject Ask(string id, string address) => new()
    {
        ["id"] = id,
        ["type"] = "web_hook",
        ["address"] = address,
        ["token"] = "secret",
    };

    private async Task<IHeaderDictionary> NextAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var (headers, length) = await _received.Reader.ReadAsync(patience.Token);
        Assert.Equal(0, length);
        return headers;
    }

    private async Task<WebApplication> ReceiveAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var application = builder.Build();
        application.Run(context =>
        {
            var headers = new HeaderDictionary();
            foreach (var (name, value) in context.Request.Headers)
                headers[name] = value;
            _received.Writer.TryWrite((headers, context.Request.ContentLength ?? 0));
            return Task.CompletedTask;
        });
        await application.StartAsync();
        return application;
    }
}
