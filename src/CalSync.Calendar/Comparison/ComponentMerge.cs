using CalSync.Calendar.Document;

namespace CalSync.Calendar.Comparison;

/// <summary>Merges what both sides say in one component.</summary>
internal sealed class ComponentMerge
{
    private readonly MergeRun _run;
    private readonly DocumentEdit _edit;
    private readonly ComponentKey _key;
    private readonly CalendarComponent _component;
    private readonly StatementTable _base;
    private readonly StatementTable _ours;
    private readonly StatementTable _theirs;
    private readonly bool _isTheirsPreferred;
    private readonly ListLines _lists;

    /// <summary>Prepares a merge.</summary>
    /// <param name="run">Where conflicts go.</param>
    /// <param name="edit">Where changes go.</param>
    /// <param name="key">Which component.</param>
    /// <param name="component">Ours.</param>
    /// <param name="sides">What base, ours and theirs say.</param>
    /// <param name="isTheirsPreferred">Who wins a conflict.</param>
    public ComponentMerge(
        MergeRun run, DocumentEdit edit, ComponentKey key, CalendarComponent component,
        StatementTable[] sides, bool isTheirsPreferred)
    {
        (_run, _edit, _key, _component) = (run, edit, key, component);
        (_base, _ours, _theirs) = (sides[0], sides[1], sides[2]);
        _isTheirsPreferred = isTheirsPreferred;
        _lists = new ListLines(edit, component);
    }

    /// <summary>Makes the changes that theirs made.</summary>
    public void Merge()
    {
        var keys = _base.Entries.Keys.Union(_ours.Entries.Keys).Union(_theirs.Entries.Keys);
        foreach (var unit in keys.Order(StatementKey.Order).GroupBy(UnitOf).Select(unit => unit.ToList()))
        {
            var (before, mine, other) = (Text(_base, unit), Text(_ours, unit), Text(_theirs, unit));
            if (mine == other || other == before)
                continue;
            if (mine == before)
                Take(unit);
            else if (!TryMergeParameters(unit))
                Decide(unit);
        }

        _lists.Apply();
    }

    /// <summary>Start and end of an event or task are merged together.</summary>
    private (string Property, string Member) UnitOf(StatementKey key) =>
        _key.Component is "VEVENT" or "VTODO" && key.Property is "DTSTART" or "DTEND" or "DUE" or "DURATION"
            ? ("DTSTART", "")
            : (key.Property, key.Member);

    private static string Text(StatementTable side, List<StatementKey> unit) => string.Join(
        '\u001c', unit.Select(key => side.Said(key) is { } said ? "+" + said.Meaning.Text : "-"));

    private void Decide(List<StatementKey> unit)
    {
        var inConflict = unit.Where(key =>
            _ours.Said(key)?.Meaning.Text != _theirs.Said(key)?.Meaning.Text).ToList();
        string? Words(StatementTable side)
        {
            var said = inConflict.Select(side.Said).OfType<StatementEntry>().ToList();
            return said.Count == 0 ? null : string.Join(", ", said.Select(entry => entry.Meaning.Full));
        }

        _run.Report(
            new MergeConflict(
                _key, string.Join(", ", inConflict.Select(key => key.Property)), unit[0].Label, null,
                Words(_base), Words(_ours), Words(_theirs), default),
            _isTheirsPreferred);
        if (_isTheirsPreferred)
            Take(unit);
    }

    /// <summary>Says what theirs says: its lines in place of ours.</summary>
    private void Take(List<StatementKey> unit)
    {
        var (mine, other) = (Sources(_ours, unit), Sources(_theirs, unit));
        foreach (var source in mine.Where(source => source.Item >= 0))
            _lists.Remove(source);
        foreach (var source in other.Where(source => source.Item >= 0))
            _lists.Add(source);
        foreach (var source in mine)
        {
            if (source.Nested is { } nested)
                _edit.Remove(nested);
        }

        foreach (var source in other)
        {
            if (source.Nested is { } nested)
                _edit.AddAsItStands(_component, nested);
        }

        TakeLines([.. WholeLines(mine)], [.. WholeLines(other)]);
    }

    private void TakeLines(CalendarProperty[] mine, CalendarProperty[] other)
    {
        for (var index = 0; index < Math.Max(mine.Length, other.Length); index++)
        {
            if (index >= other.Length)
                _edit.Remove(mine[index]);
            else if (index >= mine.Length)
                _edit.AddAsItStands(_component, other[index]);
            else
                _edit.Replace(mine[index], other[index].Content);
        }
    }

    /// <summary>
    /// Merges parameters one by one where all sides have the same value on one line; false where not.
    /// </summary>
    private bool TryMergeParameters(List<StatementKey> unit)
    {
        if (unit is not [var key]
            || _ours.Said(key) is not { Sources: [{ Line: { } mine, Item: < 0 }] } ours
            || _theirs.Said(key) is not { Sources: [{ Line: { } other, Item: < 0 }] } theirs)
        {
            return false;
        }

        var before = _base.Said(key)?.Meaning;
        var value = (ours.Meaning.Value, ours.Meaning.Zone);
        if (value != (theirs.Meaning.Value, theirs.Meaning.Zone)
            || (before is not null && value != (before.Value, before.Zone)))
        {
            return false;
        }

        var taken = new HashSet<string>(StringComparer.Ordinal);
        var names = ours.Meaning.Parameters.Concat(theirs.Meaning.Parameters)
            .Concat(before?.Parameters ?? Meaning.NoParameters).Select(parameter => parameter.Key).Distinct();
        foreach (var name in names.Order(StringComparer.Ordinal))
        {
            var (was, left, right) = (
                before?.Parameter(name), ours.Meaning.Parameter(name), theirs.Meaning.Parameter(name));
            if (left == right || right == was)
                continue;
            if (left != was)
            {
                _run.Report(
                    new MergeConflict(_key, key.Property, key.Label, name, was, left, right, default),
                    _isTheirsPreferred);
            }

            if (left == was || _isTheirsPreferred)
                taken.Add(name);
        }

        _edit.Replace(mine, WithParameters(mine.Content, taken, other.Content));
        return true;
    }

    /// <summary>
    /// The content with some parameters of another: where it has them itself, or else last.
    /// </summary>
    private static PropertyContent WithParameters(
        PropertyContent content, HashSet<string> names, PropertyContent from)
    {
        var theirs = from.Parameters.ToLookup(parameter => parameter.Name, StringComparer.Ordinal);
        var left = names.ToHashSet(StringComparer.Ordinal);
        var parameters = content.Parameters.SelectMany(IEnumerable<ParameterContent> (parameter) =>
            !names.Contains(parameter.Name) ? [parameter]
            : left.Remove(parameter.Name) ? theirs[parameter.Name]
            : []).ToList();
        parameters.AddRange(left.Order(StringComparer.Ordinal).SelectMany(name => theirs[name]));
        return content with { Parameters = [.. parameters] };
    }

    private static List<StatementSource> Sources(StatementTable side, List<StatementKey> unit) =>
    [
        .. unit.SelectMany(key => side.Entries.TryGetValue(key, out var entry) ? entry.Sources : []),
    ];

    private static IEnumerable<CalendarProperty> WholeLines(IEnumerable<StatementSource> sources) =>
        sources.Where(source => source is { Line: not null, Item: < 0 }).Select(source => source.Line!.Value);
}
