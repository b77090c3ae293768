using CalSync.App.Configuration;

namespace CalSync.App.Commands;

/// <summary><c>calsync serve</c> and <c>calsync worker</c>: the processes that stay.</summary>
internal static class ServeCommand
{
    /// <summary>The API, with workers unless told otherwise.</summary>
    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var urls = Words.Option<string?>(
            "--urls", "ADDRESS", "Addresses to listen on. Default: http://127.0.0.1:8080.");
        var noWorker = Words.Option<bool>(
            "--no-worker", "", "Only the API; calendars are written by 'calsync worker'.");
        var verb = new Verb(
            "serve", "Serves the API and writes the calendars, until it is stopped.",
            "calsync serve --data /var/lib/calsync --urls http://127.0.0.1:8080")
        {
            urls, noWorker,
        };
        return verb.Does(globals, around, (call, cancellation) => RunAsync(
            call, () => call.ReadConfiguration((Keys.ServerUrls, call.Get(urls))), listens: true,
            works: !call.Get(noWorker), cancellation));
    }

    /// <summary>Workers only.</summary>
    public static Verb CreateWorker(GlobalOptions globals, Surroundings around) =>
        new Verb(
            "worker", "Writes the calendars for API processes on the same database, until it is stopped.",
            "calsync worker --database postgres://calsync@db.example.com/calsync")
            .Does(globals, around, (call, cancellation) => RunAsync(
                call, () => call.ReadConfiguration(), listens: false, works: true, cancellation));

    private static async Task<ExitCode> RunAsync(
        Invocation call, Func<ConfigurationOutcome> read, bool listens, bool works,
        CancellationToken cancellation)
    {
        var settings = Invocation.Valid(read());
        await using var host = await CalSyncHost.BuildAsync(
            HostConfiguration.Read(settings, listens, works) with
            {
                Source = new ConfigurationSource(settings, call.ConfigurationFile(settings), read),
            },
            new OffsetClock(call.Around.Clock, settings.Duration(Keys.TestingClock)), call.Around.Random, Log,
            cancellation);
        try
        {
            await host.StartAsync(cancellation);
        }
        catch (IOException fault)
        {
            throw new CommandException(
                ExitCode.Failed, fault.Message, Keys.ServerUrls.Name,
                "end what listens there, or calsync serve --urls http://127.0.0.1:0");
        }

        if (listens)
            call.Output.Value(new { Url = host.Address }, $"CalSync serves {host.Address}");
        else
            call.Output.Value(new { State = "working" }, "CalSync is working.");
        await cancellation.UntilCancelledAsync();

        // A second Ctrl+C ends the process; until then what is under way may finish.
        await host.StopAsync(CancellationToken.None);
        return ExitCode.Ok;
    }

    // Log lines go to stderr, so that stdout stays the result.
    private static void Log(ILoggingBuilder log) => log
        .AddSimpleConsole(line =>
        {
            line.SingleLine = true;
            line.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            line.UseUtcTimestamp = true;
        })
        .AddFilter("Microsoft", LogLevel.Warning)
        // A start that fails is told by the verb, in one line.
        .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)
        .SetMinimumLevel(LogLevel.Information)
        .Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
}
