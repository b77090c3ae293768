using System.Diagnostics;
using System.Diagnostics.Metrics;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.Pipeline;

/// <summary>Counts provider calls. Connections are never a label: there are too many of them.</summary>
internal sealed class ProviderMeter : IDisposable
{
    public const string Name = "CalSync.Remotes";

    private readonly Meter _meter = new(Name);
    private readonly Counter<long> _calls;
    private readonly Counter<long> _retries;
    private readonly Histogram<double> _durations;

    public ProviderMeter()
    {
        _calls = _meter.CreateCounter<long>(
            "calsync.provider.calls", "{call}", "Attempts, and calls refused before sending, by outcome.");
        _retries = _meter.CreateCounter<long>("calsync.provider.retries", "{call}", "Repeated reads.");
        _durations = _meter.CreateHistogram<double>(
            "calsync.provider.call.duration", "s", "From sending to the end of the answer.");
    }

    public void CountCall(string service, string operation, ProviderReason? reason, TimeSpan elapsed)
    {
        var labels = new TagList
        {
            { "service", service },
            { "operation", operation },
            { "outcome", reason?.ToString() ?? "Succeeded" },
        };
        _calls.Add(1, labels);
        if (reason is not (ProviderReason.BreakerOpen or ProviderReason.QuotaWait))
            _durations.Record(elapsed.TotalSeconds, labels);
    }

    public void CountRetry(string service) =>
        _retries.Add(1, new KeyValuePair<string, object?>("service", service));

    /// <summary>Shows quota and retry budget whenever they are read.</summary>
    public void Watch(CallQuota quota, RetryBudget budget, TimeProvider clock)
    {
        _meter.CreateObservableGauge(
            "calsync.provider.quota.project.used", () => quota.Use().ProjectUsed, "{call}",
            "Calls of all connections in the last 60 s.");
        _meter.CreateObservableGauge(
            "calsync.provider.quota.project.limit", () => quota.Use().ProjectLimit, "{call}",
            "The most calls of all connections in 60 s.");
        _meter.CreateObservableGauge(
            "calsync.provider.quota.user.used", () => quota.Use().BusiestUserUsed, "{call}",
            "Calls in the last 60 s of the connection with the most.");
        _meter.CreateObservableGauge(
            "calsync.provider.quota.user.limit", () => quota.Use().UserLimit, "{call}",
            "The most calls of one connection in 60 s.");
        _meter.CreateObservableGauge(
            "calsync.provider.quota.waiting", () => quota.Use().WaitingCount, "{call}",
            "Calls waiting for their turn.");
        _meter.CreateObservableGauge(
            "calsync.provider.retry.budget", () => budget.RemainingAt(clock.GetUtcNow()), "{call}",
            "Repeated reads that could be made now.");
    }

    /// <summary>Shows a provider breaker: 0 closed, 1 open, 2 half-open.</summary>
    public void Watch(string service, Func<BreakerPhase> phase) =>
        _meter.CreateObservableGauge(
            "calsync.provider.breaker",
            () => new Measurement<int>((int)phase(), new KeyValuePair<string, object?>("service", service)),
            null,
            "Provider breaker: 0 closed, 1 open, 2 half-open.");

    public bool Is(Meter meter) => ReferenceEquals(_meter, meter);

    public void Dispose() => _meter.Dispose();
}

/// <summary>What the pipelines of one provider share.</summary>
internal sealed record PipelineParts(
    PipelineOptions Options,
    TimeProvider Clock,
    RetryPolicy Retry,
    RetryBudget Budget,
    ProviderClock ProviderClock,
    ProviderMeter Meter);
