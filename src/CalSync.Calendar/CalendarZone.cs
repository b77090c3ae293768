using System.Collections.Immutable;
using CalSync.Calendar.Zones;
using NodaTime;

namespace CalSync.Calendar;

/// <summary>
/// A time zone, identified by its canonical IANA name, or one that a calendar brings along.
/// </summary>
/// <remarks>
/// Two zones are equal when they are one zone under two names (Asia/Calcutta and Asia/Kolkata). Names are
/// compared by CLDR's rename aliases only: Europe/Oslo and Europe/Berlin stay different, although tzdata
/// merged their rules. A zone made from a VTIMEZONE equals only one made from the same content. There is no
/// constructor, so an instance always has rules.
/// </remarks>
public sealed record CalendarZone
{
    internal CalendarZone(string id, DateTimeZone rules)
    {
        Id = id;
        Rules = rules;
    }

    /// <summary>Coordinated Universal Time. Its <see cref="Id"/> is "UTC".</summary>
    public static CalendarZone Utc { get; } = new("UTC", DateTimeZone.Utc);

    /// <summary>The canonical IANA name, for example "Asia/Kolkata": what is stored and shown.</summary>
    public string Id { get; }

    /// <summary>
    /// What the zone was evaluated from when it is a calendar's own; null for IANA zones.
    /// </summary>
    public EmbeddedTimeZone? Embedded { get; private init; }

    /// <summary>Offsets and transitions.</summary>
    internal DateTimeZone Rules { get; }

    /// <summary>The same as a table, made when it is first needed.</summary>
    internal OffsetTable Offsets => field ??= new OffsetTable(Rules);

    /// <summary>Finds the zone a name alone means. Never falls back to another zone.</summary>
    /// <param name="name">
    /// An IANA name in any letter case, a name IANA has renamed, a Windows name ("India Standard Time"), or
    /// any of these behind a vendor's prefix ("/freeassociation.sourceforge.net/Tzfile/Europe/Oslo"). RFC
    /// 5545 section 3.8.3.1. Null, empty and longer than 255 characters are unknown.
    /// </param>
    public static ZoneResolution Resolve(string? name) => ZoneNames.Resolve(name);

    /// <summary>Finds the zone a name means in a calendar that brings a VTIMEZONE for it.</summary>
    /// <param name="name">As for <see cref="Resolve(string?)"/>.</param>
    /// <param name="embedded">The calendar's VTIMEZONE of this name; null for none.</param>
    /// <returns>
    /// In this order: what the name itself means; what X-LIC-LOCATION names; the VTIMEZONE by its own rules.
    /// Unknown when there is none or it has no usable part.
    /// </returns>
    public static ZoneResolution Resolve(string? name, EmbeddedTimeZone? embedded)
    {
        var byName = Resolve(name);
        if (byName is ZoneResolution.Found || embedded is null)
        {
            return byName;
        }

        if (Resolve(embedded.Location) is ZoneResolution.Found located)
        {
            return located with { How = ZoneMatch.Location };
        }

        return FromEmbedded(embedded) is { } zone
            ? new ZoneResolution.Found(zone, ZoneMatch.Embedded)
            : byName;
    }

    /// <summary>
    /// The zone that follows a VTIMEZONE's own rules, whatever it is called; null when it has no part or an
    /// offset over 18 hours.
    /// </summary>
    public static CalendarZone? FromEmbedded(EmbeddedTimeZone embedded) =>
        ObservanceZone.Of(embedded) is { } rules
            ? new CalendarZone(embedded.TzId, rules) { Embedded = embedded }
            : null;

    /// <summary>This zone as a VTIMEZONE that is right from one instant to another.</summary>
    /// <param name="from">The first instant that matters.</param>
    /// <param name="to">The last; later times are right too where the zone's rules stay regular.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The span ends before it begins or leaves the years 2 to 9998.
    /// </exception>
    public EmbeddedTimeZone ToEmbedded(DateTimeOffset from, DateTimeOffset to) =>
        Embedded ?? ObservanceWriter.Write(this, from, to);

    /// <summary>A wall that never changes, for times before an onset; never handed out.</summary>
    internal static CalendarZone OfOffset(int seconds) =>
        new("", DateTimeZone.ForOffset(Offset.FromSeconds(seconds)));

    /// <summary>Whether <paramref name="otherName"/> means this zone. False for unknown names.</summary>
    public bool SameZoneAs(string? otherName) =>
        Resolve(otherName) is ZoneResolution.Found found && found.Zone == this;

    /// <summary>Whether both are one zone, by canonical name.</summary>
    public bool Equals(CalendarZone? other) =>
        other is not null && string.Equals(Id, other.Id, StringComparison.Ordinal)
            && Equals(Embedded, other.Embedded);

    /// <summary>Hash of the canonical name.</summary>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Id);

    /// <summary>The canonical name.</summary>
    public override string ToString() => Id;
}

/// <summary>How a name led to its zone. Numbers are stored: append only.</summary>
public enum ZoneMatch
{
    /// <summary>The canonical name itself, letter for letter.</summary>
    Exact = 0,

    /// <summary>A name IANA renamed (Asia/Calcutta), or the canonical name in another letter case.</summary>
    Alias = 1,

    /// <summary>A Windows time zone name, mapped to CLDR's default territory (001).</summary>
    Windows = 2,

    /// <summary>A known name behind a prefix that a calendar program put before it.</summary>
    VendorPrefix = 3,

    /// <summary>X-LIC-LOCATION of the calendar's own VTIMEZONE names it.</summary>
    Location = 4,

    /// <summary>The calendar's own VTIMEZONE, evaluated by its rules.</summary>
    Embedded = 5,
}

/// <summary>What a zone name turned out to mean.</summary>
public abstract record ZoneResolution
{
    private ZoneResolution()
    {
    }

    /// <summary>The name means exactly one zone.</summary>
    /// <param name="Zone">The zone, under its canonical name.</param>
    /// <param name="How">The kind of name that was given.</param>
    public sealed record Found(CalendarZone Zone, ZoneMatch How) : ZoneResolution;

    /// <summary>
    /// No zone has this name, or several could be meant ("IST", "EST"). A person must choose.
    /// </summary>
    /// <param name="Name">The name as given, cut after 255 characters.</param>
    /// <param name="Suggestions">
    /// Canonical names a person may have meant, likeliest first; at most five, maybe none.
    /// </param>
    public sealed record Unknown(string Name, ImmutableArray<string> Suggestions) : ZoneResolution
    {
        /// <summary>Whether both carry the same name and the same suggestions in the same order.</summary>
        public bool Equals(Unknown? other) =>
            other is not null
            && string.Equals(Name, other.Name, StringComparison.Ordinal)
            && Suggestions.SequenceEqual(other.Suggestions, StringComparer.Ordinal);

        /// <summary>Hash of the name.</summary>
        public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Name);
    }
}
