using CalSync.Sync;

namespace CalSync.Storage;

/// <summary>Where the database is and how hard it may be used.</summary>
public sealed record DatabaseOptions
{
    /// <summary>
    /// A <c>postgres://user:password@host:port/database?sslmode=…</c> address; null means SQLite.
    /// </summary>
    public string? Url { get; init; }

    /// <summary>
    /// The directory of <c>calsync.db</c> and of the encryption key; made with mode 0700 when absent. Only
    /// the key is kept there when <see cref="Url"/> is set.
    /// </summary>
    public required string DataDirectory { get; init; }

    /// <summary>
    /// How long one statement may take, locks included; 10 s unless said otherwise, 1 s or more.
    /// </summary>
    [Limit("s", 1, 60)]
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long opening a connection may take; 5 s unless said otherwise. PostgreSQL only.</summary>
    [Limit("s", 1, 60)]
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Most connections open at once: the PostgreSQL pool, or the SQLite readers; 1 to 1000.
    /// </summary>
    [Limit("connections", 1, 1000)]
    public int ConnectionCountMax { get; init; } = 32;

    /// <summary>
    /// Statements kept prepared on each connection; 0 turns preparing off. 256 unless said otherwise.
    /// </summary>
    [Limit("statements", 0, 10_000)]
    public int PreparedCountMax { get; init; } = 256;
}
