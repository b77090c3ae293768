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
/// <param name="ids">Names conflicts and versions.</param>
/// <param name="options">How long a lease lasts.</param>
public sealed partial class PairStore(Database database, IdSource ids, PairOptions options) : IPairStore
{
    /// <summary>Parts of one transaction while others write: they wait no longer than for these.</summary>
    private const int SharedPartCount = 16;

    /// <summary>Parts of one transaction while nobody else writes: a page that many of them touch is written
    /// once.</summary>
    private const int AlonePartCount = 256;

    /// <summary>How long nobody else must have written for it to count as alone.</summary>
    private static readonly TimeSpan AloneAfter = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private long _ownCount;
    private long _othersCount;
    private DateTimeOffset _othersSeenAt;
    private int _partCountMax = SharedPartCount;

    /// <inheritdoc/>
    public int PartCountMax => Volatile.Read(ref _partCountMax);

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
        bool evenPaused, CancellationToken cancellation)
    {
        CountOwn(now);
        return database.WriteAsync(
            async session =>
            {
                var taken = await session.ExecuteAsync(
                    """
                    UPDATE calendar_mappings
                    SET lease_owner = @runId, lease_until = @until, fence = fence + 1
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
    }

    /// <inheritdoc/>
    public Task<bool> RenewAsync(PairLease lease, DateTimeOffset now, CancellationToken cancellation) =>
        ChangeAsync(lease, now, isDeferred: false, _ => { }, cancellation);

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
    public LedgerPart Prepare(PairLease lease, WriteRecord write)
    {
        var prepared = new PreparedWrite(database.Engine);
        WriteRows.QueueInsert(prepared, lease, write);
        return new Part(
            null, Contents([write.Before, write.Sent, write.Base, write.Other?.Seen], []), prepared);
    }

    /// <inheritdoc/>
    public LedgerPart Prepare(PairLease lease, LedgerChange change, DateTimeOffset now)
    {
        var prepared = new PreparedWrite(database.Engine);
        QueueChange(prepared, lease, change, now);
        // The row of a write that was begun names what was kept with it.
        CalendarDocument?[] kept =
            [.. change.Done.Select(each => each.Sent), .. change.Done.Select(each => each.Before)];
        return new Part(change.Mapping.Uid, Contents(Named(change), kept), prepared);
    }

    /// <inheritdoc/>
    public Task<bool> KeepAsync(
        PairLease lease, IReadOnlyList<LedgerPart> parts, DateTimeOffset now,
        CancellationToken cancellation) => ChangeAsync(
        lease, now,
        // Not while others write: their next commit would have to put all of it on disk.
        isDeferred: PartCountMax == AlonePartCount && parts.All(part => ((Part)part).Uid is not null),
        prepared =>
        {
            // In one order, so that two transactions that keep the same contents cannot wait for each other.
            foreach (var (_, row) in parts.SelectMany(part => ((Part)part).Contents)
                .DistinctBy(each => each.Hash).OrderBy(each => each.Hash, StringComparer.Ordinal))
            {
                prepared.Add(row);
            }

            foreach (var part in parts)
                prepared.Add(((Part)part).Prepared);
            var uids = parts.Select(part => ((Part)part).Uid).OfType<string>().ToArray();
            if (uids.Length == 0)
                return;
            prepared.Queue(
                $"""
                UPDATE sync_operations SET state = 'void', finished_at = @now
                WHERE calendar_mapping_id = @Id AND state = 'open' AND {prepared.In("event_uid", "@uids")}
                """,
                new { uids, lease.Pair.Id, now });
            var keys = uids.Select(uid => "uid:" + uid).ToArray();
            prepared.Queue(
                $"""
                DELETE FROM event_quarantine
                WHERE calendar_mapping_id = @Id AND {prepared.In("item_key", "@keys")}
                """,
                new { keys, lease.Pair.Id });
        },
        cancellation);

    /// <inheritdoc/>
    public Task<bool> VoidAsync(
        PairLease lease, IReadOnlyList<string> writeIds, DateTimeOffset now,
        CancellationToken cancellation) => ChangeAsync(
        lease, now, isDeferred: false,
        prepared =>
        {
            var ids = writeIds.ToArray();
            prepared.Queue(
                $"""
                UPDATE sync_operations SET state = 'void', finished_at = @now
                WHERE state = 'open' AND {prepared.In("id", "@ids")}
                """,
                new { ids, now });
        },
        cancellation);

    /// <inheritdoc/>
    public Task<bool> SetAsideAsync(
        PairLease lease, IReadOnlyList<WaitingItem> items, DateTimeOffset now,
        CancellationToken cancellation) => ChangeAsync(
        lease, now, isDeferred: false,
        prepared =>
        {
            foreach (var item in items)
                QueueWaiting(prepared, lease, item, now);
        },
        cancellation);

    /// <inheritdoc/>
    public Task<bool> FinishAsync(
        PairLease lease, RunEnd end, DateTimeOffset now, CancellationToken cancellation) => ChangeAsync(
        lease, now, isDeferred: false,
        prepared =>
        {
            QueueEnd(prepared, lease, end, now);
            if (end.Cleared.Count > 0)
            {
                prepared.Queue(
                    $"""
                    DELETE FROM event_quarantine
                    WHERE calendar_mapping_id = @Id AND {prepared.In("item_key", "@Cleared")}
                    """,
                    new { lease.Pair.Id, Cleared = end.Cleared.ToArray() });
            }

            if (end.IsComplete)
            {
                // All that was read is recorded, so what is still open was never done; what waits may be.
                prepared.Queue(
                    """
                    UPDATE sync_operations SET state = 'void', finished_at = @now
                    WHERE calendar_mapping_id = @Id AND state = 'open' AND NOT EXISTS (
                        SELECT 1 FROM event_quarantine q
                        WHERE q.calendar_mapping_id = @Id AND q.event_uid = sync_operations.event_uid)
                    """,
                    new { lease.Pair.Id, now });
            }
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
    /// <param name="lease">The lease.</param>
    /// <param name="now">UTC.</param>
    /// <param name="isDeferred">Whether it may be lost with the machine, as long as the end of the run is not
    /// known either: the next run finds it out anew, for what was begun and where reading goes on are never
    /// deferred.</param>
    /// <param name="prepare">Puts it together.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    private async Task<bool> ChangeAsync(
        PairLease lease, DateTimeOffset now, bool isDeferred, Action<PreparedWrite> prepare,
        CancellationToken cancellation)
    {
        var prepared = new PreparedWrite(database.Engine);
        prepared.Queue(
            """
            UPDATE calendar_mappings SET lease_until = @Until, updated_at = @now
            WHERE id = @Id AND fence = @Fence AND lease_owner = @RunId
            """,
            new { lease.Pair.Id, lease.Fence, lease.RunId, now, Until = now + options.Lease },
            expectRows: 1);
        prepare(prepared);
        CountOwn(now);
        try
        {
            // SQLite works on the thread that asks, and a run has other things to do meanwhile.
            Task Write(WriteSession session)
            {
                session.Queue(prepared);
                return Task.CompletedTask;
            }

            await Task.Run(
                () => isDeferred
                    ? database.WriteDeferredAsync(Write, cancellation)
                    : database.WriteAsync(Write, cancellation),
                cancellation);
            return true;
        }
        catch (ConcurrencyException)
        {
            return false;
        }
    }

    /// <summary>Counts a transaction that is about to be asked for, and looks whether others were
    /// meanwhile.</summary>
    private void CountOwn(DateTimeOffset now)
    {
        lock (_gate)
        {
            // Too few while one of its own is on the way to the database, never too many.
            var others = database.WriteCount - _ownCount++;
            if (others > _othersCount)
                (_othersCount, _othersSeenAt) = (others, now);
            _partCountMax = now - _othersSeenAt < AloneAfter ? SharedPartCount : AlonePartCount;
        }
    }

    /// <summary>Rows of contents, each once, with what names them.</summary>
    /// <param name="named">Which; null is none.</param>
    /// <param name="kept">Those the ledger has already.</param>
    private List<(string Hash, PreparedWrite Row)> Contents(
        ReadOnlySpan<CalendarDocument?> named, ReadOnlySpan<CalendarDocument?> kept)
    {
        List<(string, PreparedWrite)> rows = [];
        for (var i = 0; i < named.Length; i++)
        {
            if (named[i] is not { } content || IsIn(kept, content) || IsIn(named[..i], content))
                continue;
            var row = new PreparedWrite(database.Engine);
            ContentRows.Queue(row, content);
            rows.Add((content.Digest, row));
        }

        return rows;
    }

    private static bool IsIn(ReadOnlySpan<CalendarDocument?> contents, CalendarDocument content)
    {
        foreach (var each in contents)
        {
            if (ReferenceEquals(each, content) || each?.Digest == content.Digest)
                return true;
        }

        return false;
    }

    /// <summary>Every content a change names.</summary>
    private static CalendarDocument?[] Named(LedgerChange change) =>
    [
        change.Mapping.Base, change.Mapping.Left?.Seen, change.Mapping.Right?.Seen,
        .. (ReadOnlySpan<CalendarDocument?>)(change.IsVersion || !change.Conflicts.IsEmpty
            ? [change.Left, change.Right] : []),
        .. change.Arrived.Select(each => each.Place?.Seen), .. change.Done.Select(each => each.After),
    ];

    private void QueueChange(
        PreparedWrite prepared, PairLease lease, LedgerChange change, DateTimeOffset now)
    {
        var mapping = change.Mapping;
        MappingRows.Queue(prepared, lease.Pair.Id, mapping, now);
        foreach (var write in change.Done)
            WriteRows.QueueDone(prepared, write, now);
        foreach (var arrived in change.Arrived)
            WriteRows.QueueArrived(prepared, arrived, now);
        if (change.IsVersion)
            QueueVersion(prepared, lease, change, now);
        foreach (var conflict in change.Conflicts)
            QueueConflict(prepared, lease, change, conflict, now);
        if (change.Done.IsEmpty && change.Rule is SyncRule.Equal)
            return;
        prepared.Journal(new JournalEntry(
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

    /// <summary>What one write or one event is in the transaction it will be part of.</summary>
    /// <param name="Uid">The event, when the part says how it ended; null for a write that begins.</param>
    /// <param name="Contents">What its rows name and the ledger may not have yet.</param>
    /// <param name="Prepared">Its rows.</param>
    private sealed record Part(
        string? Uid, List<(string Hash, PreparedWrite Row)> Contents, PreparedWrite Prepared) : LedgerPart;
}
