using System.Buffers;
using System.Text;
using CalSync.Calendar.Document;

namespace CalSync.Calendar.Values;

/// <summary>TEXT values and their escapes. RFC 5545 section 3.3.11.</summary>
public static class TextValue
{
    /// <summary>The value with what must be escaped: backslash, semicolon, comma and line ends.</summary>
    /// <remarks>Control characters, which no TEXT may have, are left out; the tab stays.</remarks>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length + 8);
        for (var index = 0; index < text.Length; index++)
        {
            var letter = text[index];
            if (letter is '\\' or ';' or ',')
            {
                escaped.Append('\\').Append(letter);
            }
            else if (letter == '\n'
                || (letter == '\r' && (index + 1 == text.Length || text[index + 1] != '\n')))
            {
                escaped.Append("\\n");
            }
            else if (letter == '\t' || !char.IsControl(letter))
            {
                escaped.Append(letter);
            }
        }

        return escaped.ToString();
    }

    /// <summary>
    /// The text a value means. A backslash before a letter that needs none stays, before a sign it goes.
    /// </summary>
    public static string Unescape(ReadOnlySpan<byte> value)
    {
        var escape = value.IndexOf((byte)'\\');
        if (escape < 0)
            return Encoding.UTF8.GetString(value);
        var octets = ArrayPool<byte>.Shared.Rent(value.Length);
        var length = 0;
        for (; escape >= 0 && escape + 1 < value.Length; escape = value.IndexOf((byte)'\\'))
        {
            value[..escape].CopyTo(octets.AsSpan(length));
            length += escape;
            var next = value[escape + 1];
            if (next is (byte)'n' or (byte)'N')
                octets[length++] = (byte)'\n';
            else if (char.IsAsciiLetterOrDigit((char)next) || next >= 0x80)
                (octets[length], octets[length + 1], length) = ((byte)'\\', next, length + 2);
            else
                octets[length++] = next;
            value = value[(escape + 2)..];
        }

        value.CopyTo(octets.AsSpan(length));
        var text = Encoding.UTF8.GetString(octets.AsSpan(0, length + value.Length));
        ArrayPool<byte>.Shared.Return(octets);
        return text;
    }

    /// <summary>Where a delimiter that is not escaped stands; the length when there is none.</summary>
    internal static int End(ReadOnlySpan<byte> value, byte delimiter)
    {
        for (var index = 0; index < value.Length; index += 2)
        {
            var step = value[index..].IndexOfAny(delimiter, (byte)'\\');
            if (step < 0)
                break;
            index += step;
            if (value[index] == delimiter)
                return index;
        }

        return value.Length;
    }

    /// <summary>Where a backslash stands that escapes nothing; -1 for nowhere.</summary>
    internal static int UnknownEscape(ReadOnlySpan<byte> value)
    {
        for (var index = 0; index < value.Length; index += 2)
        {
            var step = value[index..].IndexOf((byte)'\\');
            if (step < 0)
                break;
            index += step;
            if (index + 1 == value.Length || !@"\;,nN"u8.Contains(value[index + 1]))
                return index;
        }

        return -1;
    }
}

/// <summary>A fault inside a value, before it is known where the value stands.</summary>
/// <param name="Code">Which rule.</param>
/// <param name="Severity">Whether the value could be read.</param>
/// <param name="Offset">Octets of the unfolded value before it.</param>
/// <param name="Section">The section that is not followed.</param>
/// <param name="Expected">What should stand there, for a person.</param>
internal readonly record struct ValueFault(
    CalendarProblemCode Code, ProblemSeverity Severity, int Offset, string Section, string Expected);
