using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using CalSync.App.Health;
using CalSync.App.Metrics;
using CalSync.Lab;
using CalSync.Lab.Running;
using CalSync.Sync.Mirroring;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>R-CAL-15-P: the same numbers can be sent to an OTLP receiver, and a receiver that is away harms
/// nobody.</summary>
public sealed class MetricsPushTests : ProductTest
{
    private static readonly MetricsPushOptions Options =
        new(new Uri("http://receiver.test/v1/metrics"), TimeSpan.FromSeconds(60));

    protected override ProductSettings Settings =>
        new() { RunsWorkers = false, VerificationWait = TimeSpan.Zero };

    [Fact]
    [Trait("Requirement", "R-CAL-15-P")]
    public async Task Send_GivesTheNumbersAsOtlp()
    {
        (await Product.Maya.GetAsync("classes")).Expect(200);
        using var receiver = new Receiver(HttpStatusCode.OK);
        using var push = Push(receiver, TimeProvider.System);
        Assert.True(await push.SendAsync(CancellationToken.None));

        var sent = JsonNode.Parse(Assert.Single(receiver.Bodies))!["resourceMetrics"]![0]!;
        Assert.Equal("calsync", (string?)sent["resource"]!["attributes"]![0]!["value"]!["stringValue"]);
        var metrics = sent["scopeMetrics"]![0]!["metrics"]!.AsArray()
            .ToDictionary(metric => (string)metric!["name"]!, metric => metric!);
        Assert.Equal(1, (double)metrics["calsync_database_up"]["gauge"]!["dataPoints"]![0]!["asDouble"]!);
        var requests = metrics["auth_requests_total"]["sum"]!;
        Assert.True((bool)requests["isMonotonic"]!);
        Assert.Equal(2, (int)requests["aggregationTemporality"]!);
        Assert.Equal("format", (string?)requests["dataPoints"]![0]!["attributes"]![0]!["key"]);
        Assert.All(
            metrics["calsync_http_request_duration_seconds"]["histogram"]!["dataPoints"]!.AsArray(),
            point =>
            {
                var counts = point!["bucketCounts"]!.AsArray()
                    .Select(count => long.Parse((string)count!, CultureInfo.InvariantCulture));
                Assert.Equal((string?)point["count"], counts.Sum().ToString(CultureInfo.InvariantCulture));
                Assert.Equal(
                    point["explicitBounds"]!.AsArray().Count + 1, point["bucketCounts"]!.AsArray().Count);
            });
        Assert.DoesNotContain("@studio.test", receiver.Bodies[0], StringComparison.Ordinal);
    }

    /// <summary>It goes on at every turn, also after a receiver that refused.</summary>
    [Fact]
    public async Task Run_ReceiverRefuses_GoesOn()
    {
        var clock = new ManualTimeProvider();
        using var receiver = new Receiver(HttpStatusCode.ServiceUnavailable);
        using var push = Push(receiver, clock);
        await push.StartAsync(CancellationToken.None);
        await RunningProduct.UntilAsync(() => Task.FromResult(clock.PendingTimerCount == 1), "it waits");
        for (var turn = 1; turn <= 3; turn++)
        {
            clock.Advance(Options.Interval);
            await RunningProduct.UntilAsync(
                () => Task.FromResult(receiver.Bodies.Count >= turn), $"turn {turn} is sent");
        }

        await push.StopAsync(CancellationToken.None);
        Assert.Equal(3, receiver.Bodies.Count);
    }

    private MetricsPush Push(HttpMessageHandler network, TimeProvider clock) => new(
        Product.Services.GetRequiredService<MetricsBoard>(),
        Product.Services.GetRequiredService<HealthBoard>(), Options, new WorkerIdentity("one", "here", 1),
        network, NullLogger<MetricsPush>.Instance, clock);

    private sealed class Receiver(HttpStatusCode status) : HttpMessageHandler
    {
        public List<string> Bodies { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Assert.Equal("application/json", request.Content!.Headers.ContentType!.MediaType);
            Bodies.Add(await request.Content.ReadAsStringAsync(cancellationToken));
            return new HttpResponseMessage(status);
        }
    }
}
