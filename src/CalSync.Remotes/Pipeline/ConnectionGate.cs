using System.Collections.Concurrent;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.Pipeline;

/// <summary>Applies the breakers of connections to calls; the state is in the ledger.</summary>
/// <param name="ledger">Shared by all processes.</param>
/// <param name="options">When they open.</param>
/// <param name="clock">Now.</param>
internal sealed class ConnectionGate(IBreakerLedger ledger, BreakerOptions options, TimeProvider clock)
{
    private const int StoreAttempts = 5;

    /// <summary>How old a look may be that lets a call through: nearly every call enters at once.</summary>
    private static readonly TimeSpan LookAgeMax = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentDictionary<string, BreakerLook> _looks = new(StringComparer.Ordinal);

    /// <summary>Looks at a connection's breaker; calls that follow each other closely share a look.</summary>
    public async Task<BreakerLook> LookAsync(string connectionId, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        if (_looks.TryGetValue(connectionId, out var last) && now > last.At && now - last.At <= LookAgeMax)
            return last;
        return _looks[connectionId] =
            new BreakerLook(await ledger.LoadAsync(connectionId, cancellation), now);
    }

    /// <summary>Asks to send; takes the probe when the breaker is half-open.</summary>
    /// <param name="connectionId">Who sends.</param>
    /// <param name="look">What was seen before the call waited for its turn.</param>
    /// <param name="cancellation">Nothing is taken.</param>
    /// <returns>
    /// Null in <c>Wait</c> to go ahead, else how long to wait; and the breaker that was passed.
    /// </returns>
    public async Task<(TimeSpan? Wait, ConnectionBreaker Passed)> EnterAsync(
        string connectionId, BreakerLook look, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var breaker = now - look.At <= LookAgeMax
            ? look.Breaker
            : await ledger.LoadAsync(connectionId, cancellation);
        switch (breaker.PhaseAt(now))
        {
            case BreakerPhase.Closed:
                return (null, breaker);
            case BreakerPhase.Open:
                return (breaker.OpenUntil - now, breaker);
            case BreakerPhase.HalfOpen:
                var taken = breaker.AfterProbeTaken(now, options);
                var won = await ledger.SaveAsync(connectionId, breaker, taken, cancellation);
                return (won ? null : options.ProbeLease, taken);
            default:
                throw new System.Diagnostics.UnreachableException("Unknown breaker phase.");
        }
    }

    /// <summary>Notes how a call ended.</summary>
    /// <param name="connectionId">Whose call.</param>
    /// <param name="passed">What <see cref="EnterAsync"/> gave.</param>
    /// <param name="fault">Null when it succeeded.</param>
    /// <param name="cancellation">Leaves the breaker as it was.</param>
    public async Task LeaveAsync(
        string connectionId, ConnectionBreaker passed, ProviderFault? fault, CancellationToken cancellation)
    {
        // The healthy path reads nothing twice: a failure noted by somebody meanwhile stays noted.
        var failed = fault is not null && ConnectionBreaker.Counts(fault.Reason);
        if (!failed && passed == ConnectionBreaker.Closed)
            return;
        for (var attempt = 0; attempt < StoreAttempts; attempt++)
        {
            var breaker = await ledger.LoadAsync(connectionId, cancellation);
            var next = failed ? breaker.AfterFailure(clock.GetUtcNow(), options) : ConnectionBreaker.Closed;
            var isStored = next == breaker
                || await ledger.SaveAsync(connectionId, breaker, next, cancellation);
            _looks.TryRemove(connectionId, out _);
            if (isStored)
                return;
        }

        // Others store outcomes of the same connection all the time; theirs say enough.
    }
}

/// <summary>A connection's breaker as it was seen.</summary>
/// <param name="Breaker">What was seen.</param>
/// <param name="At">When, UTC.</param>
internal readonly record struct BreakerLook(ConnectionBreaker Breaker, DateTimeOffset At)
{
    /// <summary>How long calls are refused; null when one may try.</summary>
    public TimeSpan? OpenFor =>
        Breaker.PhaseAt(At) == BreakerPhase.Open ? Breaker.OpenUntil - At : null;
}
