using System.Collections.Immutable;
using System.Globalization;
using CalSync.Sandbox;
using CalSync.Storage;

namespace CalSync.App.Demo;

/// <summary>Compares the database with what the sandbox really holds, event by event and guest by
/// guest.</summary>
/// <remarks>
/// The database is read with SQL and the provider through its ground truth, so that nothing the product
/// believes or caches stands between the two.
/// </remarks>
internal static class TruthCheck
{
    private const string TenantMark = "calsyncTenant";
    private const string MirrorMark = "calsyncMirror";

    /// <summary>Gives every difference; empty means that the two agree.</summary>
    /// <param name="database">The product's database; nothing may be under way, see
    /// <see cref="UnderWayAsync"/>.</param>
    /// <param name="truth">All calendars of all accounts.</param>
    /// <param name="cancellation">Stops reading.</param>
    public static async Task<TruthReport> CompareAsync(
        Database database, SandboxTruth truth, CancellationToken cancellation)
    {
        var (mirrors, seats) = await database.SnapshotAsync(
            async session =>
                (await session.QueryAsync<MirrorRow>(MirrorSql), await session.QueryAsync<SeatRow>(SeatSql)),
            cancellation);
        var guests = seats.ToLookup(seat => seat.ClassId, seat => seat.CalendarEmail);
        var live = truth.Calendars.Where(calendar => !calendar.Deleted)
            .SelectMany(calendar => calendar.Events
                .Where(found => !found.IsCopy && found.Status != "cancelled")
                .Select(
                    found =>
                    new LiveEvent(calendar.Id, found, Mark(found, MirrorMark), Mark(found, TenantMark))))
            .Where(found => found.Tenant is not null)
            .ToLookup(found => found.Mirror ?? "");

        var differences = ImmutableArray.CreateBuilder<string>();
        var admitted = 0;
        foreach (var mirror in mirrors)
        {
            var found = Differences(mirror, [.. live[mirror.Id]], [.. guests[mirror.ClassId]]).ToList();
            admitted += mirror.State == "needs_attention" ? found.Count : 0;
            differences.AddRange(found);
        }

        var known = mirrors.Select(mirror => mirror.Id).ToHashSet(StringComparer.Ordinal);
        differences.AddRange(live.Where(group => !known.Contains(group.Key)).SelectMany(group => group)
            .Select(
                orphan =>
                $"Event {orphan.Event.Id} in {orphan.Calendar} carries our mark but no slot owns it."));
        return new TruthReport(
            mirrors.Count(mirror => mirror.Wanted), live.Sum(group => group.Count()), seats.Count,
            differences.ToImmutable(), admitted);
    }

    /// <summary>Whether work is under way or due: mirrors not yet verified, operations not settled.</summary>
    public static async Task<long> UnderWayAsync(Database database, CancellationToken cancellation) =>
        await database.ReadAsync(
            session => session.ScalarAsync<long>(
                """
                SELECT (SELECT count(*) FROM mirrors WHERE active
                    AND state IN ('pending', 'in_flight', 'retry_wait', 'parked'))
                     + (SELECT count(*) FROM operations WHERE NOT settled
                         AND state NOT IN ('needs_attention'))
                """),
            cancellation);

    private static IEnumerable<string> Differences(MirrorRow mirror, LiveEvent[] events, string[] guests)
    {
        if (!mirror.Wanted)
        {
            return events.Select(
                found => $"Slot {mirror.SlotId} is cancelled but event {found.Event.Id} is live.");
        }

        if (events.Length != 1)
            return [$"Slot {mirror.SlotId} has {events.Length} live events instead of 1."];
        var (calendar, actual, _, _) = events[0];
        return new[]
            {
                Difference("event id", mirror.ProviderEventId, actual.Id),
                Difference("calendar", mirror.RemoteId, calendar),
                Difference("start", Text(mirror.StartAt), Text(actual.Start)),
                Difference("end", Text(mirror.EndAt), Text(actual.End)),
                Difference("summary", mirror.Title, actual.Summary ?? ""),
                mirror.Past ? null : Difference("guests", Text(guests), Text(actual.Attendees.Keys
                    .Where(guest => !string.Equals(guest, calendar, StringComparison.OrdinalIgnoreCase)))),
            }
            .OfType<string>().Select(difference => $"Slot {mirror.SlotId}: {difference}");
    }

    private static string? Difference(string field, string expected, string observed) =>
        expected == observed
            ? null
            : $"{field} is '{observed}' on the calendar and '{expected}' in the database.";

    private static string Text(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Text(IEnumerable<string> addresses) =>
        string.Join(
            ' ', addresses.Select(address => address.ToLowerInvariant()).Order(StringComparer.Ordinal));

    private static string? Mark(TruthEvent found, string name) =>
        (string?)found.Body["extendedProperties"]?["private"]?[name];

    private const string MirrorSql =
        """
        SELECT m.id, m.state, m.slot_id, s.class_id, m.provider_event_id, c.remote_id, k.title,
               s.start_at, s.end_at,
               s.state IN ('scheduled', 'completed') AS wanted, s.state = 'completed' AS past
        FROM mirrors m
        JOIN slots s ON s.id = m.slot_id
        JOIN classes k ON k.id = s.class_id
        JOIN calendars c ON c.id = m.calendar_id
        WHERE m.active
        """;

    private const string SeatSql =
        """
        SELECT class_id, calendar_email FROM enrolments
        WHERE state IN ('active', 'active_without_calendar', 'pending_calendar', 'needs_attention')
        """;

    private sealed record LiveEvent(string Calendar, TruthEvent Event, string? Mirror, string? Tenant);

    private sealed record MirrorRow
    {
        public string Id { get; init; } = "";

        public string State { get; init; } = "";

        public string SlotId { get; init; } = "";

        public string ClassId { get; init; } = "";

        public string ProviderEventId { get; init; } = "";

        public string RemoteId { get; init; } = "";

        public string Title { get; init; } = "";

        public DateTimeOffset StartAt { get; init; }

        public DateTimeOffset EndAt { get; init; }

        public bool Wanted { get; init; }

        /// <summary>Who sat in a slot that is over is history, and no longer who sits in the class.</summary>
        public bool Past { get; init; }
    }

    private sealed record SeatRow
    {
        public string ClassId { get; init; } = "";

        public string CalendarEmail { get; init; } = "";
    }
}

/// <summary>What a comparison of database and calendar gave.</summary>
/// <param name="Slots">Slots that must have an event.</param>
/// <param name="Events">Live events of ours at the provider.</param>
/// <param name="Seats">Live seats.</param>
/// <param name="Differences">One sentence each; empty when both agree.</param>
/// <param name="Admitted">How many of them are of slots that the product itself says need attention.</param>
internal sealed record TruthReport(
    int Slots, int Events, int Seats, ImmutableArray<string> Differences, int Admitted)
{
    /// <summary>True when the database and the calendars say the same.</summary>
    public bool Agrees => Differences.IsEmpty && Slots == Events;
}
