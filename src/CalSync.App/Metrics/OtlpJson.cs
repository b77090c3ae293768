using System.Globalization;
using System.Text.Json.Nodes;

namespace CalSync.App.Metrics;

/// <summary>Writes metrics as an ExportMetricsServiceRequest of OTLP, in JSON.</summary>
/// <remarks>64-bit numbers are texts, as in the JSON of protobuf.</remarks>
internal static class OtlpJson
{
    private const int Cumulative = 2;

    /// <summary>The whole request.</summary>
    /// <param name="metrics">What to send.</param>
    /// <param name="instance">Which process this is.</param>
    /// <param name="startedAt">Since when sums are counted.</param>
    /// <param name="now">UTC.</param>
    public static string Write(
        IEnumerable<(Metric Metric, IReadOnlyList<Sample> Samples)> metrics, string instance,
        DateTimeOffset startedAt, DateTimeOffset now)
    {
        var all = new JsonArray();
        foreach (var (metric, samples) in metrics.Where(entry => entry.Samples.Count > 0))
            all.Add((JsonNode)Write(metric, samples, startedAt, now));
        return new JsonObject
        {
            ["resourceMetrics"] = new JsonArray(new JsonObject
            {
                ["resource"] = new JsonObject
                {
                    ["attributes"] = new JsonArray(
                        Attribute("service.name", "calsync"), Attribute("service.instance.id", instance)),
                },
                ["scopeMetrics"] = new JsonArray(new JsonObject
                {
                    ["scope"] = new JsonObject { ["name"] = "calsync" },
                    ["metrics"] = all,
                }),
            }),
        }.ToJsonString();
    }

    private static JsonObject Write(
        Metric metric, IReadOnlyList<Sample> samples, DateTimeOffset startedAt, DateTimeOffset now)
    {
        var points = new JsonArray();
        foreach (var sample in samples)
        {
            var point = new JsonObject
            {
                ["attributes"] = new JsonArray([.. metric.Labels.Zip(sample.Labels)
                    .Select(label => Attribute(label.First, label.Second))]),
                ["timeUnixNano"] = Nanoseconds(now),
            };
            if (metric.Kind != MetricKind.Gauge)
                point["startTimeUnixNano"] = Nanoseconds(startedAt);
            if (metric.Kind == MetricKind.Histogram)
                AddBuckets(point, sample);
            else
                point["asDouble"] = sample.Value;
            points.Add((JsonNode)point);
        }

        var body = new JsonObject { ["dataPoints"] = points };
        if (metric.Kind != MetricKind.Gauge)
            body["aggregationTemporality"] = Cumulative;
        if (metric.Kind == MetricKind.Counter)
            body["isMonotonic"] = true;
        return new JsonObject
        {
            ["name"] = metric.Name,
            ["description"] = metric.Help,
            [metric.Kind switch
            {
                MetricKind.Counter => "sum",
                MetricKind.Gauge => "gauge",
                MetricKind.Histogram => "histogram",
            }] = body,
        };
    }

    // Ours count everything up to a bound, OTLP's what is between two.
    private static void AddBuckets(JsonObject point, Sample sample)
    {
        var counts = new JsonArray();
        var before = 0L;
        foreach (var count in sample.Buckets.Append(sample.Count))
        {
            counts.Add((JsonNode)(count - before).ToString(CultureInfo.InvariantCulture));
            before = count;
        }

        point["count"] = sample.Count.ToString(CultureInfo.InvariantCulture);
        point["sum"] = sample.Value;
        point["bucketCounts"] = counts;
        point["explicitBounds"] = new JsonArray([.. PrometheusText.Buckets.Select(bound => (JsonNode)bound)]);
    }

    private static JsonObject Attribute(string key, string value) => new()
    {
        ["key"] = key,
        ["value"] = new JsonObject { ["stringValue"] = value },
    };

    private static string Nanoseconds(DateTimeOffset at) =>
        ((at - DateTimeOffset.UnixEpoch).Ticks * 100).ToString(CultureInfo.InvariantCulture);
}
