using System.Security.Cryptography;
using System.Text;
using CalSync.Classes;
using CalSync.Storage.Identity;

namespace CalSync.App.Api.Authentication.Jwt;

/// <summary>Who a JSON web token stands for.</summary>
internal abstract record JwtOutcome
{
    private JwtOutcome()
    {
    }

    /// <summary>Accepted.</summary>
    /// <param name="Caller">Who.</param>
    /// <param name="EndsAt">When it ends by itself, UTC.</param>
    public sealed record Known(Caller Caller, DateTimeOffset EndsAt) : JwtOutcome;

    /// <summary>Not accepted.</summary>
    public sealed record Refused(JwtProblem Problem) : JwtOutcome;
}

/// <summary>Verifies JSON web tokens of both formats (RFC 8725). Thread-safe.</summary>
/// <remarks>
/// Claims are read after the signature, and a token is only ever verified as the format its header names.
/// The database has the last word: an enhanced token lives no longer than its session, and its role must
/// still be the person's. A legacy token has no session and no roles: administrators and operators act as
/// students with one, so that nothing of theirs depends on a shared secret.
/// </remarks>
internal sealed class JwtBearers(SigningKeys keys, SessionStore sessions, JwtOptions options)
{
    private readonly byte[]? _legacySecret =
        options.LegacySecret is { } secret ? Encoding.UTF8.GetBytes(secret) : null;

    /// <summary>Verifies a token.</summary>
    /// <param name="token">Any text.</param>
    /// <param name="now">The request's clock.</param>
    /// <param name="cancellation">Cancelling changes nothing.</param>
    public async Task<JwtOutcome> AuthenticateAsync(
        string token, DateTimeOffset now, CancellationToken cancellation)
    {
        if (JwtReader.Read(token, out var problem) is not { } parts)
            return Refuse(problem);
        return parts.Format switch
        {
            JwtFormat.Enhanced => await EnhancedAsync(parts, now, cancellation),
            JwtFormat.Legacy => await LegacyAsync(parts, now, cancellation),
        };
    }

    private async Task<JwtOutcome> EnhancedAsync(
        JwtParts parts, DateTimeOffset now, CancellationToken cancellation)
    {
        if (await keys.FindAsync(parts.KeyId, now, cancellation) is not { } key)
            return Refuse(JwtProblem.KeyUnknown);
        if (!key.Verifies(parts.Signed, parts.Signature))
            return Refuse(JwtProblem.SignatureInvalid);
        using var json = JwtReader.Parse(parts.Payload);
        if (json is null)
            return Refuse(JwtProblem.ClaimsInvalid);
        var claims = json.RootElement;
        if (JwtReader.Text(claims, "iss") != options.Issuer)
            return Refuse(JwtProblem.IssuerRefused);
        if (!JwtClaims.IsFor(claims, options.Audience))
            return Refuse(JwtProblem.AudienceRefused);
        if (JwtReader.Text(claims, "sub") is not { } userId || JwtReader.Text(claims, "sid") is not { } sid
            || JwtReader.Text(claims, "role") is not { } role || JwtClaims.Moment(claims, "auth_time") is null
            || JwtClaims.Moment(claims, "iat") is not { } issued
            || JwtClaims.Moment(claims, "exp") is not { } ends)
        {
            return Refuse(JwtProblem.ClaimsInvalid);
        }

        if (JwtClaims.Timing(claims, now, issued, ends, JwtOptions.EnhancedLifetimeMax) is { } untimely)
            return Refuse(untimely);
        if (await sessions.FindAsync(sid, cancellation) is not { } session || session.UserId != userId)
            return Refuse(JwtProblem.SessionEnded);
        if (session.EndedAt is not null)
            return Refuse(JwtProblem.SessionEnded);
        if (session.ExpiresAt <= now)
            return Refuse(JwtProblem.Expired);
        if (Word(session.Role) != role)
            return Refuse(JwtProblem.PersonChanged);
        var actor = new Actor(session.TenantId, userId, session.Role);
        return new JwtOutcome.Known(
            new Caller(actor, session.TenantKind)
            {
                Method = AuthenticationMethod.Enhanced,
                SessionId = sid,
                AuthenticatedAt = session.AuthenticatedAt,
            },
            ends < session.ExpiresAt ? ends : session.ExpiresAt);
    }

    private async Task<JwtOutcome> LegacyAsync(
        JwtParts parts, DateTimeOffset now, CancellationToken cancellation)
    {
        if (_legacySecret is null || now >= options.LegacySunset)
            return Refuse(JwtProblem.LegacyDisabled);
        if (!CryptographicOperations.FixedTimeEquals(
            HMACSHA256.HashData(_legacySecret, parts.Signed), parts.Signature))
        {
            return Refuse(JwtProblem.SignatureInvalid);
        }

        using var json = JwtReader.Parse(parts.Payload);
        if (json is null || JwtReader.Text(json.RootElement, "sub") is not { } userId
            || JwtClaims.Moment(json.RootElement, "exp") is not { } ends)
        {
            return Refuse(JwtProblem.ClaimsInvalid);
        }

        var claims = json.RootElement;
        if (claims.TryGetProperty("iat", out _) && JwtClaims.Moment(claims, "iat") is null)
            return Refuse(JwtProblem.ClaimsInvalid);
        var issued = JwtClaims.Moment(claims, "iat") ?? now;
        if (JwtClaims.Timing(claims, now, issued, ends, JwtOptions.LegacyLifetimeMax) is { } untimely)
        {
            return Refuse(untimely);
        }

        if (await sessions.FindPersonAsync(userId, cancellation) is not { } person)
            return Refuse(JwtProblem.PersonChanged);
        var actor = new Actor(person.TenantId, userId, Reduced(person.Role));
        return new JwtOutcome.Known(
            new Caller(actor, person.TenantKind) { Method = AuthenticationMethod.Legacy }, ends);
    }

    private static Role Reduced(Role role) => role is Role.Instructor ? Role.Instructor : Role.Student;

    internal static string Word(Role role) => role.ToString().ToLowerInvariant();

    private static JwtOutcome.Refused Refuse(JwtProblem problem) => new(problem);
}
