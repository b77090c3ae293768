using CalSync.Sandbox;

namespace CalSync.App.Commands;

/// <summary><c>calsync sandbox</c>: a Google to practise on, until it is stopped.</summary>
internal static class SandboxCommand
{
    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var port = Words.Option<int?>(
            "--port", "N", "Port on the loopback address; 0 takes a free one. Default: 8790.");
        var latency = Words.Option<int>(
            "--latency", "MS", "Milliseconds before each provider call is applied. Default: 0.");
        var verb = new Verb(
            "sandbox",
            "Serves a Google to practise on: OAuth, Calendar v3, and faults under /_sandbox.",
            "calsync sandbox --port 8790")
        {
            port, latency,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            if ((call.Get(port) ?? 8790) is < 0 or > 65_535)
                throw CommandException.Usage("--port is out of range.", "0 to 65535");
            await using var server =
                await StartAsync(call, call.Get(port) ?? 8790, call.Get(latency), cancellation);
            call.Output.Value(new { Url = server.BaseAddress }, $"Sandbox ready on {server.BaseAddress}");
            await cancellation.UntilCancelledAsync();
            return ExitCode.Ok;
        });
    }

    private static async Task<SandboxServer> StartAsync(
        Invocation call, int port, int latency, CancellationToken cancellation)
    {
        var options = new SandboxOptions(call.Around.Clock)
        {
            Port = port,
            Latency = TimeSpan.FromMilliseconds(Math.Max(0, latency)),
        };
        try
        {
            return await SandboxServer.StartAsync(options, cancellation);
        }
        catch (IOException fault)
        {
            throw new CommandException(
                ExitCode.Failed, fault.Message, $"port {port}", "calsync sandbox --port 0");
        }
    }
}

/// <summary>Waiting for the end of a verb that serves.</summary>
internal static class Waiting
{
    /// <summary>Ends when the token is cancelled, without throwing.</summary>
    public static async Task UntilCancelledAsync(this CancellationToken cancellation)
    {
        var stopped = new TaskCompletionSource();
        await using var registration = cancellation.Register(stopped.SetResult);
        await stopped.Task;
    }
}
