using CalSync.Calendar.Zones;
using NodaTime;

namespace CalSync.Calendar.Recurrence;

/// <summary>Turns local seconds into UTC seconds under REC-1, and back.</summary>
/// <remarks>
/// Local seconds count from 0001-01-01T00:00, UTC seconds from 1970 (Unix). With no zone both are days of an
/// all-day series and nothing shifts.
/// </remarks>
internal sealed class LocalClock(CalendarZone? zone)
{
    /// <summary>Local seconds at 1970-01-01T00:00.</summary>
    public const long UnixEpoch = 62_135_596_800;

    private readonly OffsetTable? _offsets = zone?.Offsets;
    private int _toUtcHint;
    private int _toLocalHint;

    /// <summary>The instant, and whether the local time was in a gap and moved forward.</summary>
    public (long Utc, bool Shifted) ToUtc(long local) =>
        _offsets is null ? (local - UnixEpoch, false) : _offsets.ToUtc(local, ref _toUtcHint);

    /// <summary>What the wall clock shows at an instant, in local seconds.</summary>
    public long ToLocal(long utc) =>
        utc + UnixEpoch + (_offsets is null ? 0 : _offsets.OffsetAt(utc, ref _toLocalHint));

    public static LocalDateTime ToLocalDateTime(long local) =>
        new LocalDate(1, 1, 1).PlusDays((int)(local / CivilDays.SecondsPerDay))
            .At(LocalTime.FromSecondsSinceMidnight((int)(local % CivilDays.SecondsPerDay)));

    public static long FromLocalDateTime(LocalDateTime time) =>
        time.ToDateTimeUnspecified().Ticks / TimeSpan.TicksPerSecond;
}
