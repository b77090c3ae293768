using System.Text.Json;
using CalSync.Classes;
using CalSync.Sync;
using CalSync.Sync.Journal;
using CalSync.Sync.Mirroring;

namespace CalSync.Storage.Mirroring;

/// <summary>Leaves a calendar that is gone or may not be written: its mirrors are held, or move to the
/// primary one.</summary>
internal static class CalendarLeaving
{
    private const string MovedColumns =
        """
        SELECT m.id, m.tenant_id, m.connection_id, m.calendar_id, m.slot_id, m.generation,
            m.provider_event_id, s.class_id
        FROM mirrors m JOIN slots s ON s.id = m.slot_id
        """;

    /// <returns>False when the claim was lost; nothing was changed then.</returns>
    public static async Task<bool> LeaveAsync(
        WriteSession session, IdSource ids, MirrorClaim claim, string calendarState,
        CalendarFallback fallback, DateTimeOffset now)
    {
        var held = await session.ExecuteAsync(
            "UPDATE mirrors SET updated_at = @now WHERE id = @Id AND fence = @Fence AND lease_owner = "
                + "@LeaseOwner",
            new { claim.Id, claim.Fence, claim.LeaseOwner, now });
        if (held != 1)
            return false;
        var primary = fallback == CalendarFallback.Primary
            ? await session.FirstOrDefaultAsync<string>(
                """
                SELECT id FROM calendars
                WHERE connection_id = @ConnectionId AND kind = 'PRIMARY' AND state = 'available'
                    AND id <> @CalendarId
                """,
                new { claim.ConnectionId, claim.CalendarId })
            : null;
        var lost = await session.FirstOrDefaultAsync<LostRow>(
            """
            UPDATE calendars SET state = @calendarState, lost_at = COALESCE(lost_at, @now), updated_at = @now
            WHERE id = @CalendarId RETURNING summary, lost_at
            """,
            new { calendarState, now, claim.CalendarId });
        TellOwner(session, ids, claim, lost!, calendarState, primary is not null, now);
        session.Journal(Entry(
            claim, now, $"calendar.{calendarState}", "calendar", claim.CalendarId,
            new { state = claim.CalendarState, remoteId = claim.RemoteCalendarId },
            new { state = calendarState, movedTo = primary }));
        if (primary is null)
            Hold(session, claim, calendarState, now);
        else
            await MoveAsync(session, ids, claim, primary, now);
        await session.FlushAsync();
        return true;
    }

    // Once for each loss, however many events meet it.
    private static void TellOwner(
        WriteSession session, IdSource ids, MirrorClaim claim, LostRow lost, string calendarState, bool moved,
        DateTimeOffset now)
    {
        var what = calendarState == "gone" ? "does not exist any more" : "may not be written any more";
        var then = moved
            ? "Its classes go to your primary calendar from now on."
            : "Its classes wait until you choose another calendar, in Settings → Connected Accounts.";
        session.Queue(
            """
            INSERT INTO notices (id, tenant_id, user_id, kind, message, due_at, state, dedupe_key, created_at,
                updated_at)
            SELECT @Id, tenant_id, user_id, 'calendar_lost', @Message, @now, 'scheduled', @Dedupe, @now, @now
            FROM connections WHERE id = @ConnectionId
            ON CONFLICT (dedupe_key) DO NOTHING
            """,
            new
            {
                Id = ids.Next("ntc"),
                claim.ConnectionId,
                Message = $"Your calendar '{lost.Summary}' {what}. {then}",
                Dedupe = $"calendar_lost:{claim.CalendarId}:{lost.LostAt.UtcTicks}",
                now,
            });
    }

    private static void Hold(
        WriteSession session, MirrorClaim claim, string calendarState, DateTimeOffset now)
    {
        var reason = $"calendar_{calendarState}";
        OperationProgress.QueueAll(session, MirrorColumn.Calendar, claim.CalendarId, "parked", reason, now);
        session.Queue(
            """
            UPDATE mirrors SET state = 'parked', reason = @reason, next_attempt_at = NULL, lease_owner = NULL,
                lease_until = NULL, fence = fence + 1, updated_at = @now
            WHERE calendar_id = @CalendarId AND active AND state <> 'gone'
            """,
            new { reason, now, claim.CalendarId });
    }

    private static async Task MoveAsync(
        WriteSession session, IdSource ids, MirrorClaim claim, string primary, DateTimeOffset now)
    {
        session.Queue(
            "UPDATE calendars SET selected = FALSE, updated_at = @now WHERE connection_id = @ConnectionId "
                + "AND selected",
            new { claim.ConnectionId, now });
        session.Queue(
            "UPDATE calendars SET selected = TRUE, updated_at = @now WHERE id = @primary",
            new { primary, now }, expectRows: 1);
        var mirrors = await session.QueryAsync<MovedRow>(
            $"{MovedColumns} WHERE m.calendar_id = @CalendarId AND m.active AND m.state <> 'gone' ORDER BY "
                + "m.id",
            new { claim.CalendarId });
        QueueMoves(session, mirrors, primary, claim.CorrelationId, "worker", now);
        await TellStudentsAsync(session, ids, mirrors, primary, now);
    }

    /// <summary>Makes the events held for a lost calendar anew in the one their owner has chosen.</summary>
    public static async Task MoveHeldAsync(
        WriteSession session, IdSource ids, string connectionId, string calendarId, string correlationId,
        string actor, DateTimeOffset now)
    {
        var mirrors = await session.QueryAsync<MovedRow>(
            $"""
            {MovedColumns}
            WHERE m.connection_id = @connectionId AND m.active AND m.state = 'parked'
                AND m.reason IN ('calendar_gone', 'calendar_unwritable') ORDER BY m.id
            """,
            new { connectionId });
        QueueMoves(session, mirrors, calendarId, correlationId, actor, now);
        await TellStudentsAsync(session, ids, mirrors, calendarId, now);
        OperationProgress.QueueResume(session, connectionId, now);
    }

    // Their own calendars lose the old entry and get another one, maybe to be accepted anew. Once for a seat,
    // however many slots it has, and only where there is one to come.
    private static async Task TellStudentsAsync(
        WriteSession session, IdSource ids, IReadOnlyList<MovedRow> mirrors, string calendarId,
        DateTimeOffset now)
    {
        var slots = mirrors.Select(mirror => mirror.SlotId).ToArray();
        var seats = await session.QueryAsync<SeatRow>(
            $"""
            SELECT DISTINCT e.id, e.tenant_id, e.student_id, e.class_id, c.title
            FROM slots s JOIN classes c ON c.id = s.class_id JOIN enrolments e ON e.class_id = c.id
            WHERE {session.In("s.id", "@slots")} AND s.state = 'scheduled' AND s.end_at > @now
                AND e.state IN ('active', 'needs_attention')
            ORDER BY e.id
            """,
            new { slots, now });
        foreach (var seat in seats)
        {
            session.Queue(
                """
                INSERT INTO notices (id, tenant_id, user_id, kind, class_id, enrolment_id, message, due_at,
                    state, dedupe_key, created_at, updated_at)
                VALUES (@Notice, @TenantId, @StudentId, @Kind, @ClassId, @Id, @Message, @now, 'scheduled',
                    @Dedupe, @now, @now)
                ON CONFLICT (dedupe_key) DO NOTHING
                """,
                new
                {
                    Notice = ids.Next("ntc"),
                    seat.TenantId,
                    seat.StudentId,
                    Kind = NoticeKind.CalendarMoved,
                    seat.ClassId,
                    seat.Id,
                    Message = $"\"{seat.Title}\" is being entered in another calendar of your instructor. "
                        + "Times and your seat stay as they are; the entry in your own calendar is made "
                        + "anew, and may ask you to accept it again.",
                    Dedupe = $"{NoticeKind.CalendarMoved}:{seat.Id}:{calendarId}:{now.UtcTicks}",
                    now,
                });
        }
    }

    private static void QueueMoves(
        WriteSession session, IReadOnlyList<MovedRow> mirrors, string calendarId, string correlationId,
        string actor, DateTimeOffset now)
    {
        foreach (var mirror in mirrors)
        {
            var generation = mirror.Generation + 1;
            var eventId = EventIdentity.EventId(mirror.ConnectionId, mirror.SlotId, generation);

            // The fence moves on, so that a turn still under way in the lost calendar records nothing.
            session.Queue(
                """
                UPDATE mirrors SET calendar_id = @calendarId, generation = @generation,
                    provider_event_id = @eventId,
                    etag = NULL, ical_uid = NULL, html_link = NULL, conference_link = NULL, observed = NULL,
                    applied_version = 0, verified_version = 0, state = 'pending', reason = NULL, attempts = 0,
                    outcome_unknown = FALSE, next_attempt_at = @now, lease_owner = NULL, lease_until = NULL,
                    fence = fence + 1, updated_at = @now
                WHERE id = @Id
                """,
                new { calendarId, generation, eventId, now, mirror.Id },
                expectRows: 1);
            session.Journal(new JournalEntry(
                now, mirror.TenantId, actor, "mirror", correlationId, "mirror.moved", "mirror", mirror.Id,
                mirror.ClassId,
                JsonSerializer.Serialize(
                    new { calendarId = mirror.CalendarId, eventId = mirror.ProviderEventId }),
                JsonSerializer.Serialize(new { calendarId, eventId })));
        }
    }

    private static JournalEntry Entry(
        MirrorClaim claim, DateTimeOffset now, string kind, string subjectKind, string subjectId,
        object before,
        object after) => new(
        now, claim.TenantId, "worker", "mirror", claim.CorrelationId, kind, subjectKind, subjectId, null,
        JsonSerializer.Serialize(before), JsonSerializer.Serialize(after));

    private sealed record LostRow
    {
        public string Summary { get; init; } = "";

        public DateTimeOffset LostAt { get; init; }
    }

    private sealed record SeatRow
    {
        public string Id { get; init; } = "";

        public string TenantId { get; init; } = "";

        public string StudentId { get; init; } = "";

        public string ClassId { get; init; } = "";

        public string Title { get; init; } = "";
    }

    private sealed record MovedRow
    {
        public string Id { get; init; } = "";

        public string TenantId { get; init; } = "";

        public string ConnectionId { get; init; } = "";

        public string CalendarId { get; init; } = "";

        public string SlotId { get; init; } = "";

        public string ClassId { get; init; } = "";

        public int Generation { get; init; }

        public string ProviderEventId { get; init; } = "";
    }
}
