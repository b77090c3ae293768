namespace CalSync.Remotes.Dav;

/// <summary>iCalendar text on its way through XML, which turns each line end into LF.</summary>
internal static class CalendarText
{
    /// <summary>
    /// The same text with CRLF at the end of each line, without white space around it. RFC 5545 section 3.1.
    /// </summary>
    public static byte[] WithCrLf(ReadOnlySpan<byte> text)
    {
        var whole = new byte[WithCrLfLengthMax(text)];
        return whole[..WithCrLf(text, whole)];
    }

    /// <summary>How long it is with CRLF at most.</summary>
    public static int WithCrLfLengthMax(ReadOnlySpan<byte> text) => text.Length + text.Count((byte)'\n') + 2;

    /// <inheritdoc cref="WithCrLf(ReadOnlySpan{byte})"/>
    /// <param name="text">The text.</param>
    /// <param name="whole">Where it is written.</param>
    /// <returns>How many octets it has.</returns>
    public static int WithCrLf(ReadOnlySpan<byte> text, Span<byte> whole)
    {
        text = text.Trim(" \t\r\n"u8);
        if (text.IsEmpty)
            return 0;
        var position = 0;
        for (int end; (end = text.IndexOf((byte)'\n')) >= 0; text = text[(end + 1)..])
        {
            var line = text[..end];
            if (!line.IsEmpty && line[^1] == '\r')
                line = line[..^1];
            line.CopyTo(whole[position..]);
            position += line.Length;
            whole[position++] = (byte)'\r';
            whole[position++] = (byte)'\n';
        }

        text.CopyTo(whole[position..]);
        position += text.Length;
        whole[position++] = (byte)'\r';
        whole[position++] = (byte)'\n';
        return position;
    }
}
