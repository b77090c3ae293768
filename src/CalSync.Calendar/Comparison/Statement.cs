using System.Collections.Immutable;
using CalSync.Calendar.Document;

namespace CalSync.Calendar.Comparison;

/// <summary>What a value means, in a form that is the same text for the same meaning.</summary>
/// <param name="Value">The value; times as instants.</param>
/// <param name="Zone">Identity of the zone of a time; empty for all else.</param>
/// <param name="Readable">The value for a person.</param>
internal sealed record Meaning(string Value, string Zone, string Readable)
{
    /// <summary>Of a property without any.</summary>
    public static readonly ImmutableSortedDictionary<string, string> NoParameters =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>Parameters that say something, by name, in the order of names.</summary>
    public ImmutableSortedDictionary<string, string> Parameters { get; init; } = NoParameters;

    /// <summary>Whether leaving the property out would say the same.</summary>
    public bool IsDefault { get; init; }

    /// <summary>All of it as one text: equal exactly when the meaning is.</summary>
    public string Text => field ??= Parameters.Count == 0 && Zone.Length == 0
        ? Value
        : $"{Value}\u001f{Zone}\u001f{Words(";")}";

    /// <summary>For a person, parameters included.</summary>
    public string Full => Parameters.Count == 0 ? Readable : $"{Readable} ({Words(", ")})";

    /// <summary>A parameter; null when it says nothing.</summary>
    public string? Parameter(string name) => Parameters.GetValueOrDefault(name);

    private string Words(string separator) =>
        string.Join(separator, Parameters.Select(each => $"{each.Key}={each.Value}"));
}

/// <summary>Where a statement stands: a line, one value of a line, or a component.</summary>
/// <param name="Line">The line; null when a component says it.</param>
/// <param name="Item">The value's place among those of the line, from 0; -1 for the whole line.</param>
/// <param name="RawItem">The value with its escapes; empty for the whole line.</param>
/// <param name="Nested">The component; null when a line says it.</param>
internal readonly record struct StatementSource(
    CalendarProperty? Line, int Item = -1, string RawItem = "", CalendarComponent? Nested = null);

/// <summary>One thing that a component says.</summary>
/// <param name="Property">Upper case; DTEND or DUE for every form of an end; the name of a component.</param>
/// <param name="Member">Which of several in an order-free set; null when only the content tells.</param>
/// <param name="Meaning">What.</param>
internal sealed record Statement(string Property, string? Member, Meaning Meaning)
{
    /// <summary>Where; null for an end that no line says.</summary>
    public StatementSource? Source { get; init; }

    /// <summary>Whether saying it twice says no more than once.</summary>
    public bool IsOfSet { get; init; }

    /// <summary>UID of a component that says it; null when it has none, or a line says it.</summary>
    public string? NestedUid { get; init; }

    /// <summary>Whether a component says it.</summary>
    public bool IsNested => Source?.Nested is not null;
}
