using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace CalSync.Storage.Sqlite;

/// <summary>The embedded database: one file in WAL mode, one writer, many readers.</summary>
/// <remarks>
/// Every commit is on disk before it is answered (<c>synchronous = FULL</c>), but for those that say that
/// this may be left to the next (<see cref="Database.WriteDeferredAsync"/>). Writers of this process wait in
/// an asynchronous queue; writers of other processes are waited for inside SQLite, up to the command timeout.
/// </remarks>
public sealed class SqliteDatabase : Database
{
    private readonly DatabaseOptions _options;
    private readonly string _library;
    private readonly string _path;
    private readonly SemaphoreSlim _writerGate = new(1, 1);
    private readonly SemaphoreSlim _readerGate;
    private readonly ConcurrentBag<SqliteLink> _readers = [];
    private readonly SqliteCheckpoints _checkpoints;
    private SqliteLink? _writer;
    private volatile bool _closed;

    internal SqliteDatabase(DatabaseOptions options)
    {
        _options = options;
        _library = SqliteLibrary.Load();
        _readerGate = new SemaphoreSlim(options.ConnectionCountMax, options.ConnectionCountMax);
        _path = System.IO.Path.Combine(System.IO.Path.GetFullPath(options.DataDirectory), "calsync.db");
        _checkpoints = new(() => new SqliteLink(_path, options, writes: true));
        try
        {
            PrivateFiles.CreateDirectory(options.DataDirectory);
            PrivateFiles.CreateEmpty(_path);
            _writer = new SqliteLink(_path, options, writes: true);
        }
        catch (SqliteException error)
        {
            throw SqliteFaults.Map(error, null, null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DatabaseUnavailableException($"{_path} cannot be used: {error.Message}", error);
        }
    }

    /// <inheritdoc/>
    public override Engine Engine => Engine.Sqlite;

    /// <inheritdoc/>
    public override string EngineDescription => $"{_library} at {_path}";

    /// <inheritdoc/>
    public override IReadOnlyList<PoolUse> PoolUse => [];

    /// <inheritdoc/>
    public override Task<DatabaseReport> InspectAsync(CancellationToken cancellation) =>
        Task.FromResult(new DatabaseReport(
            EngineDescription, null, null, null,
            new PoolReport(_options.ConnectionCountMax, 0, _options.PreparedCountMax), true,
            new Dictionary<string, string>()));

    internal override async ValueTask<SqlChannel> RentAsync(ChannelUse use, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        return use is ChannelUse.Write or ChannelUse.Batch or ChannelUse.Deferred
            ? await RentAsync(use, _writerGate, OpenWriter, GiveBackWriter, cancellation)
            : await RentAsync(use, _readerGate, OpenReader, GiveBackReader, cancellation);
    }

    private protected override async ValueTask CloseAsync()
    {
        if (_closed)
            return;
        _closed = true;
        // Waits for a writer under way; readers close as they are given back.
        await _writerGate.WaitAsync(CancellationToken.None);
        CloseReaders();
        await _checkpoints.DisposeAsync();
        _writer?.Dispose();
        _writer = null;
        _writerGate.Release();
    }

    private static async ValueTask<SqlChannel> RentAsync(
        ChannelUse use,
        SemaphoreSlim gate,
        Func<SqliteLink> open,
        Action<SqliteLink> giveBack,
        CancellationToken cancellation)
    {
        await gate.WaitAsync(cancellation);
        SqliteChannel? channel = null;
        try
        {
            channel = new SqliteChannel(open(), giveBack);
            channel.Begin(use);
            return channel;
        }
        catch (SqliteException error)
        {
            gate.Release();
            throw SqliteFaults.Map(error, null, null);
        }
        catch (StorageException)
        {
            // BEGIN was refused; the channel gives the connection and the gate back.
            await channel!.DisposeAsync();
            throw;
        }
    }

    private SqliteLink OpenWriter() => _writer ??= new SqliteLink(_path, _options, writes: true);

    private SqliteLink OpenReader() =>
        _readers.TryTake(out var link) ? link : new SqliteLink(_path, _options, writes: false);

    private void GiveBackWriter(SqliteLink link)
    {
        if (_closed)
        {
            link.Dispose();
            _writer = null;
        }
        else
        {
            _checkpoints.Note(link);
        }

        _writerGate.Release();
    }

    private void GiveBackReader(SqliteLink link)
    {
        _readers.Add(link);
        // Closing may have looked before this one was back.
        if (_closed)
            CloseReaders();
        _readerGate.Release();
    }

    private void CloseReaders()
    {
        while (_readers.TryTake(out var reader))
            reader.Dispose();
    }
}
