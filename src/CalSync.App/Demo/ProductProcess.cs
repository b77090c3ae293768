using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace CalSync.App.Demo;

/// <summary>A real child process of this executable: the demo kills it the way a machine would.</summary>
internal sealed class ProductProcess : IAsyncDisposable
{
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _tail = new();
    private readonly TaskCompletionSource<string> _ready = new(
        TaskCreationOptions.RunContinuationsAsynchronously);

    private Task _ended = Task.CompletedTask;

    private ProductProcess(Process process) => _process = process;

    /// <summary>The operating system's process id.</summary>
    public int Id => _process.Id;

    /// <summary>The first line of standard output that contained the ready mark.</summary>
    public string ReadyLine { get; private set; } = "";

    /// <summary>Starts this executable with a verb and waits until it says it is ready.</summary>
    /// <param name="arguments">The verb and its options.</param>
    /// <param name="readyMark">Text of the line on standard output that means ready.</param>
    /// <param name="clock">Bounds the wait, 60 s.</param>
    /// <param name="cancellation">Cancelling kills the child.</param>
    /// <exception cref="DemoFailedException">The child ended or stayed silent; the message holds its last
    /// output.</exception>
    public static async Task<ProductProcess> StartAsync(
        IReadOnlyList<string> arguments, string readyMark, TimeProvider clock, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        // Under "dotnet calsync.dll" the process is dotnet and the product is its first argument.
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(typeof(ProductProcess).Assembly.Location);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);

        var child = new ProductProcess(new Process { StartInfo = start });
        child.Listen(readyMark);
        try
        {
            child.ReadyLine = await child._ready.Task.WaitAsync(ReadyWithin, clock, cancellation);
            return child;
        }
        catch (TimeoutException)
        {
            var tail = child.Tail();
            await child.DisposeAsync();
            throw new DemoFailedException(
                $"'calsync {arguments[0]}' was not ready within {ReadyWithin.TotalSeconds} s:\n{tail}");
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    /// <summary>Kills the child with SIGKILL: no handler runs, nothing is flushed.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>The last lines it wrote, at most 8 KiB.</summary>
    public string Tail()
    {
        lock (_tail)
            return _tail.ToString();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await _ended;
        _process.Dispose();
    }

    private void Listen(string readyMark)
    {
        _process.OutputDataReceived += (_, line) => Hear(line.Data, readyMark);
        _process.ErrorDataReceived += (_, line) => Hear(line.Data, readyMark: null);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _ended = EndedAsync();
    }

    // Waits for the end of its output too: the last lines say why it ended.
    private async Task EndedAsync()
    {
        await _process.WaitForExitAsync(CancellationToken.None);
        _ready.TrySetException(new DemoFailedException(string.Create(
            CultureInfo.InvariantCulture,
            $"The child process ended with exit code {_process.ExitCode}:\n{Tail()}")));
    }

    private void Hear(string? line, string? readyMark)
    {
        if (line is null)
            return;
        lock (_tail)
        {
            _tail.AppendLine(line);
            if (_tail.Length > 8192)
                _tail.Remove(0, _tail.Length - 8192);
        }

        if (readyMark is not null && line.Contains(readyMark, StringComparison.Ordinal))
            _ready.TrySetResult(line);
    }
}

/// <summary>The demo could not be set up or went on unlike a demo; the message says what to look
/// at.</summary>
/// <param name="message">What failed, with the last output of the process concerned.</param>
internal sealed class DemoFailedException(string message) : Exception(message);
