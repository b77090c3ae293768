using System.Data;
using System.Data.Common;
using Npgsql;

namespace CalSync.Storage.Postgres;

/// <summary>A PostgreSQL database behind one connection pool.</summary>
public sealed class PostgresDatabase : Database
{
    // A backend under glibc gives memory back to the system at the end of nearly every statement, and faults
    // it in again at the next: a fifth of its work under load. Once it has freed one large block it keeps up
    // to twice that much.
    private const string KeepHeap = "SELECT octet_length(repeat('x', 2000000))";

    // A pool gives the connection that has been idle longest, so work in turns meets every one of them, each
    // with plans and caches of its own to warm. Batches keep to a few.
    private const int BatchConnectionCount = 4;

    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource _batchSource;
    private readonly string _address;
    private string? _version;

    internal PostgresDatabase(DatabaseOptions options)
    {
        var settings = PostgresUrl.Read(options.Url!, options);
        _address = $"{settings.Host}:{settings.Port}/{settings.Database} (sslmode {settings.SslMode})";
        var batchCount = Math.Min(BatchConnectionCount, settings.MaxPoolSize / 2);
        settings.MaxPoolSize -= batchCount;
        _source = _batchSource = Source(settings);
        if (batchCount == 0)
            return;
        settings.MaxPoolSize = batchCount;
        _batchSource = Source(settings);
    }

    /// <inheritdoc/>
    public override Engine Engine => Engine.Postgres;

    /// <inheritdoc/>
    public override string EngineDescription =>
        $"PostgreSQL {_version ?? "(not connected yet)"} at {_address}";

    internal override async ValueTask<SqlChannel> RentAsync(ChannelUse use, CancellationToken cancellation)
    {
        NpgsqlConnection? connection = null;
        try
        {
            connection = await (use == ChannelUse.Batch ? _batchSource : _source)
                .OpenConnectionAsync(cancellation);
            _version ??= connection.PostgreSqlVersion.ToString();
            var transaction = use switch
            {
                ChannelUse.Read => null,
                ChannelUse.Snapshot =>
                    await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation),
                ChannelUse.Write or ChannelUse.Batch =>
                    await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellation),
            };
            var channel = new PostgresChannel(connection, transaction);
            connection = null;
            return channel;
        }
        catch (DbException error)
        {
            throw PostgresFaults.Map(error, null);
        }
        finally
        {
            if (connection is not null)
                await connection.DisposeAsync();
        }
    }

    private protected override async ValueTask CloseAsync()
    {
        await _batchSource.DisposeAsync();
        await _source.DisposeAsync();
    }

    private static NpgsqlDataSource Source(NpgsqlConnectionStringBuilder settings)
    {
        var builder = new NpgsqlDataSourceBuilder(settings.ToString());
        builder.UsePhysicalConnectionInitializer(KeepMemory, KeepMemoryAsync);
        return builder.Build();
    }

    private static void KeepMemory(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand(KeepHeap, connection);
        command.ExecuteNonQuery();
    }

    private static async Task KeepMemoryAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(KeepHeap, connection);
        await command.ExecuteNonQueryAsync();
    }
}
