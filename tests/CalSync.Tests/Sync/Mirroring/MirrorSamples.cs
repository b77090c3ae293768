using System.Collections.Immutable;
using CalSync.Calendar;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Providers;
using NodaTime;

namespace CalSync.Tests.Sync.Mirroring;

/// <summary>One wanted class and the event that says exactly that; tests change one thing at a
/// time.</summary>
internal static class MirrorSamples
{
    public const string MirrorId = "mir_1";

    public static CalendarZone Kolkata { get; } = Zone("Asia/Kolkata");

    public static DesiredEvent Desired(params string[] seats) => new(
        3, true,
        new EventContent(
            "Morning yoga", "Bring a mat", "Hall 2", Time(10), Time(11),
            [.. seats.Select(seat => new Attendee(seat))],
            EventIdentity.Mark(MirrorId, "slt_1", "ten_1"), null),
        [.. seats, "left@example.com"]);

    public static ProviderEvent Shown(params string[] guests) => new(
        new EventAddress("primary", EventIdentity.EventId("con_1", "slt_1", 1)), "\"1\"", "confirmed",
        "uid@google.com", 0, "Morning yoga", "Bring a mat", "Hall 2", Time(10), Time(11),
        [.. guests.Select(guest => new Attendee(guest, Raw: $"{{\"email\":\"{guest}\"}}"))], false,
        EventIdentity.Mark(MirrorId, "slt_1", "ten_1"), "https://calendar.example/1", null, null, "{}");

    public static ZonedTime Time(int hour) =>
        ((WallTimeResolution.Exact)ZonedTime.Resolve(new LocalDateTime(2026, 3, 9, hour, 0), Kolkata)).Time;

    public static CalendarZone Zone(string name) => ((ZoneResolution.Found)CalendarZone.Resolve(name)).Zone;

    public static ImmutableSortedDictionary<string, string> NoMark =>
        ImmutableSortedDictionary<string, string>.Empty;
}
