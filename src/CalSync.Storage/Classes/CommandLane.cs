using System.Threading.Channels;

namespace CalSync.Storage.Classes;

/// <summary>
/// A queue whose readers take turns: a turn begins with taking a batch and ends when only its commit is left,
/// so that the next batch is read and decided while the one before it becomes durable.
/// </summary>
/// <typeparam name="T">What waits.</typeparam>
internal sealed class CommandLane<T> : IDisposable
{
    private readonly Channel<T> _waiting = Channel.CreateBounded<T>(ClassCommands.WaitingCountMax);
    private readonly SemaphoreSlim _turn = new(1);

    public ValueTask AddAsync(T waiting, CancellationToken cancellation) =>
        _waiting.Writer.WriteAsync(waiting, cancellation);

    /// <summary>Lets in no more; what waits is still taken.</summary>
    public void Close() => _waiting.Writer.TryComplete();

    /// <summary>Waits for the turn and for something to take.</summary>
    /// <param name="batch">Gets what waits, up to <see cref="ClassCommands.BatchCountMax"/>.</param>
    /// <returns>The turn, to be ended once; null when the lane is closed and empty.</returns>
    public async Task<Turn?> TakeAsync(List<T> batch)
    {
        await _turn.WaitAsync();
        var turn = new Turn(_turn);
        if (!await _waiting.Reader.WaitToReadAsync())
        {
            turn.End();
            return null;
        }

        while (batch.Count < ClassCommands.BatchCountMax && _waiting.Reader.TryRead(out var waiting))
            batch.Add(waiting);
        return turn;
    }

    /// <summary>Only once nobody takes any more.</summary>
    public void Dispose() => _turn.Dispose();

    /// <summary>The right to take the next batch.</summary>
    internal sealed class Turn(SemaphoreSlim turn)
    {
        private int _ended;

        /// <summary>Gives it on; again it does nothing.</summary>
        public void End()
        {
            if (Interlocked.Exchange(ref _ended, 1) == 0)
                turn.Release();
        }
    }
}
