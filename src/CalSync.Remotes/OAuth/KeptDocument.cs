using CalSync.Sync.Providers;

namespace CalSync.Remotes.OAuth;

/// <summary>A document that was asked for.</summary>
/// <param name="Value">Null when it was not had.</param>
/// <param name="Lifetime">How long it may be used.</param>
/// <param name="Fault">Why it was not had.</param>
internal sealed record Fetched<T>(T? Value, TimeSpan Lifetime, ProviderFault? Fault)
    where T : class;

/// <summary>A document that is kept for a while; one request fetches it for all who wait.</summary>
/// <remarks>What is over is never used again: an issuer that is away signs nobody in.</remarks>
/// <param name="fetch">Asks for it.</param>
/// <param name="clock">Says how old it is.</param>
internal sealed class KeptDocument<T>(
    Func<CancellationToken, Task<Fetched<T>>> fetch, TimeProvider clock) : IDisposable
    where T : class
{
    private readonly SemaphoreSlim _fetching = new(1);
    private volatile Kept? _kept;

    /// <summary>The document.</summary>
    /// <param name="serves">Whether one of this age will do; asked only within its lifetime.</param>
    /// <param name="cancellation">Whoever else waits fetches it then.</param>
    public async Task<Fetched<T>> GetAsync(Func<T, TimeSpan, bool> serves, CancellationToken cancellation)
    {
        if (Find(serves) is { } kept)
            return kept;
        await _fetching.WaitAsync(cancellation);
        try
        {
            if (Find(serves) is { } meanwhile)
                return meanwhile;
            var fetched = await fetch(cancellation);
            if (fetched.Value is not null)
                _kept = new Kept(fetched, clock.GetUtcNow());
            return fetched;
        }
        finally
        {
            _fetching.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _fetching.Dispose();

    private Fetched<T>? Find(Func<T, TimeSpan, bool> serves)
    {
        if (_kept is not { } kept)
            return null;
        var age = clock.GetUtcNow() - kept.At;
        return age >= TimeSpan.Zero && age < kept.Document.Lifetime && serves(kept.Document.Value!, age)
            ? kept.Document
            : null;
    }

    private sealed record Kept(Fetched<T> Document, DateTimeOffset At);
}
