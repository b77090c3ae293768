using System.Text;

namespace CalSync.Remotes.Dav;

/// <summary>Addresses as servers write them: absolute or relative, escaped in any way.</summary>
/// <remarks>
/// RFC 4918 section 8.3. Servers escape differently what they list and what they were sent (<c>@</c> or
/// <c>%40</c>, <c>%c3</c> or <c>%C3</c>), so two hrefs are the same when their normal forms are. Only the
/// path counts: every request goes to the server the calendar is on, never to a host some answer names.
/// </remarks>
internal static class DavHref
{
    private const int LengthMax = 4096;

    /// <summary>
    /// The absolute path with every octet but letters, digits, <c>-._~</c> and <c>/</c> escaped in upper
    /// case.
    /// </summary>
    /// <param name="href">As in the answer.</param>
    /// <param name="basePath">The path of the request, which a relative href is relative to.</param>
    /// <returns>Null when it is no address, or one that leads elsewhere by <c>..</c>.</returns>
    public static string? Normalise(string href, string basePath)
    {
        var path = AbsolutePath(href, basePath);
        if (path is null || path.Length > LengthMax)
            return null;
        return IsNormal(path) ? path : Escape(path);
    }

    /// <summary>The absolute path as the server wrote it, which it understands best.</summary>
    /// <returns>Null when it cannot be sent as it stands.</returns>
    public static string? AsWritten(string href, string basePath)
    {
        var path = AbsolutePath(href, basePath);
        if (path is null)
            return null;
        foreach (var c in path)
        {
            if (c is <= ' ' or >= '\x7f' or '"' or '<' or '>')
                return null;
        }

        return path;
    }

    /// <summary>Whether two normal forms name one collection; the last slash does not count.</summary>
    public static bool IsSameCollection(string left, string right) =>
        left.AsSpan().TrimEnd('/').SequenceEqual(right.AsSpan().TrimEnd('/'));

    /// <summary>A path on a server, sent octet for octet.</summary>
    public static Uri On(Uri server, string path) =>
        new(
            $"{server.Scheme}://{server.Authority}{path}",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });

    /// <summary>The URL an href names, host included; null when it names none or is not HTTP.</summary>
    /// <param name="href">As in the answer.</param>
    /// <param name="at">The URL of the request.</param>
    public static Uri? Resolve(string href, Uri at)
    {
        var text = href.Trim();
        if (text.Length is 0 or > LengthMax || !Uri.TryCreate(at, text, out var found))
            return null;
        return found.Scheme == Uri.UriSchemeHttp || found.Scheme == Uri.UriSchemeHttps
            ? new UriBuilder(found) { UserName = "", Password = "", Fragment = "" }.Uri
            : null;
    }

    private static string? AbsolutePath(string href, string basePath)
    {
        var path = href.AsSpan().Trim();
        var scheme = path.IndexOf("://");
        if (scheme >= 0 && path[..scheme].IndexOfAny("/?#%") < 0)
            path = PathOf(path[(scheme + 3)..]);
        else if (path.StartsWith("//"))
            path = PathOf(path[2..]);
        var end = path.IndexOf('#');
        if (end >= 0)
            path = path[..end];
        if (path.IsEmpty)
            return null;
        var absolute = path[0] == '/'
            ? path.Length == href.Length ? href : path.ToString()
            : string.Concat(basePath.AsSpan(0, basePath.LastIndexOf('/') + 1), path);
        return LeadsElsewhere(absolute) ? null : absolute;
    }

    private static ReadOnlySpan<char> PathOf(ReadOnlySpan<char> authorityAndPath)
    {
        var slash = authorityAndPath.IndexOf('/');
        return slash < 0 ? "/" : authorityAndPath[slash..];
    }

    private static bool LeadsElsewhere(string path)
    {
        if (!path.Contains("/.", StringComparison.Ordinal)
            && !path.Contains("/%2e", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        return path.Split('/')
            .Select(segment => segment.Replace("%2e", ".", StringComparison.OrdinalIgnoreCase))
            .Any(segment => segment is "." or "..");
    }

    private static bool IsNormal(string path)
    {
        foreach (var c in path)
        {
            if (!IsPlain(c) && c != '/')
                return false;
        }

        return true;
    }

    private static bool IsPlain(int c) =>
        c < 0x80 && (char.IsAsciiLetterOrDigit((char)c) || c is '-' or '.' or '_' or '~');

    private static string Escape(string path)
    {
        // Nearly every path is short; a longer one is at most LengthMax characters.
        const int ShortLengthMax = 256;
        var isShort = path.Length <= ShortLengthMax;
        var octets = isShort ? stackalloc byte[3 * ShortLengthMax] : new byte[3 * path.Length];
        octets = octets[..Encoding.UTF8.GetBytes(path, octets)];
        var escaped = isShort ? stackalloc char[9 * ShortLengthMax] : new char[3 * octets.Length];
        var length = 0;
        for (var index = 0; index < octets.Length; index++)
        {
            int octet = octets[index];
            var isSlash = octet == '/';

            // A percent sign that escapes nothing stands for itself: one server lists such names.
            if (octet == '%' && index + 2 < octets.Length && IsHex(octets[index + 1])
                && IsHex(octets[index + 2]))
            {
                octet = (Value(octets[index + 1]) << 4) | Value(octets[index + 2]);
                index += 2;
            }

            if (isSlash || IsPlain(octet))
            {
                escaped[length++] = (char)octet;
                continue;
            }

            escaped[length++] = '%';
            escaped[length++] = Digit(octet >> 4);
            escaped[length++] = Digit(octet & 15);
        }

        return escaped[..length].ToString();
    }

    private static bool IsHex(byte octet) => char.IsAsciiHexDigit((char)octet);

    private static int Value(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private static char Digit(int value) => (char)(value < 10 ? '0' + value : 'A' + value - 10);
}
