using System.Collections.Immutable;
using CalSync.Calendar.Document;

namespace CalSync.Calendar.Comparison;

/// <summary>What is not looked at when calendars are compared: properties and parameters by name.</summary>
/// <remarks>
/// Nothing inside VTIMEZONE is ever noise: its properties say which zone a time is in.
/// </remarks>
public sealed record CalendarNoise
{
    /// <summary>Names of properties, in any letter case. Default none.</summary>
    public ImmutableHashSet<string> Properties
    {
        get;
        init => field = value.WithComparer(StringComparer.OrdinalIgnoreCase);
    }
    = [];

    /// <summary>Beginnings of names of properties, in any letter case. Default none.</summary>
    public ImmutableArray<string> PropertyPrefixes { get; init; } = [];

    /// <summary>Names of parameters, in any letter case. Default none.</summary>
    public ImmutableHashSet<string> Parameters
    {
        get;
        init => field = value.WithComparer(StringComparer.OrdinalIgnoreCase);
    }
    = [];

    /// <summary>Nothing: everything counts.</summary>
    public static CalendarNoise None { get; } = new();

    /// <summary>
    /// What servers add or rewrite without anyone having changed the event: PRODID (3.7.3), CREATED
    /// (3.8.7.1), DTSTAMP (3.8.7.2), LAST-MODIFIED (3.8.7.3), what begins with X-WR- or X-LIC-, and the
    /// parameters SCHEDULE-STATUS (RFC 6638 section 7.3) and X-NUM-GUESTS.
    /// </summary>
    /// <remarks>
    /// Not SEQUENCE: another revision is news, even when nothing else differs. A caller that asks only
    /// whether what it wrote has arrived takes <see cref="WithSequence"/>.
    /// </remarks>
    public static CalendarNoise OfServers { get; } = new()
    {
        Properties = ["PRODID", "CREATED", "DTSTAMP", "LAST-MODIFIED"],
        PropertyPrefixes = ["X-WR-", "X-LIC-"],
        Parameters = ["SCHEDULE-STATUS", "X-NUM-GUESTS"],
    };

    /// <summary>The same and SEQUENCE, which servers raise by rules of their own. Section 3.8.7.4.</summary>
    public CalendarNoise WithSequence() => this with { Properties = Properties.Add("SEQUENCE") };

    /// <summary>The document without the lines and parameters that are noise.</summary>
    /// <remarks>
    /// For comparing and for showing, not for sending: DTSTAMP and PRODID are required of a calendar. All
    /// other lines keep their octets. Normalising twice is normalising once.
    /// </remarks>
    public CalendarDocument Remove(CalendarDocument document)
    {
        var edit = document.Edit();
        foreach (var component in document.AllComponents)
        {
            // The parts of a VTIMEZONE hold nothing that a prefix of noise could name.
            if (component.Is("VTIMEZONE"u8))
                continue;
            foreach (var property in component.Properties)
            {
                if (Covers(property.Name))
                    edit.Remove(property);
                else if (property.Parameters.Any(parameter => Parameters.Contains(parameter.Name)))
                    edit.Replace(property, WithoutNoise(property.Content));
            }
        }

        return edit.Apply();
    }

    /// <summary>Whether a property is noise.</summary>
    internal bool Covers(string property) =>
        Properties.Contains(property) || PropertyPrefixes.Any(prefix =>
            property.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));

    private PropertyContent WithoutNoise(PropertyContent content) => content with
    {
        Parameters = content.Parameters.RemoveAll(parameter => Parameters.Contains(parameter.Name)),
    };
}
