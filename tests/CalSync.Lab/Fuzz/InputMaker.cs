using System.Buffers;
using System.Text;

namespace CalSync.Lab.Fuzz;

/// <summary>Makes spoiled calendar streams out of good ones.</summary>
/// <remarks>
/// An input follows from the streams, the seed and its number alone, so that each can be made again without
/// those before it.
/// </remarks>
/// <param name="corpus">The streams to spoil, at least one of them not empty, in a fixed order.</param>
/// <param name="seed">Another seed gives other inputs.</param>
internal sealed class InputMaker(IReadOnlyList<byte[]> corpus, int seed)
{
    /// <summary>Most octets of one input.</summary>
    public const int LengthMax = 256 * 1024;

    private const byte LineFeed = (byte)'\n';

    private static readonly string[] Numbers =
    [
        "0", "-1", "00000000000000000001", "65536", "2147483647", "2147483648", "-2147483648", "4294967296",
        "9223372036854775807", "99999999999999999999999999", "1e308", "0.0000000000000000000000001",
    ];

    private static readonly string[] Values =
    [
        "00010101T000000Z", "99991231T235959Z", "99991231", "20260229", "20261301T250061", "20161231T235960Z",
        "P2147483647W", "-P99999999DT23H59M59S", "PT0S", "20260308T090000Z/PT1H", "20260308T090000Z/19700101",
        "+2359", "-235959", "+9999", "-0000", "FREQ=SECONDLY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MINUTELY;BYSETPOS=-366;BYHOUR=23", "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;INTERVAL=9999",
        "FREQ=HOURLY;INTERVAL=2147483647", "FREQ=YEARLY;BYEASTER=0", "FREQ=DAILY;UNTIL=00010101T000000Z",
        "RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD;BYMONTHDAY=31", "RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=5L",
        "FREQ=MONTHLY;COUNT=2147483647;BYDAY=5MO,-5SU", "91;181", "\\", "\\,\\;\\n\\N\\x", ",", ";", ":",
        "\"",
        "^n^'^^^", "AQID====", "mailto:", "2.0;ok;;", "-PT15M", "TRUE",
    ];

    private static readonly string[] Lines =
    [
        "RRULE:FREQ=SECONDLY;BYSECOND=61", "RRULE:FREQ=DAILY;BYDAY=MO,TU;BYSETPOS=1", "EXRULE:FREQ=DAILY",
        "RDATE;VALUE=PERIOD:20260308T090000Z/P9999D,20260308T090000Z/PT1S", "EXDATE;VALUE=DATE:20260308",
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20260308T090000Z", "RECURRENCE-ID;VALUE=DATE:99991231",
        "DTSTART:99991231T235959Z", "DTSTART;TZID=X:00010101T000000", "DTEND;VALUE=DATE:00010101",
        "DTSTART;TZID=Europe/Berlin:20260329T023000", "DURATION:P99999999W", "DURATION:-PT1S",
        "TZOFFSETFROM:+2359", "TZOFFSETTO:-235959", "TZID:Europe/Berlin", "X-LIC-LOCATION:Europe/Berlin",
        "BEGIN:VTIMEZONE", "BEGIN:STANDARD", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "TRIGGER:-P1W",
        "D;ENCODING=QUOTED-PRINTABLE:a=", "X;P=\"a:b", ";=:", ":", "\uFEFFBEGIN:VCALENDAR", "UID:1",
    ];

    private static readonly byte[][] BrokenUtf8 =
    [
        [0xC3], [0xFF, 0xFE], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80], [0xC0, 0xAF],
        [0xF0, 0x9F],
        [0xEF, 0xBB, 0xBF], [0x00],
    ];

    private readonly byte[][] _corpus = [.. corpus.Where(file => file.Length > 0)];

    /// <summary>One input.</summary>
    /// <param name="number">Which, from 0.</param>
    /// <param name="random">Goes on behind the input's own choices, for those of the trial.</param>
    public byte[] Make(int number, out Random random)
    {
        var chance = new Random(unchecked((seed * 1_000_003) ^ number));
        var input = Any(_corpus, chance);
        for (var count = chance.Next(1, 5); count > 0; count--)
        {
            input = Spoil(input, chance);
            if (input.Length > LengthMax)
                input = input[..LengthMax];
        }

        random = chance;
        return input;
    }

    private byte[] Spoil(byte[] input, Random chance) => chance.Next(11) switch
    {
        0 => FlipOctets(input, chance),
        1 => [.. input[..LineStart(input, chance)], .. Tail(Any(_corpus, chance), chance)],
        2 => RepeatLine(input, chance),
        3 => DropLines(input, chance),
        4 => ReplaceNumber(input, chance),
        5 => Nest(input, chance),
        6 => Insert(input, chance.Next(input.Length + 1), Any(BrokenUtf8, chance)),
        7 => Fold(input, chance),
        8 => LengthenList(input, chance),
        9 => ReplaceValue(input, chance),
        _ => Insert(input, LineStart(input, chance), Encoding.UTF8.GetBytes(Any(Lines, chance) + "\r\n")),
    };

    private static byte[] FlipOctets(byte[] input, Random chance)
    {
        var changed = input.ToArray();
        for (var count = chance.Next(1, 16); count > 0 && changed.Length > 0; count--)
        {
            ref var octet = ref changed[chance.Next(changed.Length)];
            octet = chance.Next(2) == 0
                ? (byte)(octet ^ (1 << chance.Next(8)))
                : "\r\n :;\"=^,\\\0\t-09ZTP"u8[chance.Next(18)];
        }

        return changed;
    }

    private static byte[] Tail(byte[] file, Random chance) => file[LineStart(file, chance)..];

    private static byte[] RepeatLine(byte[] input, Random chance)
    {
        var (start, end) = Line(input, chance);
        return Insert(input, end, Repeated(input[start..end], chance.Next(1, 3_000)));
    }

    private static byte[] DropLines(byte[] input, Random chance)
    {
        for (var count = chance.Next(1, 6); count > 0; count--)
        {
            var (start, end) = Line(input, chance);
            input = [.. input[..start], .. input[end..]];
        }

        return input;
    }

    private static byte[] ReplaceNumber(byte[] input, Random chance)
    {
        var from = chance.Next(input.Length + 1);
        var start = input.AsSpan(from..).IndexOfAnyInRange((byte)'0', (byte)'9');
        if (start < 0)
            return input;
        start += from;
        var rest = input.AsSpan(start..).IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        return
        [
            .. input[..start], .. Encoding.UTF8.GetBytes(Any(Numbers, chance)),
            .. rest < 0 ? [] : input[(start + rest)..],
        ];
    }

    private static byte[] Nest(byte[] input, Random chance)
    {
        var name = Any(["VEVENT", "VTIMEZONE", "STANDARD", "VALARM", "VCALENDAR", "X"], chance);
        var depth = chance.Next(1, 8_000);
        var at = LineStart(input, chance);
        var opened = Repeated(Encoding.UTF8.GetBytes($"BEGIN:{name}\r\n"), depth);
        var closed = Repeated(Encoding.UTF8.GetBytes($"END:{name}\r\n"), chance.Next(2) * depth);
        return [.. input[..at], .. opened, .. closed, .. input[at..]];
    }

    private static byte[] Fold(byte[] input, Random chance)
    {
        var end = Any(["\r\n ", "\n\t", "\r\n\t ", "\r ", "\r\r\n "], chance);
        var isWhole = chance.Next(4) == 0;
        var (start, stop) = Line(input, chance);
        var writer = new ArrayBufferWriter<byte>(input.Length + 256);
        for (var index = 0; index < input.Length; index++)
        {
            if (isWhole ? index > start && index < stop - 2 : chance.Next(input.Length) < 20)
                writer.Write(Encoding.UTF8.GetBytes(end));
            writer.Write(input.AsSpan(index, 1));
        }

        return writer.WrittenSpan.ToArray();
    }

    private static byte[] LengthenList(byte[] input, Random chance)
    {
        var (value, end) = Value(input, chance);
        byte[] item = chance.Next(4) == 0 ? [(byte)','] : [(byte)',', .. input[value..end]];
        return Insert(input, end, Repeated(item, chance.Next(1, 20_000)));
    }

    private static byte[] ReplaceValue(byte[] input, Random chance)
    {
        var (value, end) = Value(input, chance);
        return [.. input[..value], .. Encoding.UTF8.GetBytes(Any(Values, chance)), .. input[end..]];
    }

    /// <summary>Where the value of some line begins and where its line end begins.</summary>
    private static (int Start, int End) Value(byte[] input, Random chance)
    {
        var (start, end) = Line(input, chance);
        var colon = input.AsSpan(start..end).IndexOf((byte)':');
        var (from, to) = (start + colon + 1, start + input.AsSpan(start..end).TrimEnd("\r\n"u8).Length);
        return from <= to ? (from, to) : (start, start);
    }

    /// <summary>Some line with its end; both the same in an empty input.</summary>
    private static (int Start, int End) Line(byte[] input, Random chance)
    {
        var start = LineStart(input, chance);
        var length = input.AsSpan(start..).IndexOf(LineFeed) + 1;
        return (start, length == 0 ? input.Length : start + length);
    }

    private static int LineStart(byte[] input, Random chance) =>
        input.AsSpan(0, chance.Next(input.Length + 1)).LastIndexOf(LineFeed) + 1;

    private static byte[] Insert(byte[] input, int at, byte[] octets) =>
        [.. input[..at], .. octets, .. input[at..]];

    private static byte[] Repeated(byte[] octets, int count)
    {
        var writer = new ArrayBufferWriter<byte>();
        for (; count > 0 && writer.WrittenCount < LengthMax; count--)
            writer.Write(octets);
        return writer.WrittenSpan.ToArray();
    }

    private static T Any<T>(T[] choices, Random chance) => choices[chance.Next(choices.Length)];
}
