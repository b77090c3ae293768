using Microsoft.Data.Sqlite;

namespace CalSync.Storage.Sqlite;

/// <summary>The one place where SQLite's result codes become our faults.</summary>
internal static class SqliteFaults
{
    private const int Busy = 5;
    private const int Locked = 6;
    private const int Constraint = 19;
    private const int ConstraintCheck = 275;
    private const int ConstraintForeignKey = 787;
    private const int ConstraintNotNull = 1299;
    private const int ConstraintPrimaryKey = 1555;
    private const int ConstraintTrigger = 1811;
    private const int ConstraintUnique = 2067;
    private const int ConstraintRowId = 2579;

    /// <summary>Perm, read-only, I/O error, corrupt, full, cannot open, not a database.</summary>
    private static readonly int[] Unavailable = [3, 8, 10, 11, 13, 14, 26];

    /// <summary>Maps one error; the connection is asked for the name of a unique index.</summary>
    public static StorageException Map(SqliteException error, string? sql, SqliteConnection? connection) =>
        error.SqliteErrorCode switch
        {
            Busy or Locked => new ContentionException(error),
            Constraint => MapConstraint(error, connection),
            var code when Unavailable.Contains(code) =>
                new DatabaseUnavailableException($"The database file cannot be used: {error.Message}", error),
            _ => new StatementFailedException(sql, error),
        };

    private static ConstraintViolatedException MapConstraint(
        SqliteException error, SqliteConnection? connection) =>
        error.SqliteExtendedErrorCode switch
        {
            ConstraintCheck => new(ConstraintKind.Check, Detail(error), error),
            ConstraintForeignKey => new(ConstraintKind.ForeignKey, "foreign_key", error),
            ConstraintNotNull => new(ConstraintKind.NotNull, Detail(error), error),
            ConstraintTrigger => new(ConstraintKind.Refused, Message(error), error),
            ConstraintPrimaryKey or ConstraintUnique or ConstraintRowId =>
                new(ConstraintKind.Unique, UniqueName(Detail(error), connection), error),
            _ => new(ConstraintKind.Check, Message(error), error),
        };

    /// <summary>
    /// SQLite names the columns, <c>users.email, users.tenant_id</c>; the answer is the index made over
    /// exactly these, or the name PostgreSQL gives to an unnamed key: <c>users_email_tenant_id_key</c>,
    /// <c>users_pkey</c>.
    /// </summary>
    private static string UniqueName(string detail, SqliteConnection? connection)
    {
        var columns = detail.Split(", ").Select(column => column.Split('.')).ToArray();
        if (connection is null || columns.Any(parts => parts.Length != 2))
            return detail;
        var (table, names) = (columns[0][0], columns.Select(parts => parts[1]).ToArray());
        using var command = new SqliteCommand(
            """
            SELECT list.name, list.origin,
                (SELECT group_concat(name, ',')
                    FROM (SELECT name FROM pragma_index_info(list.name) ORDER BY seqno)) AS columns
            FROM pragma_index_list(@table) AS list WHERE list."unique"
            """,
            connection);
        command.Parameters.AddWithValue("@table", table);
        using var index = command.ExecuteReader();
        while (index.Read())
        {
            if (index["columns"] as string != string.Join(',', names))
                continue;
            return index.GetString(1) switch
            {
                "c" => index.GetString(0),
                "u" => $"{table}_{string.Join('_', names)}_key",
                _ => $"{table}_pkey",
            };
        }

        return $"{table}_pkey";
    }

    /// <summary>What follows <c>… constraint failed: </c> in the engine's message.</summary>
    private static string Detail(SqliteException error)
    {
        var message = Message(error);
        var at = message.IndexOf("failed: ", StringComparison.Ordinal);
        return at < 0 ? message : message[(at + "failed: ".Length)..];
    }

    /// <summary>The engine's own words without the wrapper <c>SQLite Error 19: '…'.</c></summary>
    private static string Message(SqliteException error)
    {
        var parts = error.Message.Split('\'', 2);
        return parts.Length == 2 ? parts[1].TrimEnd('.').TrimEnd('\'') : error.Message;
    }
}
