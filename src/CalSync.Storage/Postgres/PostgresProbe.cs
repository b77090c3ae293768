using System.Data.Common;
using Npgsql;

namespace CalSync.Storage.Postgres;

/// <summary>Looks at what answers at an address, on connections of its own.</summary>
/// <param name="builder">Makes a source of connections with the address' TLS.</param>
internal sealed class PostgresProbe(Func<NpgsqlConnectionStringBuilder, NpgsqlDataSourceBuilder> builder)
{
    // The name of PgBouncer's console. PostgreSQL says that there is no such database.
    private const string Console = "pgbouncer";

    /// <summary>Whether a pooler is in between, and of which kind.</summary>
    /// <remarks>
    /// The number a connection is given to be cancelled by is the backend's own, unless somebody else made it
    /// up. Two connections that are open at the same time and meet the same backend share transactions.
    /// </remarks>
    public async Task<PoolerReport> PoolerAsync(
        NpgsqlConnectionStringBuilder settings, DatabaseAddress address, CancellationToken cancellation)
    {
        try
        {
            await using var source = Source(settings, settings.Database);
            await using var first = await source.OpenConnectionAsync(cancellation);
            var backend = await BackendAsync(first, cancellation);
            if (backend == first.ProcessID)
            {
                return address.LooksPooled
                    ? new PoolerReport(
                        PoolerMode.Transaction, null, "port or host name; the backend looks direct")
                    : new PoolerReport(PoolerMode.None, null, "the backend answers itself");
            }

            await using var second = await source.OpenConnectionAsync(cancellation);
            return await BackendAsync(second, cancellation) == backend
                ? new PoolerReport(PoolerMode.Transaction, null, "two connections share a backend")
                // It may be that the backend was busy, so this is no proof of a session of one's own.
                : new PoolerReport(PoolerMode.Transaction, null, "the backend is not the one connected to");
        }
        catch (DbException error)
        {
            throw PostgresFaults.Map(error, null);
        }
    }

    /// <summary>The pooler's name, where it tells.</summary>
    public async Task<string?> ProductAsync(
        NpgsqlConnectionStringBuilder settings, CancellationToken cancellation)
    {
        try
        {
            await using var source = Source(settings, Console);
            await using var connection = await source.OpenConnectionAsync(cancellation);
            return Console;
        }
        catch (PostgresException refusal)
        {
            // Who may not use the console hears so from PgBouncer, as a violation of protocol.
            return refusal.SqlState == PostgresErrorCodes.ProtocolViolation ? Console : null;
        }
        catch (DbException)
        {
            return null;
        }
    }

    private NpgsqlDataSource Source(NpgsqlConnectionStringBuilder settings, string? database)
    {
        var copy = new NpgsqlConnectionStringBuilder(settings.ToString())
        {
            Database = database,
            Pooling = false,
            MaxAutoPrepare = 0,
        };
        // The console knows no types.
        return builder(copy).ConfigureTypeLoading(types => types.EnableTypeLoading(false)).Build();
    }

    private static async Task<int> BackendAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT pg_backend_pid()", connection);
        return (int)(await command.ExecuteScalarAsync(cancellation))!;
    }
}

/// <summary>What the server says about itself and the connection it sees.</summary>
internal sealed record PostgresFacts
{
    /// <summary>One row.</summary>
    public const string Query =
        """
        SELECT cast(current_user AS text) AS user_name,
            pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS is_read_only,
            coalesce((SELECT version || ' ' || cipher FROM pg_stat_ssl
                      WHERE pid = pg_backend_pid() AND ssl), 'plaintext') AS leg
        """;

    /// <summary>Who signed in.</summary>
    public string UserName { get; init; } = "";

    /// <summary>True when nothing can be written.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>How the server is reached by whoever reaches it: us, or the pooler.</summary>
    public string Leg { get; init; } = "";
}
