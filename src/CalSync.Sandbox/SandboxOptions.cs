using System.Net;

namespace CalSync.Sandbox;

/// <summary>What a sandbox starts with.</summary>
/// <param name="Clock">Expiry, ETags and quotas follow it; delays wait on it.</param>
public sealed record SandboxOptions(TimeProvider Clock)
{
    /// <summary>The OAuth client every sandbox knows unless told otherwise.</summary>
    public const string DefaultClientId = "calsync-sandbox";

    /// <summary>The secret of <see cref="DefaultClientId"/>.</summary>
    public const string DefaultClientSecret = "calsync-sandbox-secret";

    /// <summary>Where to listen; only loopback is sensible. Default 127.0.0.1.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The port; 0, the default, takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>Seed of every id and token the sandbox makes; default 1.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Waited before each provider call is applied; zero by default.</summary>
    public TimeSpan Latency { get; init; }

    /// <summary>How long an access token lives; default 3,600 s.</summary>
    public TimeSpan AccessTokenLifetime { get; init; } = TimeSpan.FromSeconds(3600);

    /// <summary>Applications that may ask for consent.</summary>
    public IReadOnlyList<SandboxOAuthClient> Clients { get; init; } =
        [new SandboxOAuthClient(DefaultClientId, DefaultClientSecret, [])];

    /// <summary>Accounts to begin with, each with its primary calendar.</summary>
    public IReadOnlyList<SandboxUser> Users { get; init; } =
    [
        new SandboxUser("maya@studio.test", "Maya", "America/New_York"),
        new SandboxUser("arjun@studio.test", "Arjun", "Asia/Kolkata"),
        new SandboxUser("sam@student.test", "Sam", "Europe/London"),
    ];

    /// <summary>The port of the practice iCloud; 0, the default, takes a free one.</summary>
    public int CalDavPort { get; init; }

    /// <summary>The port of the practice iCloud's second host; 0, the default, takes a free one.</summary>
    public int CalDavShardPort { get; init; }

    /// <summary>The habits the practice iCloud begins with; iCloud's by default.</summary>
    public CalDavQuirks Quirks { get; init; } = CalDavQuirks.ICloud;

    /// <summary>Accounts of the practice iCloud to begin with.</summary>
    public IReadOnlyList<CalDavUser> CalDavUsers { get; init; } =
    [
        new CalDavUser("maya@icloud.test", "Maya", "maya-password", ["maya-aaaa-bbbb-cccc"]),
        new CalDavUser("arjun@icloud.test", "Arjun", "arjun-password", ["arju-aaaa-bbbb-cccc"]),
    ];

    /// <summary>
    /// Request limits to begin with; none by default. <see cref="PublishedQuota"/> is Google's.
    /// </summary>
    public SandboxQuota Quota { get; init; } = new();

    /// <summary>The limits Google publishes for a project: 600 a user, 10,000 together, per minute.</summary>
    public static SandboxQuota PublishedQuota { get; } = new(600, 10_000);
}

/// <summary>An application known to the practice OAuth server.</summary>
/// <remarks>
/// <c>Secret</c>: Null for a public client, which must use PKCE.
/// <c>RedirectUris</c>: Exact addresses allowed; empty allows any loopback address.
/// </remarks>
public sealed record SandboxOAuthClient(string ClientId, string? Secret, IReadOnlyList<string> RedirectUris);

/// <summary>An account of the practice Google.</summary>
/// <param name="Email">Also the id of the primary calendar.</param>
/// <param name="Name">Shown on the consent page.</param>
/// <param name="TimeZone">IANA id; the primary calendar's zone.</param>
public sealed record SandboxUser(string Email, string Name, string TimeZone);
