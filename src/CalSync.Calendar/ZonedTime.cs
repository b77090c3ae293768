using System.Globalization;
using NodaTime;

namespace CalSync.Calendar;

/// <summary>
/// One moment as a person reads it on the wall: local time, zone, and the instant both stand for.
/// </summary>
/// <remarks>
/// The three always agree, because only <see cref="Resolve"/> and <see cref="FromInstant"/> make one.
/// Supported are the years 2 to 9998, so that every instant fits a <see cref="DateTimeOffset"/> in every
/// zone.
/// </remarks>
public sealed record ZonedTime
{
    // A local time of the first or last supported day may be an instant of the day before or after.
    private static readonly DateTime InstantMin =
        new(LocalTimeText.YearMin - 1, 12, 31, 0, 0, 0, DateTimeKind.Utc);
    private static readonly DateTime InstantMax =
        new(LocalTimeText.YearMax + 1, 1, 2, 0, 0, 0, DateTimeKind.Utc);

    private ZonedTime(LocalDateTime local, CalendarZone zone, DateTimeOffset instant)
    {
        Local = local;
        Zone = zone;
        Instant = instant;
    }

    /// <summary>What the wall clock in <see cref="Zone"/> shows.</summary>
    public LocalDateTime Local { get; }

    /// <summary>Where that wall is.</summary>
    public CalendarZone Zone { get; }

    /// <summary>The same moment in UTC; the offset is always zero.</summary>
    public DateTimeOffset Instant { get; }

    /// <summary>Local time minus UTC at this moment, for example -03:00.</summary>
    public TimeSpan Offset => Local.ToDateTimeUnspecified() - Instant.DateTime;

    /// <summary>
    /// Which pass of a repeated hour this is: 0 the first, 1 the second (after clocks went back).
    /// 0 for every local time that happens once.
    /// </summary>
    public int Fold
    {
        get
        {
            var mapping = Zone.Rules.MapLocal(Local);
            return mapping.Count == 2 && mapping.Last().ToDateTimeUtc() == Instant.UtcDateTime ? 1 : 0;
        }
    }

    /// <summary>
    /// Finds the instant of a wall time, and says when the zone has no such time or has it twice.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The year is not in 2 to 9998.</exception>
    public static WallTimeResolution Resolve(LocalDateTime local, CalendarZone zone)
    {
        RequireSupportedYear(local.Year, nameof(local));
        var mapping = zone.Rules.MapLocal(local);
        switch (mapping.Count)
        {
            case 1:
                return new WallTimeResolution.Exact(From(mapping.Single(), zone));
            case 2:
                return new WallTimeResolution.Overlap(
                    From(mapping.First(), zone), From(mapping.Last(), zone));
            default:
                // Counted in seconds: a skipped day (Samoa, 2011) is more than a NodaTime.Offset can hold.
                long gap = mapping.LateInterval.WallOffset.Seconds - mapping.EarlyInterval.WallOffset.Seconds;
                var shifted = From(zone.Rules.AtStrictly(local.PlusSeconds(gap)), zone);
                return new WallTimeResolution.Gap(shifted, Duration.FromSeconds(gap));
        }
    }

    /// <summary>The wall time in <paramref name="zone"/> at an instant.</summary>
    /// <param name="instant">Any offset; only the moment counts.</param>
    /// <param name="zone">Whose wall.</param>
    /// <exception cref="ArgumentOutOfRangeException">The year is not in 2 to 9998 in any zone.</exception>
    public static ZonedTime FromInstant(DateTimeOffset instant, CalendarZone zone)
    {
        if (instant.UtcDateTime < InstantMin || instant.UtcDateTime > InstantMax)
        {
            throw new ArgumentOutOfRangeException(nameof(instant), instant, "The year must be in 2 to 9998.");
        }

        return From(NodaTime.Instant.FromDateTimeOffset(instant).InZone(zone.Rules), zone);
    }

    /// <summary>The same instant on another wall.</summary>
    public ZonedTime InZone(CalendarZone zone) => FromInstant(Instant, zone);

    /// <summary>
    /// RFC 3339 text: local time with its offset, "2026-03-20T13:00:00-03:00"; a zero offset is written Z.
    /// </summary>
    /// <remarks>
    /// Fractions of a second appear only when there are any. An offset with seconds (local mean time, before
    /// zones) or over 14 hours is not written: the instant is then in UTC.
    /// </remarks>
    public string ToRfc3339() => Rfc3339.Write(Instant, Offset);

    /// <summary>Local time with offset and zone, for people and logs.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{ToRfc3339()}[{Zone.Id}]");

    /// <summary>The wall time under REC-1: a gap shifts forward, an overlap takes the first pass.</summary>
    internal static ZonedTime ResolveGapForwardOverlapEarlier(LocalDateTime local, CalendarZone zone) =>
        Resolve(local, zone) switch
        {
            WallTimeResolution.Exact exact => exact.Time,
            WallTimeResolution.Gap gap => gap.ShiftedForward,
            WallTimeResolution.Overlap overlap => overlap.Earlier,
            _ => throw new System.Diagnostics.UnreachableException("Unknown wall time resolution."),
        };

    /// <summary>A time whose wall time is already known to belong to its instant.</summary>
    internal static ZonedTime FromUnixSeconds(long utc, LocalDateTime local, CalendarZone zone) =>
        new(local, zone, DateTimeOffset.FromUnixTimeSeconds(utc));

    private static ZonedTime From(ZonedDateTime value, CalendarZone zone) =>
        new(value.LocalDateTime, zone, new DateTimeOffset(value.ToDateTimeUtc()));

    private static void RequireSupportedYear(int year, string parameter)
    {
        if (year is < LocalTimeText.YearMin or > LocalTimeText.YearMax)
        {
            throw new ArgumentOutOfRangeException(parameter, year, "The year must be in 2 to 9998.");
        }
    }
}

/// <summary>What a wall time means in a zone.</summary>
public abstract record WallTimeResolution
{
    private WallTimeResolution()
    {
    }

    /// <summary>It happens once.</summary>
    /// <param name="Time">That once.</param>
    public sealed record Exact(ZonedTime Time) : WallTimeResolution;

    /// <summary>
    /// It never happens: clocks jumped over it. Policy shift-forward, RFC 5545 section 3.3.5.
    /// </summary>
    /// <param name="ShiftedForward">The asked time moved later by the gap: 02:30 becomes 03:30.</param>
    /// <param name="GapLength">How far clocks jumped.</param>
    public sealed record Gap(ZonedTime ShiftedForward, Duration GapLength) : WallTimeResolution;

    /// <summary>
    /// It happens twice: clocks went back over it. A caller must choose, or take the earlier.
    /// </summary>
    /// <param name="Earlier">The first pass, <see cref="ZonedTime.Fold"/> 0.</param>
    /// <param name="Later">The second pass, <see cref="ZonedTime.Fold"/> 1.</param>
    public sealed record Overlap(ZonedTime Earlier, ZonedTime Later) : WallTimeResolution;
}
