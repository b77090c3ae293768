using System.Collections.Immutable;
using System.Net;
using CalSync.App.Api.Authentication.Jwt;

namespace CalSync.App.Api;

/// <summary>Limits and choices of the HTTP interface.</summary>
internal sealed record ApiOptions
{
    /// <summary>
    /// How long a change waits for the calendar before it answers 202. Default 8 s, at most 10 s.
    /// </summary>
    public TimeSpan VerificationWait { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>
    /// How long a request may take in all; then it is answered 504, and what was accepted goes on. Longer
    /// than <see cref="VerificationWait"/>. Default 10 s.
    /// </summary>
    public TimeSpan RequestBudget { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// True: a change without an idempotency key is refused with 400. Default false: it is warned about.
    /// </summary>
    public bool IdempotencyKeyRequired { get; init; }

    /// <summary>
    /// How long a token's user is believed without asking the database again. Default 2 s, at most 5 s.
    /// </summary>
    public TimeSpan TokenCache { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The status of a dead provider connection: 409, or 401 for clients of the older contract. Default 409.
    /// </summary>
    public int ProviderAuthStatus { get; init; } = 409;

    /// <summary>
    /// Where browsers and clients reach this server, such as <c>https://calsync.example</c>; null: as asked.
    /// </summary>
    public Uri? PublicAddress { get; init; }

    /// <summary>Reverse proxies whose word for a client's address is taken. Default none.</summary>
    public ImmutableArray<IPNetwork> TrustedProxies { get; init; } = [];

    /// <summary>
    /// Streams of events one person may have open in this process. Default 8: tabs and devices.
    /// </summary>
    public int StreamsPerUserMax { get; init; } = 8;

    /// <summary>Streams open in this process. Default 1,000 of the 2,000 connections it takes.</summary>
    public int StreamCountMax { get; init; } = 1_000;

    /// <summary>
    /// How often a quiet stream says that it lives, and the token is looked at again. Default 15 s.
    /// </summary>
    public TimeSpan StreamHeartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>After how long a client whose stream broke is asked to come back. Default 2 s.</summary>
    public TimeSpan StreamRetry { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>JSON web tokens.</summary>
    public JwtOptions Jwt { get; init; } = new();

    /// <summary>At which provider accounts are connected: <c>google</c> or <c>google-sandbox</c>.</summary>
    public string Provider { get; init; } = "google";
}
