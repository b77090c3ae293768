using System.Collections.Immutable;

namespace CalSync.App.Metrics;

/// <summary>What a number does.</summary>
internal enum MetricKind
{
    /// <summary>Only grows while a process lives.</summary>
    Counter = 1,

    /// <summary>Goes up and down.</summary>
    Gauge = 2,

    /// <summary>How often something took how long.</summary>
    Histogram = 3,
}

/// <summary>One number of <c>/metrics</c>.</summary>
/// <param name="Name">As it is scraped.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Help">What it means, one sentence.</param>
/// <param name="Instrument">The instrument it comes from; null: the database, or the state of the
/// process.</param>
/// <param name="Labels">In the order they are written; never a person, a connection or an address.</param>
internal sealed record Metric(
    string Name, MetricKind Kind, string Help, string? Instrument, params string[] Labels)
{
    /// <summary>
    /// Values of the last label that are shown from the first moment the others are: a rate sees only what
    /// grows, and what appears with a number did not grow.
    /// </summary>
    public ImmutableArray<string> Awaited { get; init; } = [];
}

/// <summary>Every number there is: what is not in here is not shown.</summary>
internal static class MetricCatalogue
{
    /// <summary>In the order of the manual.</summary>
    public static ImmutableArray<Metric> All { get; } =
    [
        Counter("events_created_total", "Events made on calendars."),
        Counter("events_verified_total", "Events read back for the first time and found right."),
        Counter("events_retry_wait_total", "Writes that failed and are tried again."),
        Counter("events_needs_attention_total", "Writes that only a person can help."),
        Counter("calendar_hand_edits_total",
            "Events of classes that somebody changed on the calendar: moved, deleted, relinked.", "kind"),
        Histogram(
            "calendar_operation_duration_seconds", "From taking a write up to its end.",
            "calendar_operation_duration_seconds", "operation"),
        Board("sync_lag_seconds",
            "Age of the oldest accepted change that is not on its calendar yet (mirrors), and how long the "
                + "first due pair has waited (pairs); 0: nothing waits.", "queue", "tenant_kind"),
        Board("calsync_operations", "Operations under way, by state.", "state", "tenant_kind"),
        Board("calsync_people_waiting", "People whose changes are not on a calendar yet.", "tenant_kind"),
        Board("calsync_events_in_attention", "Events that wait for a person now.", "tenant_kind"),

        Board("calsync_connections", "Accounts by state.", "state", "tenant_kind"),
        Board("calsync_connections_held",
            "Google accounts left alone now because their calls failed; their changes wait.", "tenant_kind"),
        Board("calsync_tokens_overdue", "Tokens that ended before they were renewed.", "tenant_kind"),
        Counter("token_refresh_total", "Refreshes of tokens, by outcome.", "outcome"),

        Counter("sync_runs_total", "Runs of pairs, by outcome.", "outcome"),
        Counter("sync_full_total", "Runs of pairs that read a side completely."),
        Counter("sync_writes_total", "Writes of pairs, by operation.", "operation"),
        Counter("sync_deletions_total", "Deletions of pairs, by what proved them.", "proof"),
        Counter("sync_conflicts_total", "Conflicts of pairs, by the rule that decided.", "rule"),
        Gauge("sync_pairs_with_tokens_percent", "Enabled pairs with a sync token on both sides."),
        Gauge("sync_mappings_complete_percent", "Events of pairs with a UID and a place on both sides."),
        Gauge("sync_deletions_without_proof", "Deletions of the last 24 h that nothing proved."),

        new("calsync_provider_calls_total", MetricKind.Counter,
            "Calls to providers, and calls refused before sending, by outcome.", "calsync.provider.calls",
            "service", "operation", "outcome")
        {
            Awaited = ["Unreachable", "TimedOut", "ServerError", "OutsideProtocol", "BreakerOpen"],
        },
        new("calsync_provider_retries_total", MetricKind.Counter, "Repeated reads.",
            "calsync.provider.retries", "service"),
        Histogram(
            "calsync_provider_call_duration_seconds", "From sending to the end of the answer.",
            "calsync.provider.call.duration", "service", "operation", "outcome"),
        Gauge("calsync_provider_breaker", "Breaker of a provider: 0 closed, 1 open, 2 half-open.",
            "calsync.provider.breaker", "service"),
        Gauge("calsync_provider_quota_project_used", "Calls of all connections in the last 60 s.",
            "calsync.provider.quota.project.used"),
        Gauge("calsync_provider_quota_project_limit", "The most calls of all connections in 60 s.",
            "calsync.provider.quota.project.limit"),
        Gauge("calsync_provider_quota_user_used",
            "Calls in the last 60 s of the connection with the most.", "calsync.provider.quota.user.used"),
        Gauge("calsync_provider_quota_user_limit", "The most calls of one connection in 60 s.",
            "calsync.provider.quota.user.limit"),
        Gauge("calsync_provider_quota_waiting", "Calls waiting for their turn.",
            "calsync.provider.quota.waiting"),
        Gauge("calsync_provider_retry_budget", "Repeated reads that could be made now.",
            "calsync.provider.retry.budget"),

        Histogram(
            "calsync_http_request_duration_seconds", "Requests of the API, from the first octet to the last.",
            "calsync.http.request.duration", "method", "route", "status"),
        Counter("auth_requests_total", "Requests let in, by the format of their token.", "format"),
        Counter("auth_refused_total", "Requests not let in, by reason.", "reason"),

        Board("calsync_workers_alive", "Worker processes seen in the last minute."),
        Board("calsync_database_up", "1 when the database answers and has this program's schema."),
        Board("calsync_database_writable", "1 when the database takes changes."),
        Board("calsync_database_connections_used", "Connections in use, by pool.", "pool"),
        Board("calsync_database_connections_max", "The most connections there may be, by pool.", "pool"),
        Board("calsync_database_connections_waiting", "Who waits for a connection, by pool.", "pool"),
        Board("calsync_database_certificate_end_seconds",
            "When the certificate of the database ends, seconds since 1970; absent without TLS."),
        new("calsync_database_faults_total", MetricKind.Counter,
            "Requests the database failed, by reason.", "calsync.database.faults", "reason"),
    ];

    private static Metric Counter(string name, string help, params string[] labels) =>
        new(name, MetricKind.Counter, help, name, labels);

    private static Metric Histogram(string name, string help, string instrument, params string[] labels) =>
        new(name, MetricKind.Histogram, help, instrument, labels);

    private static Metric Gauge(string name, string help) => new(name, MetricKind.Gauge, help, name);

    private static Metric Gauge(string name, string help, string instrument, params string[] labels) =>
        new(name, MetricKind.Gauge, help, instrument, labels);

    private static Metric Board(string name, string help, params string[] labels) =>
        new(name, MetricKind.Gauge, help, null, labels);
}
