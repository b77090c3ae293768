using CalSync.Sync.Providers;

namespace CalSync.Remotes.Pipeline;

/// <summary>Applies the breakers of connections to calls; the state is in the ledger.</summary>
/// <param name="ledger">Shared by all processes.</param>
/// <param name="options">When they open.</param>
/// <param name="clock">Now.</param>
internal sealed class ConnectionGate(IBreakerLedger ledger, BreakerOptions options, TimeProvider clock)
{
    private const int StoreAttempts = 5;

    /// <summary>How long calls are refused; null when one may try.</summary>
    public async Task<TimeSpan?> OpenForAsync(string connectionId, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var breaker = await ledger.LoadAsync(connectionId, cancellation);
        return breaker.PhaseAt(now) == BreakerPhase.Open ? breaker.OpenUntil - now : null;
    }

    /// <summary>Asks to send; takes the probe when the breaker is half-open.</summary>
    /// <returns>
    /// Null in <c>Wait</c> to go ahead, else how long to wait; and the breaker that was passed.
    /// </returns>
    public async Task<(TimeSpan? Wait, ConnectionBreaker Passed)> EnterAsync(
        string connectionId, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var breaker = await ledger.LoadAsync(connectionId, cancellation);
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
            if (next == breaker || await ledger.SaveAsync(connectionId, breaker, next, cancellation))
                return;
        }

        // Others store outcomes of the same connection all the time; theirs say enough.
    }
}
