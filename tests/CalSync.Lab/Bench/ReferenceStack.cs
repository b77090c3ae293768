using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Npgsql;

namespace CalSync.Lab.Bench;

/// <summary>
/// The straightforward competing stack: ASP.NET minimal API and Npgsql, one transaction an enrolment, as six
/// statements (/tx) or as one (/cte). Its sources lie beside the repository, not in it.
/// </summary>
internal sealed class ReferenceStack : IAsyncDisposable
{
    private const int ClassCount = 1_000;

    private readonly Process _process;
    private readonly Uri _address;
    private int _sent;

    private ReferenceStack(Process process, Uri address) => (_process, _address) = (process, address);

    /// <summary>The process that serves.</summary>
    public int ProcessId => _process.Id;

    /// <summary>Builds and starts it on a database of its own; null when its sources are not there.</summary>
    public static async Task<ReferenceStack?> StartAsync(
        PostgresServer postgres, CancellationToken cancellation)
    {
        if (Sources() is not { } sources)
            return null;
        var folder = Path.Combine(Path.GetTempPath(), $"calsync-reference-{Environment.ProcessId}");
        var build = Path.Combine(folder, "src");
        Directory.CreateDirectory(build);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(sources, "refstack")))
            File.Copy(file, Path.Combine(build, Path.GetFileName(file)), overwrite: true);
        await RunToEndAsync(
            build, "dotnet",
            ["publish", "-c", "Release", "-o", Path.Combine(folder, "bin"), "--nologo", "-v", "quiet"],
            cancellation);

        await postgres.CreateDatabaseAsync("reference", null, cancellation);
        await using (var source = NpgsqlDataSource.Create(ConnectionString(postgres)))
        {
            // Vacuum cannot run inside the implicit transaction of a batch; it is only housekeeping of the
            // queue test.
            var sql = await File.ReadAllTextAsync(Path.Combine(sources, "pg_setup.sql"), cancellation);
            await using var setup = source.CreateCommand(
                sql.Replace("vacuum analyze;", "analyze;", StringComparison.Ordinal));
            await setup.ExecuteNonQueryAsync(cancellation);
        }

        var port = FreePort();
        var start =
            new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(folder, "bin", "refstack.dll"));
        start.ArgumentList.Add(port.ToString(CultureInfo.InvariantCulture));
        start.ArgumentList.Add(ConnectionString(postgres));
        var stack = new ReferenceStack(Process.Start(start)!, new Uri($"http://127.0.0.1:{port}/"));
        for (var attempt = 0; attempt < 100 && !await AnswersAsync(port, cancellation); attempt++)
            await Task.Delay(TimeSpan.FromMilliseconds(100), cancellation);
        return stack;
    }

    /// <summary>Measures one of its two ways, with unique keys and members.</summary>
    public async Task<LoadResult> RunAsync(string path, int clients, TimeSpan limit)
    {
        var first = _sent;
        var load = await LoadClient.RunAsync(_address, clients, limit, number =>
        {
            var n = first + number;
            return LoadClient.Request(
                "POST", _address, path, $$"""{"classId":{{(n % ClassCount) + 1}},"memberId":{{n}}}""",
                $"Idempotency-Key: {n:x8}-0000-4000-8000-000000000000");
        });
        _sent += load.LatenciesMs.Count + clients;
        if (load.Other(200) > 0)
        {
            throw new InvalidOperationException(
                $"The reference stack failed: {string.Join(' ', load.Statuses)}");
        }

        return load;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private static string ConnectionString(PostgresServer postgres) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = postgres.Port,
        Username = "calsync",
        Database = "reference",
        MaxPoolSize = 32,
        MaxAutoPrepare = 20,
        AutoPrepareMinUsages = 2,
    }.ConnectionString;

    // Beside the clone: ../shared/perf/enrol, looked for from the working directory upwards.
    private static string? Sources()
    {
        for (var folder =
            new DirectoryInfo(Environment.CurrentDirectory); folder is not null; folder = folder.Parent)
        {
            var found = Path.Combine(folder.FullName, "shared", "perf", "enrol");
            if (Directory.Exists(Path.Combine(found, "refstack")))
                return found;
        }

        return null;
    }

    private static int FreePort()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        return ((System.Net.IPEndPoint)listener.LocalEndPoint!).Port;
    }

    private static async Task<bool> AnswersAsync(int port, CancellationToken cancellation)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync("127.0.0.1", port, cancellation);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task RunToEndAsync(
        string folder, string program, string[] arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {arguments[0]} failed:\n{output}");
    }
}
