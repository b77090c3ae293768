using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Storage.Pairs;

/// <content>What is read, and the smaller rows.</content>
public sealed partial class PairStore
{
    private const string EntryColumns =
        """
        SELECT id, event_uid, google_ical_uid, icloud_uid, google_self_link, icloud_resource_url, google_etag,
            icloud_etag, sync_status, base_hash, google_seen_hash, icloud_seen_hash
        FROM event_mappings
        """;

    /// <inheritdoc/>
    public async Task<ImmutableArray<MappingEntry>> EntriesAsync(
        string pairId, LedgerFilter? filter, CancellationToken cancellation)
    {
        var rows = await database.ReadAsync(
            async session =>
            {
                if (filter is null)
                {
                    // All there are, named, so that the index finds those of the pair.
                    return await session.QueryAsync<MappingRows>(
                        EntryColumns + """
                         WHERE sync_status IN ('active', 'deleted', 'orphaned')
                            AND calendar_mapping_id = @pairId
                        """,
                        new { pairId });
                }

                var (left, right, uids) = (
                    filter.Left.ToArray(), filter.Right.ToArray(), filter.Uids.ToArray());
                string Matching(string column, string values) =>
                    $"{EntryColumns} WHERE calendar_mapping_id = @pairId AND {session.In(column, values)}";
                return await session.QueryAsync<MappingRows>(
                    string.Join(
                        " UNION ",
                        Matching("google_self_link", "@left"), Matching("icloud_resource_url", "@right"),
                        Matching("event_uid", "@uids"), Matching("google_ical_uid", "@uids"),
                        Matching("icloud_uid", "@uids")),
                    new { pairId, left, right, uids });
            },
            cancellation);
        return [.. rows.Select(row => row.ToEntry())];
    }

    /// <inheritdoc/>
    public Task<int> CountAsync(string pairId, CancellationToken cancellation) => database.ReadAsync(
        session => session.ScalarAsync<int>(
            """
            SELECT count(*) FROM event_mappings
            WHERE calendar_mapping_id = @pairId AND sync_status = 'active'
            """,
            new { pairId }),
        cancellation);

    /// <inheritdoc/>
    public Task<ImmutableArray<EventMapping>> LoadAsync(
        string pairId, IReadOnlyCollection<string> mappingIds, CancellationToken cancellation) =>
        database.SnapshotAsync<ImmutableArray<EventMapping>>(
            async session =>
            {
                var ids = mappingIds.ToArray();
                var rows = await session.QueryAsync<MappingRows>(
                    $"{EntryColumns} WHERE calendar_mapping_id = @pairId AND {session.In("id", "@ids")}",
                    new { pairId, ids });
                var contents = await ContentRows.ReadAsync(
                    session,
                    rows.SelectMany(row => new[] { row.BaseHash, row.GoogleSeenHash, row.IcloudSeenHash }));
                return [.. rows.Select(row => row.ToMapping(contents))];
            },
            cancellation);

    /// <inheritdoc/>
    public async Task<ImmutableArray<OpenWrite>> OpenWritesAsync(
        string pairId, CancellationToken cancellation) =>
    [
        .. (await WritesAsync(
                """
                calendar_mapping_id = @pairId AND state = 'open'
                    AND (sent_hash IS NOT NULL OR rule IN ('Undone', 'Restored'))
                """,
                new { pairId }, cancellation))
            .Where(write => write is { Base: not null })
            .Select(write => new OpenWrite(
                write.Uid, write.Side, write.Before, write.Sent, write.Base!, write.Other)
            {
                Id = write.Id,
                Rule = write.Rule,
                UidThere = write.UidThere,
            }),
    ];

    /// <inheritdoc/>
    public Task<ImmutableArray<WriteRecord>> RunWritesAsync(
        string pairId, string runId, CancellationToken cancellation) => WritesAsync(
        "calendar_mapping_id = @pairId AND run_id = @runId", new { pairId, runId }, cancellation);

    /// <inheritdoc/>
    public Task<ImmutableArray<WriteRecord>> EventWritesAsync(
        string pairId, string uid, CancellationToken cancellation) => WritesAsync(
        "calendar_mapping_id = @pairId AND event_uid = @uid", new { pairId, uid }, cancellation);

    /// <inheritdoc/>
    public async Task<ImmutableArray<WaitingItem>> WaitingAsync(
        string pairId, CancellationToken cancellation)
    {
        var rows = await database.ReadAsync(
            session => session.QueryAsync<WaitingRow>(
                "SELECT * FROM event_quarantine WHERE calendar_mapping_id = @pairId ORDER BY item_key",
                new { pairId }),
            cancellation);
        return [.. rows.Select(row => row.ToItem())];
    }

    private Task<ImmutableArray<WriteRecord>> WritesAsync(
        string condition, object args, CancellationToken cancellation) =>
        database.SnapshotAsync<ImmutableArray<WriteRecord>>(
            async session =>
            {
                var rows = await session.QueryAsync<WriteRows>(
                    $"SELECT * FROM sync_operations WHERE {condition} ORDER BY created_at, id", args);
                var contents = await ContentRows.ReadAsync(session, rows.SelectMany(row => row.Hashes));
                return [.. rows.Select(row => row.ToRecord(contents))];
            },
            cancellation);

    private static void QueueWaiting(
        PreparedWrite prepared, PairLease lease, WaitingItem item, DateTimeOffset now) => prepared.Queue(
        """
        INSERT INTO event_quarantine (calendar_mapping_id, item_key, event_uid, left_address, right_address,
            kind, reason, raw, attempts, next_attempt_at, settled, since)
        VALUES (@Id, @Key, @Uid, @Left, @Right, @Kind, @Why, @Raw, @Attempts, @NextAttemptAt, @IsSettled,
            @now)
        ON CONFLICT (item_key, calendar_mapping_id) DO UPDATE SET left_address = excluded.left_address,
            right_address = excluded.right_address, kind = excluded.kind, reason = excluded.reason,
            raw = excluded.raw, attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at,
            settled = excluded.settled, event_uid = excluded.event_uid
        """,
        new
        {
            lease.Pair.Id,
            item.Key,
            item.Uid,
            Left = item.Left?.Value,
            Right = item.Right?.Value,
            Kind = item.Trouble.Kind.ToString(),
            Why = WriteRows.Storable(item.Trouble.Why),
            Raw = item.Trouble.Raw is { } raw ? WriteRows.Storable(raw) : null,
            item.Attempts,
            item.NextAttemptAt,
            item.IsSettled,
            now,
        },
        expectRows: 1);

    private void QueueConflict(
        PreparedWrite prepared, PairLease lease, LedgerChange change, MergeConflict conflict,
        DateTimeOffset now) => prepared.Queue(
        """
        INSERT INTO event_conflicts (id, calendar_mapping_id, event_uid, run_id, rule, component, property,
            member, base_value, left_value, right_value, chosen, left_hash, right_hash, created_at)
        VALUES (@ConflictId, @PairId, @Uid, @RunId, @Rule, @Component, @Property, @Member, @Base, @Left,
            @Right, @Chosen, @LeftHash, @RightHash, @now)
        """,
        new
        {
            ConflictId = ids.Next("cfl"),
            PairId = lease.Pair.Id,
            change.Mapping.Uid,
            lease.RunId,
            Rule = change.Rule.ToString(),
            Component = WriteRows.Storable(conflict.Component.ToString()),
            Property = Storable(conflict.Property),
            Member = Storable(conflict.Member),
            Base = Storable(conflict.Base),
            Left = Storable(conflict.Left),
            Right = Storable(conflict.Right),
            Chosen = conflict.Chosen.Word(),
            LeftHash = ContentRows.Hash(change.Left),
            RightHash = ContentRows.Hash(change.Right),
            now,
        },
        expectRows: 1);

    private static string? Storable(string? text) => text is null ? null : WriteRows.Storable(text);

    private static void QueueEnd(PreparedWrite prepared, PairLease lease, RunEnd end, DateTimeOffset now)
    {
        prepared.Queue(
            """
            UPDATE calendar_mappings SET lease_owner = NULL, lease_until = NULL, last_outcome = @Outcome,
                google_sync_token = COALESCE(@Left, google_sync_token),
                google_token_kind = COALESCE(@LeftKind, google_token_kind),
                google_last_updated = CASE WHEN @IsComplete THEN @now ELSE google_last_updated END,
                icloud_sync_token = COALESCE(@Right, icloud_sync_token),
                icloud_token_kind = COALESCE(@RightKind, icloud_token_kind),
                icloud_last_updated = CASE WHEN @IsComplete THEN @now ELSE icloud_last_updated END,
                full_read_at = CASE WHEN @IsFullRead THEN @now ELSE full_read_at END,
                first_synced_at = CASE WHEN @IsComplete THEN COALESCE(first_synced_at, @now)
                    ELSE first_synced_at END,
                expects_echo = CASE WHEN @HasWritten THEN TRUE WHEN @IsComplete THEN FALSE
                    ELSE expects_echo END
            WHERE id = @Id AND fence = @Fence
            """,
            new
            {
                lease.Pair.Id,
                lease.Fence,
                end.Outcome,
                Left = end.Left?.Token,
                LeftKind = end.Left?.Kind.ToString(),
                Right = end.Right?.Token,
                RightKind = end.Right?.Kind.ToString(),
                end.IsComplete,
                end.IsFullRead,
                HasWritten = end.Written > 0,
                now,
            },
            expectRows: 1);
        prepared.Queue(
            "UPDATE sync_runs SET ended_at = @now, outcome = @Outcome, detail = @Detail WHERE id = @RunId",
            new { lease.RunId, end.Outcome, end.Detail, now },
            expectRows: 1);
    }

    private sealed record WaitingRow
    {
        public string ItemKey { get; init; } = "";

        public string? EventUid { get; init; }

        public string? LeftAddress { get; init; }

        public string? RightAddress { get; init; }

        public string Kind { get; init; } = "";

        public string Reason { get; init; } = "";

        public string? Raw { get; init; }

        public int Attempts { get; init; }

        public DateTimeOffset? NextAttemptAt { get; init; }

        public bool Settled { get; init; }

        public WaitingItem ToItem() => new(
            ItemKey, EventUid, LeftAddress is null ? null : new ResourceAddress(LeftAddress),
            RightAddress is null ? null : new ResourceAddress(RightAddress),
            new Trouble(Enum.Parse<TroubleKind>(Kind), Reason, Raw), Attempts, NextAttemptAt, Settled);
    }
}
