using System.Globalization;
using CalSync.Lab.Peers;

namespace CalSync.Lab.Bench.Sync;

/// <summary>One run of one tool in one situation.</summary>
/// <param name="Tool">Which.</param>
/// <param name="Events">How many the calendar had at first.</param>
/// <param name="DelayMs">By which every answer was delayed.</param>
/// <param name="Scenario">Which situation.</param>
/// <param name="Cost">What it cost; for runs inside a service only the time is known.</param>
/// <param name="Traffic">What the server was asked.</param>
internal sealed record SyncFigure(
    string Tool, int Events, int DelayMs, string Scenario, ProcessCost Cost, SyncTraffic? Traffic);

/// <summary>Two calendars kept equal by the product, beside vdirsyncer on the same server.</summary>
/// <param name="server">The server both are measured on.</param>
/// <param name="contenders">Who is measured.</param>
internal sealed class SyncBench(SyncServer server, IReadOnlyList<SyncContender> contenders)
{
    private const int ServiceRuns = 21;

    /// <summary>The server compiles itself while it is used. Its own time for a first sync of 10,000 was
    /// 1.14 s, then 0.77, 0.66 and 0.62, and stayed there.</summary>
    private const int WarmUpRounds = 3;

    private static readonly TimeSpan RunLimit = TimeSpan.FromMinutes(10);
    private readonly List<SyncFigure> _figures = [];

    /// <summary>Measures and prints.</summary>
    /// <returns>1 when an aim that was measured is missed.</returns>
    public static async Task<int> RunAsync(SyncBenchOptions options, CancellationToken cancellation)
    {
        var sizes = options.Sizes;
        var corpus = SyncPeers.Corpus(Math.Max(sizes.Max(), options.Delayed ? 1_000 : 0));
        List<SyncContender> contenders =
        [
            options.Built
                ? new ProductContender(ProductContender.Built)
                : await ProductContender.InstalledAsync(cancellation),
        ];
        if (VdirsyncerContender.IsHere)
            contenders.Add(new VdirsyncerContender());
        else
            await Console.Error.WriteLineAsync("Not here, so not measured: vdirsyncer");
        var library = options.OwnServer ? null : SyncPeers.Server();
        await using var server = await SyncServer.StartAsync(library, cancellation);
        var bench = new SyncBench(server, contenders);
        await Console.Error.WriteLineAsync("Through all situations, not measured, until the server is warm");
        for (var round = 1; round <= WarmUpRounds; round++)
            await bench.RoundAsync(contenders[0], [.. corpus.Take(sizes.Max())], 0, cancellation);
        bench._figures.Clear();
        foreach (var size in sizes)
        {
            for (var round = 1; round <= options.Rounds; round++)
                await bench.RoundAsync([.. corpus.Take(size)], 0, round, cancellation);
        }

        if (options.Delayed)
            await bench.RoundAsync([.. corpus.Take(1_000)], 50, 1, cancellation);
        return SyncReport.Print(bench._figures, library is null ? "own" : "nulldav", options.Json);
    }

    /// <summary>Every tool once through all situations; who begins changes from round to round.</summary>
    private async Task RoundAsync(
        IReadOnlyList<byte[]> corpus, int delayMs, int round, CancellationToken cancellation)
    {
        foreach (var contender in round % 2 == 1 ? contenders : contenders.Reverse())
        {
            await Console.Error.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{contender.Name}: {corpus.Count} events, {delayMs} ms, round {round}"));
            await RoundAsync(contender, corpus, delayMs, cancellation);
        }
    }

    private async Task RoundAsync(
        SyncContender contender, IReadOnlyList<byte[]> corpus, int delayMs, CancellationToken cancellation)
    {
        var directory = PeerProcess.NewDirectory();
        try
        {
            await ThroughAsync(contender, directory, corpus, delayMs, cancellation);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private async Task ThroughAsync(
        SyncContender contender, string directory, IReadOnlyList<byte[]> corpus, int delayMs,
        CancellationToken cancellation)
    {
        var (left, right) = (server.Calendar(0), server.Calendar(1));
        var memory = Directory.CreateDirectory(Path.Combine(directory, "first")).FullName;
        await server.SeedAsync(corpus, cancellation);
        await contender.PrepareAsync(memory, left, right, cancellation);
        async Task MeasureAsync(string scenario)
        {
            await server.DelayAsync(delayMs, cancellation);
            await server.ResetAsync(cancellation);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(RunLimit);
            var cost = await contender.RunAsync(memory, left, right, limit.Token);
            await server.DelayAsync(0, cancellation);
            Note(new SyncFigure(
                contender.Name, corpus.Count, delayMs, scenario, cost,
                await server.TrafficAsync(cancellation)));
        }

        await MeasureAsync("first");
        await MeasureAsync("afterFirst");
        await MeasureAsync("noop");
        await MeasureAsync("noop");
        if (contender is ProductContender)
            await ServiceAsync(memory, corpus.Count, delayMs, cancellation);
        var share = Math.Max(1, corpus.Count / 100);
        await server.EditAsync(0, corpus.Take(share), cancellation);
        await server.EditAsync(1, corpus.Skip(share).Take(share), cancellation);
        await MeasureAsync("change");
        await server.DeleteAsync(0, corpus.Skip(2 * share).Take(share), cancellation);
        await server.DeleteAsync(1, corpus.Skip(3 * share).Take(share), cancellation);
        await MeasureAsync("delete");
        memory = Directory.CreateDirectory(Path.Combine(directory, "second")).FullName;
        await contender.PrepareAsync(memory, left, right, cancellation);
        await MeasureAsync("identical");
        await VerifyAsync(contender.Name, corpus.Count - (2 * share), cancellation);
    }

    /// <summary>Runs without a change inside a process that goes on.</summary>
    private async Task ServiceAsync(
        string memory, int events, int delayMs, CancellationToken cancellation)
    {
        var line = ProductContender.Runs(memory, ServiceRuns);
        await server.DelayAsync(delayMs, cancellation);
        var said = await PeerProcess.RunAsync(line, null, cancellation);
        await server.DelayAsync(0, cancellation);
        foreach (var took in said.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Note(new SyncFigure(
                "calsync", events, delayMs, "noopService",
                new ProcessCost(double.Parse(took, CultureInfo.InvariantCulture) / 1000, 0, 0), null));
        }
    }

    /// <summary>A tool that is fast and wrong is not measured.</summary>
    private async Task VerifyAsync(string name, int expected, CancellationToken cancellation)
    {
        var left = await server.DigestsAsync(0, cancellation);
        var right = await server.DigestsAsync(1, cancellation);
        var differing = left.Count(one => right.GetValueOrDefault(one.Key) != one.Value);
        if (left.Count != expected || right.Count != expected || differing > 0)
        {
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture,
                $"{name} left {left.Count} and {right.Count} events of {expected}, {differing} differ."));
        }
    }

    private void Note(SyncFigure figure)
    {
        _figures.Add(figure);
        if (figure.Traffic is { } traffic)
        {
            var (wall, cpu, peak) = figure.Cost;
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {figure.Scenario,-12} {wall,8:0.000} s {cpu,8:0.000} s cpu {peak,6:0} MiB ")
                + string.Create(
                    CultureInfo.InvariantCulture,
                    $"{traffic.Requests,7} requests {traffic.In + traffic.Out,10} octets"));
        }
    }
}

/// <summary>What is measured.</summary>
/// <param name="Sizes">Numbers of events.</param>
/// <param name="Rounds">How often each tool goes through all situations.</param>
/// <param name="Delayed">Also with a delay of 50 ms.</param>
/// <param name="OwnServer">Our own null server even when the other one is here.</param>
/// <param name="Built">The product as ./calsync runs it, not as it is installed.</param>
/// <param name="Json">Whether the last line is JSON.</param>
internal sealed record SyncBenchOptions(
    IReadOnlyList<int> Sizes, int Rounds, bool Delayed, bool OwnServer, bool Built, bool Json)
{
    /// <summary>Reads arguments.</summary>
    public static SyncBenchOptions Read(string[] arguments)
    {
        string? After(string name) =>
            Array.IndexOf(arguments, name) is >= 0 and var at && at + 1 < arguments.Length
                ? arguments[at + 1] : null;
        return new SyncBenchOptions(
            [
                .. (After("--sizes") ?? "100,1000,10000").Split(',')
                    .Select(size => int.Parse(size, CultureInfo.InvariantCulture)),
            ],
            int.Parse(After("--rounds") ?? "3", CultureInfo.InvariantCulture),
            !arguments.Contains("--no-delay"), arguments.Contains("--own-server"),
            arguments.Contains("--built"), arguments.Contains("--json"));
    }
}
