using System.Data.Common;
using CalSync.Storage.Journal;

namespace CalSync.Storage;

/// <summary>What a connection is rented for.</summary>
internal enum ChannelUse
{
    /// <summary>Single statements, each seeing the newest commits.</summary>
    Read = 1,

    /// <summary>Several reads of one consistent moment.</summary>
    Snapshot = 2,

    /// <summary>One transaction that writes.</summary>
    Write = 3,

    /// <summary>One transaction that writes, of those that follow each other without a pause.</summary>
    Batch = 4,

    /// <summary>One transaction that writes and need not be on disk before the next one that must.</summary>
    Deferred = 5,
}

/// <summary>A statement waiting to be sent.</summary>
/// <param name="Text">What it says.</param>
/// <param name="Args">Their values.</param>
/// <param name="ExpectRows">Rows it must change; null when any number is right.</param>
internal sealed record QueuedStatement(SqlText Text, object? Args, int? ExpectRows);

/// <summary>The end of the journal while its lock is held.</summary>
/// <param name="Seq">Number of the last entry; 0 when there is none.</param>
/// <param name="Hash">Hash of the last entry; empty when there is none.</param>
internal readonly record struct JournalHead(long Seq, string Hash);

/// <summary>One rented connection of one engine. Disposing it rolls back what was not committed.</summary>
internal abstract class SqlChannel : IAsyncDisposable
{
    /// <summary>Runs one statement and reads at most so many rows.</summary>
    public abstract Task<List<T>> QueryAsync<T>(
        string sql, object? args, int countMax, CancellationToken cancellation);

    /// <summary>Runs several SELECTs in one round trip.</summary>
    public abstract Task<ResultSets> QueryMultipleAsync(
        string sql, object? args, CancellationToken cancellation);

    /// <summary>Runs one statement; the answer is how many rows changed.</summary>
    public abstract Task<int> ExecuteAsync(string sql, object? args, CancellationToken cancellation);

    /// <summary>Runs a text of several statements without parameters, as it stands.</summary>
    public abstract Task RunScriptAsync(string script, CancellationToken cancellation);

    /// <summary>
    /// Sends statements in order; the answer is the rows each changed. Counts are not checked here.
    /// </summary>
    public abstract Task<int[]> SendAsync(
        IReadOnlyList<QueuedStatement> queue, CancellationToken cancellation);

    /// <summary>Sends statements in order, then takes the journal's lock.</summary>
    public abstract Task<(int[] Counts, JournalHead Head)> SendAndLockHeadAsync(
        IReadOnlyList<QueuedStatement> queue, CancellationToken cancellation);

    /// <summary>
    /// Writes the entries and the new head, and commits. Not cancellable: the outcome must be known.
    /// </summary>
    public abstract Task AppendAndCommitAsync(IReadOnlyList<ChainedLine> lines);

    /// <summary>Commits. Not cancellable: the outcome must be known.</summary>
    public abstract Task CommitAsync();

    /// <summary>The typed fault for an engine's error.</summary>
    public abstract StorageException Fault(DbException error, string? sql);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
