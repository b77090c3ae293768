using CalSync.Calendar.Document;

namespace CalSync.Calendar.Comparison;

/// <summary>Changes to lines that hold several values of a set, as CATEGORIES and EXDATE do.</summary>
/// <param name="edit">Where changes go.</param>
/// <param name="component">Whose lines.</param>
internal sealed class ListLines(DocumentEdit edit, CalendarComponent component)
{
    private readonly Dictionary<int, (CalendarProperty Line, HashSet<int> Items)> _removed = [];
    private readonly Dictionary<int, (CalendarProperty Line, List<string> Items)> _added = [];

    /// <summary>Takes a value off its line.</summary>
    public void Remove(StatementSource source)
    {
        var line = source.Line!.Value;
        _removed.TryAdd(line.LineIndex, (line, []));
        _removed[line.LineIndex].Items.Add(source.Item);
    }

    /// <summary>Adds a value of another document, with the parameters it has there.</summary>
    public void Add(StatementSource source)
    {
        var line = source.Line!.Value;
        _added.TryAdd(line.LineIndex, (line, []));
        _added[line.LineIndex].Items.Add(source.RawItem);
    }

    /// <summary>
    /// Rewrites the lines that lose values, and adds one for each line that values come from.
    /// </summary>
    public void Apply()
    {
        foreach (var (line, items) in _removed.Values)
        {
            var kept = StatementReader.RawItems(line)
                .Where((_, index) => !items.Contains(index)).ToList();
            if (kept.Count == 0)
                edit.Remove(line);
            else
                edit.Replace(line, line.Content with { RawValue = string.Join(',', kept) });
        }

        foreach (var (line, items) in _added.Values)
            edit.Add(component, line.Content with { RawValue = string.Join(',', items) });
    }
}
