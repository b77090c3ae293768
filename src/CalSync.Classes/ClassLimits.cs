namespace CalSync.Classes;

/// <summary>The bounds of every field a person can send, and the times of the seat saga.</summary>
public static class ClassLimits
{
    /// <summary>Longest title, in UTF-16 characters.</summary>
    public const int TitleLengthMax = 300;

    /// <summary>Longest description; Google keeps 8,192 characters.</summary>
    public const int DescriptionLengthMax = 8000;

    /// <summary>Longest location.</summary>
    public const int LocationLengthMax = 1000;

    /// <summary>Fewest seats.</summary>
    public const int CapacityMin = 1;

    /// <summary>Most seats.</summary>
    public const int CapacityMax = 10_000;

    /// <summary>Most schedules in one class.</summary>
    public const int ScheduleCountMax = 50;

    /// <summary>Most slots in one class, listed and made from rules together.</summary>
    public const int SlotCountMax = 500;

    /// <summary>Highest price in the currency's smallest unit.</summary>
    public const long PriceMinorMax = 100_000_000_000;

    /// <summary>Longest reason a person gives for an abandoned operation.</summary>
    public const int ReasonLengthMax = 500;

    /// <summary>Longest recurrence rule.</summary>
    public const int RruleLengthMax = 500;

    /// <summary>Longest identifier that is looked at.</summary>
    public const int IdLengthMax = 64;

    /// <summary>Longest slot.</summary>
    public static TimeSpan SlotDurationMax { get; } = TimeSpan.FromDays(7);

    /// <summary>How far ahead a slot may start.</summary>
    public static TimeSpan SlotAheadMax { get; } = TimeSpan.FromDays(366 * 10);

    /// <summary>How far back a slot may start, for classes entered late.</summary>
    public static TimeSpan SlotBehindMax { get; } = TimeSpan.FromDays(366 * 2);

    /// <summary>How long a strict seat may wait for the calendar: what the caller's request may last.
    /// C-02.</summary>
    public static TimeSpan SeatDeadlineStrict { get; } = TimeSpan.FromSeconds(10);

    /// <summary>How long before a slot its reminder is due.</summary>
    public static TimeSpan ReminderLead { get; } = TimeSpan.FromHours(1);
}
