using System.Collections.Immutable;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.History;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Storage.Pairs;

/// <content>What both sides held over time.</content>
public sealed partial class PairStore
{
    private const string SelectVersions =
        """
        SELECT v.event_uid, v.run_id, v.rule, v.sync_status, v.left_uid, v.right_uid, v.left_found_hash,
            v.right_found_hash, v.left_hash, v.right_hash, v.base_hash, v.created_at, r.actor
        FROM event_versions v LEFT JOIN sync_runs r ON r.id = v.run_id
        """;

    private static readonly SqlText InsertVersion = SqlText.Of(
        """
        INSERT INTO event_versions (id, calendar_mapping_id, event_uid, run_id, rule, sync_status, title,
            left_uid, right_uid, left_found_hash, right_found_hash, left_hash, right_hash, base_hash,
            created_at)
        VALUES (@VersionId, @PairId, @Uid, @RunId, @Rule, @Status, @Title, @LeftUid, @RightUid, @LeftFound,
            @RightFound, @Left, @Right, @Base, @now)
        """);

    /// <inheritdoc/>
    public Task<ImmutableArray<EventVersion>> VersionsAsync(
        string pairId, string uid, CancellationToken cancellation) => VersionsAsync(
        SelectVersions + """

         WHERE v.calendar_mapping_id = @pairId AND v.event_uid = @uid ORDER BY v.created_at, v.id
        """,
        new { pairId, uid }, cancellation);

    /// <inheritdoc/>
    public Task<ImmutableArray<EventVersion>> StateAsync(
        string pairId, string? uid, DateTimeOffset at, CancellationToken cancellation) => VersionsAsync(
        SelectVersions + """

         JOIN (
            SELECT id, ROW_NUMBER() OVER (PARTITION BY event_uid ORDER BY created_at DESC, id DESC) AS age
            FROM event_versions
            WHERE calendar_mapping_id = @pairId AND created_at <= @at
                AND event_uid = COALESCE(@uid, event_uid)
         ) newest ON newest.id = v.id AND newest.age = 1
         ORDER BY v.event_uid
        """,
        new { pairId, uid, at }, cancellation);

    private Task<ImmutableArray<EventVersion>> VersionsAsync(
        string sql, object args, CancellationToken cancellation) =>
        database.SnapshotAsync<ImmutableArray<EventVersion>>(
            async session =>
            {
                var rows = await session.QueryAsync<VersionRow>(sql, args);
                var contents = await ContentRows.ReadAsync(session, rows.SelectMany(row => row.Hashes));
                return [.. rows.Select(row => row.ToVersion(contents))];
            },
            cancellation);

    private void QueueVersion(
        PreparedWrite prepared, PairLease lease, LedgerChange change, DateTimeOffset now) => prepared.Queue(
        InsertVersion,
        [
            ("VersionId", ids.Next("ver")),
            ("PairId", lease.Pair.Id),
            ("Uid", change.Mapping.Uid),
            ("RunId", lease.RunId),
            ("Rule", change.Rule.ToString()),
            ("Status", change.Mapping.Status.ToString().ToLowerInvariant()),
            ("Title", WriteRows.Storable(ResourceContent.Title(
                change.Mapping.Base ?? change.Mapping.Left?.Seen ?? change.Mapping.Right?.Seen))),
            ("LeftUid", change.Mapping.Left?.Uid),
            ("RightUid", change.Mapping.Right?.Uid),
            ("LeftFound", ContentRows.Hash(change.Left)),
            ("RightFound", ContentRows.Hash(change.Right)),
            ("Left", ContentRows.Hash(change.Mapping.Left?.Seen)),
            ("Right", ContentRows.Hash(change.Mapping.Right?.Seen)),
            ("Base", ContentRows.Hash(change.Mapping.Base)),
            ("now", now),
        ],
        expectRows: 1);

    private sealed record VersionRow
    {
        public string EventUid { get; init; } = "";

        public string RunId { get; init; } = "";

        public string Rule { get; init; } = "";

        public string SyncStatus { get; init; } = "";

        public string? LeftUid { get; init; }

        public string? RightUid { get; init; }

        public string? LeftFoundHash { get; init; }

        public string? RightFoundHash { get; init; }

        public string? LeftHash { get; init; }

        public string? RightHash { get; init; }

        public string? BaseHash { get; init; }

        public DateTimeOffset CreatedAt { get; init; }

        public string? Actor { get; init; }

        public IEnumerable<string?> Hashes =>
            [LeftFoundHash, RightFoundHash, LeftHash, RightHash, BaseHash];

        public EventVersion ToVersion(Dictionary<string, CalendarDocument> contents)
        {
            CalendarDocument? Content(string? hash) => hash is null ? null : contents[hash];
            return new EventVersion(
                EventUid, RunId, Actor ?? "", CreatedAt, Enum.Parse<SyncRule>(Rule),
                Enum.Parse<MappingStatus>(SyncStatus, ignoreCase: true), Content(BaseHash),
                new SideVersion(Content(LeftFoundHash), Content(LeftHash), LeftUid),
                new SideVersion(Content(RightFoundHash), Content(RightHash), RightUid));
        }
    }
}
