using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Npgsql;

namespace CalSync.Lab;

/// <summary>A real PgBouncer on a free loopback port, with TLS on both sides.</summary>
/// <remarks><inheritdoc cref="ServerProcess" path="/remarks"/></remarks>
public sealed class PgBouncerServer : IAsyncDisposable
{
    private const string User = "calsync";
    private const string Supervise =
        """
        dir=$1; shift
        "$@" </dev/null 2>"$dir/log" & server=$!
        cat >/dev/null
        kill -INT $server; wait $server; rm -rf "$dir"
        """;

    private readonly Process _process;
    private readonly string _root;
    private readonly string _directory;

    private PgBouncerServer(Process process, int port, string root, string directory) =>
        (_process, Port, _root, _directory) = (process, port, root, directory);

    /// <summary>The TCP port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Starts one before a PostgreSQL that has TLS, and waits until it answers.</summary>
    /// <remarks>With the settings that are shipped in deploy/pgbouncer, so these are tested too.</remarks>
    /// <param name="server">Where every database is.</param>
    /// <param name="authority">Gives out the pooler's certificate; also whom it trusts.</param>
    /// <param name="mode"><c>transaction</c> or <c>session</c>.</param>
    /// <param name="poolSize">Connections to the server for each database.</param>
    /// <param name="isConsoleOpen">Whether our user may use its console.</param>
    /// <param name="cancellation">Cancelling stops what was started.</param>
    /// <exception cref="InvalidOperationException">It is not installed, or did not start.</exception>
    public static async Task<PgBouncerServer> StartAsync(
        PostgresServer server, TestAuthority authority, string mode, int poolSize, bool isConsoleOpen,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(authority);
        const string Program = "/usr/sbin/pgbouncer";
        if (!File.Exists(Program))
        {
            throw new InvalidOperationException(
                "PgBouncer is not installed. On Debian: apt-get install pgbouncer");
        }

        var directory = await ServerProcess.NewDirectoryAsync("calsync-pgb-", cancellation);
        var port = ServerProcess.FreePort();
        var (certificate, key) = authority.Issue($"pooler-{port}", ["127.0.0.1", "localhost"]);
        var example = await File.ReadAllTextAsync(ExampleFile(), cancellation);
        var settings = authority.Write(
            $"pooler-{port}.ini", Here(example, server.Port, port, directory, mode, poolSize, isConsoleOpen));
        var users = authority.Write($"pooler-{port}.users", $"\"{User}\" \"\"\n");
        await ServerProcess.GiveAsync(
            directory,
            [
                (settings, "pgbouncer.ini"), (users, "users.txt"), (certificate, "pooler.crt"),
                (key, "pooler.key"), (authority.RootFile, "root.crt"),
            ],
            cancellation);
        var pooler = new PgBouncerServer(
            ServerProcess.Supervise(Supervise, [directory, Program, $"{directory}/pgbouncer.ini"]),
            port, authority.RootFile, directory);
        try
        {
            await pooler.WaitUntilReadyAsync(cancellation);
            return pooler;
        }
        catch
        {
            await pooler.DisposeAsync();
            throw;
        }
    }

    /// <summary>The address of a database through it, verified in full.</summary>
    public string Url(string database) => string.Create(
        CultureInfo.InvariantCulture,
        $"postgresql+asyncpg://{User}@127.0.0.1:{Port}/{database}?sslmode=verify-full&sslrootcert={_root}");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await ServerProcess.EndAsync(_process);

    // The file that is shipped, with what differs here: places, sign-in, and all databases at once.
    private static string Here(
        string example, int server, int port, string directory, string mode, int poolSize, bool isConsoleOpen)
    {
        (string Shipped, string Here)[] differences =
        [
            ("calsync = host=db.example.com port=5432", $"* = host=127.0.0.1 port={Text(server)}"),
            ("listen_port = 6432", $"listen_port = {Text(port)}\nserver_idle_timeout = 3"),
            ("auth_type = scram-sha-256",
                $"auth_type = trust{(isConsoleOpen ? $"\nstats_users = {User}" : "")}"),
            ("pool_mode = transaction", $"pool_mode = {mode}"),
            ("default_pool_size = 20", $"default_pool_size = {Text(poolSize)}"),
            ("/etc/pgbouncer/", directory + "/"),
        ];
        foreach (var (shipped, here) in differences)
        {
            example = example.Contains(shipped, StringComparison.Ordinal)
                ? example.Replace(shipped, here, StringComparison.Ordinal)
                : throw new InvalidOperationException($"{ExampleFile()} has no {shipped}.");
        }

        return example;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string ExampleFile([CallerFilePath] string thisFile = "") => Path.GetFullPath(
        Path.Combine(Path.GetDirectoryName(thisFile)!, "../../deploy/pgbouncer/pgbouncer.ini"));

    private async Task WaitUntilReadyAsync(CancellationToken cancellation)
    {
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = Port,
            Username = User,
            Database = "postgres",
            Pooling = false,
            SslMode = SslMode.Require,
            Timeout = 5,
        };
        for (var waited = Stopwatch.StartNew(); ;)
        {
            try
            {
                await using var connection = new NpgsqlConnection(settings.ToString());
                await connection.OpenAsync(cancellation);
                return;
            }
            catch (NpgsqlException error)
            {
                if (_process.HasExited || waited.Elapsed > TimeSpan.FromSeconds(20))
                {
                    var log = File.Exists($"{_directory}/log")
                        ? await File.ReadAllTextAsync($"{_directory}/log", cancellation)
                        : "";
                    throw new InvalidOperationException($"PgBouncer did not start. {log}", error);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
            }
        }
    }
}
