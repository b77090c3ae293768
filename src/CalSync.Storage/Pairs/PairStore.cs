using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync;
using CalSync.Sync.Journal;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Storage.Pairs;

/// <summary>The ledger of pairs, in rows.</summary>
/// <remarks>
/// A run holds its pair's row by a lease with a fence. Every change begins with an UPDATE of that row naming
/// the fence, which also renews the lease and keeps changes of one pair in order.
/// </remarks>
/// <param name="database">Where.</param>
/// <param name="ids">Names conflicts and links.</param>
/// <param name="options">How long a lease lasts.</param>
public sealed partial class PairStore(Database database, IdSource ids, PairOptions options) : IPairStore
{
    /// <inheritdoc/>
    public Task AddAsync(Pair pair, DateTimeOffset now, CancellationToken cancellation) =>
        database.WriteAsync(
            session =>
            {
                session.Queue(
                    """
                    INSERT INTO calendar_mappings (id, tenant_id, name, google_calendar, icloud_calendar,
                        policy, busy_side, created_at, updated_at)
                    VALUES (@Id, @TenantId, @Name, @Left, @Right, @Policy, @Busy, @now, @now)
                    """,
                    new
                    {
                        pair.Id,
                        pair.TenantId,
                        pair.Name,
                        pair.Left,
                        pair.Right,
                        Policy = pair.Policy.ToString(),
                        Busy = pair.Busy?.Word(),
                        now,
                    },
                    expectRows: 1);
                session.Journal(new JournalEntry(
                    now, pair.TenantId, "cli", "request", pair.Id, "pair.added", "pair", pair.Id,
                    After: JournalText.Of(new
                    {
                        pair.Name,
                        policy = pair.Policy.ToString(),
                        showBusy = pair.Busy?.Word(),
                    })));
                return Task.CompletedTask;
            },
            cancellation);

    /// <inheritdoc/>
    public Task<PairLease?> AcquireAsync(
        string pairId, string runId, string actor, DateTimeOffset now, DateTimeOffset until,
        bool evenPaused, CancellationToken cancellation) => database.WriteAsync(
        async session =>
        {
            var taken = await session.ExecuteAsync(
                """
                UPDATE calendar_mappings SET lease_owner = @runId, lease_until = @until, fence = fence + 1
                WHERE id = @pairId AND (enabled OR (@evenPaused AND detached_at IS NULL))
                    AND (lease_until IS NULL OR lease_until <= @now)
                """,
                new { pairId, runId, until, now, evenPaused });
            if (taken == 0)
                return null;
            await session.ExecuteAsync(
                """
                INSERT INTO sync_runs (id, calendar_mapping_id, actor, started_at)
                VALUES (@runId, @pairId, @actor, @now)
                """,
                new { runId, pairId, actor, now });
            var row = await session.FirstOrDefaultAsync<PairRow>(
                "SELECT * FROM calendar_mappings WHERE id = @pairId", new { pairId });
            return row!.ToLease(runId, actor);
        },
        cancellation);

    /// <inheritdoc/>
    public Task<bool> RenewAsync(PairLease lease, DateTimeOffset now, CancellationToken cancellation) =>
        ChangeAsync(lease, now, _ => Task.CompletedTask, cancellation);

    /// <inheritdoc/>
    public Task ReleaseAsync(PairLease lease, CancellationToken cancellation) => database.WriteAsync(
        session => session.ExecuteAsync(
            """
            UPDATE calendar_mappings SET lease_owner = NULL, lease_until = NULL
            WHERE id = @Id AND fence = @Fence
            """,
            new { lease.Pair.Id, lease.Fence }),
        cancellation);

    /// <inheritdoc/>
    public Task<bool> BeginAsync(
        PairLease lease, IReadOnlyList<WriteRecord> writes, DateTimeOffset now,
        CancellationToken cancellation) => ChangeAsync(
        lease, now,
        session =>
        {
            ContentRows.Queue(
                session,
                writes.SelectMany(each => new[] { each.Before, each.Sent, each.Base, each.Other?.Seen }));
            foreach (var write in writes)
                WriteRows.QueueInsert(session, lease, write);
            return Task.CompletedTask;
        },
        cancellation);

    /// <inheritdoc/>
    public Task<bool> RecordAsync(
        PairLease lease, IReadOnlyList<LedgerChange> changes, DateTimeOffset now,
        CancellationToken cancellation) => ChangeAsync(
        lease, now,
        session =>
        {
            ContentRows.Queue(
                session, changes.SelectMany(Contents),
                // The row of a write that was begun names what was kept with it.
                changes.SelectMany(change => change.Done)
                    .SelectMany(each => new[] { each.Sent, each.Before }));
            foreach (var change in changes)
                QueueChange(session, lease, change, now);
            var uids = changes.Select(change => change.Mapping.Uid).ToArray();
            session.Queue(
                $"""
                UPDATE sync_operations SET state = 'void', finished_at = @now
                WHERE calendar_mapping_id = @Id AND state = 'open' AND {session.In("event_uid", "@uids")}
                """,
                new { uids, lease.Pair.Id, now });
            var keys = uids.Select(uid => "uid:" + uid).ToArray();
            session.Queue(
                $"""
                DELETE FROM event_quarantine
                WHERE calendar_mapping_id = @Id AND {session.In("item_key", "@keys")}
                """,
                new { keys, lease.Pair.Id });
            return Task.CompletedTask;
        },
        cancellation);

    /// <inheritdoc/>
    public Task<bool> VoidAsync(
        PairLease lease, IReadOnlyList<string> writeIds, DateTimeOffset now,
        CancellationToken cancellation) => ChangeAsync(
        lease, now,
        session =>
        {
            var ids = writeIds.ToArray();
            session.Queue(
                $"""
                UPDATE sync_operations SET state = 'void', finished_at = @now
                WHERE state = 'open' AND {session.In("id", "@ids")}
                """,
                new { ids, now });
            return Task.CompletedTask;
        },
        cancellation);

    /// <inheritdoc/>
    public Task<bool> SetAsideAsync(
        PairLease lease, IReadOnlyList<WaitingItem> items, DateTimeOffset now,
        CancellationToken cancellation) => ChangeAsync(
        lease, now,
        session =>
        {
            foreach (var item in items)
                QueueWaiting(session, lease, item, now);
            return Task.CompletedTask;
        },
        cancellation);

    /// <inheritdoc/>
    public Task<bool> FinishAsync(
        PairLease lease, RunEnd end, DateTimeOffset now, CancellationToken cancellation) => ChangeAsync(
        lease, now,
        session =>
        {
            QueueEnd(session, lease, end, now);
            if (end.Cleared.Count > 0)
            {
                session.Queue(
                    $"""
                    DELETE FROM event_quarantine
                    WHERE calendar_mapping_id = @Id AND {session.In("item_key", "@Cleared")}
                    """,
                    new { lease.Pair.Id, Cleared = end.Cleared.ToArray() });
            }

            if (end.IsComplete)
            {
                // All that was read is recorded, so what is still open was never done; what waits may be.
                session.Queue(
                    """
                    UPDATE sync_operations SET state = 'void', finished_at = @now
                    WHERE calendar_mapping_id = @Id AND state = 'open' AND NOT EXISTS (
                        SELECT 1 FROM event_quarantine q
                        WHERE q.calendar_mapping_id = @Id AND q.event_uid = sync_operations.event_uid)
                    """,
                    new { lease.Pair.Id, now });
            }

            return Task.CompletedTask;
        },
        cancellation);

    /// <inheritdoc/>
    public Task SavePlanAsync(
        SyncPlan plan, string runId, DateTimeOffset expiresAt, CancellationToken cancellation) =>
        database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO sync_plans (id, calendar_mapping_id, run_id, body, created_at, expires_at)
                VALUES (@Id, @PairId, @runId, @Body, @At, @expiresAt)
                ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at
                """,
                new { plan.Id, plan.PairId, runId, Body = PlanText.Write(plan), plan.At, expiresAt }),
            cancellation);

    /// <summary>Changes the ledger if the lease still holds; the lease is renewed by it.</summary>
    private async Task<bool> ChangeAsync(
        PairLease lease, DateTimeOffset now, Func<WriteSession, Task> change,
        CancellationToken cancellation)
    {
        try
        {
            await database.WriteAsync(
                async session =>
                {
                    session.Queue(
                        """
                        UPDATE calendar_mappings SET lease_until = @Until, updated_at = @now
                        WHERE id = @Id AND fence = @Fence AND lease_owner = @RunId
                        """,
                        new { lease.Pair.Id, lease.Fence, lease.RunId, now, Until = now + options.Lease },
                        expectRows: 1);
                    await change(session);
                },
                cancellation);
            return true;
        }
        catch (ConcurrencyException)
        {
            return false;
        }
    }

    /// <summary>Every content a change names.</summary>
    private static IEnumerable<CalendarDocument?> Contents(LedgerChange change) =>
    [
        change.Mapping.Base, change.Mapping.Left?.Seen, change.Mapping.Right?.Seen,
        .. (CalendarDocument?[])(change.IsVersion || !change.Conflicts.IsEmpty
            ? [change.Left, change.Right] : []),
        .. change.Arrived.Select(each => each.Place?.Seen), .. change.Done.Select(each => each.After),
    ];

    private void QueueChange(
        WriteSession session, PairLease lease, LedgerChange change, DateTimeOffset now)
    {
        var mapping = change.Mapping;
        MappingRows.Queue(session, lease.Pair.Id, mapping, now);
        foreach (var write in change.Done)
            WriteRows.QueueDone(session, write, now);
        foreach (var arrived in change.Arrived)
            WriteRows.QueueArrived(session, arrived, now);
        if (change.IsVersion)
            QueueVersion(session, lease, change, now);
        if (change.Rule is SyncRule.LinkedByUid or SyncRule.LinkedByContent && change.Done.IsEmpty)
        {
            var link = new WriteRecord(
                ids.Next("wrt"), mapping.Uid, ResourceContent.Title(mapping.Base), null, MergeSide.Right,
                change.Rule, now);
            WriteRows.QueueInsert(session, lease, link with { State = "done", Base = mapping.Base });
        }

        foreach (var conflict in change.Conflicts)
            QueueConflict(session, lease, change, conflict, now);
        if (change.Done.IsEmpty && change.Rule is SyncRule.Equal)
            return;
        session.Journal(new JournalEntry(
            now, lease.Pair.TenantId, lease.Actor, "sync", lease.RunId, Kind(change), "event", mapping.Id,
            Before: JournalText.Of(new
            {
                left = ContentRows.Hash(change.Left),
                right = ContentRows.Hash(change.Right),
            }),
            After: JournalText.Of(new
            {
                pair = lease.Pair.Id,
                uid = mapping.Uid,
                rule = change.Rule.ToString(),
                @base = ContentRows.Hash(mapping.Base),
                left = ContentRows.Hash(mapping.Left?.Seen),
                right = ContentRows.Hash(mapping.Right?.Seen),
                writes = change.Done.Select(each => $"{each.Kind} {each.Side.Word()}"),
                conflicts = change.Conflicts.Length,
            })));
    }

    private static string Kind(LedgerChange change) => change switch
    {
        { Rule: SyncRule.LinkedByUid or SyncRule.LinkedByContent } => "event.linked",
        { Mapping.Status: MappingStatus.Deleted } => "event.deleted",
        { Done: [{ Kind: StepKind.Create }, ..] } => "event.created",
        _ => "event.synced",
    };
}
