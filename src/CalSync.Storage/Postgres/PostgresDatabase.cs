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

    private readonly NpgsqlDataSource _source;
    private readonly string _address;
    private string? _version;

    internal PostgresDatabase(DatabaseOptions options)
    {
        var settings = PostgresUrl.Read(options.Url!, options);
        _address = $"{settings.Host}:{settings.Port}/{settings.Database} (sslmode {settings.SslMode})";
        var builder = new NpgsqlDataSourceBuilder(settings.ToString());
        builder.UsePhysicalConnectionInitializer(KeepMemory, KeepMemoryAsync);
        _source = builder.Build();
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
            connection = await _source.OpenConnectionAsync(cancellation);
            _version ??= connection.PostgreSqlVersion.ToString();
            var transaction = use switch
            {
                ChannelUse.Read => null,
                ChannelUse.Snapshot =>
                    await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation),
                ChannelUse.Write =>
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

    private protected override ValueTask CloseAsync() => _source.DisposeAsync();

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
