using NodaTime;

namespace CalSync.Calendar.Recurrence;

/// <summary>
/// Turns local seconds into UTC seconds under REC-1, remembering the zone's current offset.
/// </summary>
/// <remarks>
/// Local seconds count from 0001-01-01T00:00, UTC seconds from 1970 (Unix). With no zone both are days of an
/// all-day series and nothing shifts.
/// </remarks>
internal sealed class LocalClock(CalendarZone? zone)
{
    /// <summary>Local seconds at 1970-01-01T00:00.</summary>
    public const long UnixEpoch = 62_135_596_800;

    // No zone has gone back by more than a day, so two days after a transition no local time is ambiguous.
    private const long OverlapMax = 2 * 86_400;

    private long _from = 1;
    private long _to;
    private long _offset;

    /// <summary>The instant, and whether the local time was in a gap and moved forward.</summary>
    public (long Utc, bool Shifted) ToUtc(long local)
    {
        if (zone is null)
        {
            return (local - UnixEpoch, false);
        }

        if (local >= _from && local < _to)
        {
            return (local - UnixEpoch - _offset, false);
        }

        var time = ToLocalDateTime(local);
        var mapping = zone.Rules.MapLocal(time);
        if (mapping.Count == 0)
        {
            // The earlier offset on the skipped wall time is the same instant as the shifted one.
            return (local - UnixEpoch - mapping.EarlyInterval.WallOffset.Seconds, true);
        }

        Remember(mapping.EarlyInterval);
        return (local - UnixEpoch - _offset, false);
    }

    public static LocalDateTime ToLocalDateTime(long local) =>
        new LocalDate(1, 1, 1).PlusDays((int)(local / 86_400))
            .At(LocalTime.FromSecondsSinceMidnight((int)(local % 86_400)));

    public static long FromLocalDateTime(LocalDateTime time) =>
        time.ToDateTimeUnspecified().Ticks / TimeSpan.TicksPerSecond;

    private void Remember(NodaTime.TimeZones.ZoneInterval interval)
    {
        _offset = interval.WallOffset.Seconds;
        _from = interval.HasStart
            ? interval.Start.ToUnixTimeSeconds() + UnixEpoch + _offset + OverlapMax
            : long.MinValue;
        _to = interval.HasEnd ? interval.End.ToUnixTimeSeconds() + UnixEpoch + _offset : long.MaxValue;
    }
}
