namespace CalSync.Sandbox;

/// <summary>A clock that can be set ahead of another one. Timers and delays run on the other one.</summary>
internal sealed class SandboxClock(TimeProvider inner) : TimeProvider
{
    private long _aheadTicks;

    public override long TimestampFrequency => inner.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() =>
        inner.GetUtcNow().AddTicks(Interlocked.Read(ref _aheadTicks));

    public override long GetTimestamp() => inner.GetTimestamp();

    public override ITimer CreateTimer(
        TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        inner.CreateTimer(callback, state, dueTime, period);

    public void Advance(TimeSpan by) => Interlocked.Add(ref _aheadTicks, by.Ticks);
}
