using System.Buffers.Binary;
using System.Security.Cryptography;

namespace CalSync.App;

/// <summary>Chance from the system's cryptographic generator: nobody who saw earlier ids can tell the
/// next.</summary>
/// <remarks>Thread-safe. Rehearsals use a seeded <see cref="Random"/> in its place.</remarks>
internal sealed class UnguessableRandom() : Random(0)
{
    private const int DrawSize = 1024;

    // The generator takes as long for ten octets as for hundreds.
    [ThreadStatic]
    private static byte[]? _drawn;

    [ThreadStatic]
    private static int _left;

    /// <inheritdoc/>
    public override int Next() => RandomNumberGenerator.GetInt32(int.MaxValue);

    /// <inheritdoc/>
    public override int Next(int maxValue) => Next(0, maxValue);

    /// <inheritdoc/>
    public override int Next(int minValue, int maxValue) =>
        minValue == maxValue ? minValue : RandomNumberGenerator.GetInt32(minValue, maxValue);

    /// <inheritdoc/>
    public override long NextInt64() => NextInt64(0, long.MaxValue);

    /// <inheritdoc/>
    public override long NextInt64(long maxValue) => NextInt64(0, maxValue);

    /// <inheritdoc/>
    public override long NextInt64(long minValue, long maxValue)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minValue, maxValue);
        var width = unchecked((ulong)maxValue - (ulong)minValue);
        // The high half of a 64 by 64 bit product: its bias, at most width / 2^64, cannot be observed.
        return width == 0 ? minValue : unchecked(minValue + (long)Math.BigMul(NextUInt64(), width, out _));
    }

    /// <inheritdoc/>
    public override double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <inheritdoc/>
    public override float NextSingle() => (NextUInt64() >> 40) * (1.0f / (1U << 24));

    /// <inheritdoc/>
    public override void NextBytes(byte[] buffer) => NextBytes(buffer.AsSpan());

    /// <inheritdoc/>
    public override void NextBytes(Span<byte> buffer)
    {
        if (buffer.Length > DrawSize / 8)
        {
            RandomNumberGenerator.Fill(buffer);
            return;
        }

        if (_left < buffer.Length)
        {
            RandomNumberGenerator.Fill(_drawn ??= new byte[DrawSize]);
            _left = DrawSize;
        }

        _left -= buffer.Length;
        var given = _drawn.AsSpan(_left, buffer.Length);
        given.CopyTo(buffer);
        // Once given out it is nowhere but with who asked.
        given.Clear();
    }

    /// <inheritdoc/>
    protected override double Sample() => NextDouble();

    private ulong NextUInt64()
    {
        Span<byte> bytes = stackalloc byte[8];
        NextBytes(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
