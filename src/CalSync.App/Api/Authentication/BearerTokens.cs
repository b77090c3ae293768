using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using CalSync.App.Api.Problems;
using Microsoft.Extensions.Primitives;

namespace CalSync.App.Api.Authentication;

/// <summary>Who a bearer token stands for.</summary>
internal abstract record BearerOutcome
{
    private BearerOutcome()
    {
    }

    /// <summary>A live token.</summary>
    public sealed record Known(Caller Caller) : BearerOutcome;

    /// <summary>No token, or one that is not accepted.</summary>
    public sealed record Refused(Problem Problem) : BearerOutcome;
}

/// <summary>Finds the live user a token speaks for; null when there is none.</summary>
internal delegate Task<Caller?> FindTokenHolder(string token, CancellationToken cancellation);

/// <summary>Recognises API tokens (RFC 6750). Thread-safe.</summary>
/// <remarks>
/// A found token is believed for <see cref="ApiOptions.TokenCache"/>, so a revoked one works at most that
/// much longer, in every process. Unknown tokens are not remembered: a stream of wrong ones cannot push out
/// good ones.
/// </remarks>
internal sealed class BearerTokens(FindTokenHolder find, ApiOptions options)
{
    private const int TokenLengthMax = 256;
    private const int RememberedCountMax = 10_000;
    private readonly ConcurrentDictionary<string, Remembered> _remembered = new(StringComparer.Ordinal);

    /// <summary>Reads an Authorization header.</summary>
    /// <param name="header">As received.</param>
    /// <param name="now">The request's clock.</param>
    /// <param name="cancellation">Cancelling changes nothing.</param>
    public async Task<BearerOutcome> AuthenticateAsync(
        StringValues header, DateTimeOffset now, CancellationToken cancellation)
    {
        if (header.Count == 0)
            return Refuse("The request has no Authorization header.", "Bearer realm=\"calsync\"");
        var text = header.Count == 1 ? header[0] ?? "" : "";
        if (!text.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
            || text.Length is < 8 or > TokenLengthMax || !text.AsSpan(7).Trim().ContainsOnlyTokenLetters())
        {
            return Refuse("The Authorization header is not Bearer and one token.",
                "Bearer realm=\"calsync\", error=\"invalid_request\"");
        }

        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text[7..].Trim())));
        if (_remembered.TryGetValue(hash, out var known) && now - known.At < options.TokenCache
            && now >= known.At)
        {
            return new BearerOutcome.Known(known.Caller);
        }

        if (await find(text[7..].Trim(), cancellation) is not { } caller)
        {
            _remembered.TryRemove(hash, out _);
            return Refuse("The token is unknown, expired or revoked.",
                "Bearer realm=\"calsync\", error=\"invalid_token\"");
        }

        if (_remembered.Count >= RememberedCountMax)
            _remembered.Clear();
        _remembered[hash] = new Remembered(caller, now);
        return new BearerOutcome.Known(caller);
    }

    private static BearerOutcome.Refused Refuse(string detail, string challenge) =>
        new(ProblemCatalogue.Unauthenticated.With(detail)
            with
        { Headers = [("WWW-Authenticate", challenge)] });

    private sealed record Remembered(Caller Caller, DateTimeOffset At);
}

/// <summary>The letters of an RFC 6750 token.</summary>
internal static class TokenLetters
{
    /// <summary>True for <c>b64token</c> of RFC 6750 section 2.1, at least one letter.</summary>
    public static bool ContainsOnlyTokenLetters(this ReadOnlySpan<char> text)
    {
        foreach (var letter in text)
        {
            if (!char.IsAsciiLetterOrDigit(letter)
                && letter is not ('-' or '.' or '_' or '~' or '+' or '/' or '='))
            {
                return false;
            }
        }

        return !text.IsEmpty;
    }
}
