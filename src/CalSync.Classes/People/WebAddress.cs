using System.Collections.Immutable;

namespace CalSync.Classes.People;

/// <summary>Where on the web somebody is. Append only.</summary>
public enum WebPlace
{
    /// <summary>A page of their own, anywhere.</summary>
    Website = 1,

    /// <summary>linkedin.com/in/name.</summary>
    LinkedIn = 2,

    /// <summary>x.com/name, twitter.com/name.</summary>
    Twitter = 3,

    /// <summary>github.com/name.</summary>
    GitHub = 4,
}

/// <summary>Reads the web addresses of a profile as people type them.</summary>
/// <remarks>
/// A missing scheme becomes https, and so does http, with the warning <c>https_assumed</c>; any other
/// scheme is refused. Accounts are stored in one form, whatever host, case, query or handle was typed, and
/// the host is compared whole: <c>linkedin.com.example.net</c> is not LinkedIn. Addresses with a user, a
/// port other than 443 or a numeric host are refused. Nobody asks whether the page exists.
/// </remarks>
public static class WebAddress
{
    /// <summary>Longest address.</summary>
    public const int LengthMax = 2_000;

    private const string Https = "https://";

    private static readonly ImmutableArray<string> TwitterHosts =
        ["twitter.com", "www.twitter.com", "mobile.twitter.com", "x.com", "www.x.com"];

    // Pages of the sites themselves where a name could stand.
    private static readonly ImmutableArray<string> TwitterPages =
        ["home", "search", "explore", "intent", "share", "hashtag", "settings", "messages", "login", "i"];

    private static readonly ImmutableArray<string> GitHubPages =
        ["orgs", "features", "settings", "login", "join", "explore", "topics", "marketplace", "sponsors",
            "about", "search", "notifications"];

    /// <summary>Reads an address.</summary>
    /// <param name="place">Which kind is expected.</param>
    /// <param name="text">An address, or for accounts the name alone, with or without an at sign.</param>
    /// <returns>An https address in its one form, or what is wrong.</returns>
    public static FieldReading<string> Read(WebPlace place, string text)
    {
        var typed = text.Trim();
        if (typed.Length > LengthMax)
            return Refuse(place, "too_long", "A web address has at most 2,000 characters.");
        if (place != WebPlace.Website && IsBareName(typed))
        {
            var name = typed.TrimStart('@');
            return Account(place, place == WebPlace.LinkedIn ? ["in", name] : [name]);
        }

        var (rest, upgraded, refused) = WithoutScheme(place, typed);
        if (refused is not null)
            return refused;
        // Not IdnHost, which throws for letters that no domain may have.
        if (!Uri.TryCreate(Https + rest, UriKind.Absolute, out var uri) || uri.UserInfo.Length > 0
            || uri.Port != 443 || DomainName.ToAscii(uri.Host) is not { } host)
        {
            return Refuse(place, "invalid_url", "This is not the address of a web page.");
        }

        var reading = place == WebPlace.Website
            ? Page(host, uri)
            : IsHost(place, host)
                ? Account(place, uri.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries))
                : Refuse(place, "wrong_host", $"This is not an address at {HostOf(place)}.");
        return upgraded && reading is FieldReading<string>.Read read
            ? read with
            {
                Warnings =
                [
                    new FieldWarning("", "https_assumed", "The address was taken as https.", read.Value),
                ],
            }
            : reading;
    }

    private static (string Address, bool Upgraded, FieldReading<string>? Refused) WithoutScheme(
        WebPlace place, string typed)
    {
        if (typed.StartsWith(Https, StringComparison.OrdinalIgnoreCase))
            return (typed[8..], false, null);
        if (typed.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
            return (typed[7..], true, null);
        var colon = typed.IndexOf(':', StringComparison.Ordinal);
        var slash = typed.IndexOfAny(['/', '?', '#']);
        // A colon before any slash ends a scheme: javascript:, data:, ftp://.
        return colon >= 0 && (slash < 0 || colon < slash)
            ? ("", false, Refuse(place, "scheme_not_allowed", "A web address begins with https://."))
            : (typed, false, null);
    }

    private static FieldReading<string> Page(string host, Uri uri)
    {
        var address = Https + host + (uri.PathAndQuery == "/" ? "" : uri.PathAndQuery) + uri.Fragment;
        return address.Length <= LengthMax
            ? new FieldReading<string>.Read(address)
            : Refuse(WebPlace.Website, "too_long", "A web address has at most 2,000 characters.");
    }

    private static bool IsBareName(string typed) =>
        typed.Length > 0 && typed.TrimStart('@').All(letter =>
            char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-');

    private static bool IsHost(WebPlace place, string host) => place switch
    {
        // Countries have hosts of their own there: uk.linkedin.com.
        WebPlace.LinkedIn => host == "linkedin.com"
            || (host.EndsWith(".linkedin.com", StringComparison.Ordinal)
                && host.Split('.') is [var part, _, _] && (part.Length == 2 || part is "www" or "m")),
        WebPlace.Twitter => TwitterHosts.Contains(host),
        WebPlace.GitHub => host is "github.com" or "www.github.com",
        WebPlace.Website => true,
    };

    private static FieldReading<string> Account(WebPlace place, string[] path)
    {
        var name = (place, path) switch
        {
            (WebPlace.LinkedIn, ["in", var one]) => one,
            (WebPlace.LinkedIn, ["in", var one, _]) => one,
            (WebPlace.Twitter or WebPlace.GitHub, [var one]) => one,
            (WebPlace.Twitter, [var one, "with_replies" or "media" or "likes"]) => one,
            _ => null,
        };
        var holds = name is not null && place switch
        {
            // Names there may be written in any script; the address carries them in percent signs.
            WebPlace.LinkedIn => name.Length is >= 3 and <= 300 && name != "in"
                && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '%'),
            WebPlace.Twitter => name.Length is >= 1 and <= 15
                && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_')
                && !TwitterPages.Contains(name.ToLowerInvariant()),
            WebPlace.GitHub => name.Length is >= 1 and <= 39 && name[0] != '-' && name[^1] != '-'
                && !name.Contains("--", StringComparison.Ordinal)
                && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-')
                && !GitHubPages.Contains(name.ToLowerInvariant()),
            WebPlace.Website => false,
        };
        return holds
            ? new FieldReading<string>.Read(Https + HostOf(place) + name)
            : Refuse(place, "not_a_profile", $"This is not the page of a person at {HostOf(place)}.");
    }

    private static string HostOf(WebPlace place) => place switch
    {
        WebPlace.LinkedIn => "www.linkedin.com/in/",
        WebPlace.Twitter => "x.com/",
        WebPlace.GitHub => "github.com/",
        WebPlace.Website => "",
    };

    private static FieldReading<string>.Refused Refuse(WebPlace place, string code, string message) => new(
        code, message,
        place == WebPlace.Website ? "https://example.org" : Https + HostOf(place) + "ana");
}
