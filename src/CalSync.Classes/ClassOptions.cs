namespace CalSync.Classes;

/// <summary>The times whoever runs the product may choose.</summary>
public sealed record ClassOptions
{
    /// <summary>How long a seat may wait for the calendar before it is given back. Default 15 min. Decision
    /// C-02.</summary>
    public TimeSpan SeatDeadline { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How recent an equal class must be to look like a double submit. Default 5 min. Decision
    /// C-04.</summary>
    public TimeSpan LookalikeWindow { get; init; } = TimeSpan.FromMinutes(5);
}
