using CalSync.Sync;
using CalSync.Sync.Journal;
using CalSync.Sync.Pairs;

namespace CalSync.Storage.Pairs;

/// <summary>The pairs as their owner sees them: which there are, how they stand, when they run.</summary>
/// <remarks>What a run reads and writes is in <see cref="PairStore"/>.</remarks>
/// <param name="database">Where.</param>
/// <param name="ids">Names journal entries' causes.</param>
public sealed partial class PairDirectory(Database database, IdSource ids)
{
    private const string Select =
        """
        SELECT p.id, p.tenant_id, p.name, p.google_calendar, p.icloud_calendar, p.policy, p.busy_side,
            p.canary, p.enabled, p.last_outcome, p.next_run_at, p.failures, p.full_read_at, p.first_synced_at,
            p.lease_until,
            p.google_sync_token IS NOT NULL AS has_left_token,
            p.icloud_sync_token IS NOT NULL AS has_right_token, p.created_at,
            (SELECT count(*) FROM event_mappings m
                WHERE m.calendar_mapping_id = p.id AND m.sync_status = 'active') AS events,
            (SELECT count(*) FROM event_quarantine q WHERE q.calendar_mapping_id = p.id) AS waiting,
            r.id AS last_run_id, r.started_at AS last_run_at, r.ended_at AS last_run_ended_at,
            r.outcome AS run_outcome, r.detail AS last_detail
        FROM calendar_mappings p LEFT JOIN sync_runs r ON r.id = (
            SELECT s.id FROM sync_runs s WHERE s.calendar_mapping_id = p.id
            ORDER BY s.started_at DESC, s.id DESC LIMIT 1)
        """;

    /// <summary>All pairs that are not detached, by name.</summary>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<IReadOnlyList<PairListing>> ListAsync(CancellationToken cancellation) => database.ReadAsync(
        session => session.QueryAsync<PairListing>(
            Select + " WHERE p.detached_at IS NULL ORDER BY p.name, p.id"),
        cancellation);

    /// <summary>
    /// Forgets conflicts that are older than is kept, and plans that can be approved no more. The contents
    /// both sides had stay in the history of the events.
    /// </summary>
    /// <param name="now">UTC.</param>
    /// <param name="conflictsBefore">Conflicts decided until then are forgotten.</param>
    /// <param name="countMax">How many of each at most.</param>
    /// <param name="cancellation">Cancelling forgets none.</param>
    /// <returns>How many rows were forgotten.</returns>
    public Task<int> PruneAsync(
        DateTimeOffset now, DateTimeOffset conflictsBefore, int countMax, CancellationToken cancellation) =>
        database.WriteAsync(
            async session =>
                await session.ExecuteAsync(
                    $"""
                    DELETE FROM event_conflicts WHERE id IN (
                        SELECT id FROM event_conflicts WHERE created_at <= @conflictsBefore
                        ORDER BY created_at LIMIT @countMax{session.SkipLocked})
                    """,
                    new { conflictsBefore, countMax })
                + await session.ExecuteAsync(
                    $"""
                    DELETE FROM sync_plans WHERE expires_at <= @now AND id IN (
                        SELECT id FROM sync_plans WHERE expires_at <= @now
                        ORDER BY expires_at LIMIT @countMax{session.SkipLocked})
                    """,
                    new { now, countMax }),
            cancellation);

    /// <summary>One pair, by its id or its name; null when there is none, or several of that name.</summary>
    /// <param name="word">Id or name.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public async Task<PairListing?> FindAsync(string word, CancellationToken cancellation)
    {
        var found = await database.ReadAsync(
            session => session.QueryAsync<PairListing>(
                Select + " WHERE p.detached_at IS NULL AND (p.id = @word OR p.name = @word)", new { word }),
            cancellation);
        return found.Count == 1 ? found[0] : null;
    }

    /// <summary>Pauses a pair, or lets it run again, at once.</summary>
    /// <param name="pair">Which.</param>
    /// <param name="enabled">False pauses it; a run under way ends by itself.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellation">Cancelled, nothing is changed.</param>
    public Task SetEnabledAsync(
        PairListing pair, bool enabled, DateTimeOffset now, CancellationToken cancellation) =>
        database.WriteAsync(
            session =>
            {
                session.Queue(
                    """
                    UPDATE calendar_mappings SET enabled = @enabled, next_run_at = NULL, failures = 0,
                        updated_at = @now
                    WHERE id = @Id AND detached_at IS NULL
                    """,
                    new { pair.Id, enabled, now },
                    expectRows: 1);
                session.Journal(Entry(pair, enabled ? "pair.resumed" : "pair.paused", now));
                return Task.CompletedTask;
            },
            cancellation);

    /// <summary>Says whether a pair's marker event must be seen before deletions are carried over.</summary>
    /// <param name="pair">Which.</param>
    /// <param name="canary">Whether it must.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellation">Cancelled, nothing is changed.</param>
    public Task SetCanaryAsync(
        PairListing pair, bool canary, DateTimeOffset now, CancellationToken cancellation) =>
        database.WriteAsync(
            session =>
            {
                session.Queue(
                    """
                    UPDATE calendar_mappings SET canary = @canary, updated_at = @now
                    WHERE id = @Id AND detached_at IS NULL
                    """,
                    new { pair.Id, canary, now },
                    expectRows: 1);
                session.Journal(Entry(pair, canary ? "pair.canary_on" : "pair.canary_off", now));
                return Task.CompletedTask;
            },
            cancellation);

    /// <summary>
    /// Ends a pair: both calendars keep what they have, its history stays, its name is free again.
    /// </summary>
    /// <param name="pair">Which.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellation">Cancelled, nothing is changed.</param>
    /// <returns>False when a run holds it.</returns>
    public Task<bool> DetachAsync(
        PairListing pair, DateTimeOffset now, CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            var ended = await session.ExecuteAsync(
                """
                UPDATE calendar_mappings SET enabled = FALSE, detached_at = @now, updated_at = @now
                WHERE id = @Id AND detached_at IS NULL AND (lease_until IS NULL OR lease_until <= @now)
                """,
                new { pair.Id, now });
            if (ended == 0)
                return false;
            session.Journal(Entry(pair, "pair.detached", now));
            return true;
        },
        cancellation);

    /// <summary>
    /// Pairs to be run now, the longest due first: enabled, held by nobody, and both connections let us in.
    /// </summary>
    /// <param name="now">UTC.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<IReadOnlyList<PairListing>> DueAsync(
        DateTimeOffset now, CancellationToken cancellation) => database.ReadAsync(
        session => session.QueryAsync<PairListing>(
            Select + """

             WHERE p.enabled AND p.detached_at IS NULL AND (p.next_run_at IS NULL OR p.next_run_at <= @now)
                AND (p.lease_until IS NULL OR p.lease_until <= @now)
                AND NOT EXISTS (
                    SELECT 1 FROM calendars k JOIN connections n ON n.id = k.connection_id
                    WHERE k.id IN (p.google_calendar, p.icloud_calendar)
                        AND n.state IN ('needs_reauth', 'disconnected'))
            ORDER BY p.next_run_at IS NOT NULL, p.next_run_at, p.id
            """,
            new { now }),
        cancellation);

    /// <summary>Says when a pair runs next.</summary>
    /// <param name="pairId">Which.</param>
    /// <param name="at">UTC.</param>
    /// <param name="failures">Runs in a row that failed.</param>
    /// <param name="cancellation">Cancelled, it runs when it would have.</param>
    public Task ScheduleAsync(
        string pairId, DateTimeOffset at, int failures, CancellationToken cancellation) =>
        database.WriteAsync(
            session => session.ExecuteAsync(
                "UPDATE calendar_mappings SET next_run_at = @at, failures = @failures WHERE id = @pairId",
                new { pairId, at, failures }),
            cancellation);

    private JournalEntry Entry(PairListing pair, string kind, DateTimeOffset now) => new(
        now, pair.TenantId, "cli", "request", ids.Next("cor"), kind, "pair", pair.Id,
        After: JournalText.Of(new { pair.Name }));
}

/// <summary>A pair and how it stands.</summary>
public sealed record PairListing
{
    /// <summary>Prefixed id.</summary>
    public required string Id { get; init; }

    /// <summary>Whose it is.</summary>
    public required string TenantId { get; init; }

    /// <summary>What its owner calls it.</summary>
    public required string Name { get; init; }

    /// <summary>Our id of the left calendar.</summary>
    public required string GoogleCalendar { get; init; }

    /// <summary>Our id of the right calendar.</summary>
    public required string IcloudCalendar { get; init; }

    /// <summary>Who wins where both sides changed the same thing.</summary>
    public required ConflictPolicy Policy { get; init; }

    /// <summary><c>left</c> or <c>right</c>: the side that shows only busy; null when both show
    /// all.</summary>
    public string? BusySide { get; init; }

    /// <summary>Whether deletions wait where its marker event is not seen.</summary>
    public bool Canary { get; init; }

    /// <summary>False while it is paused.</summary>
    public required bool Enabled { get; init; }

    /// <summary>How the last run that came to an end ended; null when none has.</summary>
    public string? LastOutcome { get; init; }

    /// <summary>When the worker runs it next, UTC; null for at once.</summary>
    public DateTimeOffset? NextRunAt { get; init; }

    /// <summary>Runs in a row that failed.</summary>
    public required int Failures { get; init; }

    /// <summary>When both sides were last read completely, UTC.</summary>
    public DateTimeOffset? FullReadAt { get; init; }

    /// <summary>When a run first ended with both cursors kept, UTC.</summary>
    public DateTimeOffset? FirstSyncedAt { get; init; }

    /// <summary>Until when a run holds it, UTC.</summary>
    public DateTimeOffset? LeaseUntil { get; init; }

    /// <summary>Whether reading the left can go on from a token.</summary>
    public required bool HasLeftToken { get; init; }

    /// <summary>Whether reading the right can go on from a token.</summary>
    public required bool HasRightToken { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Events on both sides.</summary>
    public required int Events { get; init; }

    /// <summary>Events that wait.</summary>
    public required int Waiting { get; init; }

    /// <summary>The last run, also one that was cut off; null when there was none.</summary>
    public string? LastRunId { get; init; }

    /// <summary>When it began, UTC.</summary>
    public DateTimeOffset? LastRunAt { get; init; }

    /// <summary>When it ended, UTC; null while it runs or when it was cut off.</summary>
    public DateTimeOffset? LastRunEndedAt { get; init; }

    /// <summary>How it ended; null as above.</summary>
    public string? RunOutcome { get; init; }

    /// <summary>Its counts and its fault, JSON.</summary>
    public string? LastDetail { get; init; }

    /// <summary>As the engine knows it.</summary>
    public Pair ToPair() => new(Id, TenantId, Name, GoogleCalendar, IcloudCalendar, Policy)
    {
        Busy = MergeSides.Of(BusySide),
        HasCanary = Canary,
    };
}
