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
    /// <returns>Null to go ahead, else how long to wait.</returns>
    public async Task<TimeSpan?> EnterAsync(string connectionId, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var breaker = await ledger.LoadAsync(connectionId, cancellation);
        switch (breaker.PhaseAt(now))
        {
            case BreakerPhase.Closed:
                return null;
            case BreakerPhase.Open:
                return breaker.OpenUntil - now;
            case BreakerPhase.HalfOpen:
                var taken = breaker.AfterProbeTaken(now, options);
                return await ledger.SaveAsync(connectionId, breaker, taken, cancellation) ? null : options.ProbeLease;
            default:
                throw new System.Diagnostics.UnreachableException("Unknown breaker phase.");
        }
    }

    /// <summary>Notes how a call ended.</summary>
    public async Task LeaveAsync(string connectionId, ProviderFault? fault, CancellationToken cancellation)
    {
        var failed = fault is not null && ConnectionBreaker.Counts(fault.Reason);
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
