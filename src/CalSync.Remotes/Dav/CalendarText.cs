namespace CalSync.Remotes.Dav;

/// <summary>iCalendar text on its way through XML, which turns each line end into LF.</summary>
internal static class CalendarText
{
    /// <summary>
    /// The same text with CRLF at the end of each line, without white space around it. RFC 5545 section 3.1.
    /// </summary>
    public static byte[] WithCrLf(ReadOnlySpan<byte> text)
    {
        const string White = " \t\r\n";
        while (!text.IsEmpty && White.Contains((char)text[0], StringComparison.Ordinal))
            text = text[1..];
        while (!text.IsEmpty && White.Contains((char)text[^1], StringComparison.Ordinal))
            text = text[..^1];
        if (text.IsEmpty)
            return [];
        var bare = text.Count((byte)'\n') - text.Count("\r\n"u8);
        var whole = GC.AllocateUninitializedArray<byte>(text.Length + bare + 2);
        var position = 0;
        var rest = text;
        if (bare == 0)
        {
            text.CopyTo(whole);
            position = text.Length;
            rest = [];
        }

        int end;
        while ((end = rest.IndexOf((byte)'\n')) >= 0)
        {
            var line = rest[..end];
            if (!line.IsEmpty && line[^1] == '\r')
                line = line[..^1];
            line.CopyTo(whole.AsSpan(position));
            position += line.Length;
            whole[position++] = (byte)'\r';
            whole[position++] = (byte)'\n';
            rest = rest[(end + 1)..];
        }

        rest.CopyTo(whole.AsSpan(position));
        whole[^2] = (byte)'\r';
        whole[^1] = (byte)'\n';
        return whole;
    }
}
