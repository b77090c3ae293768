using NodaTime;

namespace CalSync.Calendar.Recurrence;

/// <summary>One value of an RDATE or EXDATE. RFC 5545 sections 3.8.5.1 and 3.8.5.2.</summary>
/// <param name="Time">The date at midnight, or the wall time.</param>
/// <param name="IsDate">Whether it is a date.</param>
/// <param name="Zone">The zone of the wall time; null for a date.</param>
/// <param name="End">Where it ends when it is a PERIOD; null when it is not.</param>
internal sealed record DateListItem(
    LocalDateTime Time, bool IsDate, CalendarZone? Zone, PeriodEnd? End = null)
{
    /// <summary>The day, counted from 0001-01-01.</summary>
    public int DayNumber => (int)(LocalClock.FromLocalDateTime(Time) / CivilDays.SecondsPerDay);

    /// <summary>
    /// The instance it stands for: UTC seconds, or the day's midnight in an all-day series.
    /// </summary>
    public long Key(RecurrenceStart start) =>
        start is RecurrenceStart.AllDay
            ? (DayNumber * CivilDays.SecondsPerDay) - LocalClock.UnixEpoch
            : new LocalClock(Zone).ToUtc(LocalClock.FromLocalDateTime(Time)).Utc;

    /// <summary>The parameters, the colon and the value.</summary>
    public override string ToString()
    {
        var text = BasicTimes.Write(Time);
        var (kind, end) = End is null ? ("", "") : (";VALUE=PERIOD", $"/{End}");
        return this switch
        {
            { IsDate: true } => $";VALUE=DATE:{text[..8]}",
            { Zone: { } zone } when zone != CalendarZone.Utc => $"{kind};TZID={zone.Id}:{text}{end}",
            _ => $"{kind}:{text}Z{end}",
        };
    }
}
