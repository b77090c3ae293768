using System.Text.Json;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.Storage.Pairs;

/// <summary>One pair's row.</summary>
internal sealed record PairRow
{
    public string Id { get; init; } = "";

    public string TenantId { get; init; } = "";

    public string Name { get; init; } = "";

    public string GoogleCalendar { get; init; } = "";

    public string IcloudCalendar { get; init; } = "";

    public string Policy { get; init; } = "";

    public string? BusySide { get; init; }

    public bool Canary { get; init; }

    public string? GoogleSyncToken { get; init; }

    public string? GoogleTokenKind { get; init; }

    public string? IcloudSyncToken { get; init; }

    public string? IcloudTokenKind { get; init; }

    public DateTimeOffset? FullReadAt { get; init; }

    public DateTimeOffset? FirstSyncedAt { get; init; }

    public bool ExpectsEcho { get; init; }

    public long Fence { get; init; }

    public PairLease ToLease(string runId, string actor) => new(
        new Pair(Id, TenantId, Name, GoogleCalendar, IcloudCalendar, Enum.Parse<ConflictPolicy>(Policy))
        {
            Busy = MergeSides.Of(BusySide),
            HasCanary = Canary,
        },
        runId, actor, Fence, Cursor(GoogleSyncToken, GoogleTokenKind),
        Cursor(IcloudSyncToken, IcloudTokenKind), FullReadAt, FirstSyncedAt is null, ExpectsEcho);

    private static SyncCursor? Cursor(string? token, string? kind) =>
        token is null ? null : new SyncCursor(token, Enum.Parse<CursorKind>(kind!));
}

/// <summary>Contents, each kept once under the SHA-256 of its octets.</summary>
internal static class ContentRows
{
    private static readonly SqlText Insert = SqlText.Of(
        """
        INSERT INTO event_contents (hash, octets) VALUES (@Digest, @Bytes)
        ON CONFLICT (hash) DO NOTHING
        """);

    /// <summary>The name of a content; null for none.</summary>
    public static string? Hash(CalendarDocument? content) => content?.Digest;

    /// <summary>Keeps a content.</summary>
    public static void Queue(PreparedWrite prepared, CalendarDocument content) =>
        prepared.Queue(Insert, [("Digest", content.Digest), ("Bytes", content.Bytes)]);

    /// <summary>Reads contents by name.</summary>
    public static async Task<Dictionary<string, CalendarDocument>> ReadAsync(
        Session session, IEnumerable<string?> hashes)
    {
        var wanted = hashes.OfType<string>().Distinct(StringComparer.Ordinal).ToArray();
        if (wanted.Length == 0)
            return [];
        var rows = await session.QueryAsync<ContentRow>(
            $"SELECT hash, octets FROM event_contents WHERE {session.In("hash", "@wanted")}",
            new { wanted });
        return rows.ToDictionary(
            row => row.Hash, row => CalendarDocument.Parse((ReadOnlyMemory<byte>)row.Octets),
            StringComparer.Ordinal);
    }

    private sealed record ContentRow
    {
        public string Hash { get; init; } = "";

        public byte[] Octets { get; init; } = [];
    }
}

/// <summary>One event's row.</summary>
internal sealed record MappingRows
{
    private static readonly SqlText Upsert = SqlText.Of(
        """
        INSERT INTO event_mappings (id, calendar_mapping_id, event_uid, google_ical_uid, icloud_uid,
            google_self_link, icloud_resource_url, google_etag, icloud_etag, google_sequence,
            icloud_sequence, sync_status, base_hash, google_seen_hash, icloud_seen_hash, created_at,
            updated_at)
        VALUES (@Id, @pairId, @Uid, @LeftUid, @RightUid, @LeftAddress, @RightAddress, @LeftVersion,
            @RightVersion, @LeftSequence, @RightSequence, @Status, @Base, @LeftSeen, @RightSeen, @now,
            @now)
        ON CONFLICT (event_uid, calendar_mapping_id) DO UPDATE SET
            google_ical_uid = excluded.google_ical_uid, icloud_uid = excluded.icloud_uid,
            google_self_link = excluded.google_self_link,
            icloud_resource_url = excluded.icloud_resource_url,
            google_etag = excluded.google_etag, icloud_etag = excluded.icloud_etag,
            google_sequence = excluded.google_sequence, icloud_sequence = excluded.icloud_sequence,
            sync_status = excluded.sync_status, base_hash = excluded.base_hash,
            google_seen_hash = excluded.google_seen_hash,
            icloud_seen_hash = excluded.icloud_seen_hash, updated_at = excluded.updated_at
        """);

    public string Id { get; init; } = "";

    public string EventUid { get; init; } = "";

    public string? GoogleIcalUid { get; init; }

    public string? IcloudUid { get; init; }

    public string? GoogleSelfLink { get; init; }

    public string? IcloudResourceUrl { get; init; }

    public string? GoogleEtag { get; init; }

    public string? IcloudEtag { get; init; }

    public string SyncStatus { get; init; } = "";

    public string? BaseHash { get; init; }

    public string? GoogleSeenHash { get; init; }

    public string? IcloudSeenHash { get; init; }

    public MappingEntry ToEntry() => new(
        Id, EventUid, Enum.Parse<MappingStatus>(SyncStatus, ignoreCase: true),
        GoogleSelfLink is null ? null
            : new EntryPlace(new ResourceAddress(GoogleSelfLink), GoogleEtag, GoogleIcalUid!),
        IcloudResourceUrl is null ? null
            : new EntryPlace(new ResourceAddress(IcloudResourceUrl), IcloudEtag, IcloudUid!));

    public EventMapping ToMapping(Dictionary<string, CalendarDocument> contents)
    {
        var entry = ToEntry();
        SidePlace? Place(EntryPlace? place, string? seen) =>
            place is null ? null : new SidePlace(place.Address, place.Version, place.Uid, contents[seen!]);
        return new EventMapping(
            Id, EventUid, entry.Status, BaseHash is null ? null : contents[BaseHash],
            Place(entry.Left, GoogleSeenHash), Place(entry.Right, IcloudSeenHash));
    }

    /// <summary>Enters or changes an event.</summary>
    public static void Queue(
        PreparedWrite prepared, string pairId, EventMapping mapping, DateTimeOffset now) => prepared.Queue(
        Upsert,
        [
            ("Id", mapping.Id),
            ("pairId", pairId),
            ("Uid", mapping.Uid),
            ("LeftUid", mapping.Left?.Uid),
            ("RightUid", mapping.Right?.Uid),
            ("LeftAddress", mapping.Left?.Address.Value),
            ("RightAddress", mapping.Right?.Address.Value),
            ("LeftVersion", mapping.Left?.Version),
            ("RightVersion", mapping.Right?.Version),
            ("LeftSequence", Sequence(mapping.Left)),
            ("RightSequence", Sequence(mapping.Right)),
            ("Status", mapping.Status.ToString().ToLowerInvariant()),
            ("Base", ContentRows.Hash(mapping.Base)),
            ("LeftSeen", ContentRows.Hash(mapping.Left?.Seen)),
            ("RightSeen", ContentRows.Hash(mapping.Right?.Seen)),
            ("now", now),
        ],
        expectRows: 1);

    private static int Sequence(SidePlace? place) =>
        place is not null && ResourceContent.Master(place.Seen) is { } master
            ? master.Integer("SEQUENCE"u8).Or(0)
            : 0;
}

/// <summary>One write's row.</summary>
internal sealed record WriteRows
{
    private static readonly SqlText Insert = SqlText.Of(
        """
        INSERT INTO sync_operations (id, calendar_mapping_id, run_id, event_uid, title, operation,
            sync_direction, sync_token_used, state, rule, proof, before_hash, sent_hash, base_hash, address,
            other_address, other_etag, other_uid, other_hash, side_uid, created_at, finished_at)
        VALUES (@Id, @PairId, @RunId, @Uid, @Title, @Operation, @Direction, @IsTokenUsed, @State, @Rule,
            @Proof, @Before, @Sent, @Base, @Address, @OtherAddress, @OtherVersion, @OtherUid, @Other,
            @UidThere, @At, @FinishedAt)
        """);

    private static readonly SqlText SetDone = SqlText.Of(
        """
        UPDATE sync_operations SET state = 'done', finished_at = @now, after_hash = @After,
            address = @Address, lost = @Lost
        WHERE id = @Id
        """);

    public string Id { get; init; } = "";

    public string RunId { get; init; } = "";

    public string EventUid { get; init; } = "";

    public string Title { get; init; } = "";

    public string Operation { get; init; } = "";

    public string SyncDirection { get; init; } = "";

    public bool SyncTokenUsed { get; init; }

    public string State { get; init; } = "";

    public string Rule { get; init; } = "";

    public string? Proof { get; init; }

    public string? BeforeHash { get; init; }

    public string? SentHash { get; init; }

    public string? AfterHash { get; init; }

    public string? BaseHash { get; init; }

    public string? Address { get; init; }

    public string? OtherAddress { get; init; }

    public string? OtherEtag { get; init; }

    public string? OtherUid { get; init; }

    public string? OtherHash { get; init; }

    public string? Lost { get; init; }

    public string? SideUid { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Every content it names.</summary>
    public IEnumerable<string?> Hashes => [BeforeHash, SentHash, AfterHash, BaseHash, OtherHash];

    public WriteRecord ToRecord(Dictionary<string, CalendarDocument> contents)
    {
        CalendarDocument? Content(string? hash) => hash is null ? null : contents[hash];
        return new WriteRecord(
            Id, EventUid, Title,
            Operation == "link" ? null : Enum.Parse<StepKind>(Operation, ignoreCase: true),
            SyncDirection == "left_to_right" ? MergeSide.Right : MergeSide.Left,
            Enum.Parse<SyncRule>(Rule), CreatedAt)
        {
            RunId = RunId,
            UidThere = SideUid,
            Proof = Proof is null ? null : Enum.Parse<DeletionProof>(Proof),
            IsTokenUsed = SyncTokenUsed,
            Before = Content(BeforeHash),
            Sent = Content(SentHash),
            After = Content(AfterHash),
            Base = Content(BaseHash),
            Other = OtherAddress is null ? null
                : new SidePlace(
                    new ResourceAddress(OtherAddress), OtherEtag, OtherUid!, Content(OtherHash)!),
            Address = Address is null ? null : new ResourceAddress(Address),
            Lost = Lost is null ? [] : [.. JsonSerializer.Deserialize<CarryLoss[]>(Lost)!],
            State = State,
        };
    }

    /// <summary>Enters a write.</summary>
    public static void QueueInsert(
        PreparedWrite prepared, PairLease lease, WriteRecord write) => prepared.Queue(
        Insert,
        [
            ("Id", write.Id),
            ("PairId", lease.Pair.Id),
            ("RunId", lease.RunId),
            ("Uid", write.Uid),
            ("Title", Storable(write.Title)),
            ("Operation", write.Kind?.ToString().ToLowerInvariant() ?? "link"),
            ("Direction", write.Side == MergeSide.Right ? "left_to_right" : "right_to_left"),
            ("IsTokenUsed", write.IsTokenUsed),
            ("State", write.State),
            ("Rule", write.Rule.ToString()),
            ("Proof", write.Proof?.ToString()),
            ("Before", ContentRows.Hash(write.Before)),
            ("Sent", ContentRows.Hash(write.Sent)),
            ("Base", ContentRows.Hash(write.Base)),
            ("Address", write.Address?.Value),
            ("OtherAddress", write.Other?.Address.Value),
            ("OtherVersion", write.Other?.Version),
            ("OtherUid", write.Other?.Uid),
            ("Other", ContentRows.Hash(write.Other?.Seen)),
            ("UidThere", write.UidThere),
            ("At", write.At),
            ("FinishedAt", write.State == "open" ? (DateTimeOffset?)null : write.At),
        ],
        expectRows: 1);

    /// <summary>Records that a write was made.</summary>
    public static void QueueDone(
        PreparedWrite prepared, WriteRecord write, DateTimeOffset now) => prepared.Queue(
        SetDone,
        [
            ("now", now),
            ("After", ContentRows.Hash(write.After)),
            ("Address", write.Address?.Value),
            ("Lost", write.Lost.IsEmpty ? null : JsonSerializer.Serialize(write.Lost.ToArray())),
            ("Id", write.Id),
        ],
        expectRows: 1);

    /// <summary>Records that a write of an earlier run turned out to have been made.</summary>
    public static void QueueArrived(
        PreparedWrite prepared, ArrivedWrite arrived, DateTimeOffset now) => prepared.Queue(
        """
        UPDATE sync_operations SET state = 'done', finished_at = @now, after_hash = @After,
            address = COALESCE(@Address, address)
        WHERE id = @Id AND state = 'open'
        """,
        new
        {
            arrived.Write.Id,
            now,
            After = ContentRows.Hash(arrived.Place?.Seen),
            Address = arrived.Place?.Address.Value,
        });

    /// <summary>Text as both engines keep it: PostgreSQL has no place for the null character.</summary>
    public static string Storable(string text) => text.Replace('\0', '\uFFFD');
}
