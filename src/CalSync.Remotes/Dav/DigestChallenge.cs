using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CalSync.Remotes.Dav;

/// <summary>A challenge of HTTP Digest authentication and the answers to it. RFC 7616.</summary>
/// <remarks>
/// MD5 and SHA-256, each also as <c>-sess</c>; <c>qop=auth</c>, or none as RFC 2069 had it. The password
/// itself is never sent. Thread-safe: the nonce count rises by one with each answer.
/// </remarks>
internal sealed class DigestChallenge
{
    private readonly string _realm;
    private readonly string? _opaque;
    private readonly string? _algorithm;
    private readonly bool _hasQop;
    private int _count;

    private DigestChallenge(Dictionary<string, string> said)
    {
        _realm = said.GetValueOrDefault("realm", "");
        Nonce = said["nonce"];
        _opaque = said.GetValueOrDefault("opaque");
        _algorithm = said.GetValueOrDefault("algorithm");
        _hasQop = said.ContainsKey("qop");
        IsStale = said.GetValueOrDefault("stale", "").Equals("true", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>What the answers are bound to.</summary>
    public string Nonce { get; }

    /// <summary>The name and password were right, only the nonce was too old.</summary>
    public bool IsStale { get; }

    /// <summary>Whether the hash is SHA-256.</summary>
    public bool IsStrong =>
        _algorithm is not null && _algorithm.StartsWith("SHA-256", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads the parameters of a challenge.</summary>
    /// <returns>Null when it asks for something that is not known here.</returns>
    public static DigestChallenge? Parse(string? parameters)
    {
        var said = Parameters(parameters ?? "");
        if (!said.TryGetValue("nonce", out var nonce) || nonce.Length is 0 or > 1024)
            return null;
        var algorithm = said.GetValueOrDefault("algorithm", "MD5").ToUpperInvariant();
        if (algorithm is not ("MD5" or "MD5-SESS" or "SHA-256" or "SHA-256-SESS"))
            return null;
        var qop = said.GetValueOrDefault("qop", "auth");
        var offersAuth = qop.Split(',').Any(
            one => one.Trim().Equals("auth", StringComparison.OrdinalIgnoreCase));
        return offersAuth ? new(said) : null;
    }

    /// <summary>The Authorization header of one request.</summary>
    /// <param name="credentials">Whose.</param>
    /// <param name="method">HTTP method.</param>
    /// <param name="target">Path and query as sent.</param>
    /// <param name="clientNonce">Unguessable.</param>
    public string Answer(DavCredentials credentials, string method, string target, string clientNonce)
    {
        var count = Interlocked.Increment(ref _count).ToString("x8", CultureInfo.InvariantCulture);
        var secret = Hash($"{credentials.UserName}:{_realm}:{credentials.Password}");
        if (_algorithm?.EndsWith("-sess", StringComparison.OrdinalIgnoreCase) == true)
            secret = Hash($"{secret}:{Nonce}:{clientNonce}");
        var request = Hash($"{method}:{target}");
        var response = _hasQop
            ? Hash($"{secret}:{Nonce}:{count}:{clientNonce}:auth:{request}")
            : Hash($"{secret}:{Nonce}:{request}");
        var header = new StringBuilder("Digest ")
            .Append(CultureInfo.InvariantCulture, $"username=\"{Quoted(credentials.UserName)}\"")
            .Append(CultureInfo.InvariantCulture, $", realm=\"{Quoted(_realm)}\", nonce=\"{Quoted(Nonce)}\"")
            .Append(CultureInfo.InvariantCulture, $", uri=\"{target}\", response=\"{response}\"");
        if (_algorithm is not null)
            header.Append(CultureInfo.InvariantCulture, $", algorithm={_algorithm}");
        if (_opaque is not null)
            header.Append(CultureInfo.InvariantCulture, $", opaque=\"{Quoted(_opaque)}\"");
        if (_hasQop)
        {
            header.Append(
                CultureInfo.InvariantCulture, $", qop=auth, nc={count}, cnonce=\"{clientNonce}\"");
        }

        return header.ToString();
    }

    private string Hash(string text)
    {
        var octets = Encoding.UTF8.GetBytes(text);
#pragma warning disable CA5351 // The server chooses the hash; without MD5 many servers could not be used.
        return Convert.ToHexStringLower(IsStrong ? SHA256.HashData(octets) : MD5.HashData(octets));
#pragma warning restore CA5351
    }

    private static string Quoted(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);

    /// <summary>auth-param lists: <c>name=token</c> or <c>name="text"</c>, by commas.</summary>
    private static Dictionary<string, string> Parameters(string text)
    {
        var said = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var position = 0;
        while (position < text.Length)
        {
            var equals = text.IndexOf('=', position);
            if (equals < 0)
                break;
            var name = text[position..equals].Trim(' ', ',', '\t');
            position = equals + 1;
            while (position < text.Length && text[position] == ' ')
                position++;
            var value = new StringBuilder();
            if (position < text.Length && text[position] == '"')
            {
                for (position++; position < text.Length && text[position] != '"'; position++)
                {
                    if (text[position] == '\\' && position + 1 < text.Length)
                        position++;
                    value.Append(text[position]);
                }

                position++;
            }
            else
            {
                for (; position < text.Length && text[position] != ','; position++)
                    value.Append(text[position]);
            }

            said[name] = value.ToString().Trim();
        }

        return said;
    }
}
