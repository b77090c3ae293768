using System.Diagnostics.Metrics;

namespace CalSync.Sync;

/// <summary>What the sync side counts, under the meter name <c>CalSync.Sync</c>. User ids are never a
/// label.</summary>
public sealed class SyncMeter : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string Name = "CalSync.Sync";

    private readonly Meter _meter = new(Name);

    /// <summary>Makes the instruments.</summary>
    public SyncMeter()
    {
        EventsCreated = _meter.CreateCounter<long>("events_created_total");
        EventsVerified = _meter.CreateCounter<long>("events_verified_total");
        EventsInAttention = _meter.CreateCounter<long>("events_needs_attention_total");
        EventsRetried = _meter.CreateCounter<long>("events_retry_wait_total");
        TokenRefreshes = _meter.CreateCounter<long>("token_refresh_total");
        OperationDuration = _meter.CreateHistogram<double>("calendar_operation_duration_seconds", "s");
    }

    internal Counter<long> EventsCreated { get; }

    internal Counter<long> EventsVerified { get; }

    internal Counter<long> EventsInAttention { get; }

    internal Counter<long> EventsRetried { get; }

    internal Counter<long> TokenRefreshes { get; }

    internal Histogram<double> OperationDuration { get; }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
