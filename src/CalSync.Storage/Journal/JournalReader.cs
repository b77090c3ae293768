using System.Collections.Immutable;
using CalSync.Sync.Journal;

namespace CalSync.Storage.Journal;

/// <summary>Which entries to read; conditions left null do not restrict.</summary>
public sealed record JournalQuery
{
    /// <summary>Only entries later than this sequence number; 0 reads from the start.</summary>
    public long After { get; init; }

    /// <summary>
    /// Most entries in one answer, 1 to 1000; the oldest come first. 100 unless said otherwise.
    /// </summary>
    public int CountMax { get; init; } = 100;

    /// <summary>Only this tenant's entries.</summary>
    public string? TenantId { get; init; }

    /// <summary>Only entries about this class, slot, enrolment, mirror, connection, user or switch.</summary>
    public string? SubjectId { get; init; }

    /// <summary>
    /// Only entries about this thing and what it is one with: a slot and its mirrors, by any of their ids or
    /// by the event's id at the provider.
    /// </summary>
    public string? PartOf { get; init; }

    /// <summary>Only entries of this class and everything in it.</summary>
    public string? ClassId { get; init; }

    /// <summary>Only what one request or run caused.</summary>
    public string? CorrelationId { get; init; }
}

/// <summary>What checking the journal's hash chain found.</summary>
public abstract record ChainCheck
{
    private ChainCheck()
    {
    }

    /// <summary>Every entry is as it was written, none is missing.</summary>
    /// <param name="Count">Entries checked; also the last sequence number.</param>
    /// <param name="Hash">
    /// The last hash. Kept elsewhere, it proves later that nothing before it was rewritten.
    /// </param>
    public sealed record Intact(long Count, string Hash) : ChainCheck;

    /// <summary>The journal was changed behind the product's back.</summary>
    /// <param name="Seq">The first entry that does not fit.</param>
    /// <param name="Problem">What does not fit.</param>
    public sealed record Broken(long Seq, string Problem) : ChainCheck;
}

/// <summary>Reads the journal in commit order.</summary>
/// <remarks>
/// Numbers are given under a lock that is held until commit, so an entry never appears behind one already
/// read: whoever remembers the last number and asks for what comes after it misses nothing.
/// </remarks>
/// <param name="database">The database.</param>
public sealed class JournalReader(Database database)
{
    private const int PageCount = 1000;
    private const string Select =
        """
        SELECT seq, at, tenant_id, actor, cause, correlation_id, kind, subject_kind, subject_id, class_id,
            before, after, hash
        FROM journal
        WHERE seq > @After
        """;

    private const string Parts =
        """
        SELECT CAST(@PartOf AS text) UNION SELECT slot_id FROM mirrors WHERE id = @PartOf
            OR provider_event_id = @PartOf
        UNION SELECT m.id FROM mirrors m WHERE m.slot_id = @PartOf OR m.slot_id IN (
            SELECT slot_id FROM mirrors WHERE id = @PartOf OR provider_event_id = @PartOf)
        """;

    /// <summary>Reads entries, oldest first.</summary>
    /// <param name="query">Which.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<ImmutableArray<JournalRecord>> ReadAsync(
        JournalQuery query, CancellationToken cancellation) =>
        database.ReadAsync(session => ReadAsync(session, query), cancellation);

    /// <summary>The number of the last entry; 0 when there is none.</summary>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<long> LastSeqAsync(CancellationToken cancellation) => database.ReadAsync(
        session => session.ScalarAsync<long>("SELECT seq FROM journal_head WHERE id = 1"), cancellation);

    /// <summary>Recomputes every hash from the first entry on.</summary>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<ChainCheck> VerifyChainAsync(CancellationToken cancellation) => database.SnapshotAsync(
        async session =>
        {
            var head = await session.FirstOrDefaultAsync<Row>(
                "SELECT seq, hash FROM journal_head WHERE id = 1");
            var (seq, hash) = (0L, "");
            for (; ; )
            {
                cancellation.ThrowIfCancellationRequested();
                var page = await ReadAsync(session, new JournalQuery { After = seq, CountMax = PageCount });
                foreach (var record in page)
                {
                    if (record.Seq != seq + 1)
                        return new ChainCheck.Broken(seq + 1, "The entry is missing.");
                    hash = JournalChain.Hash(hash, record.Seq, new JournalLine(record.Entry));
                    if (hash != record.Hash)
                        return new ChainCheck.Broken(record.Seq, "The entry is not what was written.");
                    seq = record.Seq;
                }

                if (page.Length < PageCount)
                    break;
            }

            return head is null || head.Seq != seq || head.Hash != hash
                ? new ChainCheck.Broken(seq + 1, "The end of the journal is not where it was left.")
                : (ChainCheck)new ChainCheck.Intact(seq, hash);
        },
        cancellation);

    private static async Task<ImmutableArray<JournalRecord>> ReadAsync(Session session, JournalQuery query)
    {
        var rows = await session.QueryAsync<Row>(
            Select
            + (query.TenantId is null ? "" : " AND tenant_id = @TenantId")
            + (query.SubjectId is null ? "" : " AND subject_id = @SubjectId")
            + (query.PartOf is null ? "" : $" AND subject_id IN ({Parts})")
            + (query.ClassId is null ? "" : " AND class_id = @ClassId")
            + (query.CorrelationId is null ? "" : " AND correlation_id = @CorrelationId")
            + " ORDER BY seq LIMIT @CountMax",
            query with { CountMax = Math.Clamp(query.CountMax, 1, PageCount) });
        return [.. rows.Select(row => row.ToRecord())];
    }

    private sealed record Row
    {
        public long Seq { get; init; }

        public DateTimeOffset At { get; init; }

        public string TenantId { get; init; } = "";

        public string Actor { get; init; } = "";

        public string Cause { get; init; } = "";

        public string CorrelationId { get; init; } = "";

        public string Kind { get; init; } = "";

        public string SubjectKind { get; init; } = "";

        public string SubjectId { get; init; } = "";

        public string? ClassId { get; init; }

        public string? Before { get; init; }

        public string? After { get; init; }

        public string Hash { get; init; } = "";

        public JournalRecord ToRecord() => new(
            Seq,
            new JournalEntry(
                At, TenantId, Actor, Cause, CorrelationId, Kind, SubjectKind, SubjectId,
                ClassId, Before, After),
            Hash);
    }
}
