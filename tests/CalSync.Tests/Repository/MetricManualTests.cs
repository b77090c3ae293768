using CalSync.App.Metrics;
using Xunit;

namespace CalSync.Tests.Repository;

/// <summary>The table of metrics is made from the catalogue.</summary>
public sealed class MetricManualTests
{
    [Fact]
    [Trait("Requirement", "R-CAL-15-P")]
    public void Catalogue_IsInTheManual() => GeneratedDocument.Check(
        "docs/metrics.md", "metrics", '\n' + GeneratedDocument.Table(
            ["name", "kind", "labels", "meaning"],
            MetricCatalogue.All.Select(metric => new[]
            {
                $"`{metric.Name}`", metric.Kind.ToString().ToLowerInvariant(),
                string.Join(", ", metric.Labels.Select(label => $"`{label}`")), metric.Help,
            })) + '\n');
}
