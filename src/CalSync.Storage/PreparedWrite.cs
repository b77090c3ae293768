using CalSync.Storage.Journal;
using CalSync.Storage.Sqlite;
using CalSync.Sync.Journal;

namespace CalSync.Storage;

/// <summary>
/// Statements and journal entries put together before their transaction begins, so that nobody waits for that
/// while it is under way.
/// </summary>
/// <remarks>Values are read when a statement is queued. Not for use by two tasks at once.</remarks>
/// <param name="engine">Which engine it is for.</param>
public sealed class PreparedWrite(Engine engine)
{
    private readonly List<QueuedStatement> _statements = [];
    private readonly List<JournalLine> _lines = [];

    internal IReadOnlyList<QueuedStatement> Statements => _statements;

    internal IReadOnlyList<JournalLine> Lines => _lines;

    /// <inheritdoc cref="Session.In"/>
    public string In(string column, string parameter) => Session.InList(engine, column, parameter);

    /// <summary>Adds a statement.</summary>
    /// <inheritdoc cref="WriteSession.Queue(string, object?, int?)"/>
    public void Queue(string sql, object? args = null, int? expectRows = null)
    {
        var text = SqlText.Of(sql);
        _statements.Add(new QueuedStatement(
            text, engine == Engine.Sqlite ? SqliteArguments.Of(text, args) : text.All(args), expectRows));
    }

    /// <summary>Adds a statement that is queued for each of thousands of events.</summary>
    /// <param name="text">One statement.</param>
    /// <param name="values">Its values by name.</param>
    /// <param name="expectRows">Rows it must change; null when any number is right.</param>
    internal void Queue(
        SqlText text, ReadOnlySpan<(string Name, Argument Argument)> values, int? expectRows = null)
    {
        object args;
        if (engine == Engine.Sqlite)
        {
            args = SqliteArguments.Of(text, values);
        }
        else
        {
            var all = new Argument[text.Names.Length];
            for (var i = 0; i < all.Length; i++)
                all[i] = text.Argument(values, i);
            args = all;
        }

        _statements.Add(new QueuedStatement(text, args, expectRows));
    }

    /// <inheritdoc cref="WriteSession.Journal"/>
    public void Journal(JournalEntry entry) => _lines.Add(new JournalLine(entry, engine));

    /// <summary>Adds all of another one.</summary>
    public void Add(PreparedWrite other)
    {
        ArgumentNullException.ThrowIfNull(other);
        _statements.AddRange(other._statements);
        _lines.AddRange(other._lines);
    }
}
