using System.Globalization;
using System.Text;

namespace CalSync.Storage.Classes;

/// <summary>How a bulk column's values travel.</summary>
internal enum BulkType
{
    Text,
    Number,
    NumberOrNull,
    Instant,
    Flag,
}

/// <summary>Many rows in one statement whose text does not depend on their number.</summary>
/// <remarks>
/// PostgreSQL gets one array a column (<c>unnest</c>), so a batch of any size is one plan and one round trip.
/// SQLite has no round trips: it gets one statement a row.
/// </remarks>
/// <param name="columns">Name and type of each value, in order.</param>
internal sealed class Bulk(params (string Name, BulkType Type)[] columns)
{
    private readonly List<object?[]> _rows = [];

    public int Count => _rows.Count;

    public void Add(params object?[] row) => _rows.Add(row);

    /// <summary>Queues an insert of every row.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="table">The table; its columns have the names of the values.</param>
    /// <param name="conflict">What to do about rows that are there, such as <c>ON CONFLICT DO
    /// NOTHING</c>.</param>
    public void Insert(WriteSession session, string table, string conflict = "")
    {
        if (_rows.Count == 0)
            return;
        var names = string.Join(", ", columns.Select(column => column.Name));
        Queue(
            session,
            $"INSERT INTO {table} ({names}) SELECT {Values("x.v_")} FROM {Unnest()} {conflict}",
            $"INSERT INTO {table} ({names}) VALUES ({Values("@v_")}) {conflict}",
            conflict.Length == 0);
    }

    /// <summary>Queues an update; every row must be there.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="table">The table.</param>
    /// <param name="set">Assignments; a value is written <c>[name]</c>.</param>
    /// <param name="where">The condition, in the same form.</param>
    /// <param name="everyRow">False when a row that does not match is no fault.</param>
    public void Update(WriteSession session, string table, string set, string where, bool everyRow = true)
    {
        if (_rows.Count == 0)
            return;
        Queue(
            session,
            $"UPDATE {table} SET {Fill(set, true)} FROM {Unnest()} WHERE {Fill(where, true)}",
            $"UPDATE {table} SET {Fill(set, false)} WHERE {Fill(where, false)}",
            everyRow);
    }

    private void Queue(WriteSession session, string many, string one, bool everyRow)
    {
        if (session.Engine == Engine.Postgres)
        {
            session.Queue(many, Arrays(), everyRow ? _rows.Count : null);
            return;
        }

        foreach (var row in _rows)
        {
            var args = new Dictionary<string, object?>(columns.Length);
            for (var i = 0; i < columns.Length; i++)
                args.Add($"v_{columns[i].Name}", row[i]);
            session.Queue(one, args, everyRow ? 1 : null);
        }
    }

    private Dictionary<string, object?> Arrays()
    {
        var args = new Dictionary<string, object?>(columns.Length);
        for (var i = 0; i < columns.Length; i++)
        {
            var at = i;
            args.Add($"v_{columns[i].Name}", columns[i].Type == BulkType.Number
                ? _rows.Select(row => Convert.ToInt64(row[at], CultureInfo.InvariantCulture)).ToArray()
                : _rows.Select(row => Text(row[at])).ToArray());
        }

        return args;
    }

    /// <summary>What may be null travels as text, the only array here that can hold one.</summary>
    private static string? Text(object? value) => value switch
    {
        null => null,
        string text => text,
        long number => number.ToString(CultureInfo.InvariantCulture),
        DateTimeOffset instant => Instant.Write(instant),
        bool flag => flag ? "true" : "false",
        _ => throw new ArgumentException($"A {value.GetType().Name} is no bulk value.", nameof(value)),
    };

    private string Unnest()
    {
        var text = new StringBuilder("unnest(");
        text.AppendJoin(", ", columns.Select(
            column => $"@v_{column.Name}::{(column.Type == BulkType.Number ? "bigint" : "text")}[]"));
        return text.Append(") AS x(").AppendJoin(", ", columns.Select(column => $"v_{column.Name}"))
            .Append(')').ToString();
    }

    private string Values(string prefix) =>
        string.Join(
            ", ",
            columns.Select(column => prefix + column.Name + (prefix[0] == 'x' ? Cast(column.Type) : "")));

    private string Fill(string text, bool many)
    {
        foreach (var (name, type) in columns)
        {
            text = text.Replace(
                $"[{name}]", many ? $"x.v_{name}{Cast(type)}" : $"@v_{name}", StringComparison.Ordinal);
        }

        return text;
    }

    private static string Cast(BulkType type) => type switch
    {
        BulkType.Text or BulkType.Number => "",
        BulkType.NumberOrNull => "::bigint",
        BulkType.Instant => "::timestamptz",
        BulkType.Flag => "::boolean",
    };
}
