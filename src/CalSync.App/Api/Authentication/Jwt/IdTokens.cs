using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CalSync.Remotes.OAuth;
using CalSync.Sync.Providers;

namespace CalSync.App.Api.Authentication.Jwt;

/// <summary>Whom an ID token is about.</summary>
internal abstract record IdTokenOutcome
{
    private IdTokenOutcome()
    {
    }

    /// <summary>The issuer vouches for it.</summary>
    /// <param name="Subject">The account, for ever.</param>
    /// <param name="Email">An address of it that the issuer has verified, lower case.</param>
    public sealed record Verified(string Subject, string Email) : IdTokenOutcome;

    /// <summary>Not accepted.</summary>
    public sealed record Refused(JwtProblem Problem) : IdTokenOutcome;

    /// <summary>Cannot be told: the issuer's keys were not had.</summary>
    public sealed record NoKeys(ProviderFault Fault) : IdTokenOutcome;
}

/// <summary>Verifies ID tokens of one issuer (OpenID Connect Core 1.0 section 3.1.3.7, RFC 8725).</summary>
/// <remarks>
/// Header parameters are an allow-list and the algorithm is the key's, so that neither <c>none</c> nor an
/// HMAC with a public key is ever tried. Claims are read after the signature.
/// </remarks>
internal sealed class IdTokens(OpenIdServer server)
{
    private const int LengthMax = 8_192;
    private const int KeyIdLengthMax = 128;
    private const int SubjectLengthMax = 255;
    private const int AddressLengthMax = 254;

    // Google says that it uses both.
    private const string Google = "https://accounts.google.com";
    private const string GoogleWithoutScheme = "accounts.google.com";

    private static readonly TimeSpan LifetimeMax = TimeSpan.FromHours(24);

    /// <summary>Verifies a token.</summary>
    /// <param name="token">As the token endpoint answered it.</param>
    /// <param name="nonceHash">SHA-256 of the nonce of this sign-in, in lower hexadecimal.</param>
    /// <param name="now">The request's clock.</param>
    /// <param name="cancellation">Cancelling changes nothing.</param>
    public async Task<IdTokenOutcome> VerifyAsync(
        string token, string nonceHash, DateTimeOffset now, CancellationToken cancellation)
    {
        if (JwtReader.TakeApart(token, LengthMax) is not { } parts)
            return Refuse(JwtProblem.Malformed);
        if (ReadHeader(parts.Header, out var algorithm, out var keyId) is { } wrong)
            return Refuse(wrong);
        switch (await server.FindKeyAsync(keyId, cancellation))
        {
            case KeySearch.Found found:
                if (!found.Key.Verifies(algorithm, parts.Signed, parts.Signature))
                    return Refuse(JwtProblem.SignatureInvalid);
                break;
            case KeySearch.Unknown:
                return Refuse(JwtProblem.KeyUnknown);
            case KeySearch.Failed failed:
                return new IdTokenOutcome.NoKeys(failed.Fault);
            default:
                throw new UnreachableException();
        }

        using var json = JwtReader.Parse(parts.Payload);
        return json is null ? Refuse(JwtProblem.ClaimsInvalid) : Read(json.RootElement, nonceHash, now);
    }

    private IdTokenOutcome Read(JsonElement claims, string nonceHash, DateTimeOffset now)
    {
        if (!IsIssuer(JwtReader.Text(claims, "iss")))
            return Refuse(JwtProblem.IssuerRefused);
        if (!IsForUs(claims))
            return Refuse(JwtProblem.AudienceRefused);
        if (JwtClaims.Moment(claims, "iat") is not { } issued
            || JwtClaims.Moment(claims, "exp") is not { } ends)
        {
            return Refuse(JwtProblem.ClaimsInvalid);
        }

        if (JwtClaims.Timing(claims, now, issued, ends, LifetimeMax) is { } untimely)
            return Refuse(untimely);
        if (JwtReader.Text(claims, "nonce") is not { } nonce || !IsNonce(nonce, nonceHash))
            return Refuse(JwtProblem.NonceRefused);
        if (JwtReader.Text(claims, "sub") is not { Length: >= 1 and <= SubjectLengthMax } subject
            || !subject.All(char.IsAscii))
        {
            return Refuse(JwtProblem.ClaimsInvalid);
        }

        // Letters beyond ASCII may become those of somebody else's address when their case is folded.
        if (JwtReader.Text(claims, "email") is not { Length: >= 3 and <= AddressLengthMax } email
            || !email.All(char.IsAscii)
            || !claims.TryGetProperty("email_verified", out var isVerified)
            || isVerified.ValueKind != JsonValueKind.True)
        {
            return Refuse(JwtProblem.AddressUnverified);
        }

        return new IdTokenOutcome.Verified(subject, email.ToLowerInvariant());
    }

    private static JwtProblem? ReadHeader(byte[] header, out string algorithm, out string keyId)
    {
        (algorithm, keyId) = ("", "");
        using var json = JwtReader.Parse(header);
        if (json is null)
            return JwtProblem.Malformed;
        var members = json.RootElement;
        foreach (var member in members.EnumerateObject())
        {
            if (member.Name is not ("alg" or "typ" or "kid"))
                return JwtProblem.HeaderRefused;
            if (JwtReader.Text(members, member.Name) is null)
                return JwtProblem.Malformed;
        }

        var type = JwtReader.Text(members, "typ");
        if (type is not null && !string.Equals(type, "JWT", StringComparison.OrdinalIgnoreCase))
            return JwtProblem.TypeUnknown;
        if (JwtReader.Text(members, "alg") is not (("RS256" or "ES256") and { } named))
            return JwtProblem.AlgorithmRefused;
        if (JwtReader.Text(members, "kid") is not { Length: >= 1 and <= KeyIdLengthMax } key)
            return JwtProblem.KeyUnknown;
        (algorithm, keyId) = (named, key);
        return null;
    }

    private bool IsIssuer(string? issuer) => issuer == server.Options.Issuer
        || (issuer == GoogleWithoutScheme && server.Options.Issuer == Google);

    // A token for several must say that it was given to us.
    private bool IsForUs(JsonElement claims)
    {
        var client = server.Options.ClientId;
        if (!JwtClaims.IsFor(claims, client))
            return false;
        var hasParty = claims.TryGetProperty("azp", out _);
        return hasParty
            ? JwtReader.Text(claims, "azp") == client
            : claims.GetProperty("aud") is not { ValueKind: JsonValueKind.Array } all
                || all.GetArrayLength() == 1;
    }

    private static bool IsNonce(string nonce, string nonceHash) => CryptographicOperations.FixedTimeEquals(
        Encoding.ASCII.GetBytes(nonceHash),
        Encoding.ASCII.GetBytes(
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(nonce)))));

    private static IdTokenOutcome.Refused Refuse(JwtProblem problem) => new(problem);
}
