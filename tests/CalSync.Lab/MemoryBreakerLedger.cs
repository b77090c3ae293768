using CalSync.Sync.Providers;

namespace CalSync.Lab;

/// <summary>Breakers of one process, forgotten when it ends. Thread-safe.</summary>
public sealed class MemoryBreakerLedger : IBreakerLedger
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ConnectionBreaker> _breakers = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public Task<ConnectionBreaker> LoadAsync(string connectionId, CancellationToken cancellation)
    {
        lock (_gate)
            return Task.FromResult(_breakers.GetValueOrDefault(connectionId, ConnectionBreaker.Closed));
    }

    /// <inheritdoc/>
    public Task<bool> SaveAsync(
        string connectionId,
        ConnectionBreaker expected,
        ConnectionBreaker replacement,
        CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (_breakers.GetValueOrDefault(connectionId, ConnectionBreaker.Closed) != expected)
                return Task.FromResult(false);
            _breakers[connectionId] = replacement;
            return Task.FromResult(true);
        }
    }
}
