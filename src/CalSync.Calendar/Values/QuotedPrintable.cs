using System.Globalization;
using System.Text;

namespace CalSync.Calendar.Values;

/// <summary>
/// The encoding vCalendar 1.0 had for line ends and letters beyond ASCII. RFC 2045 section 6.7.
/// </summary>
internal static class QuotedPrintable
{
    /// <summary>The text, read as UTF-8. An equals sign without two digits stays.</summary>
    public static string Decode(ReadOnlySpan<byte> value)
    {
        var octets = new byte[value.Length];
        var length = 0;
        for (var index = 0; index < value.Length; index++)
        {
            byte code = 0;
            var isCode = value[index] == '=' && index + 2 < value.Length && byte.TryParse(
                value.Slice(index + 1, 2), NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture, out code);
            octets[length++] = isCode ? code : value[index];
            index += isCode ? 2 : 0;
        }

        return Encoding.UTF8.GetString(octets.AsSpan(0, length))
            .Replace("\r\n", "\n", StringComparison.Ordinal);
    }
}
