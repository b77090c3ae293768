using System.Globalization;
using CalSync.Classes;

namespace CalSync.Storage.Classes;

/// <summary>Reads classes, seats and schedules as one actor may see them. What is not visible does not
/// exist.</summary>
/// <param name="database">Where they are.</param>
public sealed class ClassReads(Database database)
{
    /// <summary>Most rows on a page.</summary>
    public const int PageCountMax = 200;

    private const string Visible =
        "c.tenant_id = @TenantId AND (@SeesAll OR c.instructor_id = @UserId)";

    private const string EnrolmentColumns =
        """
        e.id, e.class_id, e.student_id, u.name AS student_name, e.calendar_email, e.state, e.reason,
        e.deadline_at,
        e.version, e.created_at, e.updated_at, p.state AS payment_state, p.amount_minor, p.currency,
        p.confirmed_by, p.confirmed_at,
        (SELECT o.id FROM operations o WHERE o.enrolment_id = e.id ORDER BY o.created_at DESC, o.id DESC
            LIMIT 1)
            AS operation_id
        """;

    private const string EnrolmentFrom =
        """
        FROM enrolments e JOIN users u ON u.id = e.student_id JOIN classes c ON c.id = e.class_id
        LEFT JOIN payments p ON p.enrolment_id = e.id
        """;

    private const string ClassColumns =
        """
        c.id, c.instructor_id, u.name AS instructor_name, c.title, c.description, c.location, c.time_zone,
        c.capacity,
        c.seats_taken, c.conference, c.price_minor, c.currency, c.state, c.version, c.created_at, c.updated_at
        """;

    /// <summary>One class with its schedules and slots, from one moment.</summary>
    /// <param name="actor">Who reads.</param>
    /// <param name="classId">The class.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    /// <returns>Null when there is none, or none for this actor.</returns>
    public Task<ClassView?> FindClassAsync(Actor actor, string classId, CancellationToken cancellation)
    {
        if (!ClassNeeds.IsId(classId))
            return Task.FromResult<ClassView?>(null);
        return database.SnapshotAsync(
            async session =>
            {
                var view = await session.FirstOrDefaultAsync<ClassHead>(
                    $"""
                    SELECT {ClassColumns} FROM classes c JOIN users u ON u.id = c.instructor_id
                    WHERE c.id = @classId AND {Visible}
                    """,
                    Args(actor, classId));
                if (view is null)
                    return null;
                var schedules = await session.QueryAsync<ScheduleRow>(
                    "SELECT id, ordinal, rrule FROM schedules WHERE class_id = @classId ORDER BY ordinal",
                    new { classId });
                var slots = (await session.QueryAsync<SlotViewRow>(
                    $"""
                    SELECT {SlotViewRow.Columns(session.Engine)} FROM slots s {SlotViewRow.Joins}
                    WHERE s.class_id = @classId ORDER BY s.start_at, s.id
                    """,
                    new { classId })).ToLookup(row => row.ScheduleId, row => row.ToView());
                return view.ToView([
                    .. schedules.Select(
                        row => new ScheduleView(row.Id, row.Ordinal, row.Rrule, [.. slots[row.Id]])),
                ]);
            },
            cancellation);
    }

    /// <summary>Classes, newest first.</summary>
    /// <param name="actor">Who reads.</param>
    /// <param name="state">Only this state; null for all.</param>
    /// <param name="cursor">From the page before; null for the first.</param>
    /// <param name="count">1 to <see cref="PageCountMax"/>; more is cut.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public async Task<Page<ClassSummary>> ListClassesAsync(
        Actor actor, string? state, string? cursor, int count, CancellationToken cancellation)
    {
        var (limit, after) = (Limit(count), After(cursor));
        var rows = await database.ReadAsync(
            session => session.QueryAsync<ClassHead>(
                $"""
                SELECT {ClassColumns} FROM classes c JOIN users u ON u.id = c.instructor_id
                WHERE {Visible} AND (@state = '' OR c.state = @state) AND (@after = '' OR c.id < @after)
                ORDER BY c.id DESC LIMIT @take
                """,
                new
                {
                    actor.TenantId,
                    actor.UserId,
                    SeesAll = SeesAll(actor),
                    state = Plain(state),
                    after,
                    take = limit + 1,
                }),
            cancellation);
        return Paged([.. rows.Select(row => (ClassSummary)row.ToView([]))], limit, row => row.Id);
    }

    /// <summary>One slot.</summary>
    /// <param name="actor">Who reads.</param>
    /// <param name="slotId">The slot.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    /// <returns>Null when there is none, or none for this actor.</returns>
    public async Task<SlotView?> FindSlotAsync(Actor actor, string slotId, CancellationToken cancellation)
    {
        if (!ClassNeeds.IsId(slotId))
            return null;
        var row = await database.ReadAsync(
            session => session.FirstOrDefaultAsync<SlotViewRow>(
                $"""
                SELECT {SlotViewRow.Columns(session.Engine)}
                FROM slots s JOIN classes c ON c.id = s.class_id {SlotViewRow.Joins}
                WHERE s.id = @slotId AND {Visible}
                """,
                new { slotId, actor.TenantId, actor.UserId, SeesAll = SeesAll(actor) }),
            cancellation);
        return row?.ToView();
    }

    /// <summary>The seats of a class, oldest first. A student sees their own only.</summary>
    /// <param name="actor">Who reads.</param>
    /// <param name="classId">The class; one that is not visible has no seats.</param>
    /// <param name="cursor">From the page before; null for the first.</param>
    /// <param name="count">1 to <see cref="PageCountMax"/>; more is cut.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public async Task<Page<EnrolmentView>> ListEnrolmentsAsync(
        Actor actor, string classId, string? cursor, int count, CancellationToken cancellation)
    {
        if (!ClassNeeds.IsId(classId))
            return new Page<EnrolmentView>([], null);
        var (limit, after) = (Limit(count), After(cursor));
        var rows = await database.ReadAsync(
            session => session.QueryAsync<EnrolmentView>(
                $"""
                SELECT {EnrolmentColumns} {EnrolmentFrom}
                WHERE e.class_id = @classId AND {Visible} AND (NOT @OwnOnly OR e.student_id = @UserId)
                    AND e.id > @after
                ORDER BY e.id LIMIT @take
                """,
                new
                {
                    classId,
                    actor.TenantId,
                    actor.UserId,
                    SeesAll = SeesAll(actor),
                    OwnOnly = actor.Role == Role.Student,
                    after,
                    take = limit + 1,
                }),
            cancellation);
        return Paged(rows, limit, row => row.Id);
    }

    /// <summary>One seat.</summary>
    /// <param name="actor">Who reads.</param>
    /// <param name="enrolmentId">The seat.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    /// <returns>Null when there is none, or none for this actor.</returns>
    public async Task<EnrolmentView?> FindEnrolmentAsync(
        Actor actor, string enrolmentId, CancellationToken cancellation)
    {
        if (!ClassNeeds.IsId(enrolmentId))
            return null;
        return await database.ReadAsync(
            session => session.FirstOrDefaultAsync<EnrolmentView>(
                $"""
                SELECT {EnrolmentColumns} {EnrolmentFrom}
                WHERE e.id = @enrolmentId AND {Visible} AND (NOT @OwnOnly OR e.student_id = @UserId)
                """,
                new
                {
                    enrolmentId,
                    actor.TenantId,
                    actor.UserId,
                    SeesAll = SeesAll(actor),
                    OwnOnly = actor.Role == Role.Student,
                }),
            cancellation);
    }

    /// <summary>The slots the actor teaches or sits in, by start. Times are told as wanted and as
    /// mirrored.</summary>
    /// <param name="actor">Whose schedule.</param>
    /// <param name="from">Slots that end after this.</param>
    /// <param name="to">Slots that start before this.</param>
    /// <param name="cursor">From the page before; null for the first.</param>
    /// <param name="count">1 to <see cref="PageCountMax"/>; more is cut.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public async Task<Page<ScheduleEntry>> ScheduleAsync(
        Actor actor,
        DateTimeOffset from,
        DateTimeOffset to,
        string? cursor,
        int count,
        CancellationToken cancellation)
    {
        var limit = Limit(count);
        var (at, after) = Position(cursor, from);
        var rows = await database.ReadAsync(
            session => session.QueryAsync<SlotViewRow>(
                $"""
                SELECT {SlotViewRow.Columns(session.Engine)}, c.title, c.location, e.id AS enrolment_id,
                    e.state AS enrolment_state, (SELECT time_zone FROM users
                        WHERE id = @UserId) AS reader_zone
                FROM slots s JOIN classes c ON c.id = s.class_id {SlotViewRow.Joins}
                LEFT JOIN enrolments e ON e.class_id = c.id AND e.student_id = @UserId
                    AND e.state NOT IN ('failed_rolled_back', 'cancelled')
                WHERE c.tenant_id = @TenantId AND (c.instructor_id = @UserId OR e.id IS NOT NULL)
                    AND s.state <> 'cancelled' AND s.end_at > @from AND s.start_at < @to
                    AND (s.start_at > @at OR (s.start_at = @at AND s.id > @after))
                ORDER BY s.start_at, s.id LIMIT @take
                """,
                new { actor.TenantId, actor.UserId, from, to, at, after, take = limit + 1 }),
            cancellation);
        return Paged(
            [
                .. rows.Select(row => new ScheduleEntry
                {
                    ClassId = row.ClassId,
                    Title = row.Title!,
                    Location = row.Location,
                    Slot = row.ToView(),
                    Reader = row.ToReaderTimes(),
                    EnrolmentId = row.EnrolmentId,
                    EnrolmentState = row.EnrolmentState,
                }),
            ],
            limit,
            entry =>
                string.Create(
                CultureInfo.InvariantCulture, $"{entry.Slot.StartAt.UtcTicks}.{entry.Slot.Id}"));
    }

    /// <summary>
    /// Slots whose end has passed, of every tenant: run <see cref="ClassCommand.CompleteSlot"/> for each,
    /// with its version.
    /// </summary>
    /// <param name="now">UTC.</param>
    /// <param name="count">At most so many, the earliest first.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<IReadOnlyList<EndedSlot>> EndedSlotsAsync(
        DateTimeOffset now, int count, CancellationToken cancellation) => database.ReadAsync(
        session => session.QueryAsync<EndedSlot>(
            """
            SELECT s.id AS slot_id, s.class_id, c.tenant_id, s.version
            FROM slots s JOIN classes c ON c.id = s.class_id
            WHERE s.state = 'scheduled' AND s.end_at <= @now ORDER BY s.end_at, s.id LIMIT @count
            """,
            new { now, count }),
        cancellation);

    internal static bool SeesAll(Actor actor) => actor.Role != Role.Instructor;

    internal static int Limit(int count) => Math.Clamp(count, 1, PageCountMax);

    internal static string After(string? cursor) => ClassNeeds.IsId(cursor) ? cursor! : "";

    internal static string Plain(string? word) => ClassNeeds.IsId(word) ? word! : "";

    internal static Page<T> Paged<T>(IReadOnlyList<T> rows, int limit, Func<T, string> cursor) =>
        rows.Count > limit
        ? new Page<T>([.. rows.Take(limit)], cursor(rows[limit - 1]))
        : new Page<T>(rows, null);

    private static (DateTimeOffset At, string After) Position(string? cursor, DateTimeOffset from)
    {
        var dot = cursor?.IndexOf('.', StringComparison.Ordinal) ?? -1;
        return dot > 0
            && long.TryParse(
                cursor.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            && ticks <= DateTimeOffset.MaxValue.Ticks && ClassNeeds.IsId(cursor![(dot + 1)..])
            ? (new DateTimeOffset(ticks, TimeSpan.Zero), cursor[(dot + 1)..])
            : (from - ClassLimits.SlotDurationMax, "");
    }

    private static object Args(Actor actor, string classId) =>
        new { classId, actor.TenantId, actor.UserId, SeesAll = SeesAll(actor) };

    private sealed record ScheduleRow
    {
        public string Id { get; init; } = "";

        public int Ordinal { get; init; }

        public string? Rrule { get; init; }
    }

    private sealed record ClassHead
    {
        public string Id { get; init; } = "";

        public string InstructorId { get; init; } = "";

        public string InstructorName { get; init; } = "";

        public string Title { get; init; } = "";

        public string? Description { get; init; }

        public string? Location { get; init; }

        public string TimeZone { get; init; } = "";

        public int Capacity { get; init; }

        public int SeatsTaken { get; init; }

        public bool Conference { get; init; }

        public long PriceMinor { get; init; }

        public string Currency { get; init; } = "";

        public string State { get; init; } = "";

        public long Version { get; init; }

        public DateTimeOffset CreatedAt { get; init; }

        public DateTimeOffset UpdatedAt { get; init; }

        public ClassView ToView(System.Collections.Immutable.ImmutableArray<ScheduleView> schedules) => new()
        {
            Id = Id,
            InstructorId = InstructorId,
            InstructorName = InstructorName,
            Title = Title,
            Description = Description,
            Location = Location,
            TimeZone = TimeZone,
            Capacity = Capacity,
            SeatsTaken = SeatsTaken,
            Conference = Conference,
            PriceMinor = PriceMinor,
            Currency = Currency,
            State = State,
            Version = Version,
            CreatedAt = CreatedAt,
            UpdatedAt = UpdatedAt,
            Schedules = schedules,
        };
    }
}
