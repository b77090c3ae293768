namespace CalSync.Sync.Providers;

/// <summary>How often and how far apart a failed call is repeated.</summary>
public sealed record RetryOptions
{
    /// <summary>BASE: the longest wait after the first failure. Default 1 s.</summary>
    [Limit("ms", 10, 60_000)]
    public TimeSpan Base { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>MULT: each further failure multiplies the wait by this. Default 2.</summary>
    [Limit("times", 1, 10)]
    public double Multiplier { get; init; } = 2;

    /// <summary>MAX: no computed wait is longer; a provider's Retry-After may be. Default 64 s.</summary>
    [Limit("s", 1, 3600)]
    public TimeSpan Cap { get; init; } = TimeSpan.FromSeconds(64);

    /// <summary>The part of each wait that is random, so that many callers spread. Default 50 %.</summary>
    [Limit("percent", 0, 100)]
    public int JitterPercent { get; init; } = 50;

    /// <summary>No Retry-After is followed further than this. Default 24 h.</summary>
    [Limit("h", 1, 168)]
    public TimeSpan RetryAfterMax { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Retries as a share of calls, over all callers. Default 10 %.</summary>
    [Limit("percent", 0, 50)]
    public int BudgetPercent { get; init; } = 10;

    /// <summary>
    /// Retries a minute that are always allowed, so that a quiet system can recover. Default 6.
    /// </summary>
    [Limit("retries per minute", 0, 600)]
    public int BudgetFloorPerMinute { get; init; } = 6;

    /// <summary>How many unused retries can be saved up. Default 100.</summary>
    [Limit("retries", 1, 10_000)]
    public int BudgetSavedMax { get; init; } = 100;
}

/// <summary>
/// The one place that says when a failed call is repeated: BASE * MULT^n, capped, with jitter.
/// </summary>
/// <remarks>
/// Pure but for the random source, which is injected: one seed gives one sequence. The wait after failure n
/// (from 1) lies between (1 - jitter) and 1 times min(MAX, BASE * MULT^(n-1)). A Retry-After wins: the wait
/// is never shorter than it, and at most <see cref="RetryOptions.Base"/> longer. Thread-safe.
/// </remarks>
/// <param name="options">The curve.</param>
/// <param name="random">Gives the jitter.</param>
public sealed class RetryPolicy(RetryOptions options, Random random)
{
    private readonly Lock _gate = new();

    /// <summary>How long to wait before the same call is made again.</summary>
    /// <param name="failures">Failures so far, 1 or more.</param>
    /// <param name="retryAfter">What the provider or a breaker named; null for nothing.</param>
    public TimeSpan Delay(int failures, TimeSpan? retryAfter)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(failures, 1);
        double chance;
        lock (_gate)
            chance = random.NextDouble();
        if (retryAfter is { } named)
        {
            var followed = TimeSpan.FromTicks(
                Math.Clamp(named.Ticks, 0, options.RetryAfterMax.Ticks));
            return followed + (options.Base * (chance * options.JitterPercent / 100));
        }

        return Ceiling(failures) * (1 - (chance * options.JitterPercent / 100));
    }

    /// <summary>The longest computed wait after so many failures: min(MAX, BASE * MULT^(n-1)).</summary>
    /// <param name="failures">1 or more.</param>
    public TimeSpan Ceiling(int failures)
    {
        var seconds = options.Base.TotalSeconds * Math.Pow(options.Multiplier, failures - 1);
        return seconds >= options.Cap.TotalSeconds ? options.Cap : TimeSpan.FromSeconds(seconds);
    }
}

/// <summary>Keeps retries a small share of calls, however many callers want to retry. Thread-safe.</summary>
/// <remarks>
/// Each first attempt saves up a fraction of a retry; each retry spends one. When none is saved, a small
/// floor that grows with time is spent, so that a nearly idle system is not stuck.
/// </remarks>
/// <param name="options">Share, floor and how much can be saved.</param>
public sealed class RetryBudget(RetryOptions options)
{
    private readonly Lock _gate = new();
    private double _saved;
    private double _floor = options.BudgetFloorPerMinute;
    private DateTimeOffset? _filledAt;

    /// <summary>Notes one first attempt.</summary>
    public void NoteCall()
    {
        lock (_gate)
            _saved = Math.Min(options.BudgetSavedMax, _saved + (options.BudgetPercent / 100.0));
    }

    /// <summary>Takes one retry if there is one.</summary>
    /// <param name="now">UTC; the floor grows with it.</param>
    /// <returns>False when the retry must not be made now.</returns>
    public bool TryTake(DateTimeOffset now)
    {
        lock (_gate)
        {
            FillFloor(now);
            if (_saved >= 1)
            {
                _saved -= 1;
                return true;
            }

            if (_floor < 1)
                return false;
            _floor -= 1;
            return true;
        }
    }

    /// <summary>Whole retries that could be made at a moment.</summary>
    public int RemainingAt(DateTimeOffset now)
    {
        lock (_gate)
        {
            FillFloor(now);
            return (int)_saved + (int)_floor;
        }
    }

    private void FillFloor(DateTimeOffset now)
    {
        var since = now - (_filledAt ?? now);
        if (since > TimeSpan.Zero)
        {
            var grown = _floor + (options.BudgetFloorPerMinute * since.TotalMinutes);
            _floor = Math.Min(options.BudgetFloorPerMinute, grown);
        }

        if (_filledAt is null || since > TimeSpan.Zero)
            _filledAt = now;
    }
}
