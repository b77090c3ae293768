using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace CalSync.Storage.Sqlite;

/// <summary>One open connection with its prepared statements.</summary>
internal sealed class SqliteLink : IDisposable
{
    private readonly Dictionary<string, SqliteCommand> _prepared = new(StringComparer.Ordinal);
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
        if (!writes)
            Execute("PRAGMA query_only = ON");
    }

    public SqliteConnection Connection { get; }

    /// <summary>True between BEGIN and its end; SQLite may have ended it by itself after an error.</summary>
    public bool InTransaction => SQLitePCL.raw.sqlite3_get_autocommit(Connection.Handle) == 0;

    /// <summary>Runs a statement without parameters.</summary>
    public void Execute(string sql) => Prepare(sql, null).ExecuteNonQuery();

    /// <summary>
    /// A prepared command with its values bound; good until the next call with the same text.
    /// </summary>
    [SuppressMessage(
        "Security", "CA2100", Justification = "The callers' texts are literals; values are parameters.")]
    public SqliteCommand Prepare(string sql, object? args)
    {
        var text = SqlText.Of(sql);
        if (!_prepared.TryGetValue(sql, out var command))
        {
            if (_prepared.Count >= _preparedCountMax)
                DropPrepared();
            command = new SqliteCommand(sql, Connection) { CommandTimeout = _timeoutSeconds };
            foreach (var name in text.Names)
                command.Parameters.Add(new SqliteParameter { ParameterName = "@" + name });
            _prepared.Add(sql, command);
        }

        for (var i = 0; i < text.Names.Length; i++)
            command.Parameters[i].Value = Value(Arguments.Find(args, text.Names[i]).Value);
        return command;
    }

    /// <summary>Binds the values of a command that somebody else made.</summary>
    public static void Bind(SqliteCommand command, object? args)
    {
        foreach (var name in SqlText.Of(command.CommandText).Names)
            command.Parameters.AddWithValue("@" + name, Value(Arguments.Find(args, name).Value));
    }

    public void Dispose()
    {
        DropPrepared();
        Connection.Dispose();
    }

    private void DropPrepared()
    {
        foreach (var command in _prepared.Values)
            command.Dispose();
        _prepared.Clear();
    }

    private static object Value(object? value) => value switch
    {
        null => DBNull.Value,
        DateTimeOffset instant => Instant.Write(instant),
        bool flag => flag ? 1L : 0L,
        string or int or long or short or double or byte[] => value,
        IEnumerable<DateTimeOffset> instants => JsonSerializer.Serialize(instants.Select(Instant.Write)),
        IEnumerable<string> texts => JsonSerializer.Serialize(texts),
        IEnumerable<long> numbers => JsonSerializer.Serialize(numbers),
        IEnumerable<int> numbers => JsonSerializer.Serialize(numbers),
        _ => throw new ArgumentException($"A {value.GetType().Name} cannot be a parameter.", nameof(value)),
    };
}
