using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace CalSync.Storage.Sqlite;

/// <summary>One open connection with its prepared statements.</summary>
internal sealed class SqliteLink : IDisposable
{
    /// <summary>Pages of the log at which SQLite itself copies it into the file, at the end of a commit: 64
    /// MiB.</summary>
    public const int LogPageCountMax = 16_000;

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
        Execute("PRAGMA journal_mode = WAL");
        Execute("PRAGMA synchronous = FULL");
        Execute("PRAGMA foreign_keys = ON");
        Execute("PRAGMA trusted_schema = OFF");
        // A ledger of ten thousand events touches pages all over its indexes: those that stay at hand are not
        // read again, and a page that changes often is copied into the file less often.
        Execute(writes ? "PRAGMA cache_size = -16000" : "PRAGMA query_only = ON");
        Execute($"PRAGMA wal_autocheckpoint = {LogPageCountMax}");
        Execute("PRAGMA journal_size_limit = 16777216");
        // What a statement may have to take back is kept in memory, not written into a file of its own.
        Execute("PRAGMA temp_store = MEMORY");
    }

    public SqliteConnection Connection { get; }

    /// <summary>True between BEGIN and its end; SQLite may have ended it by itself after an error.</summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(Connection.Handle) == 0;

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
        var statement = Compile(text);
        try
        {
            // A name takes the next number where it first stands, which is the order of Names.
            for (var i = 0; i < text.Names.Length; i++)
            {
                Bind(
                    statement, i + 1,
                    args is Argument[] ready ? ready[i].Value! : Value(text.Argument(args, i).Value));
            }

            int code;
            do
                code = raw.sqlite3_step(statement);
            while (code == raw.SQLITE_ROW);
            ThrowUnless(code == raw.SQLITE_DONE, code);
            return raw.sqlite3_changes(Connection.Handle);
        }
        finally
        {
            _ = raw.sqlite3_reset(statement);
            _ = raw.sqlite3_clear_bindings(statement);
        }
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
            command.Parameters[i].Value = Value(text.Argument(args, i).Value);
        return command;
    }

    public void Dispose()
    {
        DropPrepared();
        Connection.Dispose();
    }

    private static void Bind(sqlite3_stmt statement, int index, object value) => _ = value switch
    {
        string text => raw.sqlite3_bind_text(statement, index, text),
        int number => raw.sqlite3_bind_int64(statement, index, number),
        long number => raw.sqlite3_bind_int64(statement, index, number),
        short number => raw.sqlite3_bind_int64(statement, index, number),
        double number => raw.sqlite3_bind_double(statement, index, number),
        byte[] bytes => raw.sqlite3_bind_blob(statement, index, bytes),
        ReadOnlyMemory<byte> bytes => raw.sqlite3_bind_blob(statement, index, bytes.Span),
        _ => raw.sqlite3_bind_null(statement, index),
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

    /// <summary>Values in the order in which a statement names them.</summary>
    public static Argument[] Values(params ReadOnlySpan<object?> values)
    {
        var arguments = new Argument[values.Length];
        for (var i = 0; i < arguments.Length; i++)
            arguments[i] = new Argument(Value(values[i]), typeof(object));
        return arguments;
    }

    /// <summary>A value as SQLite keeps it; one that is already so stays.</summary>
    public static object Value(object? value) => value switch
    {
        null or DBNull => DBNull.Value,
        DateTimeOffset instant => Instant.Write(instant),
        bool flag => flag ? 1L : 0L,
        string or int or long or short or double or byte[] or ReadOnlyMemory<byte> => value,
        IEnumerable<DateTimeOffset> instants => JsonSerializer.Serialize(instants.Select(Instant.Write)),
        IEnumerable<string> texts => JsonSerializer.Serialize(texts),
        IEnumerable<long> numbers => JsonSerializer.Serialize(numbers),
        IEnumerable<int> numbers => JsonSerializer.Serialize(numbers),
        _ => throw new ArgumentException($"A {value.GetType().Name} cannot be a parameter.", nameof(value)),
    };
}
