using System.Buffers;
using System.Text;

namespace CalSync.Calendar.Document;

/// <summary>Writes content lines folded as RFC 5545 section 3.1 asks.</summary>
public static class ContentLineWriter
{
    /// <summary>Most octets of a physical line, its line end not counted.</summary>
    public const int LineOctetCountMax = 75;

    /// <summary>Writes a property, folded between characters, never inside one.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="property">What to write.</param>
    /// <param name="lineEnding">What ends each physical line.</param>
    public static void Write(
        IBufferWriter<byte> writer, PropertyContent property, LineEnding lineEnding = LineEnding.CrLf) =>
        Write(writer, property.ToString(), lineEnding);

    internal static void Write(IBufferWriter<byte> writer, string line, LineEnding lineEnding)
    {
        var octets = Encoding.UTF8.GetBytes(line);
        ReadOnlySpan<byte> rest = octets;
        var room = LineOctetCountMax;
        while (rest.Length > room)
        {
            var length = room;
            while (length > 0 && (rest[length] & 0xC0) == 0x80)
                length--;
            writer.Write(rest[..length]);
            writer.Write(Octets(lineEnding));
            writer.Write(" "u8);
            rest = rest[length..];
            room = LineOctetCountMax - 1;
        }

        writer.Write(rest);
        writer.Write(Octets(lineEnding));
    }

    internal static ReadOnlySpan<byte> Octets(LineEnding lineEnding) => lineEnding switch
    {
        LineEnding.CrLf => "\r\n"u8,
        LineEnding.Lf => "\n"u8,
        LineEnding.Cr => "\r"u8,
    };
}
