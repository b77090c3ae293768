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
            once, port,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            using var folder = DemoFolder.Of(call.Get(globals.Data));
            var settings = new DemoSettings(
                folder.Path, call.Get(globals.Database), call.Get(port), call.Around.Clock,
                call.Around.Random);
            return await new DemoRun(call.Around, call.Output.IsJson)
                .RunAsync(settings, call.Get(once), cancellation);
        });
    }
}
