using CalSync.Storage.Running;
using CalSync.Sync.Journal;

namespace CalSync.Storage.Secrets;

/// <summary>How many stored secrets each key has sealed.</summary>
/// <param name="Keys">By key id.</param>
public sealed record SealedCounts(IReadOnlyDictionary<string, int> Keys)
{
    /// <summary>Secrets of one key.</summary>
    public int Of(string keyId) => Keys.GetValueOrDefault(keyId);
}

/// <summary>Seals every stored secret again with the current key, while the product runs.</summary>
/// <remarks>
/// Each secret is written only over the envelope it was opened from: one that was renewed meanwhile is left,
/// and looked at again. May be cut off anywhere and run again.
/// </remarks>
/// <param name="database">The database.</param>
/// <param name="keys">The keys; must open everything stored.</param>
/// <param name="clock">Dates the journal.</param>
public sealed class Resealing(Database database, KeyRing keys, TimeProvider clock)
{
    private const int BatchCount = 200;

    // Every column that holds an envelope. One that is missing here would keep an old key alive for ever;
    // the schema's test knows them all.
    private static readonly SealedColumn[] Columns =
    [
        new("connections", "id", "tenant_id", "access_token"),
        new("connections", "id", "tenant_id", "refresh_token"),
        new("connections", "id", "tenant_id", "previous_refresh_token"),
        new("connections", "id", "tenant_id", "password"),
        new("connection_attempts", "state", "tenant_id", "code_verifier"),
        new("google_sign_ins", "state_hash", $"'{SwitchStore.JournalTenant}'", "code_verifier"),
        new("signing_keys", "id", $"'{SwitchStore.JournalTenant}'", "private_key"),
    ];

    private readonly TokenCipher _cipher = new(keys);

    /// <summary>Tables and columns that hold sealed secrets.</summary>
    public static IEnumerable<(string Table, string Column)> SealedColumns =>
        Columns.Select(column => (column.Table, column.Name));

    /// <summary>Counts what each key has sealed.</summary>
    /// <param name="cancellation">Nothing is changed.</param>
    public async Task<SealedCounts> CountAsync(CancellationToken cancellation)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var column in Columns)
        {
            var rows = await database.ReadAsync(
                session => session.QueryAsync<CountRow>(
                    $"""
                    SELECT substr({column.Name}, 2, 4) AS key_id, count(*) AS count FROM {column.Table}
                    WHERE {column.Name} IS NOT NULL GROUP BY substr({column.Name}, 2, 4)
                    """),
                cancellation);
            foreach (var row in rows)
            {
                var id = Convert.ToHexStringLower(row.KeyId);
                counts[id] = counts.GetValueOrDefault(id) + checked((int)row.Count);
            }
        }

        return new SealedCounts(counts);
    }

    /// <summary>Seals again what another key than the current one has sealed.</summary>
    /// <param name="actor">Who asks, for the journal.</param>
    /// <param name="correlationId">The call, for the journal.</param>
    /// <param name="cancellation">What was sealed stays sealed; run it again for the rest.</param>
    /// <returns>How many were sealed again.</returns>
    /// <exception cref="SecretException">One does not open; those before it are done.</exception>
    public async Task<int> RunAsync(
        string actor, string correlationId, CancellationToken cancellation)
    {
        var count = 0;
        foreach (var column in Columns)
        {
            while (await BatchAsync(column, cancellation) is > 0 and var done)
                count += done;
        }

        await database.WriteAsync(
            session =>
            {
                session.Journal(new JournalEntry(
                    clock.GetUtcNow(), SwitchStore.JournalTenant, actor, "request", correlationId,
                    "secrets.resealed", "encryption_key", keys.CurrentId,
                    After: JournalText.Of(new { count })));
                return Task.CompletedTask;
            },
            cancellation);
        return count;
    }

    private Task<int> BatchAsync(SealedColumn column, CancellationToken cancellation) =>
        database.WriteAsync(
            async session =>
            {
                var rows = await session.QueryAsync<SealedRow>(
                    $"""
                    SELECT {column.Id} AS id, {column.Tenant} AS tenant_id, {column.Name} AS envelope
                    FROM {column.Table}
                    WHERE {column.Name} IS NOT NULL AND substr({column.Name}, 2, 4) <> @current
                    ORDER BY {column.Id} LIMIT {BatchCount}
                    """,
                    new { current = Convert.FromHexString(keys.CurrentId) });
                foreach (var row in rows)
                {
                    var place = new SecretPlace(row.TenantId, row.Id, $"{column.Table}.{column.Name}");
                    var fresh = _cipher.Seal(place, _cipher.Open(place, row.Envelope));
                    await session.ExecuteAsync(
                        $"""
                        UPDATE {column.Table} SET {column.Name} = @fresh
                        WHERE {column.Id} = @Id AND {column.Name} = @Envelope
                        """,
                        new { row.Id, row.Envelope, fresh });
                }

                return rows.Count;
            },
            cancellation);

    private sealed record SealedColumn(string Table, string Id, string Tenant, string Name);

    private sealed record CountRow
    {
        public byte[] KeyId { get; init; } = [];

        public long Count { get; init; }
    }

    private sealed record SealedRow
    {
        public string Id { get; init; } = "";

        public string TenantId { get; init; } = "";

        public byte[] Envelope { get; init; } = [];
    }
}
