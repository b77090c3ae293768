namespace CalSync.Remotes.Pipeline;

/// <summary>How far the provider's clock is from ours, learned from the Date header of its answers.</summary>
/// <remarks>RFC 9110 section 6.6.1: whole seconds. Thread-safe.</remarks>
public sealed class ProviderClock
{
    private volatile ClockObservation? _latest;

    /// <summary>The newest observation; null before the first answer with a Date.</summary>
    public ClockObservation? Latest => _latest;

    /// <summary>Notes one answer.</summary>
    /// <param name="date">Its Date header.</param>
    /// <param name="sentAt">When the request was sent, UTC.</param>
    /// <param name="receivedAt">When the answer's headers came, UTC.</param>
    internal void Observe(DateTimeOffset date, DateTimeOffset sentAt, DateTimeOffset receivedAt)
    {
        // The header cuts to the second, so the true reading was half a second later on average.
        var half = (receivedAt - sentAt) / 2;
        var skew = date + TimeSpan.FromMilliseconds(500) - (sentAt + half);
        _latest = new(receivedAt, skew, half + TimeSpan.FromMilliseconds(500));
    }
}

/// <summary>One reading of the provider's clock.</summary>
/// <param name="At">When it was read, UTC.</param>
/// <param name="Skew">The provider's clock minus ours; positive when ours is late.</param>
/// <param name="Uncertainty">The true skew lies within this of <paramref name="Skew"/>.</param>
public sealed record ClockObservation(DateTimeOffset At, TimeSpan Skew, TimeSpan Uncertainty);
