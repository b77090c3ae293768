using System.Collections.Immutable;
using System.Text;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Calendar.Components;

/// <summary>Reads the first property of a name; without one the reading is absent.</summary>
public static class ComponentReading
{
    /// <summary>TEXT without its escapes.</summary>
    public static PropertyReading<string> Text(this CalendarComponent component, ReadOnlySpan<byte> name) =>
        component.Property(name) is { } property ? property.ReadText() : default;

    /// <summary>TEXT of a closed list, in upper case.</summary>
    public static PropertyReading<string> Keyword(
        this CalendarComponent component, ReadOnlySpan<byte> name) =>
        component.Text(name) is { Value: { } text } reading
            ? reading with { Value = text.Trim().ToUpperInvariant() }
            : default;

    /// <summary>A DATE or DATE-TIME.</summary>
    public static PropertyReading<CalendarTime> Time(
        this CalendarComponent component, ReadOnlySpan<byte> name) =>
        component.Property(name) is { } property ? property.ReadTime() : default;

    /// <summary>A DURATION.</summary>
    public static PropertyReading<CalendarDuration> Duration(
        this CalendarComponent component, ReadOnlySpan<byte> name) =>
        component.Property(name) is { } property ? property.ReadDuration() : default;

    /// <summary>An INTEGER.</summary>
    public static PropertyReading<int> Integer(this CalendarComponent component, ReadOnlySpan<byte> name) =>
        component.Property(name) is { } property ? property.ReadInteger() : default;

    /// <summary>A URI.</summary>
    public static PropertyReading<string> Uri(this CalendarComponent component, ReadOnlySpan<byte> name) =>
        component.Property(name) is { } property ? property.ReadUri() : default;

    /// <summary>The values of all properties of a name; what is malformed is left out.</summary>
    public static ImmutableArray<string> Texts(this CalendarComponent component, string name) =>
        [.. component.PropertiesNamed(name).SelectMany(property => property.ReadTexts().Or([]))];

    /// <summary>The components of a name, in any letter case, that stand directly in this one.</summary>
    public static IEnumerable<CalendarComponent> ComponentsNamed(
        this CalendarComponent component, string name)
    {
        var octets = Encoding.UTF8.GetBytes(name);
        return component.Components.Where(child => child.Is(octets));
    }
}
