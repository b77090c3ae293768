namespace CalSync.Storage;

/// <summary>What will really be used: looked at, not read from the configuration.</summary>
/// <param name="Engine">Engine, version, place.</param>
/// <param name="User">Who signed in; null for SQLite.</param>
/// <param name="Tls">What protects the connection; null for SQLite and for a Unix socket.</param>
/// <param name="Pooler">What stands in between; null for SQLite.</param>
/// <param name="Pools">How many connections of which kind.</param>
/// <param name="Writable">False for a standby, or a server set to read only.</param>
/// <param name="SessionFeatures">What would need a session of its own, and how it is done.</param>
public sealed record DatabaseReport(
    string Engine, string? User, TlsReport? Tls, PoolerReport? Pooler, PoolReport Pools, bool Writable,
    IReadOnlyDictionary<string, string> SessionFeatures);

/// <summary>How a connection is protected.</summary>
/// <param name="Asked">The sslmode of the address.</param>
/// <param name="Verified">What is verified; less than asked never, more where an authority is given.</param>
/// <param name="Trusts">Where the trusted authorities come from.</param>
/// <param name="Version">Version of TLS; null for plaintext.</param>
/// <param name="Cipher">Its cipher suite; null for plaintext.</param>
/// <param name="Certificate">Whom the certificate names, and who gave it out; null for plaintext.</param>
/// <param name="EndsAt">When it expires; null for plaintext.</param>
/// <param name="BehindPooler">
/// Version and cipher from the pooler on to the server, or <c>plaintext</c>; null without a pooler.
/// </param>
public sealed record TlsReport(
    TlsMode Asked, TlsMode Verified, string Trusts, string? Version, string? Cipher, string? Certificate,
    DateTimeOffset? EndsAt, string? BehindPooler);

/// <summary>Whether a pooler answers, and how that is known.</summary>
/// <param name="Mode">How it deals out sessions; taken for transactions unless declared otherwise.</param>
/// <param name="Product">Such as <c>pgbouncer</c>; null when it does not say, or there is none.</param>
/// <param name="KnownBy">What tells.</param>
public sealed record PoolerReport(PoolerMode Mode, string? Product, string KnownBy)
{
    /// <summary>As in <c>pgbouncer(transaction)</c>, or <c>none</c>.</summary>
    public override string ToString() => Mode switch
    {
        PoolerMode.None => "none",
        PoolerMode.Session => $"{Product ?? "pooler"}(session)",
        PoolerMode.Transaction => $"{Product ?? "pooler"}(transaction)",
    };
}

/// <summary>The connections of one process.</summary>
/// <param name="General">Most for requests and workers.</param>
/// <param name="Batch">Most for batches of commands.</param>
/// <param name="Prepared">Statements kept prepared on each; 0: none.</param>
public sealed record PoolReport(int General, int Batch, int Prepared);

/// <summary>A pool of connections at one moment.</summary>
/// <param name="Name"><c>general</c> or <c>batch</c>.</param>
/// <param name="Used">Rented out.</param>
/// <param name="Max">The most there may be.</param>
/// <param name="Waiting">Who waits for one.</param>
public sealed record PoolUse(string Name, int Used, int Max, int Waiting);
