using System.Globalization;
using CalSync.Lab.Bench;
using CalSync.Lab.Bench.Sync;
using CalSync.Lab.Fuzz;
using CalSync.Lab.Secrecy;
using CalSync.Lab.Simulation;

// Lab: what measures and torments the product. "bench" without a name lists the benchmarks.
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
return args switch
{
    ["bench", "enrol", .. var rest] =>
        await EnrolBench.RunAsync(withMirror: true, rest.Contains("--json"), stop.Token),
    ["bench", "accept", .. var rest] =>
        await EnrolBench.RunAsync(withMirror: false, rest.Contains("--json"), stop.Token),
    ["bench", "calendar", .. var rest] => CalendarBench.Run(rest.Contains("--json"), Rounds(rest)),
    ["bench", "tokens", .. var rest] => await TokenBench.RunAsync(rest.Contains("--json"), stop.Token),
    ["bench", "sync", .. var rest] => await SyncBench.RunAsync(SyncBenchOptions.Read(rest), stop.Token),
    ["bench", "beside", .. var rest] => await BesideBench.RunAsync(rest.Contains("--json"), stop.Token),
    ["bench", ..] => List(),
    ["null-caldav", var port] => await ServeNullCalDavAsync(port, stop.Token),
    ["sync-pair", var directory, var pair, var runs] => await SyncRunner.RunAsync(
        directory, pair, int.Parse(runs, CultureInfo.InvariantCulture), stop.Token),
    ["secrecy", var directory] => SecretSearch.RunVerb(directory),
    ["fuzz", "calendar", .. var rest] => FuzzCommand.Run(rest, stop.Token),
    ["simulate", "pairs", "--seeds", var seeds, .. var rest] => await SimulatePairsAsync(
        int.Parse(seeds, CultureInfo.InvariantCulture),
        rest is ["--from", var first, ..] ? int.Parse(first, CultureInfo.InvariantCulture) : 1,
        rest.Contains("--damage"), rest.Contains("--busy")),
    ["simulate", "boundaries", .. var rest] => await SimulateBoundariesAsync(
        rest.Contains("--twice"),
        Array.IndexOf(rest, "--busy") is >= 0 and var at ? rest[at + 1] : null),
    _ => Usage(),
};

static int List()
{
    Console.WriteLine(
        "enrol   1,000 enrolments to the verified guest, and the accept path beside a plain stack");
    Console.WriteLine("accept  the second half of enrol alone");
    Console.WriteLine(
        "calendar [--rounds N]  the calendar library beside libical, ical.js and rrule-rust");
    Console.WriteLine("tokens  one tick that renews 1,000 due tokens among 100,000 connections");
    Console.WriteLine(
        "sync [--rounds N] [--sizes N,N] [--no-delay] [--own-server] [--built]  two calendars kept equal, "
        + "beside vdirsyncer");
    Console.WriteLine("beside  what people wait for while two calendars of 5,000 events are made equal");
    return 0;
}

static async Task<int> ServeNullCalDavAsync(string port, CancellationToken cancellation)
{
    await using var server = await NullCalDav.StartAsync(
        int.Parse(port, CultureInfo.InvariantCulture), cancellation);
    await server.WaitAsync(cancellation);
    return 0;
}

static int Rounds(string[] rest) =>
    Array.IndexOf(rest, "--rounds") is >= 0 and var at && at + 1 < rest.Length
    && int.TryParse(rest[at + 1], out var count) && count > 0
        ? count
        : 3;

static async Task<int> SimulatePairsAsync(int count, int first, bool hasDamage, bool isBusy)
{
    var broken = await PairSimulation.RunAsync(first, count, hasDamage, isBusy);
    foreach (var what in broken)
        Console.WriteLine(what);
    Console.WriteLine($"seeds {first} to {first + count - 1}: {broken.Count} broken");
    return broken.Count == 0 ? 0 : 1;
}

static async Task<int> SimulateBoundariesAsync(bool isTwice, string? busy)
{
    var report = await LifeBoundaries.RunAsync(isTwice, busy);
    foreach (var what in report.Broken)
        Console.WriteLine(what);
    Console.WriteLine(
        $"{report.Boundaries} boundaries, {report.Lives} lives: {report.Broken.Count} broken");
    return report.Broken.Count == 0 ? 0 : 1;
}

static int Usage()
{
    Console.Error.WriteLine("usage: bench NAME [--json]");
    Console.Error.WriteLine(FuzzCommand.Usage);
    Console.Error.WriteLine("       secrecy DIRECTORY");
    Console.Error.WriteLine("       simulate pairs --seeds N [--from SEED] [--damage]");
    Console.Error.WriteLine("       simulate boundaries [--twice]");
    Console.Error.WriteLine("       pairs --busy, boundaries --busy SIDE: one side shows only busy");
    return 2;
}
