using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace CalSync.App.Metrics;

/// <summary>One series of a metric.</summary>
/// <param name="Labels">Values in the order of the metric's labels.</param>
/// <param name="Value">The number; of a histogram the sum.</param>
internal sealed record Sample(ImmutableArray<string> Labels, double Value)
{
    /// <summary>Of a histogram: how many were recorded.</summary>
    public long Count { get; init; }

    /// <summary>Of a histogram: how many were within each of
    /// <see cref="PrometheusText.Buckets"/>.</summary>
    public ImmutableArray<long> Buckets { get; init; } = [];
}

/// <summary>Writes metrics in Prometheus' text format, version 0.0.4.</summary>
internal static class PrometheusText
{
    /// <summary>Its media type.</summary>
    public const string MediaType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Upper bounds of histograms, in seconds; the last one, infinity, is the count.</summary>
    public static readonly ImmutableArray<double> Buckets =
        [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    /// <summary>The whole text.</summary>
    public static string Write(IEnumerable<(Metric Metric, IReadOnlyList<Sample> Samples)> metrics)
    {
        var text = new StringBuilder();
        foreach (var (metric, samples) in metrics)
        {
            text.Append("# HELP ").Append(metric.Name).Append(' ').Append(Escape(metric.Help, false))
                .Append("\n# TYPE ").Append(metric.Name).Append(' ')
                .Append(metric.Kind.ToString().ToLowerInvariant()).Append('\n');
            foreach (var sample in samples)
            {
                if (metric.Kind == MetricKind.Histogram)
                    WriteHistogram(text, metric, sample);
                else
                    WriteLine(text, metric.Name, metric, sample, null, sample.Value);
            }
        }

        return text.ToString();
    }

    private static void WriteHistogram(StringBuilder text, Metric metric, Sample sample)
    {
        for (var i = 0; i < Buckets.Length; i++)
            WriteLine(text, metric.Name + "_bucket", metric, sample, Number(Buckets[i]), sample.Buckets[i]);
        WriteLine(text, metric.Name + "_bucket", metric, sample, "+Inf", sample.Count);
        WriteLine(text, metric.Name + "_sum", metric, sample, null, sample.Value);
        WriteLine(text, metric.Name + "_count", metric, sample, null, sample.Count);
    }

    private static void WriteLine(
        StringBuilder text, string name, Metric metric, Sample sample, string? bound, double value)
    {
        text.Append(name);
        var labels = metric.Labels.Zip(sample.Labels)
            .Select(label => $"{label.First}=\"{Escape(label.Second, true)}\"");
        if (bound is not null)
            labels = labels.Append($"le=\"{bound}\"");
        var all = string.Join(',', labels);
        if (all.Length > 0)
            text.Append('{').Append(all).Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Escape(string text, bool quotes)
    {
        var escaped = text.Replace("\\", @"\\", StringComparison.Ordinal)
            .Replace("\n", @"\n", StringComparison.Ordinal);
        return quotes ? escaped.Replace("\"", "\\\"", StringComparison.Ordinal) : escaped;
    }

    private static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf"
        : double.IsNaN(value) ? "NaN"
        : value.ToString("R", CultureInfo.InvariantCulture);
}
