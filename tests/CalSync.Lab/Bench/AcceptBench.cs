namespace CalSync.Lab.Bench;

/// <summary>The accept path alone, with the provider paused, beside the plain competing stack.</summary>
/// <remarks>
/// The sides take turns in short rounds, so that whatever else the machine does falls on all of them; the
/// figure is the median of the ratios within a round.
/// </remarks>
internal static class AcceptBench
{
    private const int ClientCount = 32;
    private const int ClassCount = 1_000;
    private const int StudentCount = 1_000;
    private const int RoundCount = 15;
    private static readonly TimeSpan RoundFor = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WarmUpFor = TimeSpan.FromSeconds(10);

    /// <summary>Measures.</summary>
    /// <param name="postgres">Serves all sides.</param>
    /// <param name="figures">Gets the figures.</param>
    /// <param name="tell">Gets the progress.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>False when the rate of six statements is missed.</returns>
    public static async Task<bool> RunAsync(
        PostgresServer postgres,
        Dictionary<string, object?> figures,
        Action<string> tell,
        CancellationToken cancellation)
    {
        tell($"Accept path alone, {ClientCount} connections, provider paused");
        await postgres.CreateDatabaseAsync("accept", null, cancellation);
        await using var studio = await Studio.StartAsync(
            postgres.Url("accept"), withWorker: false, cancellation);
        var classes = await studio.CreateClassesAsync(ClassCount, 10_000, cancellation);
        var students = await studio.CreateStudentsAsync(StudentCount, cancellation);
        await using var reference = await ReferenceStack.StartAsync(postgres, cancellation);
        Side[] sides =
        [
            new("ours", studio.ProcessId, (first, span) =>
                EnrolAsync(studio, classes, students, first, span)),
            .. reference is null
                ? Array.Empty<Side>()
                :
                [
                    new("sixStatements", reference.ProcessId, (_, span) =>
                        reference.RunAsync("/tx", ClientCount, span)),
                    new("oneStatement", reference.ProcessId, (_, span) =>
                        reference.RunAsync("/cte", ClientCount, span)),
                ],
        ];

        tell("Warming up");
        foreach (var side in sides)
            await side.RunAsync(postgres, WarmUpFor, counts: false);
        for (var round = 1; round <= RoundCount; round++)
        {
            tell($"Round {round} of {RoundCount}");
            // Every second round the other way around: no side always comes after the same one.
            foreach (var side in round % 2 == 0 ? sides.Reverse() : sides)
                await side.RunAsync(postgres, RoundFor, counts: true);
        }

        foreach (var side in sides)
        {
            figures[$"accept.{side.Name}PerSecond"] = Math.Round(Median(side.Rates));
            figures[$"accept.{side.Name}P99Ms"] = Math.Round(Median(side.P99Ms), 1);
            figures[$"accept.{side.Name}ProcessorUs"] = Math.Round(Median(side.ProcessorUs));
        }

        if (sides is not [var ours, var six, var one])
        {
            tell("The reference stack is not here: its ratio is not measured.");
            return true;
        }

        var ratio = Ratio(ours.Rates, six.Rates);
        figures["acceptVsSixStatements"] = Math.Round(ratio, 2);
        figures["acceptVsOneStatement"] = Math.Round(Ratio(ours.Rates, one.Rates), 2);
        figures["acceptVsSixStatementsProcessor"] = Math.Round(Ratio(six.ProcessorUs, ours.ProcessorUs), 2);
        return ratio >= 1;
    }

    private static Task<LoadResult> EnrolAsync(
        Studio studio,
        IReadOnlyList<string> classes,
        IReadOnlyList<string> students,
        int first,
        TimeSpan span) =>
        LoadClient.RunAsync(studio.Address, ClientCount, span, number =>
        {
            var n = first + number;
            return studio.Enrol(
                classes[n % classes.Count], students[n / classes.Count % students.Count], n);
        });

    private static double Ratio(IEnumerable<double> above, IEnumerable<double> below) =>
        Median([.. above.Zip(below, (one, other) => one / other)]);

    private static double Median(List<double> values) =>
        values.Order().ElementAt(values.Count / 2);

    /// <summary>One of those compared, and what was measured of it.</summary>
    private sealed class Side(string name, int processId, Func<int, TimeSpan, Task<LoadResult>> load)
    {
        private int _sent;

        public string Name => name;

        public List<double> Rates { get; } = [];

        public List<double> P99Ms { get; } = [];

        /// <summary>Of the serving process and the database, for one request.</summary>
        public List<double> ProcessorUs { get; } = [];

        public async Task RunAsync(PostgresServer postgres, TimeSpan span, bool counts)
        {
            var before = ProcessorTime.SecondsOf(processId, postgres.ProcessId);
            var result = await load(_sent, span);
            var used = ProcessorTime.SecondsOf(processId, postgres.ProcessId) - before;
            _sent += result.LatenciesMs.Count + ClientCount;
            if (result.Statuses.Keys.Any(status => status is not (200 or 202)))
            {
                throw new InvalidOperationException(
                    $"{name} gave other answers: {string.Join(' ', result.Statuses)}");
            }

            if (!counts)
                return;
            Rates.Add(result.PerSecond);
            P99Ms.Add(result.Percentile(0.99));
            ProcessorUs.Add(used * 1e6 / result.LatenciesMs.Count);
        }
    }
}
