namespace CalSync.Calendar.Document;

/// <summary>Physical lines and the content line they make. RFC 5545 section 3.1.</summary>
/// <remarks>
/// Lines end with LF, whatever number of CRs stands before it; CR alone ends a line only in a stream that has
/// no LF at all (the <c>lineEnd</c> of these methods). A quoted-printable value of vCalendar 1.0 also goes
/// on after an equals sign at the end of a line.
/// </remarks>
internal static class Folds
{
    public const byte Lf = (byte)'\n';
    public const byte Cr = (byte)'\r';

    /// <summary>Whether a physical line that begins with this octet continues the one before.</summary>
    public static bool IsBlank(byte octet) => octet is (byte)' ' or (byte)'\t';

    /// <summary>A line without what ends it.</summary>
    public static ReadOnlySpan<byte> WithoutLineEnd(ReadOnlySpan<byte> line, byte lineEnd)
    {
        var length = line.Length;
        if (length > 0 && line[length - 1] == lineEnd)
            length--;
        while (lineEnd == Lf && length > 0 && line[length - 1] == Cr)
            length--;
        return line[..length];
    }

    /// <summary>The content without the folds inside it.</summary>
    public static byte[] Unfold(ReadOnlySpan<byte> folded, byte lineEnd)
    {
        var content = new byte[folded.Length];
        var length = 0;
        var rest = folded;
        for (var end = rest.IndexOf(lineEnd); end >= 0; end = rest.IndexOf(lineEnd))
        {
            var kept = Kept(rest, end, lineEnd);
            rest[..kept].CopyTo(content.AsSpan(length));
            length += kept;
            rest = rest[Next(rest, end)..];
        }

        rest.CopyTo(content.AsSpan(length));
        Array.Resize(ref content, length + rest.Length);
        return content;
    }

    /// <summary>Where an octet of the unfolded content stands in the folded one.</summary>
    public static int FoldedOffset(ReadOnlySpan<byte> folded, int offset, byte lineEnd)
    {
        var start = 0;
        for (var end = folded.IndexOf(lineEnd); end >= 0; end = folded[start..].IndexOf(lineEnd))
        {
            var rest = folded[start..];
            var kept = Kept(rest, end, lineEnd);
            if (offset < kept)
                break;
            offset -= kept;
            start += Next(rest, end);
        }

        return Math.Min(start + offset, folded.Length);
    }

    /// <summary>How much of the physical line that ends here is content.</summary>
    private static int Kept(ReadOnlySpan<byte> rest, int end, byte lineEnd)
    {
        var kept = WithoutLineEnd(rest[..(end + 1)], lineEnd).Length;
        var isSoft = end + 1 == rest.Length || !IsBlank(rest[end + 1]);
        return isSoft && kept > 0 && rest[kept - 1] == '=' ? kept - 1 : kept;
    }

    private static int Next(ReadOnlySpan<byte> rest, int end) =>
        end + 1 < rest.Length && IsBlank(rest[end + 1]) ? end + 2 : end + 1;
}
