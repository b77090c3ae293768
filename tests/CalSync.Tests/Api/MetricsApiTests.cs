using System.Diagnostics;
using System.Diagnostics.Metrics;
using CalSync.App.Metrics;
using CalSync.Lab.Running;
using CalSync.Sandbox;
using CalSync.Tests.Repository;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>R-CAL-15-P: every number is documented, every document is a number, and Prometheus can read
/// them.</summary>
public sealed class MetricsApiTests : ProductTest
{
    protected override ProductSettings Settings => new() { RunsWorkers = true };

    [Fact]
    [Trait("Requirement", "R-CAL-15-P")]
    public async Task Scrape_AfterWork_CountsItAndIsReadByPrometheus()
    {
        await NewClassAsync();
        (await Product.Maya.GetAsync("classes")).Expect(200);
        (await Product.Nobody.GetAsync("/api/v1/classes")).Expect(401);
        await Product.QuietAsync();

        var answer = (await Product.Operator.GetAsync("/metrics")).Expect(200);
        Assert.Equal("text/plain", answer.MediaType);
        Assert.Equal(1, MetricsText.Number(answer.Text, "events_created_total"));
        Assert.Equal(1, MetricsText.Number(answer.Text, "events_verified_total"));
        Assert.Equal(0, MetricsText.Number(answer.Text, "events_needs_attention_total"));
        Assert.Equal(1, MetricsText.Number(
            answer.Text,
            "calsync_http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/classes\","
                + "status=\"200\"}"));
        Assert.Equal(1, MetricsText.Number(answer.Text, "calsync_database_up"));
        Assert.Equal(0, MetricsText.Number(answer.Text, "calsync_provider_breaker{service=\"calendar\"}"));
        Assert.InRange(MetricsText.Number(answer.Text, "auth_requests_total{format=\"api-token\"}"), 2, 1000);
        Assert.Contains("service=\"calendar\",operation=", answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("@studio.test", answer.Text, StringComparison.Ordinal);
        await PromtoolAsync(["check", "metrics"], answer.Text);
    }

    /// <summary>R-CAL-15-A: half of the writes are answered 503: the numbers show the share that the alert
    /// asks for, and all of it is written in the end.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-15-A")]
    public async Task Scrape_WhenHalfOfTheCallsFail_ShowsTheShare()
    {
        await Product.Control.AddFaultAsync(
            new FaultScript("events.insert", new FaultEffect { Status = 503 }) { Every = 2 },
            CancellationToken.None);
        var made6 = await Product.Maya.PostAsync("classes", RunningProduct.ClassBody("Drawing", slots: 6));
        Assert.InRange(made6.Status, 201, 202);
        await Product.QuietAsync();
        var text = (await Product.Operator.GetAsync("/metrics")).Expect(200).Text;
        var made = MetricsText.Number(text, Inserts("Succeeded"));
        var failed = MetricsText.Number(text, Inserts("ServerError"));
        Assert.Equal(6, made);
        Assert.InRange(failed / (failed + made), 0.144, 0.55);
        Assert.InRange(MetricsText.Number(text, "events_retry_wait_total"), failed, 100);

        static string Inserts(string outcome) =>
            "calsync_provider_calls_total{service=\"calendar\",operation=\"events.insert\","
                + $"outcome=\"{outcome}\"}}";
    }

    /// <summary>What the instruments are called and what the catalogue says are the same.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-15-P")]
    public void Catalogue_HasEveryInstrumentOfTheProduct()
    {
        var published = new HashSet<string>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name.StartsWith("CalSync.", StringComparison.Ordinal))
                    published.Add(instrument.Name);
            },
        };
        listener.Start();
        Assert.Equal(
            MetricCatalogue.All.Where(metric => metric.Instrument is not null)
                .Select(metric => metric.Instrument!).Order(StringComparer.Ordinal),
            published.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Write_AwkwardValues_AreEscapedAndHistogramsAddUp()
    {
        var gauge = new Metric("g", MetricKind.Gauge, "A \\ and\na line.", null, "l");
        var times = new Metric("h", MetricKind.Histogram, "Times.", null);
        var text = PrometheusText.Write(
        [
            (gauge, [new Sample(["a\"b\\c\nd"], 1.5), new Sample([""], double.PositiveInfinity)]),
            (times, [new Sample([], 7)
            {
                Count = 3,
                Buckets = [.. PrometheusText.Buckets.Select(bound => bound < 1 ? 0L : 2L)],
            }]),
        ]);
        Assert.StartsWith(
            "# HELP g A \\\\ and\\na line.\n# TYPE g gauge\ng{l=\"a\\\"b\\\\c\\nd\"} 1.5\ng{l=\"\"} +Inf\n",
            text, StringComparison.Ordinal);
        Assert.Contains("h_bucket{le=\"0.5\"} 0\nh_bucket{le=\"1\"} 2\n", text, StringComparison.Ordinal);
        Assert.EndsWith("h_bucket{le=\"+Inf\"} 3\nh_sum 7\nh_count 3\n", text, StringComparison.Ordinal);
    }

    /// <summary>Runs promtool with a text on its standard input.</summary>
    internal static async Task PromtoolAsync(string[] arguments, string input)
    {
        var start = new ProcessStartInfo("promtool", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = SourceTree.Root,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await output + await error);
    }
}
