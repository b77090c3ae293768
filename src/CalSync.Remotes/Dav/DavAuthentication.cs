using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;

namespace CalSync.Remotes.Dav;

/// <summary>Signs requests in: Basic where the way is protected, Digest where the server asks for
/// it.</summary>
/// <remarks>
/// Remembers for each server what it asked for, so that one request is one exchange. Basic is sent unasked
/// over TLS and on the loopback; over plain http to another machine never, unless the options allow it.
/// Thread-safe.
/// </remarks>
/// <param name="credentials">Whose account.</param>
/// <param name="options">Whether unprotected passwords are allowed.</param>
/// <param name="random">Gives the client's nonces.</param>
internal sealed class DavAuthentication(DavCredentials credentials, DavOptions options, Random random)
{
    private readonly ConcurrentDictionary<string, DigestChallenge> _digests = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>The Authorization header for a request.</summary>
    /// <returns>Null when nothing may be sent before the server was heard.</returns>
    public SignedRequest Sign(Uri target, HttpMethod method)
    {
        if (_digests.TryGetValue(Server(target), out var digest))
        {
            var header = digest.Answer(credentials, method.Method, target.PathAndQuery, ClientNonce());
            return new(header, digest);
        }

        return MaySendPassword(target) ? new(Basic(), null) : new(null, null);
    }

    /// <summary>Hears a 401.</summary>
    /// <param name="target">What was asked for.</param>
    /// <param name="challenges">What the server asks for.</param>
    /// <param name="sent">What was sent.</param>
    /// <param name="isRepeated">Whether an answer to a challenge of this very request was refused.</param>
    public Verdict Hear(
        Uri target, IEnumerable<AuthenticationHeaderValue> challenges, SignedRequest sent, bool isRepeated)
    {
        var heard = challenges.ToArray();
        var digest = heard.Where(one => one.Scheme.Equals("Digest", StringComparison.OrdinalIgnoreCase))
            .Select(one => DigestChallenge.Parse(one.Parameter))
            .OfType<DigestChallenge>()
            .OrderByDescending(one => one.IsStrong)
            .FirstOrDefault();
        if (digest is not null && (sent.Digest is null || digest.IsStale || !isRepeated)
            && digest.Nonce != sent.Digest?.Nonce)
        {
            _digests[Server(target)] = digest;
            return Verdict.TryAgain;
        }

        var asksBasic = heard.Any(one => one.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase));
        return digest is null && asksBasic && !MaySendPassword(target)
            ? Verdict.WouldExposePassword
            : Verdict.Rejected;
    }

    private bool MaySendPassword(Uri target) =>
        target.Scheme == Uri.UriSchemeHttps || target.IsLoopback || options.AllowUnprotectedPasswords;

    private string Basic() =>
        "Basic " + Convert.ToBase64String(
            Encoding.UTF8.GetBytes($"{credentials.UserName}:{credentials.Password}"));

    private string ClientNonce()
    {
        var octets = new byte[16];
        lock (_gate)
            random.NextBytes(octets);
        return Convert.ToHexStringLower(octets);
    }

    private static string Server(Uri target) => $"{target.Scheme}://{target.Authority}";
}

/// <summary>What a request is signed with.</summary>
/// <param name="Header">The Authorization header; null for none. Never shown.</param>
/// <param name="Digest">The challenge it answers; null for Basic or none.</param>
internal readonly record struct SignedRequest(string? Header, DigestChallenge? Digest)
{
    /// <summary>Nothing of the header.</summary>
    public override string ToString() => "SignedRequest";
}

/// <summary>What follows from a 401.</summary>
internal enum Verdict
{
    /// <summary>Sign anew and send again.</summary>
    TryAgain = 1,

    /// <summary>The name or the password is wrong, or the server wants something else.</summary>
    Rejected = 2,

    /// <summary>The server wants the password in the clear.</summary>
    WouldExposePassword = 3,
}
