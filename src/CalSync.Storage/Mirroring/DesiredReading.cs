using System.Globalization;
using CalSync.Calendar;
using CalSync.Classes;
using CalSync.Storage.Classes;
using CalSync.Sync.HandEdits;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Providers;

namespace CalSync.Storage.Mirroring;

/// <summary>Reads what a slot's event must say, from the class's rows, in the caller's snapshot.</summary>
internal static class DesiredReading
{
    public static async Task<MirrorTask?> LoadAsync(Session session, MirrorClaim claim, DateTimeOffset now)
    {
        var row = await session.FirstOrDefaultAsync<SlotEventRow>(
            """
            SELECT m.desired_version, m.generation, k.id AS class_id, k.title, k.description, k.location,
                k.conference, s.time_zone, s.start_at, s.end_at, s.state, s.version AS slot_version,
                s.state = 'scheduled' AND m.verified_version >= s.wanted_version AS times_verified,
                p.kind AS proposal, p.to_start, p.to_end
            FROM mirrors m JOIN slots s ON s.id = m.slot_id JOIN classes k ON k.id = s.class_id
            LEFT JOIN proposals p
                ON p.slot_id = s.id AND p.state = 'pending' AND p.slot_version = s.version
            WHERE m.id = @Id AND m.active AND m.fence = @Fence
            """,
            new { claim.Id, claim.Fence });
        if (row is null)
            return null;
        var guests = await session.QueryAsync<GuestRow>(
            "SELECT calendar_email, state FROM enrolments WHERE class_id = @ClassId", new { row.ClassId });
        var switches = await session.QueryAsync<SwitchRow>(
            "SELECT name, value, expires_at FROM switches WHERE name IN ('verification', "
                + "'provider-timeout') AND expires_at > @now",
            new { now });
        var offUntil = switches.FirstOrDefault(
            found => found is { Name: "verification", Value: "off" })?.ExpiresAt;
        var timeout = switches.FirstOrDefault(found => found.Name == "provider-timeout")?.Value;
        return new MirrorTask(
            Desired(claim, row, guests), offUntil is null, offUntil,
            timeout is null ? null : TimeSpan.FromSeconds(int.Parse(timeout, CultureInfo.InvariantCulture)))
        {
            SlotVersion = row.SlotVersion,
            TimesVerified = row.TimesVerified,
            Proposal = row.Proposal is { } kind
                ? new OpenProposal { Kind = kind, ToStart = row.ToStart, ToEnd = row.ToEnd }
                : null,
        };
    }

    private static CalSync.Sync.Mirroring.DesiredEvent Desired(
        MirrorClaim claim, SlotEventRow row, IReadOnlyList<GuestRow> guests)
    {
        var zone = SlotRow.ZoneOf(row.TimeZone);
        var (start, end) = (ZonedTime.FromInstant(row.StartAt, zone), ZonedTime.FromInstant(row.EndAt, zone));
        var wanted = DesiredEvents.For(
            row.Title, row.Description, row.Location, row.Conference, start, end,
            StateText.StageOf(row.State),
            guests.Select(guest => new Attendance(guest.CalendarEmail, StateText.SeatOf(guest.State))));
        var content = new EventContent(
            row.Title, row.Description, row.Location, start, end,
            [.. (wanted?.AttendeeEmails ?? []).Select(email => new Attendee(email))],
            EventIdentity.Mark(claim.Id, claim.SlotId, claim.TenantId),
            row.Conference ? EventIdentity.ConferenceRequestId(claim.Id, row.Generation) : null);
        return new CalSync.Sync.Mirroring.DesiredEvent(
            row.DesiredVersion, wanted is not null, content,
            [.. guests.Select(guest => guest.CalendarEmail)]);
    }

    private sealed record SlotEventRow
    {
        public long DesiredVersion { get; init; }

        public int Generation { get; init; }

        public string ClassId { get; init; } = "";

        public string Title { get; init; } = "";

        public string? Description { get; init; }

        public string? Location { get; init; }

        public bool Conference { get; init; }

        public string TimeZone { get; init; } = "";

        public DateTimeOffset StartAt { get; init; }

        public DateTimeOffset EndAt { get; init; }

        public string State { get; init; } = "";

        public long SlotVersion { get; init; }

        public bool TimesVerified { get; init; }

        public string? Proposal { get; init; }

        public DateTimeOffset? ToStart { get; init; }

        public DateTimeOffset? ToEnd { get; init; }
    }

    private sealed record SwitchRow
    {
        public string Name { get; init; } = "";

        public string Value { get; init; } = "";

        public DateTimeOffset ExpiresAt { get; init; }
    }

    private sealed record GuestRow
    {
        public string CalendarEmail { get; init; } = "";

        public string State { get; init; } = "";
    }
}
