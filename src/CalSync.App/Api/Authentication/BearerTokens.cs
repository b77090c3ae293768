using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using CalSync.App.Api.Authentication.Jwt;
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
    /// <param name="Problem">As it is answered.</param>
    /// <param name="Code">Why, in one word.</param>
    public sealed record Refused(Problem Problem, string Code) : BearerOutcome;
}

/// <summary>Finds the live user a token speaks for; null when there is none.</summary>
internal delegate Task<Caller?> FindTokenHolder(string token, CancellationToken cancellation);

/// <summary>Recognises API tokens and JSON web tokens (RFC 6750). Thread-safe.</summary>
/// <remarks>
/// A found token is believed for <see cref="ApiOptions.TokenCache"/>, so a revoked one works at most that
/// much longer, in every process. Unknown tokens are not remembered: a stream of wrong ones cannot push out
/// good ones.
/// </remarks>
internal sealed class BearerTokens(
    FindTokenHolder find, ApiOptions options, AuthMeter meter, JwtBearers? webTokens = null)
{
    private const int HeaderLengthMax = 7 + JwtReader.LengthMax;
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
            return Refuse("no-token", "The request has no Authorization header.", error: null);
        var text = header.Count == 1 ? header[0] ?? "" : "";
        if (!text.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
            || text.Length is < 8 or > HeaderLengthMax || !text.AsSpan(7).Trim().ContainsOnlyTokenLetters())
        {
            return Refuse(
                "no-bearer", "The Authorization header is not Bearer and one token.", "invalid_request");
        }

        var token = text[7..].Trim();
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(token)));
        if (!_remembered.TryGetValue(hash, out var known) || now >= known.Until || now < known.At)
        {
            var (found, refused) = await LookAsync(token, now, cancellation);
            if (found is null)
            {
                _remembered.TryRemove(hash, out _);
                return refused!;
            }

            if (_remembered.Count >= RememberedCountMax)
                _remembered.Clear();
            known = found;
            _remembered[hash] = known;
        }

        meter.Accepted(known.Caller.Method);
        return new BearerOutcome.Known(known.Caller);
    }

    private async Task<(Remembered? Found, BearerOutcome.Refused? Refused)> LookAsync(
        string token, DateTimeOffset now, CancellationToken cancellation)
    {
        var believed = now + options.TokenCache;
        if (webTokens is null || !JwtReader.LooksLike(token))
        {
            return await find(token, cancellation) is { } caller
                ? (new Remembered(caller, now, believed), null)
                : (null, Refuse(
                    "unknown-token", "The token is unknown, expired or revoked.", "invalid_token"));
        }

        switch (await webTokens.AuthenticateAsync(token, now, cancellation))
        {
            case JwtOutcome.Known known:
                return (new Remembered(
                    known.Caller, now, known.EndsAt < believed ? known.EndsAt : believed), null);
            case JwtOutcome.Refused refused:
                var (code, detail) = refused.Problem.Describe();
                return (null, Refuse(code, detail, "invalid_token", code));
            default:
                throw new UnreachableException();
        }
    }

    private BearerOutcome.Refused Refuse(string reason, string detail, string? error, string? code = null)
    {
        meter.Refused(reason);
        var challenge = error is null ? "Bearer realm=\"calsync\""
            : code is null ? $"Bearer realm=\"calsync\", error=\"{error}\""
            : $"Bearer realm=\"calsync\", error=\"{error}\", error_description=\"{detail}\"";
        var problem = ProblemCatalogue.Unauthenticated.With(detail) with
        {
            Headers = [("WWW-Authenticate", challenge)],
        };
        return new BearerOutcome.Refused(code is null ? problem : problem.And("code", code), reason);
    }

    private sealed record Remembered(Caller Caller, DateTimeOffset At, DateTimeOffset Until);
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
