using CalSync.Sandbox;

namespace CalSync.App.Commands;

/// <summary><c>calsync sandbox</c>: a Google and an iCloud to practise on, until it is stopped.</summary>
internal static class SandboxCommand
{
    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var port = Words.Option<int?>(
            "--port", "N",
            "Port on the loopback address; the two hosts of the practice iCloud listen on the next two. 0 "
                + "takes free ones. Default: 8790.");
        var latency = Words.Option<int>(
            "--latency", "MS", "Milliseconds before each provider call is applied. Default: 0.");
        var verb = new Verb(
            "sandbox",
            "Serves a Google and an iCloud to practise on: OAuth, Calendar v3, CalDAV, and faults under "
                + "/_sandbox.",
            "calsync sandbox --port 8790")
        {
            port, latency,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            if ((call.Get(port) ?? 8790) is < 0 or > 65_533)
                throw CommandException.Usage("--port is out of range.", "0 to 65533");
            await using var server =
                await StartAsync(call, call.Get(port) ?? 8790, call.Get(latency), cancellation);
            call.Output.Value(
                new { Url = server.BaseAddress, CalDavUrl = server.CalDavAddress },
                $"Sandbox ready on {server.BaseAddress}, iCloud on {server.CalDavAddress}");
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
            CalDavPort = port == 0 ? 0 : port + 1,
            CalDavShardPort = port == 0 ? 0 : port + 2,
            Latency = TimeSpan.FromMilliseconds(Math.Max(0, latency)),
        };
        try
        {
            return await SandboxServer.StartAsync(options, cancellation);
        }
        catch (IOException fault)
        {
            throw new CommandException(
                ExitCode.Failed, fault.Message, $"ports {port} to {port + 2}", "calsync sandbox --port 0");
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
