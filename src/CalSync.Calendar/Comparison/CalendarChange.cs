namespace CalSync.Calendar.Comparison;

/// <summary>How one thing that a calendar says differs. Numbers are sent: append only.</summary>
public enum ChangeKind
{
    /// <summary>Only the later side says it.</summary>
    Added = 0,

    /// <summary>Only the earlier side says it.</summary>
    Removed = 1,

    /// <summary>Both say it, and not the same.</summary>
    Changed = 2,

    /// <summary>
    /// Both name the same instant on the wall of different zones; a series then moves when clocks change.
    /// </summary>
    ZoneChanged = 3,
}

/// <summary>One difference between two calendars.</summary>
/// <param name="Component">Where.</param>
/// <param name="Property">
/// Upper case; null when a whole component was added or removed. The end of an event is DTEND and that of a
/// task DUE, also where DURATION or nothing says it. An alarm is "VALARM".
/// </param>
/// <param name="Member">
/// Which of several: the address of an attendee in lower case, a category, a time of EXDATE or RDATE as ISO
/// 8601, the UID of an alarm; null where there is one, or where nothing but the content tells them apart.
/// </param>
/// <param name="Parameter">The parameter that differs, upper case; null when the value does.</param>
/// <param name="Kind">How.</param>
/// <param name="Before">What the earlier side says, for a person; null when it says nothing.</param>
/// <param name="After">What the later side says, for a person; null when it says nothing.</param>
public sealed record CalendarChange(
    ComponentKey Component,
    string? Property,
    string? Member,
    string? Parameter,
    ChangeKind Kind,
    string? Before,
    string? After)
{
    /// <summary>The same difference seen from the other side.</summary>
    public CalendarChange Reversed() => this with
    {
        Kind = Kind switch
        {
            ChangeKind.Added => ChangeKind.Removed,
            ChangeKind.Removed => ChangeKind.Added,
            ChangeKind.Changed => ChangeKind.Changed,
            ChangeKind.ZoneChanged => ChangeKind.ZoneChanged,
        },
        Before = After,
        After = Before,
    };
}
