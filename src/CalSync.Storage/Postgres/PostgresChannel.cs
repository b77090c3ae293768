using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using CalSync.Storage.Journal;
using Npgsql;

namespace CalSync.Storage.Postgres;

/// <summary>
/// A rented PostgreSQL connection, with its transaction unless it only reads single statements.
/// </summary>
/// <param name="pool">Where the connection comes from.</param>
/// <param name="connection">Owned; goes back to the pool at the end.</param>
/// <param name="transaction">Null for single reads. BEGIN travels with the first statement.</param>
internal sealed class PostgresChannel(
    PostgresPool pool, NpgsqlConnection connection, NpgsqlTransaction? transaction) : SqlChannel
{
    private const string LockHead = "SELECT seq, hash FROM journal_head WHERE id = 1 FOR UPDATE";
    private const string InsertEntries =
        """
        INSERT INTO journal (seq, at, tenant_id, actor, cause, correlation_id, kind, subject_kind, subject_id,
            class_id, before, after, hash)
        SELECT * FROM unnest(@Seq, @At, @TenantId, @Actor, @Cause, @CorrelationId, @Kind, @SubjectKind,
            @SubjectId, @ClassId, @Before, @After, @Hash)
        """;

    /// <inheritdoc/>
    public override async Task<List<T>> QueryAsync<T>(
        string sql, object? args, int countMax, CancellationToken cancellation)
    {
        try
        {
            await using var command = Command(sql, args);
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            return await RowReading.ReadAsync<T>(reader, countMax, cancellation);
        }
        catch (DbException error)
        {
            throw Fault(error, sql);
        }
    }

    /// <inheritdoc/>
    [SuppressMessage("Reliability", "CA2000", Justification = "The results own and dispose it.")]
    public override async Task<ResultSets> QueryMultipleAsync(
        string sql, object? args, CancellationToken cancellation)
    {
        var command = Command(sql, args);
        try
        {
            return new ResultSets(
                await command.ExecuteReaderAsync(cancellation), command, error => Fault(error, sql),
                cancellation);
        }
        catch (DbException error)
        {
            await command.DisposeAsync();
            throw Fault(error, sql);
        }
    }

    /// <inheritdoc/>
    public override async Task<int> ExecuteAsync(string sql, object? args, CancellationToken cancellation)
    {
        try
        {
            await using var command = Command(sql, args);
            return await command.ExecuteNonQueryAsync(cancellation);
        }
        catch (DbException error)
        {
            throw Fault(error, sql);
        }
    }

    /// <inheritdoc/>
    [SuppressMessage("Security", "CA2100", Justification = "Scripts are compiled into the program.")]
    public override async Task RunScriptAsync(string script, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(script, connection, transaction);
        try
        {
            await command.ExecuteNonQueryAsync(cancellation);
        }
        catch (DbException error)
        {
            throw Fault(error, script);
        }
    }

    /// <inheritdoc/>
    public override async Task<int[]> SendAsync(
        IReadOnlyList<QueuedStatement> queue, CancellationToken cancellation)
    {
        await using var batch = Batch(queue);
        try
        {
            await batch.ExecuteNonQueryAsync(cancellation);
            return Counts(batch, queue.Count);
        }
        catch (DbException error)
        {
            throw Fault(error, Failed(error));
        }
    }

    /// <inheritdoc/>
    public override async Task<(int[] Counts, JournalHead Head)> SendAndLockHeadAsync(
        IReadOnlyList<QueuedStatement> queue, CancellationToken cancellation)
    {
        await using var batch = Batch(queue);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(LockHead));
        try
        {
            JournalHead? head = null;
            await using (var reader = await batch.ExecuteReaderAsync(cancellation))
            {
                // Statements without rows give no result set, one with RETURNING does; the head comes last.
                do
                {
                    while (await reader.ReadAsync(cancellation))
                    {
                        if (reader.GetName(0) == "seq" && reader.GetName(reader.FieldCount - 1) == "hash")
                            head = new JournalHead(reader.GetInt64(0), reader.GetString(1));
                    }
                }
                while (await reader.NextResultAsync(cancellation));
            }

            return head is { } found
                ? (Counts(batch, queue.Count), found)
                : throw new MigrationMismatchException("The row of journal_head is missing.");
        }
        catch (DbException error)
        {
            throw Fault(error, Failed(error));
        }
    }

    /// <inheritdoc/>
    public override async Task AppendAndCommitAsync(IReadOnlyList<ChainedLine> lines)
    {
        var last = lines[^1];
        await using var batch = Batch(
        [
            new QueuedStatement(SqlText.Of(InsertEntries), Columns(lines), null),
            new QueuedStatement(
                SqlText.Of("UPDATE journal_head SET seq = @Seq, hash = @Hash WHERE id = 1"),
                new { last.Seq, last.Hash },
                null),
            // In the same round trip: the head is locked for everybody until this has run.
            new QueuedStatement(SqlText.Of("COMMIT"), null, null),
        ]);
        try
        {
            // Not cancellable: a commit that was sent has an outcome, and the caller must hear it.
            await batch.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (DbException error)
        {
            throw Fault(error, Failed(error));
        }
    }

    /// <inheritdoc/>
    public override async Task CommitAsync()
    {
        try
        {
            // Not cancellable, for the same reason.
            await transaction!.CommitAsync(CancellationToken.None);
        }
        catch (DbException error)
        {
            throw Fault(error, "COMMIT");
        }
    }

    /// <inheritdoc/>
    public override StorageException Fault(DbException error, string? sql) => pool.Map(error, sql);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        try
        {
            if (transaction is not null)
                await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }
        finally
        {
            pool.Leave();
        }
    }

    private static object Columns(IReadOnlyList<ChainedLine> lines) => new
    {
        Seq = lines.Select(record => record.Seq).ToArray(),
        At = lines.Select(record => record.Line.Entry.At).ToArray(),
        TenantId = lines.Select(record => record.Line.Entry.TenantId).ToArray(),
        Actor = lines.Select(record => record.Line.Entry.Actor).ToArray(),
        Cause = lines.Select(record => record.Line.Entry.Cause).ToArray(),
        CorrelationId = lines.Select(record => record.Line.Entry.CorrelationId).ToArray(),
        Kind = lines.Select(record => record.Line.Entry.Kind).ToArray(),
        SubjectKind = lines.Select(record => record.Line.Entry.SubjectKind).ToArray(),
        SubjectId = lines.Select(record => record.Line.Entry.SubjectId).ToArray(),
        ClassId = lines.Select(record => record.Line.Entry.ClassId).ToArray(),
        Before = lines.Select(record => record.Line.Entry.Before).ToArray(),
        After = lines.Select(record => record.Line.Entry.After).ToArray(),
        Hash = lines.Select(record => record.Hash).ToArray(),
    };

    private static int[] Counts(NpgsqlBatch batch, int count)
    {
        var counts = new int[count];
        for (var i = 0; i < count; i++)
            counts[i] = checked((int)batch.BatchCommands[i].RecordsAffected);
        return counts;
    }

    private static string? Failed(DbException error) => (error as NpgsqlException)?.BatchCommand?.CommandText;

    [SuppressMessage(
        "Security", "CA2100", Justification = "The callers' texts are literals; values are parameters.")]
    private NpgsqlCommand Command(string sql, object? args)
    {
        var text = SqlText.Of(sql);
        var command = new NpgsqlCommand(text.IsSingle ? text.Positional : sql, connection, transaction);
        if (text.IsSingle)
            PostgresBinding.BindPositions(command.Parameters, text, args);
        else
            PostgresBinding.BindNames(command.Parameters, text, args);
        return command;
    }

    private NpgsqlBatch Batch(IReadOnlyList<QueuedStatement> queue)
    {
        var batch = new NpgsqlBatch(connection, transaction);
        foreach (var statement in queue)
        {
            var command = new NpgsqlBatchCommand(statement.Text.Positional);
            PostgresBinding.BindPositions(command.Parameters, statement.Text, statement.Args);
            batch.BatchCommands.Add(command);
        }

        return batch;
    }
}
