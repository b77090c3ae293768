using System.Text.Json;

namespace CalSync.App.Api.Authentication.Jwt;

/// <summary>Claims that every format has (RFC 7519 section 4.1). Nothing here throws on its input.</summary>
internal static class JwtClaims
{
    /// <summary>What is wrong with the times of a token; null when it is valid now.</summary>
    /// <param name="claims">May have an <c>nbf</c>.</param>
    /// <param name="now">The request's clock.</param>
    /// <param name="issued">The <c>iat</c>.</param>
    /// <param name="ends">The <c>exp</c>.</param>
    /// <param name="longest">Longest life of its format.</param>
    public static JwtProblem? Timing(
        JsonElement claims, DateTimeOffset now, DateTimeOffset issued, DateTimeOffset ends, TimeSpan longest)
    {
        var begins = issued;
        if (claims.TryGetProperty("nbf", out _))
        {
            if (Moment(claims, "nbf") is not { } notBefore)
                return JwtProblem.ClaimsInvalid;
            begins = notBefore > issued ? notBefore : issued;
        }

        return ends <= now ? JwtProblem.Expired
            : begins > now + JwtOptions.ClockSkew ? JwtProblem.NotYetValid
            : ends - issued > longest ? JwtProblem.LifetimeRefused
            : null;
    }

    /// <summary>A moment in whole seconds (RFC 7519 section 2); null when it is none.</summary>
    public static DateTimeOffset? Moment(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
        && value.TryGetInt64(out var seconds) && seconds is >= 0 and <= 253_402_300_799
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;

    /// <summary>Whether <c>aud</c>, one text or a list of them, names somebody (section 4.1.3).</summary>
    public static bool IsFor(JsonElement claims, string audience) =>
        claims.TryGetProperty("aud", out var value) && (value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray().Any(name => Is(name, audience))
            : Is(value, audience));

    private static bool Is(JsonElement name, string audience) =>
        name.ValueKind == JsonValueKind.String && name.ValueEquals(audience);
}
