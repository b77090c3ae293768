namespace CalSync.Sync.Pairs;

/// <summary>How pairs are synced, and what stops a run before it writes.</summary>
public sealed record PairOptions
{
    /// <summary>Share of a side's events that one run may delete or create unasked. Default 25 %.</summary>
    [Limit("percent", 1, 100)]
    public int BrakeSharePercent { get; init; } = 25;

    /// <summary>Events that one run may delete or create on a side unasked. Default 50.</summary>
    [Limit("events", 1, 100_000)]
    public int BrakeCountMax { get; init; } = 50;

    /// <summary>This many are never held, however small the calendar. Default 5.</summary>
    [Limit("events", 0, 1000)]
    public int BrakeCountMin { get; init; } = 5;

    /// <summary>How often one event is decided again in one run because a side changed. Default 4.</summary>
    [Limit("decisions", 1, 20)]
    public int DecisionCountMax { get; init; } = 4;

    /// <summary>Failed runs after which an event is quarantined rather than tried in every run.
    /// Default 3.</summary>
    [Limit("runs", 1, 100)]
    public int FailedRunCountMax { get; init; } = 3;

    /// <summary>Failures in a row that end a run: the provider is in trouble, not the events. Default
    /// 5.</summary>
    [Limit("failures", 1, 1000)]
    public int FailureStreakMax { get; init; } = 5;

    /// <summary>Writes of a run that a side must give back octet for octet before the version it answered
    /// stands for the rest; 0 reads every write back whole. Default 32.</summary>
    [Limit("writes", 0, 100_000)]
    public int ProvenWriteCountMin { get; init; } = 32;

    /// <summary>How long a run holds its pair without a sign of life. Default 2 min.</summary>
    [Limit("s", 10, 3600)]
    public TimeSpan Lease { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How often everything is read although the cursors work. Default 24 h.</summary>
    [Limit("h", 1, 720)]
    public TimeSpan FullReadEvery { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long the losing side of a conflict can be had back. Default 30 days.</summary>
    [Limit("h", 24, 8760)]
    public TimeSpan ConflictKept { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long what both sides held can be had back, and runs can be undone. Default 90
    /// days.</summary>
    [Limit("h", 720, 87_600)]
    public TimeSpan HistoryKept { get; init; } = TimeSpan.FromDays(90);

    /// <summary>How long a plan can be approved. Default 7 days.</summary>
    [Limit("h", 1, 8760)]
    public TimeSpan PlanKept { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How many deletions or creations a side of so many events bears without being asked.</summary>
    /// <param name="events">Events the pair holds on that side.</param>
    public int BrakeAt(int events) => Math.Max(
        BrakeCountMin, (int)Math.Min(BrakeCountMax, (long)events * BrakeSharePercent / 100));
}
