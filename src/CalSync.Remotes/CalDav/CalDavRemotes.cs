using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using CalSync.Remotes.Dav;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.CalDav;

/// <summary>CalDAV servers as the product sees them, iCloud among them, behind shared breakers.</summary>
/// <remarks>
/// One for the life of the process, so that connections are used again. Each server has a breaker of its own.
/// Thread-safe.
/// </remarks>
public sealed class CalDavRemotes : IDisposable
{
    /// <summary>
    /// CalDAV servers publish no limits: calls are not counted in advance, only held back when a server says
    /// so.
    /// </summary>
    private const int CallCountMax = 1_000_000;

    private readonly ConcurrentDictionary<string, Lazy<ProviderPipeline>> _pipelines =
        new(StringComparer.Ordinal);

    private readonly ProviderMeter _meter = new();
    private readonly DavOptions _dav;
    private readonly PipelineParts _parts;
    private readonly ConnectionGate _gate;
    private readonly CallQuota _quota;
    private readonly Random _random;

    /// <summary>Sets up; nothing is sent.</summary>
    /// <param name="dav">How much is asked of a server at once.</param>
    /// <param name="options">Breakers and sockets.</param>
    /// <param name="ledger">Keeps the breakers of the connections.</param>
    /// <param name="retry">Gives the waits between attempts.</param>
    /// <param name="budget">Shared with whoever else repeats provider calls.</param>
    /// <param name="random">Unguessable: it gives the nonces of Digest authentication.</param>
    /// <param name="clock">Now, and every timeout.</param>
    public CalDavRemotes(
        DavOptions dav,
        PipelineOptions options,
        IBreakerLedger ledger,
        RetryPolicy retry,
        RetryBudget budget,
        Random random,
        TimeProvider clock)
    {
        _dav = dav;
        _random = random;
        var limits = options with { UserCallCountMax = CallCountMax, ProjectCallCountMax = CallCountMax };
        _parts = new(limits, clock, retry, budget, new ProviderClock(), _meter);
        _gate = new(ledger, options.Breaker, clock);
        _quota = new(limits, retry, clock);
    }

    /// <summary>An account; nothing is sent.</summary>
    /// <param name="connectionId">Whose breaker applies, and whose pauses.</param>
    /// <param name="credentials">Who signs in.</param>
    public CalDavAccount Account(string connectionId, DavCredentials credentials) =>
        new(new DavClient(Pipeline, connectionId, new(credentials, _dav, _random), _dav));

    /// <summary>How many servers are left alone for now because they do not answer.</summary>
    public int OpenServers() => _pipelines.Values.Count(
        pipeline => pipeline.IsValueCreated && pipeline.Value.Phase != BreakerPhase.Closed);

    /// <summary>Whether a meter is this instance's, where several live in one process.</summary>
    public bool Owns(Meter meter) => _meter.Is(meter);

    /// <summary>Closes all sockets; calls under way fail.</summary>
    public void Dispose()
    {
        foreach (var pipeline in _pipelines.Values)
            pipeline.Value.Dispose();
        _quota.Dispose();
        _meter.Dispose();
    }

    private ProviderPipeline Pipeline(Uri target) =>
        _pipelines.GetOrAdd(
            $"{target.Scheme}://{target.Authority}",
            _ => new(() => new(
                "caldav", _parts, HttpClients.CreateForAny(_parts.Options, target), _gate, _quota))).Value;
}
