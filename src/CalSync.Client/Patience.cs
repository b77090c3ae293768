namespace CalSync.Client;

/// <summary>How long and how often an intent is sent again.</summary>
/// <param name="Clock">Measures and waits.</param>
/// <param name="Random">Spreads the pauses of many clients.</param>
public sealed record Patience(TimeProvider Clock, Random Random)
{
    /// <summary>Attempts in all. Default 8.</summary>
    public int AttemptCountMax { get; init; } = 8;

    /// <summary>No attempt begins later than this after the first. Default 2 min.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The longest pause after a first failure; it doubles from there. Default 500 ms.</summary>
    public TimeSpan PauseBase { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest pause of our own; a server may ask for more. Default 10 s.</summary>
    public TimeSpan PauseMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The pause before the next attempt; null when it is time to give up.</summary>
    internal TimeSpan? PauseAfter(int attempt, TimeSpan elapsed, TimeSpan? asked)
    {
        var own = Math.Min(PauseMax.TotalSeconds, PauseBase.TotalSeconds * Math.Pow(2, attempt - 1));
        var pause = asked ?? TimeSpan.FromSeconds(own * Spread());
        return attempt >= AttemptCountMax || elapsed + pause > GiveUpAfter ? null : pause;
    }

    private double Spread()
    {
        // A seeded source of chance is not made for two at once.
        lock (Random)
            return 0.5 + (Random.NextDouble() / 2);
    }
}
