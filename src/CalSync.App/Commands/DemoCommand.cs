using CalSync.App.Demo;

namespace CalSync.App.Commands;

/// <summary><c>calsync demo</c>: the product with demo data and a practice Google, and a tour of what it
/// survives.</summary>
internal static class DemoCommand
{
    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var once = Words.Option<bool>("--once", "", "Ends after the tour; exit code 1 when a step failed.");
        var port = Words.Option<int>("--port", "N", "Port of the API; 0 takes a free one. Default: 0.");
        var verb = new Verb(
            "demo", "Runs everything with demo data on a practice Google, and breaks it in front of you.",
            "calsync demo --once --json")
        {
            once, port, MakeSync(globals, around),
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            if (call.Get(port) is < 0 or > 65_535)
                throw CommandException.Usage("--port is out of range.", "0 to 65535");
            using var folder = DemoFolder.Of(call.Get(globals.Data));
            var settings = new DemoSettings(
                folder.Path, call.Get(globals.Database), call.Get(port),
                GlobalOptions.Assignments(call.Get(globals.Set)), call.Around.Environment, call.Around.Clock,
                call.Around.Random);
            try
            {
                return await new DemoRun(call.Around, call.Output.IsJson)
                    .RunAsync(settings, call.Get(once), cancellation);
            }
            catch (DemoFailedException fault)
            {
                throw new CommandException(
                    ExitCode.Failed, fault.Message, "the demo's set-up", "calsync demo, without --port");
            }
        });
    }

    private static Verb MakeSync(GlobalOptions globals, Surroundings around)
    {
        var once = Words.Option<bool>("--once", "", "Ends after the tour; exit code 1 when a step failed.");
        var verb = new Verb(
            "sync", "Keeps a practice Google and a practice iCloud equal, and breaks things in front of you.",
            "calsync demo sync --once --json")
        {
            once,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            using var folder = DemoFolder.Of(call.Get(globals.Data));
            try
            {
                await using var world = await SyncWorld.StartAsync(
                    call.Around, folder.Path, call.Get(globals.Database), cancellation);
                return await new DemoRun(call.Around, call.Output.IsJson)
                    .RunAsync(world, call.Get(once), cancellation);
            }
            catch (DemoFailedException fault)
            {
                throw new CommandException(
                    ExitCode.Failed, fault.Message, "the demo's set-up", "calsync demo sync");
            }
        });
    }
}
