using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace CalSync.Lab;

/// <summary>Programs that refuse to run as root, under a shell that ends them with us.</summary>
/// <remarks>
/// The shell waits for the end of its standard input, so the program also stops, and its directory is
/// removed, when this process dies without disposing. As root they run as the user <c>postgres</c>.
/// </remarks>
internal static class ServerProcess
{
    /// <summary>Makes a directory for a server.</summary>
    public static async Task<string> NewDirectoryAsync(string prefix, CancellationToken cancellation)
    {
        var directory = Directory.CreateTempSubdirectory(prefix).FullName;
        if (Environment.IsPrivilegedProcess)
            await RunAsync("chown", ["postgres", directory], cancellation);
        return directory;
    }

    /// <summary>Copies files to a server's directory, for it alone to read.</summary>
    public static async Task GiveAsync(
        string directory, IEnumerable<(string From, string Name)> files, CancellationToken cancellation)
    {
        foreach (var (from, name) in files)
        {
            var path = Path.Combine(directory, name);
            File.Copy(from, path, overwrite: true);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            if (Environment.IsPrivilegedProcess)
                await RunAsync("chown", ["postgres", path], cancellation);
        }
    }

    /// <summary>How a program is started.</summary>
    public static ProcessStartInfo StartInfo(string program, IEnumerable<string> arguments, bool asServer)
    {
        string[] asPostgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", program];
        string[] line = asServer && Environment.IsPrivilegedProcess
            ? [.. asPostgres, .. arguments]
            : [program, .. arguments];
        return new ProcessStartInfo(line[0], line[1..]) { WorkingDirectory = "/" };
    }

    /// <summary>Starts a shell that lives until its input ends.</summary>
    public static Process Supervise(string script, IEnumerable<string> arguments)
    {
        var start = StartInfo("sh", ["-c", script, "sh", .. arguments], asServer: true);
        start.RedirectStandardInput = true;
        return Process.Start(start)!;
    }

    /// <summary>Ends a shell and what it started.</summary>
    public static async Task EndAsync(Process process)
    {
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }

        process.Dispose();
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static async Task RunAsync(
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

    /// <summary>A port nobody listens on.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
