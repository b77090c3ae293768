using System.Globalization;

namespace CalSync.Calendar.Comparison;

/// <summary>Which component of a stream is meant, the same on every side of a comparison.</summary>
/// <remarks>
/// RFC 5545 sections 3.8.4.4 and 3.8.4.7: a UID names a series, RECURRENCE-ID one occurrence of it. Keys
/// order by UID, then name, then RECURRENCE-ID, so that a calendar stands before its events and a series
/// before its overrides.
/// </remarks>
/// <param name="Component">
/// Upper case: "VEVENT", "VTODO"; "VCALENDAR" for the calendar itself; empty for properties outside every
/// component, and for components without a name.
/// </param>
/// <param name="Uid">UID without escapes; empty when there is none.</param>
/// <param name="RecurrenceId">
/// The occurrence as ISO 8601, in UTC unless it is floating or a day, whatever zone the stream writes it in;
/// empty for a series or what does not recur.
/// </param>
/// <param name="Ordinal">
/// 1, or more for further components of the same three names; 0 for properties outside every component.
/// </param>
public readonly record struct ComponentKey(string Component, string Uid, string RecurrenceId, int Ordinal = 1)
    : IComparable<ComponentKey>
{
    /// <summary>Order by UID, name, RECURRENCE-ID and ordinal, letter for letter.</summary>
    public int CompareTo(ComponentKey other)
    {
        var order = string.CompareOrdinal(Uid, other.Uid);
        if (order == 0)
            order = string.CompareOrdinal(Component, other.Component);
        if (order == 0)
            order = string.CompareOrdinal(RecurrenceId, other.RecurrenceId);
        return order == 0 ? Ordinal.CompareTo(other.Ordinal) : order;
    }

    /// <summary>Whether the left stands before the right.</summary>
    public static bool operator <(ComponentKey left, ComponentKey right) => left.CompareTo(right) < 0;

    /// <summary>Whether the left stands after the right.</summary>
    public static bool operator >(ComponentKey left, ComponentKey right) => left.CompareTo(right) > 0;

    /// <summary>Whether the left does not stand after the right.</summary>
    public static bool operator <=(ComponentKey left, ComponentKey right) => left.CompareTo(right) <= 0;

    /// <summary>Whether the left does not stand before the right.</summary>
    public static bool operator >=(ComponentKey left, ComponentKey right) => left.CompareTo(right) >= 0;

    /// <summary>For a person: "VEVENT class-1 2026-03-08T14:00:00Z".</summary>
    public override string ToString() => string.Join(' ', new[]
    {
        Component, Uid, RecurrenceId,
        Ordinal <= 1 ? "" : $"#{Ordinal.ToString(CultureInfo.InvariantCulture)}",
    }.Where(part => part.Length > 0));
}
