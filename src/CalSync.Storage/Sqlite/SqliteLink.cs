using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace CalSync.Storage.Sqlite;

/// <summary>One open connection with its prepared statements.</summary>
internal sealed class SqliteLink : IDisposable
{
    /// <summary>Pages of the log, of 8 KiB, at which SQLite itself copies it into the file, at the end of a
    /// commit: 64 MiB.</summary>
    public const int LogPageCountMax = 8_000;

    private const int CacheWrite = 9;

    private readonly Dictionary<SqlText, SqliteCommand> _prepared = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<SqlText, sqlite3_stmt> _compiled = new(ReferenceEqualityComparer.Instance);
    private readonly int _preparedCountMax;
    private readonly int _timeoutSeconds;

    public SqliteLink(string path, DatabaseOptions options, bool writes)
    {
        _preparedCountMax = options.PreparedCountMax;
        _timeoutSeconds = Math.Max(1, (int)options.CommandTimeout.TotalSeconds);
        Connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Pooling = false,
            DefaultTimeout = _timeoutSeconds,
        }.ToString());
        Connection.Open();
        var busy = (int)options.CommandTimeout.TotalMilliseconds;
        // The wait for another process comes first: changing the journal mode may already meet a lock.
        Execute($"PRAGMA busy_timeout = {busy}");
        // Of a new file: contents of two thousand octets leave less of a page empty, and a page of the log
        // costs as much however large it is.
        Execute("PRAGMA page_size = 8192");
        Execute("PRAGMA journal_mode = WAL");
        Execute("PRAGMA synchronous = FULL");
        Execute("PRAGMA foreign_keys = ON");
        Execute("PRAGMA trusted_schema = OFF");
        // A ledger of ten thousand events touches pages all over its indexes: those that stay at hand are not
        // read again, and a page that changes often is copied into the file less often.
        Execute(writes ? "PRAGMA cache_size = -16000" : "PRAGMA query_only = ON");
        Execute($"PRAGMA wal_autocheckpoint = {LogPageCountMax}");
        // Once it is that long, cutting it off would cost the writer more than it saves.
        Execute("PRAGMA journal_size_limit = 67108864");
        // What a statement may have to take back is kept in memory, not written into a file of its own.
        Execute("PRAGMA temp_store = MEMORY");
    }

    public SqliteConnection Connection { get; }

    /// <summary>True between BEGIN and its end; SQLite may have ended it by itself after an error.</summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(Connection.Handle) == 0;

    /// <summary>Whether commits leave it to the next one that does not to put them on disk.</summary>
    /// <remarks>Not within a transaction. It acts when it is compiled, so it is not kept compiled.</remarks>
    public bool IsDeferring
    {
        get;
        set
        {
            if (field == value)
                return;
            var code = raw.sqlite3_exec(
                Connection.Handle, value ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL");
            ThrowUnless(code == raw.SQLITE_OK, code);
            field = value;
        }
    }

    /// <summary>Pages it wrote to the log since this was last asked.</summary>
    public int TakePagesWritten()
    {
        _ = raw.sqlite3_db_status(Connection.Handle, CacheWrite, out var count, out _, 1);
        return count;
    }

    /// <summary>Copies as much of the log into the file as can be without waiting for anybody.</summary>
    public void Checkpoint()
    {
        var code = raw.sqlite3_wal_checkpoint_v2(
            Connection.Handle, "main", raw.SQLITE_CHECKPOINT_PASSIVE, out _, out _);
        ThrowUnless(code is raw.SQLITE_OK or raw.SQLITE_BUSY, code);
    }

    /// <summary>Runs a statement without parameters.</summary>
    public void Execute(string sql) => Execute(SqlText.Of(sql), null);

    /// <summary>Runs one statement that changes rows; how many it changed.</summary>
    /// <remarks>
    /// Straight on the engine: a group of commands is hundreds of small statements in one transaction, and
    /// the command object's own work would cost several times the statement's.
    /// </remarks>
    public int Execute(SqlText text, object? args)
    {
        if (!text.IsSingle)
            return Prepare(text.Named, args).ExecuteNonQuery();
        // A name takes the next number where it first stands, which is the order of Names.
        var code = SqliteArguments.Of(text, args).Run(Compile(text));
        ThrowUnless(code == raw.SQLITE_DONE, code);
        return raw.sqlite3_changes(Connection.Handle);
    }

    /// <summary>
    /// A prepared command with its values bound; good until the next call with the same text.
    /// </summary>
    [SuppressMessage(
        "Security", "CA2100", Justification = "The callers' texts are literals; values are parameters.")]
    public SqliteCommand Prepare(string sql, object? args)
    {
        var text = SqlText.Of(sql);
        if (!_prepared.TryGetValue(text, out var command))
        {
            if (_prepared.Count >= _preparedCountMax)
                DropPrepared();
            command = new SqliteCommand(sql, Connection) { CommandTimeout = _timeoutSeconds };
            foreach (var name in text.Names)
                command.Parameters.Add(new SqliteParameter { ParameterName = "@" + name });
            _prepared.Add(text, command);
        }

        for (var i = 0; i < text.Names.Length; i++)
            command.Parameters[i].Value = Parameter(text.Argument(args, i).Value);
        return command;
    }

    public void Dispose()
    {
        DropPrepared();
        Connection.Dispose();
    }

    private static object Parameter(object? value) => SqliteArguments.Value(value) switch
    {
        null => DBNull.Value,
        ReadOnlyMemory<byte> octets => octets.ToArray(),
        { } plain => plain,
    };

    private sqlite3_stmt Compile(SqlText text)
    {
        if (_compiled.TryGetValue(text, out var statement))
            return statement;
        if (_compiled.Count >= _preparedCountMax)
            DropPrepared();
        var code = raw.sqlite3_prepare_v2(Connection.Handle, text.Named, out statement);
        ThrowUnless(code == raw.SQLITE_OK, code);
        _compiled.Add(text, statement);
        return statement;
    }

    private void ThrowUnless(bool good, int code)
    {
        if (!good)
            SqliteException.ThrowExceptionForRC(code & 0xff, Connection.Handle);
    }

    private void DropPrepared()
    {
        foreach (var statement in _compiled.Values)
            statement.Dispose();
        _compiled.Clear();
        foreach (var command in _prepared.Values)
            command.Dispose();
        _prepared.Clear();
    }
}
