using System.Buffers.Binary;

namespace CalSync.Sync;

/// <summary>Makes identifiers: a prefix, the millisecond, and 80 random bits.</summary>
/// <remarks>
/// <c>cls_06n3k2…</c>: 26 base32hex digits (RFC 4648 section 7, lower case, no padding) that sort by creation
/// time. The clock and the random source are injected, so one seed gives one sequence. Thread-safe.
/// </remarks>
/// <param name="clock">Gives the 48-bit millisecond part.</param>
/// <param name="random">Gives the 80-bit random part; seeded in simulation, cryptographically seeded in
/// production.</param>
public sealed class IdSource(TimeProvider clock, Random random)
{
    private const string Digits = "0123456789abcdefghijklmnopqrstuv";
    private readonly Lock _gate = new();

    /// <summary>Gives a new id.</summary>
    /// <param name="prefix">Lower-case kind, such as <c>cls</c>; the answer is <c>prefix_digits</c>.</param>
    public string Next(string prefix)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(bytes, clock.GetUtcNow().ToUnixTimeMilliseconds() << 16);
        lock (_gate)
            random.NextBytes(bytes[6..]);
        return $"{prefix}_{Encode(bytes)}";
    }

    /// <summary>Writes bytes as base32hex digits, lower case and unpadded (RFC 4648 section 7).</summary>
    /// <param name="bytes">At most 64 bytes.</param>
    /// <returns>Five bits a digit, the last digit padded with zero bits.</returns>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        Span<char> text = stackalloc char[(bytes.Length * 8 + 4) / 5];
        var (bits, count, at) = (0, 0, 0);
        foreach (var value in bytes)
        {
            bits = (bits << 8) | value;
            for (count += 8; count >= 5; count -= 5)
                text[at++] = Digits[(bits >> (count - 5)) & 31];
            bits &= (1 << count) - 1;
        }

        if (count > 0)
            text[at] = Digits[(bits << (5 - count)) & 31];
        return new string(text);
    }
}
