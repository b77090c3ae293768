using CalSync.App.Metrics;
using CalSync.Storage.Running;

namespace CalSync.App.Health;

/// <summary>What was seen of the database and the work in it, as numbers.</summary>
internal static class HealthMetrics
{
    private static readonly string[] Kinds = ["live", "test"];

    /// <summary>The metrics that come from no instrument.</summary>
    public static IEnumerable<(Metric Metric, IReadOnlyList<Sample> Samples)> Of(HealthLook look) =>
        MetricCatalogue.All.Where(metric => metric.Instrument is null)
            .Select(metric => (metric, (IReadOnlyList<Sample>)[.. Samples(metric.Name, look)]));

    private static IEnumerable<Sample> Samples(string name, HealthLook look) => name switch
    {
        "calsync_database_up" => [new([], look.IsUp ? 1 : 0)],
        "calsync_database_writable" => [new([], look.Facts?.IsWritable == true ? 1 : 0)],
        "calsync_database_connections_used" => look.Pools.Select(pool => new Sample([pool.Name], pool.Used)),
        "calsync_database_connections_max" => look.Pools.Select(pool => new Sample([pool.Name], pool.Max)),
        "calsync_database_connections_waiting" =>
            look.Pools.Select(pool => new Sample([pool.Name], pool.Waiting)),
        "calsync_database_certificate_end_seconds" =>
            look.CertificateEndsAt is { } end ? [new([], end.ToUnixTimeSeconds())] : [],
        _ => look.Facts is { } facts ? Work(name, facts, look.At) : [],
    };

    private static IEnumerable<Sample> Work(string name, HealthFacts facts, DateTimeOffset now) => name switch
    {
        "sync_lag_seconds" => Kinds.SelectMany(kind => new[]
        {
            new Sample(["mirrors", kind], Age(now, facts.Waiting
                .Where(waiting => waiting.IsOurs && waiting.TenantKind == kind)
                .Select(waiting => (DateTimeOffset?)waiting.OldestAt).Min())),
            new Sample(["pairs", kind], Age(now, Of(facts.Pairs, kind)?.Since)),
        }),
        "calsync_operations" => facts.Waiting
            .Select(waiting => new Sample([waiting.State, waiting.TenantKind], waiting.Count)),
        "calsync_people_waiting" => Kinds.Select(kind => new Sample(
            [kind],
            facts.Waiting.Where(waiting => waiting.TenantKind == kind).Sum(waiting => waiting.People))),
        "calsync_events_in_attention" =>
            Kinds.Select(kind => new Sample([kind], Of(facts.InAttention, kind)?.Count ?? 0)),
        "calsync_connections" => facts.Connections
            .Select(count => new Sample([count.State, count.TenantKind], count.Count)),
        "calsync_connections_held" =>
            Kinds.Select(kind => new Sample([kind], Of(facts.Held, kind)?.Count ?? 0)),
        "calsync_tokens_overdue" =>
            Kinds.Select(kind => new Sample([kind], Of(facts.Tokens, kind)?.Count ?? 0)),
        "calsync_workers_alive" => [new([], facts.WorkersAlive)],
        _ => throw new System.Diagnostics.UnreachableException($"Nobody gives {name}."),
    };

    private static Overdue? Of(IEnumerable<Overdue> all, string kind) =>
        all.FirstOrDefault(overdue => overdue.TenantKind == kind);

    private static double Age(DateTimeOffset now, DateTimeOffset? since) =>
        since is { } then ? Math.Max(0, (now - then).TotalSeconds) : 0;
}
