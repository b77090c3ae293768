using System.Collections.Immutable;
using System.Globalization;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Calendar.Tests.Comparison;

/// <summary>
/// What a resource means, as a person would list it: one text per slot. The same model is written in many
/// ways that mean the same, and merged by a rule that is obviously right.
/// </summary>
/// <param name="Slots">
/// SUMMARY, LOCATION, PRIORITY, WHEN (hour and minutes), OVERRIDE (its summary), and members of sets:
/// "CATEGORIES x", "EXDATE 3", "VALARM 15", "ATTENDEE a" with status and name.
/// </param>
internal sealed record ResourceModel(ImmutableSortedDictionary<string, string> Slots)
{
    private static readonly string[] Words = ["one", "two; or, more", "three\nlines", "vier: \"\\x\""];

    public static ResourceModel Random(Random random)
    {
        var slots = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        slots["WHEN"] = Value(random, "WHEN");
        foreach (var slot in AllSlots.Where(_ => random.Next(3) > 0))
            slots[slot] = Value(random, slot);
        return new ResourceModel(slots.ToImmutable());
    }

    /// <summary>The same with up to four slots changed, added or removed.</summary>
    public ResourceModel Edited(Random random)
    {
        var slots = Slots;
        for (var count = random.Next(5); count > 0; count--)
        {
            var slot = AllSlots[random.Next(AllSlots.Length)];
            slots = random.Next(3) == 0 && slot != "WHEN"
                ? slots.Remove(slot)
                : slots.SetItem(slot, Value(random, slot));
        }

        return new ResourceModel(slots);
    }

    /// <summary>The merge, slot by slot; in a conflict the left.</summary>
    public static (ResourceModel Merged, int Conflicts) Merge(
        ResourceModel before, ResourceModel left, ResourceModel right)
    {
        var conflicts = 0;
        string? One(string? b, string? l, string? r)
        {
            conflicts += l == r || b == l || b == r ? 0 : 1;
            return l == r || b == r ? l : b == l ? r : l;
        }

        var slots = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var slot in AllSlots)
        {
            var (b, l, r) = (before.Slot(slot), left.Slot(slot), right.Slot(slot));
            var isOneByOne = slot.StartsWith("ATTENDEE", StringComparison.Ordinal)
                && l is not null && r is not null;
            var merged = isOneByOne
                ? $"{One(Part(b, 0), Part(l, 0), Part(r, 0))}|{One(Part(b, 1), Part(l, 1), Part(r, 1))}"
                : One(b, l, r);
            if (merged is not null)
                slots[slot] = merged;
        }

        return (new ResourceModel(slots.ToImmutable()), conflicts);
    }

    /// <summary>Writes it in one of many ways.</summary>
    public CalendarDocument Write(Random layout)
    {
        var lines = Slots.Keys.SelectMany(slot => Lines(slot, Slots[slot], layout))
            .Concat(Sets(layout)).OrderBy(_ => layout.Next()).SelectMany(line => line.Split('\n')).ToList();
        string[] master =
        [
            "BEGIN:VEVENT", "UID:class\\,1", $"DTSTAMP:2026010{layout.Next(1, 9)}T000000Z", .. lines,
            "RRULE:" + Pick(layout, "FREQ=DAILY;COUNT=20", "COUNT=20;INTERVAL=1;FREQ=DAILY"), "END:VEVENT",
        ];
        string[] changed = Slot("OVERRIDE") is not { } summary ? [] :
        [
            "BEGIN:VEVENT", "UID:class\\,1", "SUMMARY:" + TextValue.Escape(summary),
            $"RECURRENCE-ID;TZID={Pick(layout, "Asia/Kolkata", "Asia/Calcutta")}:20260305T090000",
            "DTSTART:20260305T040000Z", "END:VEVENT",
        ];
        string[] calendar = layout.Next(2) == 0 ? [.. master, .. changed] : [.. changed, .. master];
        return CalendarDocument.Parse(string.Join(
            Pick(layout, "\r\n", "\n"),
            (string[])["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:" + layout.Next(9), .. calendar,
                "END:VCALENDAR", ""]));
    }

    public override string ToString() =>
        string.Join(", ", Slots.Select(slot => $"{slot.Key}={slot.Value.ReplaceLineEndings("/")}"));

    private static readonly string[] AllSlots =
    [
        "SUMMARY", "LOCATION", "PRIORITY", "WHEN", "OVERRIDE",
        .. new[] { "a", "b", "c" }.Select(name => "ATTENDEE " + name),
        .. new[] { "x", "y", "z,\\" }.Select(name => "CATEGORIES " + name),
        .. new[] { "3", "4", "5" }.Select(day => "EXDATE " + day),
        .. new[] { "5", "15" }.Select(minutes => "VALARM " + minutes),
    ];

    private static string Value(Random random, string slot) => slot.Split(' ')[0] switch
    {
        "WHEN" => $"{random.Next(8, 12)}|{30 * random.Next(1, 4)}",
        "PRIORITY" => random.Next(1, 9).ToString(CultureInfo.InvariantCulture),
        "ATTENDEE" =>
            Pick(random, "NEEDS-ACTION", "ACCEPTED", "DECLINED") + "|" + Pick(random, "Ann", "Bo;b"),
        "SUMMARY" or "LOCATION" or "OVERRIDE" => Pick(random, Words),
        _ => "is",
    };

    private static string Pick(Random random, params string[] words) => words[random.Next(words.Length)];

    /// <summary>Status or name; an attendee that is not there has not answered.</summary>
    private static string? Part(string? value, int part) =>
        value is null && part == 0 ? "NEEDS-ACTION" : value?.Split('|')[part];

    private string? Slot(string slot) => Slots.GetValueOrDefault(slot);

    private static IEnumerable<string> Lines(string slot, string value, Random layout)
    {
        var parts = value.Split('|');
        switch (slot.Split(' '))
        {
            case ["SUMMARY" or "LOCATION"]:
                return [Pick(layout, slot, slot.ToLowerInvariant()) + ":" + TextValue.Escape(value)];
            case ["PRIORITY"]:
                return [$"PRIORITY:{Pick(layout, "", "+")}{value}"];
            case ["WHEN"]:
                var (hour, minutes) = (int.Parse(parts[0], null), int.Parse(parts[1], null));
                var zone = Pick(layout, "Asia/Kolkata", "Asia/Calcutta", "India Standard Time");
                return
                [
                    $"DTSTART;TZID={zone}:20260302T{hour:00}0000",
                    layout.Next(2) == 0
                        ? $"DURATION:PT{minutes}M"
                        : $"DTEND;TZID={zone}:20260302T{hour + (minutes / 60):00}{minutes % 60:00}00",
                ];
            case ["ATTENDEE", var name]:
                var status = parts[0] == "NEEDS-ACTION" && layout.Next(2) == 0
                    ? ""
                    : $";PARTSTAT={parts[0]}";
                var role = Pick(layout, "", ";ROLE=REQ-PARTICIPANT", ";RSVP=FALSE;CUTYPE=individual");
                var common = $";CN=\"{parts[1]}\"";
                var address = Pick(layout, $"mailto:{name}@x", $"MAILTO:{name.ToUpperInvariant()}@X");
                return [$"ATTENDEE{Pick(layout, status + common, common + status)}{role}:{address}"];
            case ["VALARM", var before]:
                var trigger = Pick(layout, $"-PT{before}M", $"-P0DT0H{before}M0S");
                return [$"BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:{trigger}\nDESCRIPTION:!\nEND:VALARM"];
            default:
                return [];
        }
    }

    /// <summary>Members of CATEGORIES and EXDATE, spread over any number of lines.</summary>
    private IEnumerable<string> Sets(Random layout)
    {
        foreach (var (name, head) in new[] { ("CATEGORIES", ""), ("EXDATE", ";TZID=Asia/Kolkata") })
        {
            var members = Slots.Keys.Where(slot => slot.StartsWith(name, StringComparison.Ordinal))
                .Select(slot => slot[(name.Length + 1)..])
                .Select(member => head.Length == 0
                    ? TextValue.Escape(member)
                    : $"2026030{member}T090000")
                .OrderBy(_ => layout.Next()).GroupBy(_ => layout.Next(2));
            foreach (var line in members)
                yield return $"{name}{head}:{string.Join(',', line)}";
        }
    }
}
