using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using CalSync.App.Api;
using CalSync.App.Api.Authentication;
using CalSync.Remotes;
using CalSync.Remotes.CalDav;
using CalSync.Sync;

namespace CalSync.App.Metrics;

/// <summary>Adds up what the instruments of this product record, from its start on.</summary>
/// <remarks>
/// Of instruments only, never of other products in the same process. The number of different labels of one
/// metric is bounded; what is beyond is counted under empty labels, so that sums stay right.
/// </remarks>
internal sealed class MetricsBoard : IDisposable
{
    private const int SeriesCountMax = 2_000;

    private static readonly FrozenDictionary<string, Metric> ByInstrument = MetricCatalogue.All
        .Where(metric => metric.Instrument is not null)
        .ToFrozenDictionary(metric => metric.Instrument!, StringComparer.Ordinal);

    private readonly ConcurrentDictionary<string, Series> _series = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();

    /// <summary>Begins to listen.</summary>
    public MetricsBoard(
        SyncMeter sync, GoogleRemotes google, CalDavRemotes dav, AuthMeter auth, ApiMeter api)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            var meter = instrument.Meter;
            var isOurs = sync.Owns(meter) || google.Owns(meter) || dav.Owns(meter) || auth.Owns(meter)
                || api.Owns(meter);
            if (isOurs && ByInstrument.TryGetValue(instrument.Name, out var metric))
                listener.EnableMeasurementEvents(instrument, metric);
        };
        _listener.SetMeasurementEventCallback<long>(
            (_, value, tags, metric) => Record((Metric)metric!, value, tags));
        _listener.SetMeasurementEventCallback<int>(
            (_, value, tags, metric) => Record((Metric)metric!, value, tags));
        _listener.SetMeasurementEventCallback<double>(
            (_, value, tags, metric) => Record((Metric)metric!, value, tags));
        _listener.Start();
    }

    /// <summary>Every metric with its series as they are now.</summary>
    public IReadOnlyList<(Metric Metric, IReadOnlyList<Sample> Samples)> Read()
    {
        lock (_gate)
        {
            // A gauge that gives nothing any more must not be shown with what it gave before.
            foreach (var series in _series.Values)
                series.ForgetGauges();
            _listener.RecordObservableInstruments();
            return [.. ByInstrument.Values.Select(metric =>
                (metric, _series.TryGetValue(metric.Name, out var series) ? series.Read() : Start(metric)))];
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    // What has not happened yet has happened 0 times; of labels nobody knows the values.
    private static IReadOnlyList<Sample> Start(Metric metric) =>
        metric is { Kind: MetricKind.Counter, Labels.Length: 0 } ? [new Sample([], 0)] : [];

    private void Record(Metric metric, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new string[metric.Labels.Length];
        for (var i = 0; i < labels.Length; i++)
        {
            labels[i] = "";
            foreach (var tag in tags)
            {
                if (tag.Key == metric.Labels[i])
                    labels[i] = tag.Value?.ToString() ?? "";
            }
        }

        _series.GetOrAdd(metric.Name, _ => new Series(metric)).Add(labels, value);
    }

    /// <summary>The values of one metric by their labels.</summary>
    private sealed class Series(Metric metric)
    {
        private readonly ConcurrentDictionary<string, Cell> _cells = new(StringComparer.Ordinal);

        public void Add(string[] labels, double value)
        {
            var key = string.Join('\u001f', labels);
            if (!_cells.TryGetValue(key, out var cell))
            {
                if (_cells.Count >= SeriesCountMax)
                    labels = [.. labels.Select(_ => "")];
                cell = CellOf(labels);
                foreach (var awaited in metric.Awaited)
                    CellOf([.. labels[..^1], awaited]);
            }

            cell.Add(metric.Kind, value);
        }

        private Cell CellOf(string[] labels) =>
            _cells.GetOrAdd(string.Join('\u001f', labels), _ => new Cell(labels));

        public void ForgetGauges()
        {
            if (metric.Kind == MetricKind.Gauge)
                _cells.Clear();
        }

        public IReadOnlyList<Sample> Read() =>
            [.. _cells.OrderBy(cell => cell.Key, StringComparer.Ordinal).Select(cell => cell.Value.Read())];
    }

    private sealed class Cell(string[] labels)
    {
        private readonly Lock _gate = new();
        private readonly long[] _buckets = new long[PrometheusText.Buckets.Length];
        private double _value;
        private long _count;

        public void Add(MetricKind kind, double value)
        {
            lock (_gate)
            {
                _value = kind == MetricKind.Gauge ? value : _value + value;
                _count++;
                if (kind != MetricKind.Histogram)
                    return;
                for (var i = 0; i < _buckets.Length; i++)
                {
                    if (value <= PrometheusText.Buckets[i])
                        _buckets[i]++;
                }
            }
        }

        public Sample Read()
        {
            lock (_gate)
                return new Sample([.. labels], _value) { Count = _count, Buckets = [.. _buckets] };
        }
    }
}
