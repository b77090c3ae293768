using CalSync.Storage.Journal;

namespace CalSync.App.Api.Streaming;

/// <summary>Tells the streams of this process that the journal grew, whichever process wrote it.</summary>
/// <remarks>
/// However many streams wait, one of them looks for all, and nobody looks when no stream is open. A failed
/// look ends the streams that waited for it; their clients come back and miss nothing.
/// </remarks>
internal sealed class JournalPulse(JournalReader journal, TimeProvider clock)
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(200);
    private readonly Lock _gate = new();
    private Task<long>? _look;

    /// <summary>Waits until there is something past an entry, or it is late.</summary>
    /// <param name="seq">The last entry the stream has looked at.</param>
    /// <param name="until">When to stop waiting, UTC.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public async Task WaitPastAsync(long seq, DateTimeOffset until, CancellationToken cancellation)
    {
        while (await LookAsync().WaitAsync(cancellation) <= seq && clock.GetUtcNow() < until)
        {
            // Look again.
        }
    }

    private Task<long> LookAsync()
    {
        lock (_gate)
        {
            if (_look is not { IsCompleted: false })
                _look = LookSoonAsync();
            return _look;
        }
    }

    private async Task<long> LookSoonAsync()
    {
        // Shared, so no stream's end may cancel it.
        await Task.Delay(Every, clock, CancellationToken.None);
        return await journal.LastSeqAsync(CancellationToken.None);
    }
}
