namespace CalSync.Lab;

/// <summary>A clock that stands still until it is told to move; the only fake clock of the tests and the
/// simulation.</summary>
/// <remarks>
/// <see cref="Advance"/> fires due timers in order of their due time, each seeing its own due time as now, on
/// the calling thread. So <c>Task.Delay(..., clock)</c> and periodic timers work without waiting.
/// Thread-safe.
/// </remarks>
public sealed class ManualTimeProvider : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _now;
    private long _timerCount;

    /// <summary>Starts the clock.</summary>
    /// <param name="start">The first reading; 2026-01-05T09:00:00Z (a Monday) when absent.</param>
    public ManualTimeProvider(DateTimeOffset? start = null) =>
        _now = (start ?? new DateTimeOffset(2026, 1, 5, 9, 0, 0, TimeSpan.Zero)).ToUniversalTime();

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>How many timers wait to fire; a test may wait for a delay to have begun.</summary>
    public int PendingTimerCount
    {
        get
        {
            lock (_gate)
                return _timers.Count;
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
            return _now;
    }

    /// <inheritdoc/>
    public override long GetTimestamp() => GetUtcNow().Ticks;

    /// <inheritdoc/>
    public override ITimer CreateTimer(
        TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the clock forward and fires what becomes due.</summary>
    /// <param name="by">Zero or more; zero fires timers that are due now.</param>
    /// <exception cref="ArgumentOutOfRangeException">The clock never runs backwards.</exception>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        DateTimeOffset until;
        lock (_gate)
            until = _now + by;
        while (TakeDue(until) is { } due)
            due.Fire();
        lock (_gate)
            _now = until > _now ? until : _now;
    }

    private ManualTimer? TakeDue(DateTimeOffset until)
    {
        lock (_gate)
        {
            var due = _timers.Where(timer => timer.DueAt <= until).MinBy(timer => (timer.DueAt, timer.Order));
            if (due is null)
                return null;
            _now = due.DueAt > _now ? due.DueAt : _now;
            if (due.Period > TimeSpan.Zero)
                due.DueAt += due.Period;
            else
                _timers.Remove(due);
            return due;
        }
    }

    private sealed class ManualTimer(ManualTimeProvider clock, TimerCallback callback, object? state) : ITimer
    {
        public DateTimeOffset DueAt { get; set; }

        public TimeSpan Period { get; private set; }

        public long Order { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._gate)
            {
                clock._timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                DueAt = clock._now + dueTime;
                Period = period;
                Order = clock._timerCount++;
                clock._timers.Add(this);
            }

            return true;
        }

        public void Fire() => callback(state);

        public void Dispose()
        {
            lock (clock._gate)
                clock._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
