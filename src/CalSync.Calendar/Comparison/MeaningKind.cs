using System.Collections.Frozen;

namespace CalSync.Calendar.Comparison;

/// <summary>How the value of a property is compared.</summary>
internal enum MeaningKind
{
    /// <summary>By decoded text, which is also how unknown properties are compared.</summary>
    Text,

    /// <summary>By text in any letter case.</summary>
    Keyword,

    /// <summary>By the letters as they stand: URIs and binary.</summary>
    Raw,

    /// <summary>By instant and zone.</summary>
    Time,

    /// <summary>A set of texts.</summary>
    TextSet,

    /// <summary>A set of times or periods.</summary>
    TimeSet,

    /// <summary>By length.</summary>
    Duration,

    /// <summary>By rule.</summary>
    Recur,

    /// <summary>By address in any letter case.</summary>
    Address,

    /// <summary>By number.</summary>
    Integer,

    /// <summary>By place.</summary>
    Geo,

    /// <summary>By moment or distance.</summary>
    Trigger,
}

/// <summary>
/// How each property of RFC 5545, 7986 and 9074 is compared, and what its absence means.
/// </summary>
internal static class PropertyCatalog
{
    private static readonly FrozenDictionary<string, MeaningKind> Kinds =
        new (MeaningKind Kind, string Names)[]
        {
            (MeaningKind.Time,
                "DTSTART DTEND DUE RECURRENCE-ID COMPLETED CREATED DTSTAMP LAST-MODIFIED ACKNOWLEDGED"),
            (MeaningKind.TimeSet, "EXDATE RDATE FREEBUSY"),
            (MeaningKind.TextSet, "CATEGORIES RESOURCES"),
            (MeaningKind.Duration, "DURATION REFRESH-INTERVAL X-PUBLISHED-TTL"),
            (MeaningKind.Recur, "RRULE EXRULE"),
            (MeaningKind.Address, "ATTENDEE ORGANIZER CALENDAR-ADDRESS"),
            (MeaningKind.Integer, "SEQUENCE PRIORITY PERCENT-COMPLETE REPEAT"),
            (MeaningKind.Geo, "GEO"),
            (MeaningKind.Trigger, "TRIGGER"),
            (MeaningKind.Keyword,
                "STATUS CLASS TRANSP ACTION METHOD CALSCALE VERSION COLOR BUSYTYPE PROXIMITY"),
            (MeaningKind.Raw, "URL ATTACH TZURL SOURCE IMAGE CONFERENCE STRUCTURED-DATA"),
        }
        .SelectMany(row => row.Names.Split(' ').Select(name => KeyValuePair.Create(name, row.Kind)))
        .ToFrozenDictionary(StringComparer.Ordinal);

    // RFC 5545 sections 3.7.1, 3.8.1.3, 3.8.1.9, 3.8.2.7, 3.8.6.2 and 3.8.7.4.
    private static readonly FrozenDictionary<string, string> ValueDefaults =
        new Dictionary<string, string>
        {
            ["CALSCALE"] = "GREGORIAN",
            ["CLASS"] = "PUBLIC",
            ["PRIORITY"] = "0",
            ["TRANSP"] = "OPAQUE",
            ["REPEAT"] = "0",
            ["SEQUENCE"] = "0",
        }.ToFrozenDictionary(StringComparer.Ordinal);

    // RFC 5545 sections 3.2.3, 3.2.7, 3.2.9, 3.2.12 and 3.2.14 to 3.2.17; RFC 6638 section 7.1.
    private static readonly FrozenDictionary<string, string> ParameterDefaults =
        new Dictionary<string, string>
        {
            ["CUTYPE"] = "INDIVIDUAL",
            ["ENCODING"] = "8BIT",
            ["FBTYPE"] = "BUSY",
            ["PARTSTAT"] = "NEEDS-ACTION",
            ["RELATED"] = "START",
            ["RELTYPE"] = "PARENT",
            ["ROLE"] = "REQ-PARTICIPANT",
            ["RSVP"] = "FALSE",
            ["SCHEDULE-AGENT"] = "SERVER",
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>How a property is compared; by decoded text when it is unknown.</summary>
    /// <param name="name">Upper case.</param>
    public static MeaningKind Kind(string name) => Kinds.GetValueOrDefault(name, MeaningKind.Text);

    /// <summary>The value that absence means; null when absence is not a value.</summary>
    /// <param name="name">Upper case.</param>
    public static string? ValueDefault(string name) => ValueDefaults.GetValueOrDefault(name);

    /// <summary>The value that absence of a parameter means; null when it is not one.</summary>
    /// <param name="name">Upper case.</param>
    public static string? ParameterDefault(string name) => ParameterDefaults.GetValueOrDefault(name);

    /// <summary>Whether the values of a parameter are one of a list, in any letter case.</summary>
    /// <param name="name">Upper case.</param>
    public static bool IsKeyword(string name) =>
        ParameterDefaults.ContainsKey(name) || name is "VALUE" or "RANGE" or "LANGUAGE" or "FMTTYPE";

    /// <summary>Whether a parameter names a set of addresses, in any letter case and order.</summary>
    /// <param name="name">Upper case.</param>
    public static bool IsAddresses(string name) =>
        name is "MEMBER" or "DELEGATED-FROM" or "DELEGATED-TO" or "SENT-BY" or "EMAIL";
}
