using System.Data.Common;
using CalSync.Storage.Postgres;
using CalSync.Storage.Sqlite;

namespace CalSync.Storage;

/// <summary>
/// The product's one database, on either engine. Thread-safe; one for the life of the process.
/// </summary>
public abstract class Database : IAsyncDisposable
{
    private const int WriteAttemptCountMax = 3;
    private long _writeCount;

    private protected Database()
    {
    }

    /// <summary>Write transactions that were asked for so far.</summary>
    internal long WriteCount => Interlocked.Read(ref _writeCount);

    /// <summary>Which engine this is.</summary>
    public abstract Engine Engine { get; }

    /// <summary>For people: engine, version, and where it is, without password.</summary>
    public abstract string EngineDescription { get; }

    /// <summary>
    /// Prepares a database for use. SQLite makes its directory and file; PostgreSQL connects on first use.
    /// </summary>
    /// <exception cref="DatabaseAddressException">The address or an option cannot be understood.</exception>
    /// <exception cref="DatabaseCertificateException">A file TLS needs cannot be used.</exception>
    /// <exception cref="DatabaseUnavailableException">The SQLite file cannot be opened.</exception>
    public static Database Open(DatabaseOptions options) =>
        options.Url is null
            ? new SqliteDatabase(options)
            : new PostgresDatabase(options, TlsPlaces.OfProcess());

    /// <summary>How the connections stand; empty for SQLite, and before the first is needed.</summary>
    public abstract IReadOnlyList<PoolUse> PoolUse { get; }

    /// <summary>When the certificate of the newest connection ends, UTC; null without TLS.</summary>
    public virtual DateTimeOffset? CertificateEndsAt => null;

    /// <summary>Looks at what will really be used. PostgreSQL is connected to.</summary>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    /// <exception cref="DatabaseUnavailableException">It does not answer.</exception>
    public abstract Task<DatabaseReport> InspectAsync(CancellationToken cancellation);

    /// <summary>Reads with single statements; each sees the newest commits.</summary>
    /// <remarks>Done once more when the connection breaks, so the work must bear that.</remarks>
    /// <param name="work">Gets the session; must not keep it.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<T> ReadAsync<T>(Func<Session, Task<T>> work, CancellationToken cancellation) =>
        ReadAsync(ChannelUse.Read, work, cancellation);

    /// <summary>Reads several times from one consistent moment.</summary>
    /// <remarks>Done once more when the connection breaks, so the work must bear that.</remarks>
    /// <param name="work">Gets the session; must not keep it.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public Task<T> SnapshotAsync<T>(Func<Session, Task<T>> work, CancellationToken cancellation) =>
        ReadAsync(ChannelUse.Snapshot, work, cancellation);

    /// <summary>
    /// Runs one write transaction: commits when the work returns, rolls back when it throws.
    /// </summary>
    /// <remarks>
    /// Repeated up to three times on deadlock, serialization failure or a busy file, so the work must bear
    /// repeating: no calls outside, no changed state of its own.
    /// </remarks>
    /// <param name="work">Gets the session; must not keep it.</param>
    /// <param name="cancellation">Cancelling rolls back, except once the commit has been sent.</param>
    public Task<T> WriteAsync<T>(Func<WriteSession, Task<T>> work, CancellationToken cancellation) =>
        RepeatAsync(ChannelUse.Write, work, cancellation);

    /// <summary>Runs one write transaction that has no answer.</summary>
    /// <inheritdoc cref="WriteAsync{T}"/>
    public Task WriteAsync(Func<WriteSession, Task> work, CancellationToken cancellation) => WriteAsync(
        async session =>
        {
            await work(session);
            return true;
        },
        cancellation);

    /// <summary>
    /// Runs one write transaction whose commit is not waited for until it is on disk: the commit of the next
    /// ordinary one is also its own.
    /// </summary>
    /// <remarks>
    /// The end of this process loses nothing. The end of the machine, or of PostgreSQL, may take it back
    /// together with all that was committed after it, so it is for what whoever goes on finds out anew.
    /// PostgreSQL 16, 30.4 (asynchronous commit); SQLite, PRAGMA synchronous (NORMAL, with WAL).
    /// </remarks>
    /// <inheritdoc cref="WriteAsync{T}"/>
    public Task WriteDeferredAsync(Func<WriteSession, Task> work, CancellationToken cancellation) =>
        RepeatAsync(
            ChannelUse.Deferred,
            async session =>
            {
                await work(session);
                return true;
            },
            cancellation);

    /// <summary>Closes every connection.</summary>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Runs one write transaction of those that follow each other without a pause, on a few connections of
    /// their own. Not cancellable.
    /// </summary>
    internal Task<T> WriteBatchAsync<T>(Func<WriteSession, Task<T>> work) =>
        RepeatAsync(ChannelUse.Batch, work, CancellationToken.None);

    internal abstract ValueTask<SqlChannel> RentAsync(ChannelUse use, CancellationToken cancellation);

    private protected abstract ValueTask CloseAsync();

    private async Task<T> ReadAsync<T>(
        ChannelUse use, Func<Session, Task<T>> work, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var channel = await RentAsync(use, cancellation);
            try
            {
                return await work(new Session(Engine, channel, cancellation));
            }
            catch (DatabaseUnavailableException fault) when (
                attempt == 1
                && fault.Reason is (UnavailableReason.Ended or UnavailableReason.Unreachable))
            {
                // The connection had broken before it was used, or broke in the middle: reading may be
                // repeated, and a new connection tells whether the database is there.
            }
            catch (DbException error)
            {
                throw channel.Fault(error, null);
            }
        }
    }

    private async Task<T> RepeatAsync<T>(
        ChannelUse use, Func<WriteSession, Task<T>> work, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _writeCount);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await WriteOnceAsync(use, work, cancellation);
            }
            catch (ContentionException) when (attempt < WriteAttemptCountMax)
            {
                // Rolled back whole; the other transaction has gone on, so the next attempt starts at once.
            }
        }
    }

    private async Task<T> WriteOnceAsync<T>(
        ChannelUse use, Func<WriteSession, Task<T>> work, CancellationToken cancellation)
    {
        await using var channel = await RentAsync(use, cancellation);
        try
        {
            var session = new WriteSession(Engine, channel, cancellation);
            if (use == ChannelUse.Deferred && Engine == Engine.Postgres)
                session.Queue("SET LOCAL synchronous_commit = off");
            var answer = await work(session);
            await session.CompleteAsync();
            return answer;
        }
        catch (DbException error)
        {
            throw channel.Fault(error, null);
        }
    }
}
