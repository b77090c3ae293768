using System.Collections.Immutable;

namespace CalSync.Sync.Connections;

/// <summary>When tokens are renewed and what a grant must cover (C-01).</summary>
public sealed record ConnectionOptions
{
    /// <summary>
    /// A token handed out for provider work stays valid at least this long, and while a worker runs none
    /// falls below it. Default 10 min.
    /// </summary>
    [Limit("min", 10, 45)]
    public TimeSpan ValidityMin { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// A token with less validity than this is renewed ahead of need; at least <see cref="RefreshInterval"/>
    /// more than <see cref="ValidityMin"/>. Default 15 min.
    /// </summary>
    [Limit("min", 11, 55)]
    public TimeSpan ProactiveThreshold { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How often a worker looks for tokens to renew ahead of need. Default 5 min.</summary>
    [Limit("min", 1, 30)]
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Tokens one process renews ahead of need at once. Default 8.</summary>
    [Limit("tokens", 1, 64)]
    public int RefreshConcurrency { get; init; } = 8;

    /// <summary>By how much the provider's clock may run ahead of ours. Default 20 s.</summary>
    [Limit("s", 0, 300)]
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a refresher keeps others out. More than the attempt timeout. Default 30 s.</summary>
    [Limit("s", 11, 300)]
    public TimeSpan RefreshLease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a caller waits for somebody else's refresh before it is told to try later. Default
    /// 12 s.</summary>
    [Limit("s", 1, 120)]
    public TimeSpan RefreshWaitMax { get; init; } = TimeSpan.FromSeconds(12);

    /// <summary>How often a waiting process looks at the row. Default 250 ms.</summary>
    [Limit("ms", 10, 5_000)]
    public TimeSpan RefreshPoll { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long an authorization may take from the first page to the code. Default 10 min.</summary>
    [Limit("min", 1, 60)]
    public TimeSpan AttemptLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Scopes without which the product cannot work; a broader calendar scope counts for
    /// each.</summary>
    public ImmutableArray<string> RequiredScopes { get; init; } =
    [
        "https://www.googleapis.com/auth/calendar.events",
        "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
    ];
}
