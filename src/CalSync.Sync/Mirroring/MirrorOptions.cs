using System.Collections.Immutable;
using CalSync.Sync.HandEdits;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Mirroring;

/// <summary>What happens to events whose calendar is gone or may not be written any more.</summary>
public enum CalendarFallback
{
    /// <summary>They wait, with the reason, until the owner chooses.</summary>
    Hold = 0,

    /// <summary>They move to the account's primary calendar.</summary>
    Primary = 1,
}

/// <summary>How mirrors are worked off.</summary>
public sealed record MirrorOptions
{
    /// <summary>Mirrors under way at once in one process. Default 16.</summary>
    [Limit("mirrors", 1, 256)]
    public int Concurrency { get; init; } = 16;

    /// <summary>Mirrors of one connection under way at once in one process. Default 4.</summary>
    [Limit("mirrors", 1, 64)]
    public int PerConnectionMax { get; init; } = 4;

    /// <summary>How often a worker looks without being told to. Default 1 s.</summary>
    [Limit("ms", 50, 60_000)]
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a claim lasts; renewed before every write when half of it is over. Default 90
    /// s.</summary>
    [Limit("s", 5, 600)]
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>A mirror just written rests this long, so that a burst becomes one write. Default 400
    /// ms.</summary>
    [Limit("ms", 0, 10_000)]
    public TimeSpan Rest { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>Waits between reads before an accepted write counts as not there (R-FIX-1-C). Default 0.25,
    /// 1, 3, 9 s.</summary>
    public ImmutableArray<TimeSpan> ConsistencyWaits { get; init; } =
    [
        TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3),
            TimeSpan.FromSeconds(9),
    ];

    /// <summary>Turns without success in a row until a person must look. Default 30.</summary>
    [Limit("turns", 1, 1000)]
    public int AttemptCountMax { get; init; } = 30;

    /// <summary>Waits between failed turns. Default 1 s doubling to 15 min: 30 turns are over four
    /// hours.</summary>
    public RetryOptions Retry { get; init; } = new() { Cap = TimeSpan.FromMinutes(15) };

    /// <summary>How long a stopping worker lets its turns finish. Default 9 s.</summary>
    [Limit("s", 0, 60)]
    public TimeSpan StopWithin { get; init; } = TimeSpan.FromSeconds(9);

    /// <summary>How often the worker's heartbeat is written. Default 5 s.</summary>
    [Limit("s", 1, 60)]
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary><c>calendar.fallback</c>. Default hold.</summary>
    public CalendarFallback CalendarFallback { get; init; } = CalendarFallback.Hold;

    /// <summary><c>calendar.deleted</c>. Default ask.</summary>
    public DeletionPolicy OnDeleted { get; init; } = DeletionPolicy.Ask;

    /// <summary>How often each calendar is read back for changes made on it. Default 2 min.</summary>
    [Limit("s", 10, 3_600)]
    public TimeSpan ReadEvery { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Whom the provider may mail about our writes. Default nobody (C-31).</summary>
    public Notify Notify { get; init; } = Notify.None;
}
