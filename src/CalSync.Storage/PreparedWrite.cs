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
    private readonly List<JournalEntry> _entries = [];

    internal IReadOnlyList<QueuedStatement> Statements => _statements;

    internal IReadOnlyList<JournalEntry> Entries => _entries;

    /// <inheritdoc cref="Session.In"/>
    public string In(string column, string parameter) => Session.InList(engine, column, parameter);

    /// <summary>Adds a statement.</summary>
    /// <inheritdoc cref="WriteSession.Queue(string, object?, int?)"/>
    public void Queue(string sql, object? args = null, int? expectRows = null)
    {
        var text = SqlText.Of(sql);
        var values = new Argument[text.Names.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = text.Argument(args, i);
            if (engine == Engine.Sqlite)
                values[i] = values[i] with { Value = SqliteLink.Value(values[i].Value) };
        }

        _statements.Add(new QueuedStatement(text, values, expectRows));
    }

    /// <inheritdoc cref="WriteSession.Journal"/>
    public void Journal(JournalEntry entry) => _entries.Add(entry);

    /// <summary>Adds all of another one.</summary>
    public void Add(PreparedWrite other)
    {
        ArgumentNullException.ThrowIfNull(other);
        _statements.AddRange(other._statements);
        _entries.AddRange(other._entries);
    }
}
