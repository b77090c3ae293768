using CalSync.Calendar;

namespace CalSync.Storage.Classes;

/// <summary>A slot joined with its event, as the reads select it.</summary>
internal sealed record SlotViewRow
{
    /// <summary>The columns; the mirrored times are read only where they may differ from the wanted
    /// ones.</summary>
    public static string Columns(Engine engine) =>
        $"""
        s.id, s.class_id, s.schedule_id, s.start_local, s.end_local, s.time_zone, s.start_at, s.end_at,
        s.state,
        s.version, s.updated_at, m.id AS mirror_id, m.provider_event_id, m.connection_id, m.calendar_id,
        k.kind AS calendar_kind, m.state AS mirror_state, m.reason, m.detail, m.desired_version,
        m.verified_version, m.next_attempt_at, m.html_link, m.conference_link,
        {Mirrored(engine, "Start")} AS mirrored_start, {Mirrored(engine, "End")} AS mirrored_end
        """;

    public const string Joins =
        "LEFT JOIN mirrors m ON m.slot_id = s.id AND m.active LEFT JOIN calendars k ON k.id = m.calendar_id";

    public string Id { get; init; } = "";

    public string ClassId { get; init; } = "";

    public string ScheduleId { get; init; } = "";

    public string StartLocal { get; init; } = "";

    public string EndLocal { get; init; } = "";

    public string TimeZone { get; init; } = "";

    public DateTimeOffset StartAt { get; init; }

    public DateTimeOffset EndAt { get; init; }

    public string State { get; init; } = "";

    public long Version { get; init; }

    public DateTimeOffset UpdatedAt { get; init; }

    public string? MirrorId { get; init; }

    public string? ProviderEventId { get; init; }

    public string? ConnectionId { get; init; }

    public string? CalendarId { get; init; }

    public string? CalendarKind { get; init; }

    public string? MirrorState { get; init; }

    public string? Reason { get; init; }

    public string? Detail { get; init; }

    public long? DesiredVersion { get; init; }

    public long? VerifiedVersion { get; init; }

    public DateTimeOffset? NextAttemptAt { get; init; }

    public string? HtmlLink { get; init; }

    public string? ConferenceLink { get; init; }

    public string? MirroredStart { get; init; }

    public string? MirroredEnd { get; init; }

    public string? Title { get; init; }

    public string? Location { get; init; }

    public string? EnrolmentId { get; init; }

    public string? EnrolmentState { get; init; }

    public string? ReaderZone { get; init; }

    // One that somebody moved by hand is as it should be but for its times.
    private bool Verified =>
        MirrorState == "verified" && Reason is null && VerifiedVersion == DesiredVersion;

    public SlotView ToView() => new()
    {
        Id = Id,
        ClassId = ClassId,
        ScheduleId = ScheduleId,
        StartLocal = StartLocal,
        EndLocal = EndLocal,
        TimeZone = TimeZone,
        StartAt = StartAt,
        EndAt = EndAt,
        State = State,
        Version = Version,
        UpdatedAt = UpdatedAt,
        Calendar = new SlotCalendar
        {
            State = CalendarState(),
            Reason = Verified ? null : Reason,
            Detail = Verified ? null : Detail,
            MirrorId = MirrorId ?? "",
            EventId = ProviderEventId ?? "",
            ConnectionId = ConnectionId ?? "",
            CalendarId = CalendarId ?? "",
            CalendarKind = CalendarKind ?? "",
            DesiredVersion = DesiredVersion ?? 0,
            VerifiedVersion = VerifiedVersion ?? 0,
            NextAttemptAt = NextAttemptAt,
            MirroredStartAt = Verified ? StartAt : Moment(MirroredStart),
            MirroredEndAt = Verified ? EndAt : Moment(MirroredEnd),
            HtmlLink = HtmlLink,
            ConferenceLink = ConferenceLink,
        },
    };

    /// <summary>In the reader's zone; in the class's for the product itself, which has none.</summary>
    public ReaderTimes ToReaderTimes()
    {
        var zone = SlotRow.ZoneOf(ReaderZone ?? TimeZone);
        return new ReaderTimes(zone.Id, Local(StartAt), Local(EndAt));

        string Local(DateTimeOffset at) => LocalTimeText.Write(ZonedTime.FromInstant(at, zone).Local);
    }

    private string CalendarState() => MirrorState switch
    {
        null or "gone" => "gone",
        "parked" or "needs_attention" => MirrorState,
        "verified" when Reason is not null && VerifiedVersion == DesiredVersion => "needs_attention",
        "unverified" when VerifiedVersion < DesiredVersion => "unverified",
        _ when Verified => "verified",
        _ => "pending",
    };

    private static DateTimeOffset? Moment(string? text) => DateTimeOffset.TryParse(
        text, System.Globalization.CultureInfo.InvariantCulture, out var moment)
        ? moment.ToUniversalTime()
        : null;

    private static string Mirrored(Engine engine, string member)
    {
        var read = engine == Engine.Postgres
            ? $"CAST(m.observed AS jsonb) #>> '{{{member},Instant}}'"
            : $"json_extract(m.observed, '$.{member}.Instant')";
        return "CASE WHEN m.verified_version < m.desired_version OR m.state <> 'verified' "
            + $"OR m.reason IS NOT NULL THEN {read} END";
    }
}
