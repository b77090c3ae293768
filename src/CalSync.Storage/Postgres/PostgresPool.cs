using System.Data.Common;
using System.Globalization;
using Npgsql;

namespace CalSync.Storage.Postgres;

/// <summary>The driver's connections, with a count of our own before them.</summary>
/// <remarks>
/// The count tells a full pool from a server that does not answer, which the driver reports in the same way,
/// and shows how many wait.
/// </remarks>
internal sealed class PostgresPool : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlMultiHostDataSource? _hosts;
    private readonly SemaphoreSlim _free;
    private readonly TimeSpan _patience;
    private readonly Action _lost;
    private int _waiting;

    /// <summary>Makes it; nothing is connected yet.</summary>
    /// <param name="name">For people.</param>
    /// <param name="builder">What connections are made with.</param>
    /// <param name="target">Which of several servers will do.</param>
    /// <param name="lost">Told when a connection in use turns out to be of no more use.</param>
    public PostgresPool(string name, NpgsqlDataSourceBuilder builder, string target, Action lost)
    {
        _lost = lost;
        var settings = builder.ConnectionStringBuilder;
        (Name, Max) = (name, settings.MaxPoolSize);
        _free = new SemaphoreSlim(Max, Max);
        _patience = TimeSpan.FromSeconds(settings.Timeout);
        if (target == "any" && !settings.Host!.Contains(',', StringComparison.Ordinal))
        {
            _source = builder.Build();
            return;
        }

        _hosts = builder.BuildMultiHost();
        _source = _hosts.WithTargetSession(target switch
        {
            "read-write" => TargetSessionAttributes.ReadWrite,
            "primary" => TargetSessionAttributes.Primary,
            _ => TargetSessionAttributes.Any,
        });
    }

    /// <summary>For people.</summary>
    public string Name { get; }

    /// <summary>The most connections.</summary>
    public int Max { get; }

    /// <summary>How it stands.</summary>
    public PoolUse Use => new(Name, Max - _free.CurrentCount, Max, Volatile.Read(ref _waiting));

    /// <summary>Takes a connection; the caller disposes it and then calls <see cref="Leave"/>.</summary>
    /// <param name="cancellation">Cancelling takes none.</param>
    public async ValueTask<NpgsqlConnection> EnterAsync(CancellationToken cancellation)
    {
        await TakePlaceAsync(cancellation);
        try
        {
            return await _source.OpenConnectionAsync(cancellation);
        }
        catch (DbException error)
        {
            Leave();
            throw PostgresFaults.Map(error, null);
        }
        catch
        {
            Leave();
            throw;
        }
    }

    /// <summary>Gives the place back.</summary>
    public void Leave() => _free.Release();

    /// <summary>Makes a fault of a connection in use ours; what breaks one breaks its neighbours.</summary>
    public StorageException Map(DbException error, string? sql)
    {
        var fault = PostgresFaults.Map(error, sql);
        var isLost = (fault as DatabaseUnavailableException)?.Reason
            is UnavailableReason.ReadOnly or UnavailableReason.Ended or UnavailableReason.Unreachable;
        if (isLost)
            _lost();
        return fault;
    }

    /// <summary>Lets go of every connection as soon as it is not in use.</summary>
    public void Clear()
    {
        _source.Clear();
        _hosts?.Clear();
        _hosts?.ClearDatabaseStates();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        if (_hosts is not null)
            await _hosts.DisposeAsync();
        _free.Dispose();
    }

    private async ValueTask TakePlaceAsync(CancellationToken cancellation)
    {
        if (_free.Wait(TimeSpan.Zero, cancellation))
            return;
        Interlocked.Increment(ref _waiting);
        try
        {
            if (await _free.WaitAsync(_patience, cancellation))
                return;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        throw new DatabaseUnavailableException(
            string.Create(
                CultureInfo.InvariantCulture,
                $"All {Max} connections of the {Name} pool were in use for {_patience.TotalSeconds:0} s."),
            null, UnavailableReason.PoolExhausted);
    }
}
