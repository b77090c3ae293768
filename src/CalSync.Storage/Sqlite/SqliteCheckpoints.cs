using Microsoft.Data.Sqlite;

namespace CalSync.Storage.Sqlite;

/// <summary>Copies what was committed from the log into the file, beside the writer.</summary>
/// <remarks>
/// Otherwise SQLite does it at the end of a commit, on which then everybody waits for tens of milliseconds. A
/// writer that never rests keeps the log growing, for it begins anew only when all of it is copied: then
/// SQLite's own way, at a longer log, catches up (<see cref="SqliteLink.LogPageCountMax"/>).
/// </remarks>
/// <param name="open">Opens the connection it works on.</param>
internal sealed class SqliteCheckpoints(Func<SqliteLink> open) : IAsyncDisposable
{
    /// <summary>Pages of 8 KiB that are written to the log between two copies.</summary>
    private const int PageCount = 2000;

    private SqliteLink? _link;
    private Task _running = Task.CompletedTask;
    private int _pages;

    /// <summary>Takes in what a transaction wrote; it has ended, and the next has not begun.</summary>
    public void Note(SqliteLink writer)
    {
        _pages += writer.TakePagesWritten();
        if (_pages < PageCount || !_running.IsCompleted)
            return;
        _pages = 0;
        _running = Task.Factory.StartNew(
            Copy, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Waits for the copy under way.</summary>
    public async ValueTask DisposeAsync()
    {
        await _running;
        _link?.Dispose();
    }

    private void Copy()
    {
        try
        {
            _link ??= open();
            _link.Checkpoint();
        }
        catch (SqliteException)
        {
            // As in SQLite's own way nothing depends on it: all is in the log, and the next copy takes it.
        }
    }
}
