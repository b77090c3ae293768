using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace CalSync.Lab;

/// <summary>
/// A real PostgreSQL of our own on a free loopback port, in a directory that goes away with it.
/// </summary>
/// <remarks>
/// The server runs under a shell that waits for the end of its standard input, so it also stops, and its
/// directory is removed, when this process dies without disposing. As root the server runs as the user
/// <c>postgres</c>.
/// </remarks>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string User = "calsync";
    private const string Supervise =
        """
        dir=$1; shift
        "$@" </dev/null & server=$!
        cat >/dev/null
        kill -INT $server; wait $server; rm -rf "$dir"
        """;

    private readonly Process _process;

    private PostgresServer(Process process, int port)
    {
        _process = process;
        Port = port;
    }

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
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed, or did not start.</exception>
    public static async Task<PostgresServer> StartAsync(bool durable, CancellationToken cancellation)
    {
        var programs = FindPrograms();
        var directory = Directory.CreateTempSubdirectory("calsync-pg-").FullName;
        if (Environment.IsPrivilegedProcess)
            await RunAsync("chown", ["postgres", directory], cancellation);
        await RunAsync(
            Path.Combine(programs, "initdb"),
            ["-D", directory, "-U", User, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            cancellation,
            asServer: true);
        var port = FreePort();
        string[] fast = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"];
        string[] arguments =
        [
            "-c", Supervise, "sh", directory, Path.Combine(programs, "postgres"), "-D", directory,
            "-p", port.ToString(CultureInfo.InvariantCulture),
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200",
            "-c", "logging_collector=off", "-c", "log_min_messages=panic", "-c", "timezone=UTC",
            .. durable ? [] : fast,
        ];
        var start = StartInfo("sh", arguments, asServer: true);
        start.RedirectStandardInput = true;
        var server = new PostgresServer(Process.Start(start)!, port);
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

    /// <summary>Stops the server and removes its directory.</summary>
    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
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

    private static ProcessStartInfo StartInfo(string program, IEnumerable<string> arguments, bool asServer)
    {
        string[] asPostgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", program];
        string[] line = asServer && Environment.IsPrivilegedProcess
            ? [.. asPostgres, .. arguments]
            : [program, .. arguments];
        return new ProcessStartInfo(line[0], line[1..]) { WorkingDirectory = "/" };
    }

    private static async Task RunAsync(
        string program, IEnumerable<string> arguments, CancellationToken cancellation, bool asServer = false)
    {
        var start = StartInfo(program, arguments, asServer);
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var error = await process.StandardError.ReadToEndAsync(cancellation);
        await output;
        await process.WaitForExitAsync(cancellation);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {error}");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
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
