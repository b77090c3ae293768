using System.Diagnostics.Metrics;

namespace CalSync.Sync;

/// <summary>What the sync side counts, under the meter name <c>CalSync.Sync</c>. User ids are never a
/// label.</summary>
public sealed class SyncMeter : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string Name = "CalSync.Sync";

    private readonly Meter _meter = new(Name);
    private volatile PairGauges? _pairs;

    /// <summary>Makes the instruments.</summary>
    public SyncMeter()
    {
        EventsCreated = _meter.CreateCounter<long>("events_created_total");
        EventsVerified = _meter.CreateCounter<long>("events_verified_total");
        EventsInAttention = _meter.CreateCounter<long>("events_needs_attention_total");
        EventsRetried = _meter.CreateCounter<long>("events_retry_wait_total");
        HandEdits = _meter.CreateCounter<long>("calendar_hand_edits_total");
        TokenRefreshes = _meter.CreateCounter<long>("token_refresh_total");
        OperationDuration = _meter.CreateHistogram<double>("calendar_operation_duration_seconds", "s");
        PairRuns = _meter.CreateCounter<long>("sync_runs_total");
        FullReads = _meter.CreateCounter<long>("sync_full_total");
        PairWrites = _meter.CreateCounter<long>("sync_writes_total");
        PairDeletions = _meter.CreateCounter<long>("sync_deletions_total");
        PairConflicts = _meter.CreateCounter<long>("sync_conflicts_total");
        _meter.CreateObservableGauge("sync_pairs_with_tokens_percent", () => Seen(_pairs?.TokensPercent));
        _meter.CreateObservableGauge(
            "sync_mappings_complete_percent", () => Seen(_pairs?.MappingsCompletePercent));
        _meter.CreateObservableGauge(
            "sync_deletions_without_proof", () => Seen(_pairs?.DeletionsWithoutProof));
    }

    /// <summary>Runs of pairs, by outcome.</summary>
    public Counter<long> PairRuns { get; }

    /// <summary>Runs of pairs that read a side completely instead of what changed.</summary>
    public Counter<long> FullReads { get; }

    /// <summary>Writes of pairs, by operation.</summary>
    public Counter<long> PairWrites { get; }

    /// <summary>Deletions of pairs, by what proved them.</summary>
    public Counter<long> PairDeletions { get; }

    /// <summary>Conflicts of pairs, by the rule that decided.</summary>
    public Counter<long> PairConflicts { get; }

    /// <summary>Takes the state of all pairs, for the gauges; until then they give nothing.</summary>
    public void Observe(PairGauges pairs) => _pairs = pairs;

    internal Counter<long> EventsCreated { get; }

    internal Counter<long> EventsVerified { get; }

    internal Counter<long> EventsInAttention { get; }

    internal Counter<long> EventsRetried { get; }

    internal Counter<long> HandEdits { get; }

    internal Counter<long> TokenRefreshes { get; }

    internal Histogram<double> OperationDuration { get; }

    /// <summary>Whether a meter is this instance's, where several live in one process.</summary>
    public bool Owns(Meter meter) => ReferenceEquals(meter, _meter);

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private static Measurement<double>[] Seen(double? value) =>
        value is { } known ? [new Measurement<double>(known)] : [];
}

/// <summary>The state of all pairs as gauges show it.</summary>
/// <param name="TokensPercent">Enabled pairs with a sync token on both sides.</param>
/// <param name="MappingsCompletePercent">Events with a UID and a place on both sides.</param>
/// <param name="DeletionsWithoutProof">Deletions of the last 24 h that nothing proved: 0.</param>
public sealed record PairGauges(
    double TokensPercent, double MappingsCompletePercent, double DeletionsWithoutProof);
