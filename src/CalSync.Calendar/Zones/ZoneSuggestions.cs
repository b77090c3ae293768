using System.Collections.Frozen;
using System.Collections.Immutable;

namespace CalSync.Calendar.Zones;

/// <summary>Guesses for a person who gave a name no zone has. Only ever shown, never applied.</summary>
internal static class ZoneSuggestions
{
    private const int CountMax = 5;

    private static readonly FrozenDictionary<string, string[]> Meanings = new Dictionary<string, string[]>
    {
        ["IST"] = ["Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"],
        ["EST"] = ["America/New_York", "America/Panama", "Australia/Sydney"],
        ["EDT"] = ["America/New_York", "Australia/Sydney"],
        ["ET"] = ["America/New_York"],
        ["CST"] = ["America/Chicago", "Asia/Shanghai", "America/Havana"],
        ["CDT"] = ["America/Chicago", "America/Havana"],
        ["CT"] = ["America/Chicago"],
        ["MST"] = ["America/Denver", "America/Phoenix"],
        ["MDT"] = ["America/Denver"],
        ["MT"] = ["America/Denver", "America/Phoenix"],
        ["PST"] = ["America/Los_Angeles", "Asia/Manila"],
        ["PDT"] = ["America/Los_Angeles"],
        ["PT"] = ["America/Los_Angeles"],
        ["AKST"] = ["America/Anchorage"],
        ["HST"] = ["Pacific/Honolulu", "America/Adak"],
        ["AST"] = ["America/Halifax", "Asia/Riyadh"],
        ["BST"] = ["Europe/London", "Asia/Dhaka", "Pacific/Bougainville"],
        ["CEST"] = ["Europe/Paris", "Europe/Berlin", "Europe/Madrid"],
        ["EEST"] = ["Europe/Athens", "Europe/Kyiv", "Africa/Cairo"],
        ["WEST"] = ["Europe/Lisbon"],
        ["MSK"] = ["Europe/Moscow"],
        ["PKT"] = ["Asia/Karachi"],
        ["NPT"] = ["Asia/Kathmandu"],
        ["SGT"] = ["Asia/Singapore"],
        ["HKT"] = ["Asia/Hong_Kong"],
        ["JST"] = ["Asia/Tokyo"],
        ["KST"] = ["Asia/Seoul"],
        ["GST"] = ["Asia/Dubai", "Atlantic/South_Georgia"],
        ["AEST"] = ["Australia/Sydney", "Australia/Brisbane"],
        ["AEDT"] = ["Australia/Sydney"],
        ["ACST"] = ["Australia/Adelaide", "Australia/Darwin"],
        ["AWST"] = ["Australia/Perth"],
        ["NZST"] = ["Pacific/Auckland"],
        ["NZDT"] = ["Pacific/Auckland"],
        ["SAST"] = ["Africa/Johannesburg"],
        ["EAT"] = ["Africa/Nairobi"],
        ["CAT"] = ["Africa/Maputo"],
        ["WAT"] = ["Africa/Lagos"],
        ["BRT"] = ["America/Sao_Paulo"],
        ["ART"] = ["America/Argentina/Buenos_Aires"],
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Canonical names, likeliest first, at most five.</summary>
    /// <param name="name">An unknown name, not empty.</param>
    /// <param name="zones">Every known name.</param>
    public static ImmutableArray<string> For(string name, FrozenDictionary<string, CalendarZone> zones)
    {
        if (Meanings.TryGetValue(name.Trim(), out var known))
        {
            return [.. known.Where(zones.ContainsKey).Select(meaning => zones[meaning].Id)];
        }

        var wanted = Simplify(name);
        if (wanted.Length < 3)
        {
            return [];
        }

        var slack = wanted.Length < 6 ? 1 : 2;
        return
        [
            .. zones.Select(pair => (pair.Value.Id, Distance: Distance(wanted, Simplify(pair.Key), slack)))
                .Where(candidate => candidate.Distance <= slack)
                .GroupBy(candidate => candidate.Id, candidate => candidate.Distance, StringComparer.Ordinal)
                .OrderBy(group => group.Min())
                .ThenBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => group.Key)
                .Take(CountMax),
        ];
    }

    /// <summary>The fewer edits of: to the whole name, to its city.</summary>
    private static int Distance(string wanted, string name, int slack)
    {
        var city = name[(name.LastIndexOf('/') + 1)..];
        return Math.Min(Edits(wanted, name, slack), Edits(wanted, city, slack));
    }

    private static string Simplify(string name) =>
        name.Trim().Replace(' ', '_').ToLowerInvariant();

    /// <summary>Levenshtein distance, or any number over <paramref name="slack"/> when it is more.</summary>
    private static int Edits(string left, string right, int slack)
    {
        if (Math.Abs(left.Length - right.Length) > slack)
        {
            return slack + 1;
        }

        var previous = new int[right.Length + 1];
        var current = new int[right.Length + 1];
        for (var column = 0; column <= right.Length; column++)
        {
            previous[column] = column;
        }

        for (var row = 1; row <= left.Length; row++)
        {
            current[0] = row;
            for (var column = 1; column <= right.Length; column++)
            {
                var replaced = previous[column - 1] + (left[row - 1] == right[column - 1] ? 0 : 1);
                current[column] = Math.Min(replaced, 1 + Math.Min(previous[column], current[column - 1]));
            }

            (previous, current) = (current, previous);
        }

        return previous[right.Length];
    }
}
