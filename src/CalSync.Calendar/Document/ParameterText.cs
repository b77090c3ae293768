using System.Collections.Immutable;
using System.Text;

namespace CalSync.Calendar.Document;

/// <summary>Quotes and escapes of parameter values. RFC 5545 section 3.2 and RFC 6868.</summary>
internal static class ParameterText
{
    /// <summary>Where a delimiter outside quotes stands; the length when there is none.</summary>
    public static int End(ReadOnlySpan<byte> text, byte delimiter)
    {
        for (var index = 0; index < text.Length;)
        {
            var step = text[index..].IndexOfAny(delimiter, (byte)'"');
            if (step < 0)
                break;
            index += step;
            if (text[index] == delimiter)
                return index;
            var close = text[(index + 1)..].IndexOf((byte)'"');
            if (close < 0)
                break;
            index += close + 2;
        }

        return text.Length;
    }

    /// <summary>Where the first of several values ends.</summary>
    public static int ValueEnd(ReadOnlySpan<byte> values) => End(values, (byte)',');

    /// <summary>One value without its quotes, its ^n, ^' and ^^ decoded. Any other ^ stays.</summary>
    public static string Decode(ReadOnlySpan<byte> value)
    {
        if (value is [(byte)'"', .., (byte)'"'])
            value = value[1..^1];
        var text = Encoding.UTF8.GetString(value);
        if (!text.Contains('^', StringComparison.Ordinal))
            return text;
        var decoded = new StringBuilder(text.Length);
        for (var index = 0; index < text.Length; index++)
        {
            char? meant = text[index] != '^' || index + 1 == text.Length ? null : text[index + 1] switch
            {
                'n' or 'N' => '\n',
                '\'' => '"',
                '^' => '^',
                _ => null,
            };
            decoded.Append(meant ?? text[index]);
            index += meant is null ? 0 : 1;
        }

        return decoded.ToString();
    }

    /// <summary>
    /// Values as RFC 6868 can say them: line ends as line feeds, and no control character beside the tab.
    /// </summary>
    public static ImmutableArray<string> Clean(ImmutableArray<string> values) =>
        values.Any(value => value.Any(char.IsControl)) ? [.. values.Select(Clean)] : values;

    private static string Clean(string value) => string.Concat(value
        .Replace("\r\n", "\n", StringComparison.Ordinal)
        .Replace('\r', '\n')
        .Where(letter => letter is '\t' or '\n' || !char.IsControl(letter)));

    /// <summary>One value as it is written: quoted when it must be.</summary>
    /// <param name="value">One that <see cref="Clean(ImmutableArray{string})"/> gave.</param>
    public static string Encode(string value)
    {
        var encoded = value.Replace("^", "^^", StringComparison.Ordinal)
            .Replace("\"", "^'", StringComparison.Ordinal)
            .Replace("\n", "^n", StringComparison.Ordinal);
        return value.AsSpan().IndexOfAny(":;,") >= 0 ? $"\"{encoded}\"" : encoded;
    }
}
