namespace CalSync.Sync.Providers;

/// <summary>Whether a connection may call its provider now.</summary>
public enum BreakerPhase
{
    /// <summary>Calls pass.</summary>
    Closed = 0,

    /// <summary>Calls are refused without being sent.</summary>
    Open = 1,

    /// <summary>The pause is over: one caller may try, by taking the probe.</summary>
    HalfOpen = 2,
}

/// <summary>When a connection stops calling, and for how long (C-10, C-11).</summary>
public sealed record BreakerOptions
{
    /// <summary>So many counted failures in a row open the breaker. Default 3.</summary>
    [Limit("failures", 1, 20)]
    public int FailureCountMax { get; init; } = 3;

    /// <summary>How long it stays open before one probe. Default 5 min.</summary>
    [Limit("s", 1, 3600)]
    public TimeSpan OpenFor { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long a taken probe keeps others out; after it, a prober that died is replaced. Default 60 s. More
    /// than the attempt timeout, else two probes can run at once.
    /// </summary>
    [Limit("s", 1, 300)]
    public TimeSpan ProbeLease { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>
/// The breaker of one connection: closed, open after failures in a row, half-open for one probe. Pure.
/// </summary>
/// <remarks>
/// Stored as <c>connections.consecutive_failures</c> and <c>connections.open_until</c>, so it survives a
/// restart and is one for all processes. A taken probe is nothing but a short <see cref="OpenUntil"/>:
/// whoever stores it first (compare-and-swap) probes, and all others see the breaker open.
/// </remarks>
/// <param name="ConsecutiveFailures">Counted failures since the last success.</param>
/// <param name="OpenUntil">Null while closed; else when the next probe is due, UTC.</param>
public sealed record ConnectionBreaker(int ConsecutiveFailures, DateTimeOffset? OpenUntil)
{
    /// <summary>No failures, calls pass.</summary>
    public static ConnectionBreaker Closed { get; } = new(0, null);

    /// <summary>Whether calls pass at a moment.</summary>
    public BreakerPhase PhaseAt(DateTimeOffset now) =>
        OpenUntil is not { } until ? BreakerPhase.Closed
        : now < until ? BreakerPhase.Open
        : BreakerPhase.HalfOpen;

    /// <summary>The state that keeps every other caller out while one probes.</summary>
    public ConnectionBreaker AfterProbeTaken(DateTimeOffset now, BreakerOptions options) =>
        this with { OpenUntil = now + options.ProbeLease };

    /// <summary>The state after a counted failure; opens when there were enough in a row.</summary>
    public ConnectionBreaker AfterFailure(DateTimeOffset now, BreakerOptions options)
    {
        var failures = Math.Min(ConsecutiveFailures, int.MaxValue - 1) + 1;
        return new(failures, failures >= options.FailureCountMax ? now + options.OpenFor : OpenUntil);
    }

    /// <summary>
    /// Whether a fault says that provider or network are broken, rather than the request or the grant.
    /// </summary>
    /// <remarks>
    /// Refused grants, refused requests, conflicts and throttling are answers of a working provider: they
    /// count neither here nor for the provider (C-10). Throttling has its own pause, named by the provider.
    /// </remarks>
    public static bool Counts(ProviderReason reason) => reason switch
    {
        ProviderReason.Unreachable or ProviderReason.TimedOut or ProviderReason.ServerError
            or ProviderReason.OutsideProtocol => true,
        ProviderReason.RateLimited or ProviderReason.QuotaExceeded or ProviderReason.CredentialsRejected
            or ProviderReason.InsufficientScope or ProviderReason.NotWritable or ProviderReason.NotFound
            or ProviderReason.Duplicate or ProviderReason.Deleted or ProviderReason.FullSyncRequired
            or ProviderReason.UpdatedMinTooLongAgo or ProviderReason.PreconditionFailed
            or ProviderReason.InvalidRequest or ProviderReason.AttendeeRejected
            or ProviderReason.AccessNotConfigured or ProviderReason.Conflict or ProviderReason.BreakerOpen
            or ProviderReason.QuotaWait => false,
    };
}

/// <summary>Where the breakers of connections are kept.</summary>
public interface IBreakerLedger
{
    /// <summary>Reads a connection's breaker; an unknown connection has a closed one.</summary>
    Task<ConnectionBreaker> LoadAsync(string connectionId, CancellationToken cancellation);

    /// <summary>
    /// Stores <paramref name="replacement"/> if the stored breaker still is <paramref name="expected"/>.
    /// </summary>
    /// <returns>False when somebody else stored first; nothing was changed then.</returns>
    Task<bool> SaveAsync(
        string connectionId, ConnectionBreaker expected, ConnectionBreaker replacement,
        CancellationToken cancellation);
}
