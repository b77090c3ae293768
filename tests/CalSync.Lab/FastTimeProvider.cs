using System.Diagnostics.CodeAnalysis;

namespace CalSync.Lab;

/// <summary>The real clock, some times faster: what takes minutes by it is over in seconds.</summary>
/// <param name="factor">How many times.</param>
/// <remarks>Limits that guard real work shrink as well; a test that uses it raises them.</remarks>
public sealed class FastTimeProvider(int factor) : TimeProvider
{
    private readonly DateTimeOffset _start = System.GetUtcNow();
    private readonly long _from = System.GetTimestamp();

    /// <inheritdoc/>
    public override long TimestampFrequency => System.TimestampFrequency;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _start + (System.GetElapsedTime(_from) * factor);

    /// <inheritdoc/>
    public override long GetTimestamp() => (System.GetTimestamp() - _from) * factor;

    /// <inheritdoc/>
    [SuppressMessage("Reliability", "CA2000", Justification = "The timer that is returned disposes it.")]
    public override ITimer CreateTimer(
        TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new Timer(System.CreateTimer(callback, state, Real(dueTime), Real(period)), this);

    private TimeSpan Real(TimeSpan wait) => wait > TimeSpan.Zero ? wait / factor : wait;

    private sealed class Timer(ITimer timer, FastTimeProvider clock) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) =>
            timer.Change(clock.Real(dueTime), clock.Real(period));

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
