using System.Collections.Concurrent;
using System.Threading.Channels;

namespace CalSync.Sync.Mirroring;

/// <summary>Says "look now" to a worker of this process. Lost or doubled signals are harmless: workers also
/// poll.</summary>
public sealed class WorkSignal
{
    private readonly Channel<bool> _set = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Wakes one waiter, now or when it comes. Never blocks; one look sees everything, so setting
    /// twice is once.</summary>
    public void Set() => _set.Writer.TryWrite(true);

    /// <summary>Waits for a signal, no longer than a time.</summary>
    /// <param name="atMost">The poll interval.</param>
    /// <param name="clock">Measures it.</param>
    /// <param name="cancellation">Ends the wait with an exception.</param>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider clock, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(atMost, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            await _set.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // The poll interval is over; look.
        }
    }
}

/// <summary>The seam between whoever changes what is desired and the mirror worker; later a broker.</summary>
public sealed class MirrorSignal
{
    /// <summary>Set after every commit that made a mirror due.</summary>
    public WorkSignal Due { get; } = new();
}

/// <summary>Lets requests wait for operations: in this process at once, for other processes' workers by
/// looking.</summary>
/// <param name="store">The rows.</param>
/// <param name="clock">Measures the budget.</param>
public sealed class OperationSignal(IMirrorStore store, TimeProvider clock)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);
    private readonly ConcurrentDictionary<string, WaitingRoom> _waiting = new(StringComparer.Ordinal);

    /// <summary>Set when an operation reached a state from which a conclusion can be drawn.</summary>
    public WorkSignal SettlementDue { get; } = new();

    /// <summary>Tells that an operation changed, after the commit: its mirror was recorded, or it was
    /// settled.</summary>
    public void Set(string operationId)
    {
        if (_waiting.TryGetValue(operationId, out var room))
            room.Wake();
    }

    /// <summary>Waits until an operation is settled, or the budget is over.</summary>
    /// <param name="operationId">The operation.</param>
    /// <param name="budget">How long at most.</param>
    /// <param name="cancellation">The caller went away; the operation goes on.</param>
    /// <returns>Where it stands at the end; null when there is no such operation.</returns>
    public async Task<OperationStanding?> WaitAsync(
        string operationId, TimeSpan budget, CancellationToken cancellation)
    {
        var until = clock.GetUtcNow() + budget;
        var room = _waiting.AddOrUpdate(
            operationId, static _ => new WaitingRoom(1), static (_, old) => old.Enter());
        try
        {
            while (true)
            {
                var woken = room.Next;
                var standing = await store.StandingAsync(operationId, cancellation);
                var left = until - clock.GetUtcNow();
                if (standing is null || standing.Settled || left <= TimeSpan.Zero)
                    return standing;
                await Task.WhenAny(woken, Task.Delay(left < Look ? left : Look, clock, cancellation));
            }
        }
        finally
        {
            if (room.Leave())
                _waiting.TryRemove(KeyValuePair.Create(operationId, room));
        }
    }

    private sealed class WaitingRoom(int count)
    {
        private int _count = count;
        private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Next => Volatile.Read(ref _next).Task;

        public WaitingRoom Enter()
        {
            Interlocked.Increment(ref _count);
            return this;
        }

        public bool Leave() => Interlocked.Decrement(ref _count) == 0;

        public void Wake() => Interlocked.Exchange(
            ref _next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))
            .TrySetResult();
    }
}
