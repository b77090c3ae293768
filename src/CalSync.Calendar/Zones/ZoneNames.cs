using System.Collections.Frozen;
using NodaTime;
using NodaTime.TimeZones;

namespace CalSync.Calendar.Zones;

/// <summary>The names zones go by: canonical, renamed, Windows, behind vendor prefixes.</summary>
internal static class ZoneNames
{
    private const int NameLengthMax = 255;

    private const string OutlookPrefix = "tzone://Microsoft/";

    // Names with rules in tzdata that a person may mean otherwise, and tzdata's placeholder without rules.
    private static readonly FrozenSet<string> NotAZone =
        new[] { "EST", "MST", "HST", "Factory" }
            .ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, CalendarZone> ByName = ReadNames();

    private static readonly FrozenDictionary<string, CalendarZone> ByWindowsName = ReadWindowsNames();

    /// <summary>See <see cref="CalendarZone.Resolve(string?)"/>.</summary>
    public static ZoneResolution Resolve(string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            return new ZoneResolution.Unknown("", []);
        }

        if (name.Length > NameLengthMax)
        {
            return new ZoneResolution.Unknown(name[..NameLengthMax], []);
        }

        if (Plain(name) is { } plain)
        {
            return plain;
        }

        return BehindPrefix(name) is { } zone
            ? new ZoneResolution.Found(zone, ZoneMatch.VendorPrefix)
            : new ZoneResolution.Unknown(name, ZoneSuggestions.For(name, ByName));
    }

    private static ZoneResolution.Found? Plain(string name)
    {
        if (ByName.TryGetValue(name, out var zone))
        {
            var exact = string.Equals(zone.Id, name, StringComparison.Ordinal);
            return new ZoneResolution.Found(zone, exact ? ZoneMatch.Exact : ZoneMatch.Alias);
        }

        return ByWindowsName.TryGetValue(name, out zone)
            ? new ZoneResolution.Found(zone, ZoneMatch.Windows)
            : null;
    }

    /// <summary>Tries what follows each slash of a globally unique TZID, the longest rest first.</summary>
    private static CalendarZone? BehindPrefix(string name)
    {
        if (name.StartsWith(OutlookPrefix, StringComparison.OrdinalIgnoreCase))
        {
            return Plain(name[OutlookPrefix.Length..])?.Zone;
        }

        if (name[0] != '/')
        {
            return null;
        }

        // The first segment names the vendor, so a rest that begins there is never a zone.
        for (var slash = name.IndexOf('/', 1); slash >= 0; slash = name.IndexOf('/', slash + 1))
        {
            if (Plain(name[(slash + 1)..]) is { } found)
            {
                return found.Zone;
            }
        }

        return null;
    }

    private static FrozenDictionary<string, CalendarZone> ReadNames()
    {
        var tzdb = DateTimeZoneProviders.Tzdb;
        var ids = tzdb.Ids.Where(id => !NotAZone.Contains(id)).ToHashSet(StringComparer.Ordinal);
        var names = new Dictionary<string, CalendarZone>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in ZoneAliasTable.Text.Split('\n', StringSplitOptions.TrimEntries))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var canonical = line[..colon];
            var aliases = line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);

            // A tzdata older than the rename knows the rules under the old name only.
            var known = ids.Contains(canonical) ? canonical : Array.Find(aliases, ids.Contains);
            if (known is null)
            {
                continue;
            }

            if (!names.TryGetValue(canonical, out var zone))
            {
                zone = canonical == CalendarZone.Utc.Id
                    ? CalendarZone.Utc
                    : new CalendarZone(canonical, tzdb[known]);
                names.Add(canonical, zone);
            }

            foreach (var alias in aliases)
            {
                names.TryAdd(alias, zone);
            }
        }

        foreach (var id in ids)
        {
            if (!names.ContainsKey(id))
            {
                names.Add(id, new CalendarZone(id, tzdb[id]));
            }
        }

        return names.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }

    private static FrozenDictionary<string, CalendarZone> ReadWindowsNames()
    {
        var primary = TzdbDateTimeZoneSource.Default.WindowsMapping.PrimaryMapping;
        return primary.Where(pair => ByName.ContainsKey(pair.Value) && !ByName.ContainsKey(pair.Key))
            .ToFrozenDictionary(
                pair => pair.Key, pair => ByName[pair.Value], StringComparer.OrdinalIgnoreCase);
    }
}
