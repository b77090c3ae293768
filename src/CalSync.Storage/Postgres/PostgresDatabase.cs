using System.Data;
using System.Data.Common;
using System.Security.Cryptography.X509Certificates;
using Npgsql;

namespace CalSync.Storage.Postgres;

/// <summary>A PostgreSQL database behind pools of connections.</summary>
public sealed class PostgresDatabase : Database
{
    // A backend under glibc gives memory back to the system at the end of nearly every statement, and faults
    // it in again at the next: a fifth of its work under load. Once it has freed one large block it keeps up
    // to twice that much.
    private const string KeepHeap = "SELECT octet_length(repeat('x', 2000000))";

    // A pool gives the connection that has been idle longest, so work in turns meets every one of them, each
    // with plans and caches of its own to warm. Batches keep to a few.
    private const int BatchConnectionCount = 4;

    private readonly DatabaseAddress _address;
    private readonly NpgsqlConnectionStringBuilder _settings;
    private readonly TlsFiles _files;
    private readonly TlsVerification _tls;
    private readonly SemaphoreSlim _opening = new(1, 1);
    private volatile Pools? _pools;
    private string? _version;

    internal PostgresDatabase(DatabaseOptions options, TlsPlaces places)
    {
        _address = DatabaseAddress.Read(options.Url!) switch
        {
            DatabaseAddressReading.Understood understood => understood.Address,
            DatabaseAddressReading.Refused refused => throw new DatabaseAddressException(refused),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        // The platform's own time, because the handshake will hold certificates against it too.
        var now = new DateTimeOffset(new X509ChainPolicy().VerificationTime.ToUniversalTime());
        _files = TlsFiles.Find(_address, places, now);
        _tls = new TlsVerification(_address.Tls, _files, _address.TlsVersions);
        _settings = _address.ToSettings(options);
        (_settings.SslCertificate, _settings.SslKey) = (_files.ClientCertificate, _files.ClientKey);
    }

    /// <inheritdoc/>
    public override Engine Engine => Engine.Postgres;

    /// <inheritdoc/>
    public override string EngineDescription =>
        $"PostgreSQL {_version ?? "(not connected yet)"} at {_address} (sslmode {Words.Of(_address.Tls)})";

    /// <inheritdoc/>
    public override IReadOnlyList<PoolUse> PoolUse =>
        _pools is { } pools ? [.. pools.All.Select(pool => pool.Use)] : [];

    /// <inheritdoc/>
    public override DateTimeOffset? CertificateEndsAt => _tls.CertificateEndsAt;

    /// <inheritdoc/>
    public override async Task<DatabaseReport> InspectAsync(CancellationToken cancellation)
    {
        var pools = await PoolsAsync(cancellation);
        var seen = await ReadAsync(
            session => session.FirstOrDefaultAsync<PostgresFacts>(PostgresFacts.Query), cancellation);
        var facts = _tls.Facts;
        var isPooled = pools.Pooler.Mode != PoolerMode.None;
        var product = isPooled
            ? await new PostgresProbe(Builder).ProductAsync(_settings, cancellation)
            : null;
        return new DatabaseReport(
            EngineDescription,
            seen!.UserName,
            _address.Hosts.All(host => host.IsSocket)
                ? null
                : new TlsReport(
                    _address.Tls, facts is null ? TlsMode.Disable : _tls.InForce, _files.RootsFrom,
                    facts?.Version, facts?.Cipher,
                    facts is null ? null : $"{facts.Subject} by {facts.Issuer}", facts?.EndsAt,
                    isPooled ? seen.Leg : null),
            pools.Pooler with { Product = product },
            new PoolReport(
                pools.General.Max, pools.Batch == pools.General ? 0 : pools.Batch.Max, pools.Prepared),
            !seen.IsReadOnly,
            new Dictionary<string, string>
            {
                ["advisory locks"] = "within a transaction only",
                ["prepared statements"] = pools.Prepared > 0 ? $"{pools.Prepared} a connection" : "off",
                ["LISTEN"] = "not used",
                ["SET"] = "within a transaction only",
                ["DISCARD ALL"] = "off",
                ["temporary tables"] = "not used",
            });
    }

    internal override async ValueTask<SqlChannel> RentAsync(ChannelUse use, CancellationToken cancellation)
    {
        var pools = _pools ?? await PoolsAsync(cancellation);
        var pool = use == ChannelUse.Batch ? pools.Batch : pools.General;
        var connection = await pool.EnterAsync(cancellation);
        try
        {
            _version ??= connection.PostgreSqlVersion.ToString();
            var transaction = use switch
            {
                ChannelUse.Read => null,
                ChannelUse.Snapshot =>
                    await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation),
                ChannelUse.Write or ChannelUse.Batch or ChannelUse.Deferred =>
                    await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellation),
            };
            return new PostgresChannel(pool, connection, transaction);
        }
        catch (Exception error)
        {
            await connection.DisposeAsync();
            pool.Leave();
            if (error is DbException fault)
                throw pool.Map(fault, null);
            throw;
        }
    }

    private protected override async ValueTask CloseAsync()
    {
        if (_pools is { } pools)
        {
            foreach (var pool in pools.All)
                await pool.DisposeAsync();
        }

        _opening.Dispose();
    }

    // What stands in between decides what connections may keep, so it is looked at before there are any.
    private async ValueTask<Pools> PoolsAsync(CancellationToken cancellation)
    {
        if (_pools is { } open)
            return open;
        await _opening.WaitAsync(cancellation);
        try
        {
            return _pools ??= Open(_address.Pooler is { } declared
                ? new PoolerReport(declared, null, "declared in the address")
                : await new PostgresProbe(Builder).PoolerAsync(_settings, _address, cancellation));
        }
        finally
        {
            _opening.Release();
        }
    }

    private Pools Open(PoolerReport pooler)
    {
        var settings = Copy(_settings);
        if (pooler.Mode == PoolerMode.Transaction)
        {
            if (_address.SetsSession)
            {
                throw new DatabaseAddressException(new DatabaseAddressReading.Refused(
                    AddressProblem.Contradiction, "options",
                    "options last for a session, and the pooler in between deals out transactions.",
                    "ALTER ROLE ... SET in their place"));
            }

            settings.MaxAutoPrepare = 0;
        }

        var batchCount = Math.Min(BatchConnectionCount, settings.MaxPoolSize / 2);
        settings.MaxPoolSize -= batchCount;
        var general = Pool("general", settings, pooler.Mode);
        if (batchCount == 0)
            return new Pools(pooler, general, general, settings.MaxAutoPrepare);
        settings.MaxPoolSize = batchCount;
        return new Pools(pooler, general, Pool("batch", settings, pooler.Mode), settings.MaxAutoPrepare);
    }

    private PostgresPool Pool(string name, NpgsqlConnectionStringBuilder settings, PoolerMode pooler)
    {
        var builder = Builder(settings);
        // Behind a pooler a connection is nobody's session, so there is nobody to tell once.
        if (pooler == PoolerMode.None)
            builder.UsePhysicalConnectionInitializer(KeepMemory, KeepMemoryAsync);
        return new PostgresPool(name, builder, _address.TargetSession, Clear);
    }

    private void Clear()
    {
        foreach (var pool in _pools?.All ?? [])
            pool.Clear();
    }

    private NpgsqlDataSourceBuilder Builder(NpgsqlConnectionStringBuilder settings)
    {
        var copy = Copy(settings);
        // Verification is ours; the driver would not say why it refused.
        if (copy.SslMode is SslMode.VerifyCA or SslMode.VerifyFull)
            copy.SslMode = SslMode.Require;
        copy.RootCertificate = null;
        var builder = new NpgsqlDataSourceBuilder(copy.ToString());
        _tls.Apply(copy, builder);
        return builder;
    }

    private static NpgsqlConnectionStringBuilder Copy(NpgsqlConnectionStringBuilder settings) =>
        new(settings.ToString());

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

    private sealed record Pools(
        PoolerReport Pooler, PostgresPool General, PostgresPool Batch, int Prepared)
    {
        public IEnumerable<PostgresPool> All => Batch == General ? [General] : [General, Batch];
    }

    private static class Words
    {
        public static string Of(TlsMode mode) => mode switch
        {
            TlsMode.VerifyCa => "verify-ca",
            TlsMode.VerifyFull => "verify-full",
            _ => mode.ToString().ToLowerInvariant(),
        };
    }
}
