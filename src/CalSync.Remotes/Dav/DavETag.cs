namespace CalSync.Remotes.Dav;

/// <summary>Entity tags as servers write them. RFC 9110 section 8.8.3.</summary>
internal static class DavETag
{
    private const int LengthMax = 1024;

    /// <summary>
    /// The tag in quotes, without <c>W/</c>: proxies that compress weaken a tag on some answers only, and
    /// some servers forget the quotes in one place or the other.
    /// </summary>
    /// <returns>Null when there is none that could be sent back.</returns>
    public static string? Normalise(string? written)
    {
        var text = written.AsSpan().Trim();
        if (text.StartsWith("W/", StringComparison.OrdinalIgnoreCase))
            text = text[2..];
        if (text.Length >= 2 && text[0] == '"' && text[^1] == '"')
            text = text[1..^1];
        if (text.IsEmpty || text.Length > LengthMax || text.ContainsAny('"', '\r', '\n'))
            return null;
        foreach (var c in text)
        {
            if (c is < ' ' or > '~')
                return null;
        }

        return written is ['"', .., '"'] ? written : $"\"{text}\"";
    }
}
