
namespace CalSync.Storage;

/// <summary>
/// One connection, lent for the length of one piece of work. Not for use by two tasks at once.
/// </summary>
/// <remarks>
/// The same SQL runs on both engines. Parameters are named, <c>@name</c>, and come from the properties of one
/// object (case does not matter). Rows become records by property name; <c>snake_case</c> columns match.
/// A list parameter is used through <see cref="In"/>. Instants are <see cref="DateTimeOffset"/> in UTC, to
/// the microsecond. Every failure is a <see cref="StorageException"/>.
/// </remarks>
public class Session
{
    internal Session(Engine engine, SqlChannel channel, CancellationToken cancellation)
    {
        Engine = engine;
        Channel = channel;
        Cancellation = cancellation;
    }

    /// <summary>Which engine the SQL runs on.</summary>
    public Engine Engine { get; }

    /// <summary>
    /// Ends a SELECT that locks its rows: <c>" FOR UPDATE"</c>, or nothing on SQLite, where a write
    /// transaction already excludes every other.
    /// </summary>
    public string ForUpdate => Engine == Engine.Postgres ? " FOR UPDATE" : "";

    /// <summary>
    /// Ends a SELECT that claims rows nobody else holds: <c>" FOR UPDATE SKIP LOCKED"</c>, or nothing.
    /// </summary>
    public string SkipLocked => Engine == Engine.Postgres ? " FOR UPDATE SKIP LOCKED" : "";

    internal SqlChannel Channel { get; }

    internal CancellationToken Cancellation { get; }

    /// <summary>
    /// A condition that a column is one of a list parameter; the text does not change with the length.
    /// </summary>
    /// <param name="column">A column of the statement, such as <c>m.id</c>; never outside text.</param>
    /// <param name="parameter">
    /// The parameter's name with its at sign, such as <c>@ids</c>: an array or list.
    /// </param>
    /// <returns><c>m.id = ANY(@ids)</c>, or its SQLite equal; an empty list matches no row.</returns>
    public string In(string column, string parameter) => InList(Engine, column, parameter);

    /// <summary>All rows of a SELECT, or of a statement with RETURNING.</summary>
    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object? args = null) =>
        await Channel.QueryAsync<T>(sql, args, int.MaxValue, Cancellation);

    /// <summary>The first row, or the default when there is none.</summary>
    public async Task<T?> FirstOrDefaultAsync<T>(string sql, object? args = null)
    {
        var rows = await Channel.QueryAsync<T>(sql, args, 1, Cancellation);
        return rows.Count == 0 ? default : rows[0];
    }

    /// <summary>The first column of the first row, converted.</summary>
    /// <exception cref="StatementFailedException">
    /// There was no row, or its value was NULL for a required type.
    /// </exception>
    public async Task<T> ScalarAsync<T>(string sql, object? args = null)
    {
        var rows = await Channel.QueryAsync<T>(sql, args, 1, Cancellation);
        return rows.Count == 1
            ? rows[0]
            : throw new StatementFailedException(
                sql, new InvalidOperationException("The statement gave no row."));
    }

    /// <summary>
    /// Several SELECTs, separated by semicolons, in one round trip. Read them in order, then dispose.
    /// </summary>
    public Task<ResultSets> QueryMultipleAsync(string sql, object? args = null) =>
        Channel.QueryMultipleAsync(sql, args, Cancellation);

    internal static string InList(Engine engine, string column, string parameter) => engine == Engine.Postgres
        ? $"{column} = ANY({parameter})"
        : $"{column} IN (SELECT value FROM json_each({parameter}))";
}
