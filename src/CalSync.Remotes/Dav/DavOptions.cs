using CalSync.Sync;

namespace CalSync.Remotes.Dav;

/// <summary>How much is asked of a WebDAV server at once, and how much is taken from it.</summary>
public sealed record DavOptions
{
    /// <summary>
    /// Limit of one attempt, from sending to the last byte. Default 30 s: small servers list slowly.
    /// </summary>
    [Limit("s", 1, 300)]
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a read is tried in all, within the retry budget. Default 3.</summary>
    [Limit("attempts", 1, 10)]
    public int ReadAttempts { get; init; } = 3;

    /// <summary>
    /// Whether a password may be sent without encryption to another machine. Default no. Digest
    /// authentication never sends it.
    /// </summary>
    public bool AllowUnprotectedPasswords { get; init; }

    /// <summary>How many redirects are followed for one request. Default 5.</summary>
    [Limit("redirects", 0, 20)]
    public int RedirectCountMax { get; init; } = 5;

    /// <summary>A longer multistatus is refused; it is read as a stream. Default 256 Mi.</summary>
    [Limit("characters", 65_536, 2_147_483_647)]
    public int AnswerLengthMax { get; init; } = 256 * 1024 * 1024;

    /// <summary>A longer calendar object is refused. Default 32 MiB.</summary>
    [Limit("bytes", 65_536, 268_435_456)]
    public int ResourceSizeBytesMax { get; init; } = 32 * 1024 * 1024;

    /// <summary>More rows in one multistatus are refused. Default 1,000,000.</summary>
    [Limit("rows", 1, 10_000_000)]
    public int RowCountMax { get; init; } = 1_000_000;

    /// <summary>Calendar objects asked for in one multiget. Default 100; some servers take fewer.</summary>
    [Limit("resources", 1, 1_000)]
    public int BatchCountMax { get; init; } = 100;

    /// <summary>A multiget is closed when the sizes the server named reach this. Default 4 MiB.</summary>
    [Limit("bytes", 65_536, 67_108_864)]
    public int BatchSizeBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Multigets under way at once. Default 4.</summary>
    [Limit("requests", 1, 16)]
    public int ParallelReadsMax { get; init; } = 4;

    /// <summary>Writes to one calendar under way at once. Default 16; some servers take fewer.</summary>
    [Limit("requests", 1, 64)]
    public int ParallelWritesMax { get; init; } = 16;

    /// <summary>A delta in more pages than this is given up. Default 10,000.</summary>
    [Limit("pages", 1, 1_000_000)]
    public int SyncPagesMax { get; init; } = 10_000;
}

/// <summary>Who signs in to a server.</summary>
/// <param name="UserName">As the server knows the account.</param>
/// <param name="Password">The password, or the app-specific one. Never logged or shown.</param>
public sealed record DavCredentials(string UserName, string Password)
{
    /// <summary>Neither name nor password.</summary>
    public override string ToString() => "DavCredentials";
}
