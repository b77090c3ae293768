using System.Collections.Immutable;
using CalSync.Sync;

namespace CalSync.Storage.Pairs;

/// <content>What the ledger says about the health of pairs, and what waits for a person.</content>
public sealed partial class PairDirectory
{
    private static readonly TimeSpan DeletionWindow = TimeSpan.FromHours(24);

    /// <summary>How complete each pair's ledger is: an event without UID or place cannot be found
    /// directly.</summary>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<IReadOnlyList<PairCompleteness>> CompletenessAsync(CancellationToken cancellation) =>
        database.ReadAsync(
            session => session.QueryAsync<PairCompleteness>(
                """
                SELECT p.id, p.name, count(m.id) AS events,
                    COALESCE(sum(CASE WHEN m.google_ical_uid IS NULL OR m.icloud_uid IS NULL
                        THEN 1 ELSE 0 END), 0) AS without_uid,
                    COALESCE(sum(CASE WHEN m.google_self_link IS NULL OR m.icloud_resource_url IS NULL
                        THEN 1 ELSE 0 END), 0) AS without_address,
                    COALESCE(sum(CASE WHEN m.base_hash IS NULL OR m.google_seen_hash IS NULL
                        OR m.icloud_seen_hash IS NULL THEN 1 ELSE 0 END), 0) AS without_content,
                    CASE WHEN p.google_sync_token IS NULL THEN 1 ELSE 0 END
                        + CASE WHEN p.icloud_sync_token IS NULL THEN 1 ELSE 0 END AS missing_tokens
                FROM calendar_mappings p LEFT JOIN event_mappings m
                    ON m.calendar_mapping_id = p.id AND m.sync_status = 'active'
                WHERE p.detached_at IS NULL
                GROUP BY p.id, p.name, p.google_sync_token, p.icloud_sync_token ORDER BY p.name, p.id
                """),
            cancellation);

    /// <summary>Sync tokens, complete records, deletions, and how conflicts were decided.</summary>
    /// <param name="now">UTC; deletions and conflicts of the 24 h before are counted.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<SyncHealth> HealthAsync(DateTimeOffset now, CancellationToken cancellation)
    {
        var since = now - DeletionWindow;
        return database.SnapshotAsync(
            async session => new SyncHealth(
                (await session.FirstOrDefaultAsync<TokenCoverage>(
                    """
                    SELECT count(*) AS total_mappings, count(google_sync_token) AS google_tokens,
                        count(icloud_sync_token) AS icloud_tokens
                    FROM calendar_mappings WHERE enabled = TRUE
                    """))!,
                (await session.FirstOrDefaultAsync<MappingCompleteness>(
                    """
                    SELECT count(*) AS total_mappings, count(event_uid) AS with_uid,
                        count(icloud_resource_url) AS with_resource_url
                    FROM event_mappings WHERE sync_status = 'active'
                    """))!,
                [.. await session.QueryAsync<DeletionSafety>(
                    """
                    SELECT sync_direction, count(*) AS deletion_count,
                        sum(CASE WHEN sync_token_used THEN 1 ELSE 0 END) AS with_token,
                        sum(CASE WHEN proof IS NULL THEN 1 ELSE 0 END) AS without_proof
                    FROM sync_operations
                    WHERE operation = 'delete' AND state = 'done' AND created_at > @since
                    GROUP BY sync_direction ORDER BY sync_direction
                    """,
                    new { since })],
                [.. await session.QueryAsync<ConflictRule>(
                    """
                    SELECT rule, count(*) AS conflict_count FROM event_conflicts
                    WHERE created_at > @since GROUP BY rule ORDER BY rule
                    """,
                    new { since })]),
            cancellation);
    }

    /// <summary>Fields both sides had edited, the latest first.</summary>
    /// <param name="pairId">Of one pair; null for all.</param>
    /// <param name="since">UTC; older ones cannot be had back any more.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<IReadOnlyList<ConflictListing>> ConflictsAsync(
        string? pairId, DateTimeOffset since, CancellationToken cancellation) => database.ReadAsync(
        session => session.QueryAsync<ConflictListing>(
            """
            SELECT c.id, p.name AS pair, c.event_uid, c.run_id, c.rule, c.component, c.property,
                c.left_value, c.right_value, c.chosen, c.created_at
            FROM event_conflicts c JOIN calendar_mappings p ON p.id = c.calendar_mapping_id
            WHERE c.created_at > @since AND p.id = COALESCE(@pairId, p.id)
            ORDER BY c.created_at DESC, c.id
            """,
            new { pairId, since }),
        cancellation);

    /// <summary>Events that wait, the longest waiting first.</summary>
    /// <param name="pairId">Of one pair; null for all.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<IReadOnlyList<WaitingListing>> WaitingAsync(
        string? pairId, CancellationToken cancellation) => database.ReadAsync(
        session => session.QueryAsync<WaitingListing>(
            """
            SELECT p.name AS pair, q.item_key, q.event_uid, q.left_address, q.right_address, q.kind,
                q.reason, q.raw, q.attempts, q.next_attempt_at, q.since
            FROM event_quarantine q JOIN calendar_mappings p ON p.id = q.calendar_mapping_id
            WHERE p.detached_at IS NULL AND p.id = COALESCE(@pairId, p.id)
            ORDER BY q.since, q.item_key
            """,
            new { pairId }),
        cancellation);
}

/// <summary>How complete the ledger of a pair is.</summary>
public sealed record PairCompleteness
{
    /// <summary>The pair.</summary>
    public required string Id { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Events on both sides.</summary>
    public required int Events { get; init; }

    /// <summary>Events that lack the UID of a side.</summary>
    public required int WithoutUid { get; init; }

    /// <summary>Events that lack their place on a side.</summary>
    public required int WithoutAddress { get; init; }

    /// <summary>Events that lack what was agreed on, or seen on a side.</summary>
    public required int WithoutContent { get; init; }

    /// <summary>Sides that cannot be read on from a token.</summary>
    public required int MissingTokens { get; init; }

    /// <summary>Whether nothing is missing.</summary>
    public bool IsComplete =>
        WithoutUid == 0 && WithoutAddress == 0 && WithoutContent == 0 && MissingTokens == 0;
}

/// <summary>Sync tokens there are.</summary>
public sealed record TokenCoverage
{
    /// <summary>Pairs that are not paused.</summary>
    public required long TotalMappings { get; init; }

    /// <summary>Those with a token of the left side.</summary>
    public required long GoogleTokens { get; init; }

    /// <summary>Those with a token of the right side.</summary>
    public required long IcloudTokens { get; init; }
}

/// <summary>Events that can be found directly.</summary>
public sealed record MappingCompleteness
{
    /// <summary>Events on both sides.</summary>
    public required long TotalMappings { get; init; }

    /// <summary>Those with a UID.</summary>
    public required long WithUid { get; init; }

    /// <summary>Those with an address on the right side.</summary>
    public required long WithResourceUrl { get; init; }
}

/// <summary>Deletions of the last 24 h in one direction.</summary>
public sealed record DeletionSafety
{
    /// <summary><c>left_to_right</c> or <c>right_to_left</c>.</summary>
    public required string SyncDirection { get; init; }

    /// <summary>All of them.</summary>
    public required long DeletionCount { get; init; }

    /// <summary>Those that were named by a token's answer.</summary>
    public required long WithToken { get; init; }

    /// <summary>Those that nothing proved: 0.</summary>
    public required long WithoutProof { get; init; }
}

/// <summary>Conflicts of the last 24 h that one rule decided.</summary>
public sealed record ConflictRule
{
    /// <summary>The rule.</summary>
    public required string Rule { get; init; }

    /// <summary>How many.</summary>
    public required long ConflictCount { get; init; }
}

/// <summary>The health of all pairs.</summary>
/// <param name="Tokens">Sync tokens there are.</param>
/// <param name="Mappings">Events that can be found directly.</param>
/// <param name="Deletions">Deletions of the last 24 h.</param>
/// <param name="Conflicts">Conflicts of the last 24 h.</param>
public sealed record SyncHealth(
    TokenCoverage Tokens, MappingCompleteness Mappings, ImmutableArray<DeletionSafety> Deletions,
    ImmutableArray<ConflictRule> Conflicts)
{
    /// <summary>Whether nothing calls for a person: tokens and places are there, deletions were
    /// proved.</summary>
    public bool IsHealthy => Tokens.GoogleTokens == Tokens.TotalMappings
        && Tokens.IcloudTokens == Tokens.TotalMappings
        && Mappings.WithUid == Mappings.TotalMappings && Mappings.WithResourceUrl == Mappings.TotalMappings
        && Deletions.All(each => each.WithoutProof == 0);

    /// <summary>The same as gauges.</summary>
    public PairGauges ToGauges() => new(
        Percent(Math.Min(Tokens.GoogleTokens, Tokens.IcloudTokens), Tokens.TotalMappings),
        Percent(Math.Min(Mappings.WithUid, Mappings.WithResourceUrl), Mappings.TotalMappings),
        Deletions.Sum(each => each.WithoutProof));

    private static double Percent(long part, long all) => all == 0 ? 100 : 100.0 * part / all;
}

/// <summary>A field that both sides had edited.</summary>
public sealed record ConflictListing
{
    /// <summary>Prefixed id.</summary>
    public required string Id { get; init; }

    /// <summary>Name of the pair.</summary>
    public required string Pair { get; init; }

    /// <summary>The event.</summary>
    public required string EventUid { get; init; }

    /// <summary>The run that decided.</summary>
    public required string RunId { get; init; }

    /// <summary>The rule that decided.</summary>
    public required string Rule { get; init; }

    /// <summary>The component of the event.</summary>
    public required string Component { get; init; }

    /// <summary>The property; null for a whole occurrence.</summary>
    public string? Property { get; init; }

    /// <summary>What the left said.</summary>
    public string? LeftValue { get; init; }

    /// <summary>What the right said.</summary>
    public string? RightValue { get; init; }

    /// <summary>The side that won.</summary>
    public required string Chosen { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>An event that waits.</summary>
public sealed record WaitingListing
{
    /// <summary>Name of the pair.</summary>
    public required string Pair { get; init; }

    /// <summary>The event, or its place when it has no UID of its own.</summary>
    public required string ItemKey { get; init; }

    /// <summary>Its UID; null when it has none.</summary>
    public string? EventUid { get; init; }

    /// <summary>Where it lies on the left.</summary>
    public string? LeftAddress { get; init; }

    /// <summary>Where it lies on the right.</summary>
    public string? RightAddress { get; init; }

    /// <summary>Which kind of trouble.</summary>
    public required string Kind { get; init; }

    /// <summary>Why it waits, one sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>The provider's own text; null when the content says it all.</summary>
    public string? Raw { get; init; }

    /// <summary>Runs in which it failed.</summary>
    public required int Attempts { get; init; }

    /// <summary>When it is tried by itself, UTC; null for a change or a person only.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset Since { get; init; }
}
