using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace CalSync.Lab.Bench;

/// <summary>A rule to expand: a resource with one event, and where to stop.</summary>
/// <param name="Id">What it is called.</param>
/// <param name="Octets">The resource.</param>
/// <param name="End">Instances from here on do not count.</param>
internal sealed record CalendarRule(string Id, byte[] Octets, DateTimeOffset End)
{
    public long EndUnixSeconds { get; } = End.ToUnixTimeSeconds();
}

/// <summary>What is read: realistic resources and recurrence rules.</summary>
/// <param name="Resources">One calendar object each.</param>
/// <param name="Rules">One recurring event each.</param>
internal sealed record CalendarCorpus(IReadOnlyList<byte[]> Resources, IReadOnlyList<CalendarRule> Rules)
{
    private const int Seed = 20261121;
    private const string BerlinRules = """
        BEGIN:VTIMEZONE
        TZID:Europe/Berlin
        BEGIN:DAYLIGHT
        TZOFFSETFROM:+0100
        TZOFFSETTO:+0200
        DTSTART:19700329T020000
        RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
        END:DAYLIGHT
        BEGIN:STANDARD
        TZOFFSETFROM:+0200
        TZOFFSETTO:+0100
        DTSTART:19701025T030000
        RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
        END:STANDARD
        END:VTIMEZONE
        """;

    private static readonly string[] Words =
        "lesson pilates reformer studio group teacher room term trial Übung Straße café 会議 проверка"
            .Split(' ');

    private static readonly (string Rule, int EndYear)[] OwnRules =
    [
        ("FREQ=DAILY", 2027), ("FREQ=DAILY;INTERVAL=3", 2032), ("FREQ=DAILY;COUNT=500", 2099),
        ("FREQ=DAILY;UNTIL=20261231T080000Z", 2099), ("FREQ=WEEKLY;BYDAY=MO,WE,FR", 2031),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,TH", 2043), ("FREQ=MONTHLY;BYMONTHDAY=-1", 2074),
        ("FREQ=MONTHLY;BYDAY=-1FR", 2074), ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,3,-2", 2044),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", 2099), ("FREQ=YEARLY;BYYEARDAY=1,100,200,-1", 2099),
        ("FREQ=YEARLY;BYWEEKNO=1,20,53;BYDAY=MO", 2099),
    ];

    /// <summary>Number of octets of all resources.</summary>
    public long OctetCount { get; } = Resources.Sum(each => (long)each.Length);

    /// <summary>Reads what the shared generators wrote.</summary>
    /// <param name="pack">Resources, each after its length as four octets, the lowest first.</param>
    /// <param name="rules">JSON: <c>id</c>, <c>ics</c> and <c>end</c> of each rule.</param>
    public static CalendarCorpus Load(string pack, string rules)
    {
        var resources = Unpack(pack);
        using var json = JsonDocument.Parse(File.ReadAllText(rules));
        return new CalendarCorpus(resources,
        [
            .. json.RootElement.EnumerateArray().Select(rule => new CalendarRule(
                rule.GetProperty("id").GetString()!,
                Encoding.UTF8.GetBytes(rule.GetProperty("ics").GetString()!),
                DateTimeOffset.ParseExact(
                    rule.GetProperty("end").GetString()!, "yyyyMMdd'T'HHmmss'Z'",
                    CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal))),
        ]);
    }

    /// <summary>Reads the resources of a pack.</summary>
    public static IReadOnlyList<byte[]> Unpack(string pack)
    {
        var resources = new List<byte[]>();
        var all = File.ReadAllBytes(pack).AsSpan();
        for (var length = 0; all.Length > 0; all = all[(4 + length)..])
        {
            length = BinaryPrimitives.ReadInt32LittleEndian(all);
            resources.Add(all.Slice(4, length).ToArray());
        }

        return resources;
    }

    /// <summary>Makes the like when the generators are not here. The same on every run.</summary>
    public static CalendarCorpus Generate(int count)
    {
        var random = new Random(Seed);
        return new CalendarCorpus(
            [.. Enumerable.Range(0, count).Select(number => Resource(random, number))],
            [
                .. OwnRules.Select((rule, number) => new CalendarRule(
                    $"own-{number}", Lines(RuleEvent(rule.Rule, number)),
                    new DateTimeOffset(rule.EndYear, 1, 1, 0, 0, 0, TimeSpan.Zero))),
            ]);
    }

    private static IEnumerable<string> RuleEvent(string rule, int number) =>
    [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN", .. BerlinRules.Split('\n'), "BEGIN:VEVENT",
        $"UID:own-{number}", "DTSTAMP:20240101T000000Z", "DTSTART;TZID=Europe/Berlin:20240101T090000",
        $"RRULE:{rule}", "END:VEVENT", "END:VCALENDAR",
    ];

    private static byte[] Resource(Random random, int number)
    {
        var start = new DateTime(2024, 1, 1, 9, 0, 0).AddDays(random.Next(1000));
        var timed = random.Next(10) > 0;
        var attendees = random.Next(10) < 6 ? random.Next(1, 9) : 0;
        return Lines(
        [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN", "CALSCALE:GREGORIAN",
            .. timed ? BerlinRules.Split('\n') : [],
            "BEGIN:VEVENT", $"UID:{random.Next():x8}-{number:D5}@bench.example",
            $"DTSTAMP:{start:yyyyMMdd'T'HHmmss}Z", Time("DTSTART", start, timed),
            Time("DTEND", timed ? start.AddHours(1) : start.AddDays(1), timed), $"SUMMARY:{Text(random, 4)}",
            $"DESCRIPTION:{Text(random, random.Next(60))}", "LOCATION:Studio 4\\, Main St. 7\\; 2nd floor",
            "STATUS:CONFIRMED", "TRANSP:OPAQUE", "CATEGORIES:Work,School",
            .. random.Next(5) == 0 ? ["RRULE:FREQ=WEEKLY;COUNT=12"] : Array.Empty<string>(),
            .. Enumerable.Range(0, attendees).Select(guest =>
                "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=TRUE;"
                + $"CN=\"Guest {guest}\":mailto:guest.{guest}@example.com"),
            $"X-BENCH-COLOR;X-PARAM=1:#{number:x6}", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M",
            "DESCRIPTION:Soon", "END:VALARM", "END:VEVENT", "END:VCALENDAR",
        ]);
    }

    private static string Time(string name, DateTime time, bool timed) => timed
        ? $"{name};TZID=Europe/Berlin:{time:yyyyMMdd'T'HHmmss}"
        : $"{name};VALUE=DATE:{time:yyyyMMdd}";

    private static string Text(Random random, int words) => string.Join(
        ' ', Enumerable.Range(0, words).Select(_ =>
            Words[random.Next(Words.Length)] + (random.Next(4) == 0 ? "\\," : "")));

    /// <summary>The lines, folded, each with CRLF.</summary>
    private static byte[] Lines(IEnumerable<string> lines)
    {
        var all = new MemoryStream();
        foreach (var octets in lines.Select(line => Encoding.UTF8.GetBytes(line.TrimEnd('\r'))))
        {
            var rest = octets.AsSpan();
            for (var room = 75; rest.Length > room; room = 74)
            {
                var length = room;
                while ((rest[length] & 0xC0) == 0x80)
                    length--;
                all.Write(rest[..length]);
                all.Write("\r\n "u8);
                rest = rest[length..];
            }

            all.Write(rest);
            all.Write("\r\n"u8);
        }

        return all.ToArray();
    }
}
