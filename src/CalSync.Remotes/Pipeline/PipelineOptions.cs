using CalSync.Sync;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.Pipeline;

/// <summary>How calls to a provider are limited, timed and protected.</summary>
/// <remarks>
/// Google's published limits (read 2026-11, "developers.google.com/workspace/calendar/api/guides/quota"): 600
/// calls per minute per user per project and 10,000 per minute per project, both sliding. The defaults stay
/// below them. They hold for one process; with several, give each its share.
/// </remarks>
public sealed record PipelineOptions
{
    /// <summary>
    /// Limit of one attempt, from sending to the last byte of the answer. Default 10 s (R-FIX-5-A).
    /// </summary>
    [Limit("ms", 1_000, 30_000)]
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Calls per sliding 60 s of one connection. Default 480, Google's limit being 600.</summary>
    [Limit("calls per minute", 1, 600)]
    public int UserCallCountMax { get; init; } = 480;

    /// <summary>
    /// Calls per sliding 60 s of all connections. Default 8,000, Google's limit being 10,000.
    /// </summary>
    [Limit("calls per minute", 1, 10_000)]
    public int ProjectCallCountMax { get; init; } = 8_000;

    /// <summary>The part of both limits only interactive calls may use. Default 10 %.</summary>
    [Limit("percent", 0, 50)]
    public int InteractiveReservePercent { get; init; } = 10;

    /// <summary>The longest a call waits for its turn before it is refused. Default 5 s.</summary>
    [Limit("ms", 0, 30_000)]
    public TimeSpan QuotaWaitMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The pause of an account's writes after <c>quotaExceeded</c> without Retry-After. Default 1 h.
    /// </summary>
    [Limit("min", 1, 1440)]
    public TimeSpan QuotaExceededPause { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Share of failed calls that opens the provider breaker. Default 50 %.</summary>
    [Limit("percent", 1, 100)]
    public int ProviderFailurePercent { get; init; } = 50;

    /// <summary>The time the share is taken over. Default 30 s.</summary>
    [Limit("s", 1, 600)]
    public TimeSpan ProviderSampling { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>With fewer calls in that time the provider breaker stays closed. Default 20.</summary>
    [Limit("calls", 2, 10_000)]
    public int ProviderCallCountMin { get; init; } = 20;

    /// <summary>How long the provider breaker stays open before one probe. Default 30 s.</summary>
    [Limit("s", 1, 600)]
    public TimeSpan ProviderOpenFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A longer answer is refused as outside the protocol. Default 8 MiB.</summary>
    [Limit("bytes", 65_536, 67_108_864)]
    public int BodySizeBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>Open sockets to one provider host. Default 64.</summary>
    [Limit("connections", 1, 1024)]
    public int ConnectionCountMax { get; init; } = 64;

    /// <summary>Breaker of each connection.</summary>
    public BreakerOptions Breaker { get; init; } = new();

    /// <summary>Waits between attempts and the share of retries.</summary>
    public RetryOptions Retry { get; init; } = new();
}
