using CalSync.Calendar.Components;
using CalSync.Calendar.Document;

namespace CalSync.Calendar.Comparison;

/// <summary>One of the streams that are compared: its components by key, and what they say.</summary>
internal sealed class CalendarSide
{
    private readonly StatementReader _reader;
    private readonly Dictionary<(string Component, string Uid, string RecurrenceId), int> _counts = [];
    private readonly Dictionary<ComponentKey, CalendarComponent> _components = [];
    private readonly Dictionary<ComponentKey, List<Statement>> _statements = [];

    public CalendarSide(CalendarDocument document, CalendarNoise noise)
    {
        Document = document;
        _reader = new StatementReader(noise);
        foreach (var root in document.Components)
        {
            Add(root);
            if (!root.Is("VCALENDAR"u8))
                continue;
            foreach (var component in root.Components)
            {
                // A VTIMEZONE says something through the times that name it, and only so.
                if (!component.Is("VTIMEZONE"u8))
                    Add(component);
            }
        }

        var strays = _reader.Read(document.StrayProperties);
        if (strays.Count > 0)
            _statements.Add(new ComponentKey("", "", "", Ordinal: 0), strays);
    }

    /// <summary>The stream.</summary>
    public CalendarDocument Document { get; }

    /// <summary>The components, the calendars themselves among them.</summary>
    public IReadOnlyDictionary<ComponentKey, CalendarComponent> Components => _components;

    /// <summary>Everything that is compared: components, and properties outside all of them.</summary>
    public IEnumerable<ComponentKey> Keys => _statements.Keys;

    /// <summary>What a component says; null when this side does not have it.</summary>
    public List<Statement>? Statements(ComponentKey key) => _statements.GetValueOrDefault(key);

    /// <summary>A component in a few words: its summary, or else its name.</summary>
    public string Label(ComponentKey key) =>
        _components.TryGetValue(key, out var component)
            ? component.Text("SUMMARY"u8).Value ?? component.Name
            : "";

    private void Add(CalendarComponent component)
    {
        var isCalendar = component.Is("VCALENDAR"u8);
        var name = (
            component.Name,
            isCalendar ? "" : component.Text("UID"u8).Value ?? "",
            isCalendar ? "" : _reader.RecurrenceId(component));
        var ordinal = _counts[name] = _counts.GetValueOrDefault(name) + 1;
        var key = new ComponentKey(name.Name, name.Item2, name.Item3, ordinal);
        _components.Add(key, component);
        _statements.Add(key, isCalendar ? _reader.Read(component.Properties) : _reader.Read(component));
    }
}
