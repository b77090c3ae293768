using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace CalSync.Lab.Peers;

/// <summary>A server of somebody else's, run for tests in a directory that goes away with it.</summary>
/// <remarks>
/// It runs in a process group of its own under a shell that waits for the end of its standard input, so it
/// also stops, and its directory is removed, when this process dies without disposing. Only that group is
/// ever signalled.
/// </remarks>
internal sealed class PeerProcess : IAsyncDisposable
{
    // setsid gives the server a group whose number is its own process id: the group is ended as a whole.
    // Only with -s does every shell take a group; children of PHP's server outlive it otherwise.
    private const string Supervise =
        """
        dir=$1; shift
        (
            setsid sh -c 'echo $$ >"$0/group"; exec "$@"' "$dir" "$@" </dev/null >"$dir/server.log" 2>&1
            : >"$dir/ended"
        ) &
        cat >/dev/null
        server=$(cat "$dir/group") || { rm -rf "$dir"; exit 1; }
        kill -TERM $server 2>/dev/null
        for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
            kill -s 0 -- -$server 2>/dev/null || break
            sleep 0.1
        done
        kill -s KILL -- -$server 2>/dev/null
        wait
        # What was killed just now may have left a file behind the back of the first try.
        rm -rf "$dir" || { sleep 0.5; rm -rf "$dir"; }
        """;

    private static readonly string[] Sudo = ["sudo", "-n"];
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(20);

    private readonly Process _process;

    private PeerProcess(Process process, string directory)
    {
        _process = process;
        Directory = directory;
    }

    /// <summary>What the server keeps; removed with it.</summary>
    public string Directory { get; }

    /// <summary>A new directory with a short name: Unix sockets in it have at most 107 octets.</summary>
    public static string NewDirectory() => System.IO.Directory.CreateTempSubdirectory("peer-").FullName;

    /// <summary>A port on 127.0.0.1 that nobody listened on a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Where a program is; the exception says how to install it.</summary>
    /// <exception cref="InvalidOperationException">It is nowhere.</exception>
    public static string Find(string package, params string[] paths)
    {
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Select(folder => Path.Combine(folder, Path.GetFileName(paths[0])));
        return paths.Concat(onPath).FirstOrDefault(File.Exists) ?? throw new InvalidOperationException(
            $"{Path.GetFileName(paths[0])} is not installed. On Debian: apt-get install {package}. "
                + "./test installs it where it may.");
    }

    /// <summary>The same command as root; by sudo, which must not ask, when this process is not
    /// root.</summary>
    public static string[] AsRoot(params string[] line) =>
        Environment.IsPrivilegedProcess ? line : [.. Sudo, .. line];

    /// <summary>Starts a server and waits until it answers.</summary>
    /// <param name="directory">From <see cref="NewDirectory"/>; belongs to the result.</param>
    /// <param name="isReady">Asked every 50 ms.</param>
    /// <param name="line">Program and arguments; perhaps <see cref="AsRoot"/>, and then all of the peer runs
    /// so.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    /// <param name="cancellation">Cancelling stops what was started.</param>
    /// <exception cref="InvalidOperationException">It ended, or did not answer within 60 s.</exception>
    public static async Task<PeerProcess> StartAsync(
        string directory, Func<Task<bool>> isReady, IReadOnlyList<string> line,
        IReadOnlyDictionary<string, string> environment, CancellationToken cancellation)
    {
        // Who may end the server and remove what it wrote is who started it.
        var isBySudo = line[0] == Sudo[0];
        string[] whole =
        [
            .. isBySudo ? Sudo : [], "sh", "-c", Supervise, "sh", directory,
            .. isBySudo ? line.Skip(Sudo.Length) : line,
        ];
        var start = new ProcessStartInfo(whole[0], whole[1..])
        {
            WorkingDirectory = "/",
            RedirectStandardInput = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var peer = new PeerProcess(Process.Start(start)!, directory);
        try
        {
            await peer.WaitUntilAsync(isReady, cancellation);
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a program to its end.</summary>
    /// <returns>Its standard output.</returns>
    /// <exception cref="InvalidOperationException">It ended with another code than 0.</exception>
    public static async Task<string> RunAsync(
        IReadOnlyList<string> line, string? input, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(line[0], line.Skip(1))
        {
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var error = process.StandardError.ReadToEndAsync(cancellation);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException(
                $"{line[0]} ended with {process.ExitCode}: {await error} {await output}");
    }

    /// <summary>Stops the server and removes its directory.</summary>
    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(StopPatience);
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

    private async Task WaitUntilAsync(Func<Task<bool>> isReady, CancellationToken cancellation)
    {
        for (var waited = Stopwatch.StartNew(); !await isReady();)
        {
            var hasEnded = File.Exists(Path.Combine(Directory, "ended")) || _process.HasExited;
            if (hasEnded || waited.Elapsed > StartPatience)
            {
                var log = Path.Combine(Directory, "server.log");
                var words = File.Exists(log) ? await File.ReadAllTextAsync(log, cancellation) : "";
                throw new InvalidOperationException("The server did not start: " + words);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
        }
    }
}
