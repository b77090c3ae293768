using System.Collections.Immutable;
using CalSync.Calendar.Zones;
using NodaTime;

namespace CalSync.Calendar;

/// <summary>A time zone with IANA rules, identified by its canonical name.</summary>
/// <remarks>
/// Two zones are equal when they are one zone under two names (Asia/Calcutta and Asia/Kolkata). Names are
/// compared by CLDR's rename aliases only: Europe/Oslo and Europe/Berlin stay different, although tzdata
/// merged their rules. The only ways to get one are <see cref="Resolve"/> and <see cref="Utc"/>, so an
/// instance always has rules.
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

    /// <summary>Offsets and transitions.</summary>
    internal DateTimeZone Rules { get; }

    /// <summary>The same as a table, made when it is first needed.</summary>
    internal OffsetTable Offsets => field ??= new OffsetTable(Rules);

    /// <summary>Finds the zone a name means. Never falls back to another zone.</summary>
    /// <param name="name">
    /// An IANA name in any letter case, a name IANA has renamed, a Windows name ("India Standard Time"), or
    /// any of these behind a vendor's prefix ("/freeassociation.sourceforge.net/Tzfile/Europe/Oslo"). RFC
    /// 5545 section 3.8.3.1. Null, empty and longer than 255 characters are unknown.
    /// </param>
    public static ZoneResolution Resolve(string? name) => ZoneNames.Resolve(name);

    /// <summary>Whether <paramref name="otherName"/> means this zone. False for unknown names.</summary>
    public bool SameZoneAs(string? otherName) =>
        Resolve(otherName) is ZoneResolution.Found found && found.Zone == this;

    /// <summary>Whether both are one zone, by canonical name.</summary>
    public bool Equals(CalendarZone? other) =>
        other is not null && string.Equals(Id, other.Id, StringComparison.Ordinal);

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
