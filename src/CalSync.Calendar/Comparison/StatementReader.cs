using System.Text;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Calendar.Comparison;

/// <summary>Takes a component apart into what it says.</summary>
internal sealed class StatementReader
{
    // RFC 5545 and 9073 nest three deep; hostile streams nest as deep as they are long.
    private const int DepthMax = 8;

    private readonly CalendarNoise _noise;
    private readonly MomentReader _moments = new();
    private readonly PropertyMeaning _meaning;

    public StatementReader(CalendarNoise noise)
    {
        _noise = noise;
        _meaning = new PropertyMeaning(_moments, noise);
    }

    /// <summary>All that a component says itself and through components in it.</summary>
    public List<Statement> Read(CalendarComponent component) => Read(component, depth: 0);

    /// <summary>What properties outside every component say.</summary>
    public List<Statement> Read(PropertyList properties)
    {
        var statements = new List<Statement>();
        foreach (var property in properties)
            AddProperty(statements, property);
        return statements;
    }

    /// <summary>RECURRENCE-ID as a key has it; empty when there is none.</summary>
    public string RecurrenceId(CalendarComponent component) =>
        component.Property("RECURRENCE-ID"u8) is { } property
            ? _meaning.Of(property, "RECURRENCE-ID").Value
            : "";

    private List<Statement> Read(CalendarComponent component, int depth)
    {
        var statements = Read(component.Properties);
        if (component.Is("VEVENT"u8))
            SayEnd(statements, component, "DTEND");
        else if (component.Is("VTODO"u8))
            SayEnd(statements, component, "DUE");
        foreach (var nested in component.Components)
        {
            var content = Content(nested, depth + 1);
            statements.Add(new Statement(nested.Name, null, content)
            {
                Source = new StatementSource(null, Nested: nested),
                NestedUid = nested.Text("UID"u8).Value,
            });
        }

        return statements;
    }

    private void AddProperty(List<Statement> statements, CalendarProperty property)
    {
        var name = property.Name;
        if (_noise.Covers(name))
            return;
        if (PropertyCatalog.Kind(name) is not (MeaningKind.TextSet or MeaningKind.TimeSet))
        {
            var meaning = _meaning.Of(property, name);
            statements.Add(new Statement(name, name == "ATTENDEE" ? meaning.Value : null, meaning)
            {
                Source = new StatementSource(property),
            });
            return;
        }

        var members = _meaning.Members(property, name);
        if (members.Count == 0)
        {
            statements.Add(new Statement(name, null, _meaning.Of(property, name))
            {
                Source = new StatementSource(property),
            });
            return;
        }

        var raw = RawItems(property);
        statements.AddRange(members.Select((member, index) => new Statement(name, member.Value, member)
        {
            Source = new StatementSource(property, index, raw[index]),
            IsOfSet = true,
        }));
    }

    /// <summary>
    /// Says when it ends in one form: DTEND or DUE, or DTSTART and DURATION; an event without either ends
    /// with its day, or as it starts. RFC 5545 section 3.6.1.
    /// </summary>
    private void SayEnd(List<Statement> statements, CalendarComponent component, string end)
    {
        if (statements.Any(statement => statement.Property == end)
            || component.Property("DTSTART"u8) is not { } start || !start.ReadTime().TryGet(out var time))
        {
            return;
        }

        var duration = component.Property("DURATION"u8);
        CalendarDuration? length = null;
        if (duration is { } property && property.ReadDuration().TryGet(out var read))
            length = read;
        else if (duration is null && end == "DTEND")
            length = new CalendarDuration(time is CalendarTime.Date ? 1 : 0, 0);
        if (length is null || _moments.After(time, length.Value, start) is not { } moment)
            return;
        statements.RemoveAll(statement => duration is { } line && statement.Source is { Line: { } at }
            && at.LineIndex == line.LineIndex);
        statements.Add(new Statement(end, null, PropertyMeaning.Of(moment))
        {
            Source = duration is { } said ? new StatementSource(said) : null,
        });
    }

    private Meaning Content(CalendarComponent component, int depth)
    {
        // The UID of an alarm is its identity, and a server may add one.
        var said = (depth > DepthMax ? ReadFlat(component) : Read(component, depth))
            .Where(statement => !statement.Meaning.IsDefault && statement.Property != "UID")
            .OrderBy(statement => statement.Property, StringComparer.Ordinal)
            .ThenBy(statement => statement.Meaning.Text, StringComparer.Ordinal)
            .ToList();
        return new Meaning(
            string.Join('\n', said.Select(statement =>
                $"{statement.Property}\u001d{statement.Meaning.Text}").Distinct()),
            "",
            string.Join(", ", said.Select(statement =>
                $"{statement.Property} {statement.Meaning.Full}").Distinct()));
    }

    /// <summary>All that is said at any depth, without recursion; which depth no longer counts.</summary>
    private List<Statement> ReadFlat(CalendarComponent component)
    {
        var statements = new List<Statement>();
        for (var index = component.Index; index < component.Entry.SubtreeEnd; index++)
        {
            var each = new CalendarComponent(component.Document, index);
            statements.Add(new Statement(each.Name, null, new Meaning("", "", "")));
            foreach (var property in each.Properties)
                AddProperty(statements, property);
        }

        return statements;
    }

    /// <summary>The values that commas separate, with their escapes.</summary>
    public static List<string> RawItems(CalendarProperty property)
    {
        var items = new List<string>();
        var rest = property.ValueOctets;
        while (TextValue.End(rest, (byte)',') is var end && end < rest.Length)
        {
            items.Add(Encoding.UTF8.GetString(rest[..end]));
            rest = rest[(end + 1)..];
        }

        items.Add(Encoding.UTF8.GetString(rest));
        return items;
    }
}
