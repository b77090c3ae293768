namespace CalSync.App;

/// <summary>A clock some time ahead of the real one, the same in every process with the same
/// offset.</summary>
/// <param name="real">Runs underneath; timers are its own.</param>
/// <param name="offset">Negative to go back.</param>
internal sealed class OffsetClock(TimeProvider real, TimeSpan offset) : TimeProvider
{
    private long _offset = offset.Ticks;

    /// <summary>How far ahead it is; may change while others read the time. Timers do not notice.</summary>
    public TimeSpan Offset
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref _offset));
        set => Interlocked.Exchange(ref _offset, value.Ticks);
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => real.GetUtcNow() + Offset;

    /// <inheritdoc/>
    public override long TimestampFrequency => real.TimestampFrequency;

    /// <inheritdoc/>
    public override long GetTimestamp() => real.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(
        TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        real.CreateTimer(callback, state, dueTime, period);
}
