using CalSync.Sync;

namespace CalSync.App.Pairs;

/// <summary>When pairs run by themselves.</summary>
internal sealed record PairWorkerOptions
{
    /// <summary>From the end of a run to the start of the next. Default 60 s.</summary>
    [Limit("s", 5, 86_400)]
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Part of each pause that is random, so that pairs spread. Default 20 %.</summary>
    [Limit("percent", 0, 100)]
    public int JitterPercent { get; init; } = 20;

    /// <summary>Longest pause after runs that failed; it doubles from the interval. Default 1 h.</summary>
    [Limit("s", 5, 86_400)]
    public TimeSpan BackOffMax { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Pairs one process runs at once. Default 4.</summary>
    [Limit("pairs", 1, 64)]
    public int Concurrency { get; init; } = 4;

    /// <summary>How often it is looked for pairs that are due. Default 2 s.</summary>
    [Limit("ms", 50, 60_000)]
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(2);
}
