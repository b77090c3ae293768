using System.Diagnostics;
using System.Globalization;
using CalSync.Lab.Secrecy;
using Npgsql;

namespace CalSync.Lab;

/// <summary>
/// A real PostgreSQL of our own on a free loopback port, in a directory that goes away with it.
/// </summary>
/// <remarks><inheritdoc cref="ServerProcess" path="/remarks"/></remarks>
public sealed class PostgresServer : IAsyncDisposable
{
    internal const string User = "calsync";

    // The server may have been started again since, so its number is read where it writes it.
    private const string Supervise =
        """
        dir=$1; shift
        "$@" </dev/null &
        cat >/dev/null
        server=$(head -n 1 "$dir/postmaster.pid"); kill -INT $server
        while kill -0 $server 2>/dev/null; do sleep 0.05; done
        wait; rm -rf "$dir"
        """;

    private readonly string _directory;
    private readonly string _programs;
    private readonly Process _process;

    private PostgresServer(Process process, int port, string directory, string programs) =>
        (_process, Port, _directory, _programs) = (process, port, directory, programs);

    /// <summary>The TCP port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>The process above the server and all its backends.</summary>
    public int ProcessId => _process.Id;

    /// <summary>Starts a server and waits until it answers.</summary>
    /// <param name="durable">
    /// False gives up every promise about crashes for speed, right for tests; true keeps the defaults, right
    /// for measuring.
    /// </param>
    /// <param name="cancellation">Cancelling stops what was started.</param>
    /// <param name="tls">Certificate and key, to offer TLS as well; null for plaintext alone.</param>
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed, or did not start.</exception>
    public static async Task<PostgresServer> StartAsync(
        bool durable, CancellationToken cancellation, (string Certificate, string Key)? tls = null)
    {
        var programs = FindPrograms();
        var directory = await ServerProcess.NewDirectoryAsync("calsync-pg-", cancellation);
        await ServerProcess.RunAsync(
            Path.Combine(programs, "initdb"),
            ["-D", directory, "-U", User, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            cancellation,
            asServer: true);
        if (tls is { } files)
        {
            await ServerProcess.GiveAsync(
                directory, [(files.Certificate, "server.crt"), (files.Key, "server.key")], cancellation);
        }

        var port = ServerProcess.FreePort();
        string[] fast = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"];
        string[] arguments =
        [
            directory, Path.Combine(programs, "postgres"), "-D", directory,
            "-p", port.ToString(CultureInfo.InvariantCulture),
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=300",
            "-c", "logging_collector=off", "-c", "log_min_messages=panic", "-c", "timezone=UTC",
            "-c", tls is null ? "ssl=off" : "ssl=on",
            .. durable ? [] : fast,
        ];
        var server = new PostgresServer(
            ServerProcess.Supervise(Supervise, arguments), port, directory, programs);
        try
        {
            await server.WaitUntilReadyAsync(cancellation);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>The address of one of its databases, for <c>--database</c>.</summary>
    public string Url(string database) => string.Create(
        CultureInfo.InvariantCulture, $"postgres://{User}@127.0.0.1:{Port}/{database}?sslmode=disable");

    /// <summary>The same with parameters of TLS.</summary>
    public string TlsUrl(string database, string query) => string.Create(
        CultureInfo.InvariantCulture, $"postgres://{User}@127.0.0.1:{Port}/{database}?{query}");

    /// <summary>Makes a database.</summary>
    /// <param name="name">Letters, digits and underscores.</param>
    /// <param name="template">A database to copy, that nobody is connected to; null for an empty one.</param>
    /// <param name="cancellation">A cancelled call may still have made it.</param>
    public async Task CreateDatabaseAsync(string name, string? template, CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(ConnectionString("postgres"));
        await connection.OpenAsync(cancellation);
#pragma warning disable CA2100 // Names come from our own tests.
        await using var command = new NpgsqlCommand(
            $"CREATE DATABASE \"{name}\" TEMPLATE \"{template ?? "template1"}\"", connection);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>Runs statements as the superuser, in a database.</summary>
    /// <param name="database">Which.</param>
    /// <param name="sql">Its text.</param>
    /// <param name="cancellation">A cancelled call may still have run.</param>
    public async Task<object?> RunAsync(string database, string sql, CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(database));
        await connection.OpenAsync(cancellation);
#pragma warning disable CA2100 // Texts come from our own tests.
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync(cancellation);
    }

    /// <summary>Stops it, cutting everybody off, and starts it at the same port.</summary>
    /// <param name="cancellation">A cancelled call leaves it as it is.</param>
    public Task RestartAsync(CancellationToken cancellation) => ServerProcess.RunAsync(
        Path.Combine(_programs, "pg_ctl"),
        ["restart", "-D", _directory, "-m", "fast", "-w", "-s", "-l", Path.Combine(_directory, "log")],
        cancellation,
        asServer: true);

    /// <summary>Stops the server and removes its directory.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Witness.IsOn && !_process.HasExited)
        {
            await RunAsync("postgres", "CHECKPOINT", CancellationToken.None);
            Witness.SawPostgres(_directory);
        }

        await ServerProcess.EndAsync(_process);
    }

    private static string FindPrograms()
    {
        const string Debian = "/usr/lib/postgresql";
        var installed = Directory.Exists(Debian) ? Directory.GetDirectories(Debian) : [];
        var newest = installed.Select(path => Path.Combine(path, "bin"))
            .Where(path => File.Exists(Path.Combine(path, "initdb")))
            .OrderBy(path => path.Length).ThenBy(path => path, StringComparer.Ordinal)
            .LastOrDefault();
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .FirstOrDefault(path => File.Exists(Path.Combine(path, "initdb")));
        return newest ?? onPath ?? throw new InvalidOperationException(
            "PostgreSQL's server programs are not installed. On Debian: apt-get install postgresql");
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellation)
    {
        for (var waited = Stopwatch.StartNew(); ;)
        {
            try
            {
                await using var connection = new NpgsqlConnection(ConnectionString("postgres"));
                await connection.OpenAsync(cancellation);
                return;
            }
            catch (NpgsqlException error)
            {
                if (_process.HasExited || waited.Elapsed > TimeSpan.FromSeconds(30))
                    throw new InvalidOperationException("PostgreSQL did not start.", error);
                await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
            }
        }
    }

    private string ConnectionString(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = Port,
        Username = User,
        Database = database,
        Pooling = false,
        SslMode = SslMode.Disable,
        Timeout = 5,
    }.ToString();
}
