using System.Net;

namespace CalSync.Remotes.Dav;

/// <summary>To which other hosts a server may send us, password included.</summary>
internal static class DavTrust
{
    /// <summary>Parents of two labels under which anyone can have a name of their own.</summary>
    private static readonly HashSet<string> SharedParents = new(StringComparer.Ordinal)
    {
        "appspot.com", "azurewebsites.net", "duckdns.org", "dyndns.org", "github.io", "herokuapp.com",
        "hopto.org", "netlify.app", "ngrok.io", "no-ip.org", "pages.dev", "ts.net", "vercel.app",
        "workers.dev", "web.app", "firebaseapp.com", "blogspot.com", "cloudfront.net", "onrender.com",
    };

    /// <summary>
    /// Whether a name a server gave for itself may get the credentials: the same host, one below or above it,
    /// or a sibling in the same registrable domain, as iCloud's shards <c>pNN-caldav</c> are.
    /// </summary>
    /// <remarks>
    /// Never from https to http (see <see cref="Mend"/>). Without a list of public suffixes, a parent such as
    /// <c>co.uk</c> is told by its short labels and those of <see cref="SharedParents"/> by name.
    /// </remarks>
    public static bool MaySend(Uri from, Uri to)
    {
        if (from.Scheme == Uri.UriSchemeHttps && to.Scheme != Uri.UriSchemeHttps)
            return false;
        var (left, right) = (from.IdnHost.ToLowerInvariant(), to.IdnHost.ToLowerInvariant());
        if (left == right)
            return true;
        if (IPAddress.TryParse(left, out _) || IPAddress.TryParse(right, out _))
            return false;
        return Registrable(left) is { } domain && domain == Registrable(right);
    }

    /// <summary>
    /// A server behind a proxy that ends TLS often names itself with http; the address with https is meant.
    /// </summary>
    public static Uri Mend(Uri from, Uri to) =>
        from.Scheme == Uri.UriSchemeHttps && to.Scheme == Uri.UriSchemeHttp
        && string.Equals(from.IdnHost, to.IdnHost, StringComparison.OrdinalIgnoreCase)
            ? new UriBuilder(to) { Scheme = Uri.UriSchemeHttps, Port = from.Port }.Uri
            : to;

    /// <summary>The domain somebody registered; null when the name has none.</summary>
    private static string? Registrable(string host)
    {
        var labels = host.TrimEnd('.').Split('.');
        if (labels.Length < 2)
            return null;
        var parent = $"{labels[^2]}.{labels[^1]}";
        var isShared = SharedParents.Contains(parent) || (labels[^1].Length == 2 && labels[^2].Length <= 3);
        if (!isShared)
            return parent;
        return labels.Length < 3 ? null : $"{labels[^3]}.{parent}";
    }
}
