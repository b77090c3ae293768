namespace CalSync.App.Api.Authentication.Jwt;

/// <summary>What JSON web tokens are accepted.</summary>
internal sealed record JwtOptions
{
    /// <summary>Longest life of an enhanced token and of its session.</summary>
    public static readonly TimeSpan EnhancedLifetimeMax = TimeSpan.FromHours(24);

    /// <summary>Longest life of a legacy token; nothing ends one earlier but the switch.</summary>
    public static readonly TimeSpan LegacyLifetimeMax = TimeSpan.FromDays(30);

    /// <summary>How far another clock may be off.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    /// <summary>The <c>iss</c> of enhanced tokens; the same in every process.</summary>
    public string Issuer { get; init; } = "calsync";

    /// <summary>The <c>aud</c> of enhanced tokens.</summary>
    public string Audience { get; init; } = "calsync-api";

    /// <summary>Secret of the legacy format, at least 32 bytes of UTF-8; null: the format is off.</summary>
    public string? LegacySecret { get; init; }

    /// <summary>From then on legacy tokens are refused, UTC.</summary>
    public DateTimeOffset LegacySunset { get; init; }

    /// <summary>Since when legacy tokens are deprecated: the day the enhanced format came.</summary>
    public static readonly DateTimeOffset LegacyDeprecated = new(2026, 11, 29, 0, 0, 0, TimeSpan.Zero);
}
