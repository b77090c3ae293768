using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using CalSync.Storage.Journal;
using Microsoft.Data.Sqlite;

namespace CalSync.Storage.Sqlite;

/// <summary>A rented SQLite connection; calls run on the caller's thread, since the file is local.</summary>
/// <param name="link">The connection.</param>
/// <param name="giveBack">Called once, when the renter is done.</param>
internal sealed class SqliteChannel(SqliteLink link, Action<SqliteLink> giveBack) : SqlChannel
{
    // The order of the columns is that of JournalLine's row.
    private static readonly SqlText InsertEntry = SqlText.Of(
        """
        INSERT INTO journal (seq, at, tenant_id, actor, cause, correlation_id, kind, subject_kind, subject_id,
            class_id, before, after, hash)
        VALUES (@Seq, @At, @TenantId, @Actor, @Cause, @CorrelationId, @Kind, @SubjectKind, @SubjectId,
            @ClassId, @Before, @After, @Hash)
        """);

    private bool _returned;

    /// <inheritdoc/>
    public override async Task<List<T>> QueryAsync<T>(
        string sql, object? args, int countMax, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        try
        {
            await using var reader = await link.Prepare(sql, args).ExecuteReaderAsync(cancellation);
            return await RowReading.ReadAsync<T>(reader, countMax, cancellation);
        }
        catch (SqliteException error)
        {
            throw Fault(error, sql);
        }
    }

    /// <inheritdoc/>
    public override async Task<ResultSets> QueryMultipleAsync(
        string sql, object? args, CancellationToken cancellation)
    {
        try
        {
            return new ResultSets(
                await link.Prepare(sql, args).ExecuteReaderAsync(cancellation), null,
                error => Fault(error, sql), cancellation);
        }
        catch (SqliteException error)
        {
            throw Fault(error, sql);
        }
    }

    /// <inheritdoc/>
    public override Task<int> ExecuteAsync(string sql, object? args, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(Execute(sql, args));
    }

    /// <inheritdoc/>
    [SuppressMessage("Security", "CA2100", Justification = "Scripts are compiled into the program.")]
    public override async Task RunScriptAsync(string script, CancellationToken cancellation)
    {
        await using var command = new SqliteCommand(script, link.Connection);
        try
        {
            await command.ExecuteNonQueryAsync(cancellation);
        }
        catch (SqliteException error)
        {
            throw Fault(error, script);
        }
    }

    /// <inheritdoc/>
    public override Task<int[]> SendAsync(
        IReadOnlyList<QueuedStatement> queue, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var counts = new int[queue.Count];
        for (var i = 0; i < counts.Length; i++)
            counts[i] = Execute(queue[i].Text, queue[i].Args);
        return Task.FromResult(counts);
    }

    /// <inheritdoc/>
    public override async Task<(int[] Counts, JournalHead Head)> SendAndLockHeadAsync(
        IReadOnlyList<QueuedStatement> queue, CancellationToken cancellation)
    {
        var counts = await SendAsync(queue, cancellation);
        // No lock to take: BEGIN IMMEDIATE has excluded every other writer since the start.
        await using var reader = await link.Prepare("SELECT seq, hash FROM journal_head WHERE id = 1", null)
            .ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation)
            ? (counts, new JournalHead(reader.GetInt64(0), reader.GetString(1)))
            : throw new MigrationMismatchException("The row of journal_head is missing.");
    }

    /// <inheritdoc/>
    public override Task AppendAndCommitAsync(IReadOnlyList<ChainedLine> lines)
    {
        foreach (var (seq, line, hash) in lines)
            Execute(InsertEntry, line.Row(seq, hash));
        var last = lines[^1];
        Execute("UPDATE journal_head SET seq = @Seq, hash = @Hash WHERE id = 1", new { last.Seq, last.Hash });
        return CommitAsync();
    }

    /// <inheritdoc/>
    public override Task CommitAsync()
    {
        Execute("COMMIT", null);
        return Task.CompletedTask;
    }

    /// <summary>Starts a transaction.</summary>
    public void Begin(ChannelUse use)
    {
        if (use == ChannelUse.Read)
            return;
        var writes = use is ChannelUse.Write or ChannelUse.Batch or ChannelUse.Deferred;
        if (writes)
            link.IsDeferring = use == ChannelUse.Deferred;
        Execute(writes ? "BEGIN IMMEDIATE" : "BEGIN", null);
    }

    /// <inheritdoc/>
    public override StorageException Fault(DbException error, string? sql) =>
        SqliteFaults.Map((SqliteException)error, sql, link.Connection);

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        if (_returned)
            return ValueTask.CompletedTask;
        _returned = true;
        try
        {
            if (link.InTransaction)
                link.Execute("ROLLBACK");
        }
        finally
        {
            giveBack(link);
        }

        return ValueTask.CompletedTask;
    }

    private int Execute(string sql, object? args) => Execute(SqlText.Of(sql), args);

    private int Execute(SqlText text, object? args)
    {
        try
        {
            return link.Execute(text, args);
        }
        catch (SqliteException error)
        {
            throw Fault(error, text.Named);
        }
    }
}
