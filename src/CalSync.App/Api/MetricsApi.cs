using CalSync.App.Api.Authentication;
using CalSync.App.Health;
using CalSync.App.Metrics;

namespace CalSync.App.Api;

/// <summary>Marks a route that answers in plain text.</summary>
internal sealed record TextRoute;

/// <summary>The numbers of this process and of the work in the database, for Prometheus.</summary>
internal static class MetricsApi
{
    /// <summary>Adds the route.</summary>
    public static void MapMetrics(this IEndpointRouteBuilder api) =>
        api.MapGet("/metrics", ScrapeAsync).Allow(Roles.Admin | Roles.Operator).WithMetadata(new TextRoute())
            .Produces<string>(200, "text/plain")
            .Says(
                "getMetrics", "The numbers, for Prometheus",
                "Text format 0.0.4. docs/metrics.md has every name.");

    private static async Task<Answer> ScrapeAsync(
        MetricsBoard board, HealthBoard health, CancellationToken cancellation)
    {
        var look = await health.LookAsync(cancellation);
        var all = board.Read().Concat(HealthMetrics.Of(look)).ToDictionary(
            entry => entry.Metric.Name, entry => entry.Samples, StringComparer.Ordinal);
        var text = PrometheusText.Write(MetricCatalogue.All.Select(metric => (metric, all[metric.Name])));
        return new Answer(200, text, PrometheusText.MediaType, []);
    }
}
