using System.Diagnostics;
using CalSync.Sync;
using CalSync.Sync.HandEdits;
using CalSync.Sync.Journal;
using CalSync.Sync.Mirroring;

namespace CalSync.Storage.Mirroring;

/// <summary>Stores what was changed on a calendar by hand, in the transaction that ends the turn which found
/// it.</summary>
internal static class ProposalWriting
{
    /// <summary>Writes the findings of a turn, the question to the instructor and the journal.</summary>
    public static async Task WriteAsync(WriteSession session, IdSource ids, MirrorRecord record)
    {
        if (record.HandEdits.IsEmpty)
            return;
        var slot = await session.FirstOrDefaultAsync<SlotNow>(
            """
            SELECT s.id, s.class_id, s.start_at, s.end_at, s.version, k.instructor_id, k.title
            FROM slots s JOIN classes k ON k.id = s.class_id WHERE s.id = @SlotId
            """,
            new { record.Claim.SlotId });

        // The platform has changed the slot since the turn read it: what was found is about another one.
        if (slot is null || slot.Version != record.SlotVersion)
            return;
        await WithdrawMootAsync(session, slot.Id, record.At, record.Claim.CorrelationId);
        foreach (var found in record.HandEdits)
            await WriteAsync(session, ids, record, slot, found);
    }

    /// <summary>Withdraws questions about slots as they are no more.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="slotId">Of this slot; null for all.</param>
    /// <param name="now">UTC.</param>
    /// <param name="correlationId">For the journal.</param>
    /// <returns>How many.</returns>
    public static async Task<int> WithdrawMootAsync(
        WriteSession session, string? slotId, DateTimeOffset now, string correlationId)
    {
        var moot = await session.QueryAsync<Closed>(
            """
            UPDATE proposals SET state = 'withdrawn', version = version + 1, decided_at = @now,
                updated_at = @now,
                reason = (SELECT CASE s.state WHEN 'scheduled' THEN 'slot_moved' WHEN 'completed'
                    THEN 'slot_over' ELSE 'slot_cancelled' END FROM slots s WHERE s.id = proposals.slot_id)
            WHERE state = 'pending' AND (@slotId = '' OR slot_id = @slotId)
                AND slot_version <> (SELECT s.version FROM slots s WHERE s.id = proposals.slot_id)
            RETURNING id, tenant_id, class_id, slot_id, kind, reason
            """,
            new { now, slotId = slotId ?? "" });
        foreach (var closed in moot)
            Journal(session, closed, "withdrawn", now, correlationId);
        return moot.Count;
    }

    private static async Task WriteAsync(
        WriteSession session, IdSource ids, MirrorRecord record, SlotNow slot, HandEditFinding found)
    {
        switch (found)
        {
            case HandEditFinding.Answered { Reason: var reason }:
                await WithdrawAsync(session, record, reason);
                break;
            case HandEditFinding.Moved moved:
                if (!await MoveOnAsync(session, record, moved))
                    Open(session, ids, record, slot, found);
                break;
            case HandEditFinding.Deleted { Policy: DeletionPolicy.Recreate }:
                await WithdrawAsync(session, record, "deleted");
                Insert(session, ids, record, slot, found, "settled", "recreated");
                break;
            case HandEditFinding.Deleted:
                await WithdrawAsync(session, record, "deleted");
                Open(session, ids, record, slot, found);
                break;
            case HandEditFinding.Relinked:
                await WithdrawAsync(session, record, "relinked");
                Insert(session, ids, record, slot, found, "settled", "relinked");
                break;
            default:
                throw new UnreachableException($"Unknown finding {found.GetType().Name}.");
        }

        await session.FlushAsync();
    }

    private static async Task WithdrawAsync(WriteSession session, MirrorRecord record, string reason)
    {
        var closed = await session.FirstOrDefaultAsync<Closed>(
            """
            UPDATE proposals SET state = 'withdrawn', reason = @reason, version = version + 1,
                decided_at = @At, updated_at = @At
            WHERE slot_id = @SlotId AND state = 'pending'
            RETURNING id, tenant_id, class_id, slot_id, kind, reason
            """,
            new { reason, record.At, record.Claim.SlotId });
        if (closed is not null)
            Journal(session, closed, "withdrawn", record.At, record.Claim.CorrelationId);
    }

    /// <summary>Moved once more while the question is open: it is the same question with another
    /// answer.</summary>
    private static async Task<bool> MoveOnAsync(
        WriteSession session, MirrorRecord record, HandEditFinding.Moved moved)
    {
        var changed = await session.FirstOrDefaultAsync<Closed>(
            """
            UPDATE proposals SET to_start = @Start, to_end = @End, version = version + 1, updated_at = @At
            WHERE slot_id = @SlotId AND state = 'pending' AND kind = 'moved'
            RETURNING id, tenant_id, class_id, slot_id, kind, reason
            """,
            new { moved.Start, moved.End, record.At, record.Claim.SlotId });
        if (changed is null)
            return false;
        session.Journal(Entry(
            record.At, changed, "proposal.changed", record.Claim.CorrelationId,
            new { changed.SlotId, toStart = moved.Start, toEnd = moved.End }));
        return true;
    }

    private static void Open(
        WriteSession session, IdSource ids, MirrorRecord record, SlotNow slot, HandEditFinding found)
    {
        var id = Insert(session, ids, record, slot, found, "pending", null);
        var what = found is HandEditFinding.Moved ? "was moved" : "was deleted";
        session.Queue(
            """
            INSERT INTO notices (id, tenant_id, user_id, kind, class_id, slot_id, message, due_at, state,
                dedupe_key, created_at, updated_at)
            VALUES (@NoticeId, @TenantId, @InstructorId, 'proposal', @ClassId, @SlotId, @Message, @At,
                'sent', @Dedupe, @At, @At)
            ON CONFLICT (dedupe_key) DO NOTHING
            """,
            new
            {
                NoticeId = ids.Next("ntc"),
                record.Claim.TenantId,
                slot.InstructorId,
                slot.ClassId,
                SlotId = slot.Id,
                Message = $"\"{slot.Title}\" {what} on your calendar. Nobody is told before you decide. "
                    + $"Proposal {id}.",
                record.At,
                Dedupe = $"proposal:{id}",
            });
    }

    private static string Insert(
        WriteSession session, IdSource ids, MirrorRecord record, SlotNow slot, HandEditFinding found,
        string state, string? reason)
    {
        var id = ids.Next("prp");
        var moved = found as HandEditFinding.Moved;
        var kind = found switch
        {
            HandEditFinding.Moved => "moved",
            HandEditFinding.Deleted => "deleted",
            _ => "relinked",
        };
        var policy = (found as HandEditFinding.Deleted)?.Policy switch
        {
            DeletionPolicy.Ask => "ask",
            DeletionPolicy.Recreate => "recreate",
            DeletionPolicy.CancelSlot => "cancel_slot",
            _ => null,
        };
        session.Queue(
            """
            INSERT INTO proposals (id, tenant_id, class_id, slot_id, mirror_id, kind, state, reason, policy,
                from_start, from_end, to_start, to_end, slot_version, event_id, old_event_id, decided_at,
                found_at, updated_at)
            VALUES (@id, @TenantId, @ClassId, @SlotId, @MirrorId, @kind, @state, @reason, @policy, @StartAt,
                @EndAt, @ToStart, @ToEnd, @Version, @EventId, @OldEventId, @DecidedAt, @At, @At)
            """,
            new
            {
                id,
                record.Claim.TenantId,
                slot.ClassId,
                SlotId = slot.Id,
                MirrorId = record.Claim.Id,
                kind,
                state,
                reason,
                policy,
                slot.StartAt,
                slot.EndAt,
                ToStart = moved?.Start,
                ToEnd = moved?.End,
                slot.Version,
                record.EventId,
                (found as HandEditFinding.Relinked)?.OldEventId,
                DecidedAt = state == "pending" ? (DateTimeOffset?)null : record.At,
                record.At,
            });
        session.Journal(Entry(
            record.At, new Closed
            {
                Id = id,
                TenantId = record.Claim.TenantId,
                ClassId = slot.ClassId,
                SlotId = slot.Id,
                Kind = kind,
            },
            state == "pending" ? "proposal.made" : "proposal.settled", record.Claim.CorrelationId,
            new
            {
                kind,
                reason,
                slotId = slot.Id,
                record.EventId,
                fromStart = slot.StartAt,
                fromEnd = slot.EndAt,
                toStart = moved?.Start,
                toEnd = moved?.End,
            }));
        return id;
    }

    private static void Journal(
        WriteSession session, Closed closed, string state, DateTimeOffset now, string correlationId) =>
        session.Journal(Entry(
            now, closed, $"proposal.{state}", correlationId,
            new { closed.Kind, closed.SlotId, state, closed.Reason }));

    private static JournalEntry Entry(
        DateTimeOffset now, Closed about, string kind, string correlationId, object after) => new(
        now, about.TenantId, "worker", "mirror", correlationId, kind, "proposal", about.Id, about.ClassId,
        null, JournalText.Of(after));

    private sealed record SlotNow
    {
        public string Id { get; init; } = "";

        public string ClassId { get; init; } = "";

        public DateTimeOffset StartAt { get; init; }

        public DateTimeOffset EndAt { get; init; }

        public long Version { get; init; }

        public string InstructorId { get; init; } = "";

        public string Title { get; init; } = "";
    }

    private sealed record Closed
    {
        public string Id { get; init; } = "";

        public string TenantId { get; init; } = "";

        public string ClassId { get; init; } = "";

        public string SlotId { get; init; } = "";

        public string Kind { get; init; } = "";

        public string? Reason { get; init; }
    }
}
