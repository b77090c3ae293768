using System.Globalization;
using System.Text.Json;

namespace CalSync.Lab.Bench.Sync;

/// <summary>Puts the figures together: medians, ratios, aims.</summary>
/// <remarks>
/// A ratio of times is the median of the ratios within a round, whose runs follow each other: a machine that
/// is slower for a minute is so for both.
/// </remarks>
internal static class SyncReport
{
    private const int Full = 10_000;

    private static readonly (string Name, double Aim)[] Aims =
    [
        ("noopCommand", 5), ("noopService", 50), ("noopBytes", 1_000), ("change", 4), ("first", 3),
        ("firstLatency", 8), ("identical", 3), ("peakMemory", 1),
    ];

    /// <summary>Prints them.</summary>
    /// <returns>1 when an aim that was measured is missed.</returns>
    public static int Print(IReadOnlyList<SyncFigure> figures, string server, bool json)
    {
        var rows = figures.GroupBy(one => (one.Events, one.DelayMs, one.Scenario, one.Tool))
            .Select(Median).OrderBy(row => row.DelayMs).ThenBy(row => row.Events).ToList();
        foreach (var row in rows)
            Console.Error.WriteLine(row.Words);
        var ratios = Ratios(figures, rows);
        var missed = 0;
        foreach (var (name, aim) in Aims)
        {
            if (ratios.GetValueOrDefault(name) is not { } ratio)
            {
                Console.Error.WriteLine($"  {name,-12} not measured");
                continue;
            }

            missed += ratio < aim ? 1 : 0;
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {name,-12} {ratio,10:0.00}   aim {aim,5}   {(ratio < aim ? "missed" : "met")}"));
        }

        if (json)
        {
            var all = ratios.ToDictionary(one => one.Key, one => (object?)one.Value, StringComparer.Ordinal);
            all["server"] = server;
            all["figures"] = rows;
            Console.WriteLine(JsonSerializer.Serialize(all, JsonSerializerOptions.Web));
        }

        return missed == 0 ? 0 : 1;
    }

    private static Dictionary<string, double?> Ratios(
        IReadOnlyList<SyncFigure> figures, IReadOnlyList<SyncRow> rows)
    {
        double? Of(string theirs, string ours, Func<SyncRow, double> figure) =>
            rows.FirstOrDefault(row => row.Is("vdirsyncer", Full, 0, theirs)) is { } one
            && rows.FirstOrDefault(row => row.Is("calsync", Full, 0, ours)) is { } other
                ? Math.Round(figure(one) / figure(other), 2)
                : null;
        double[] Times(string tool, int events, int delayMs, string scenario) =>
        [
            .. figures.Where(one => one.Tool == tool && one.Events == events && one.DelayMs == delayMs
                && one.Scenario == scenario).Select(one => one.Cost.WallSeconds),
        ];
        double? Wall(string scenario, int events = Full, int delayMs = 0)
        {
            var ratios = Times("vdirsyncer", events, delayMs, scenario)
                .Zip(Times("calsync", events, delayMs, scenario), (theirs, ours) => theirs / ours).ToList();
            return ratios.Count == 0 ? null : Math.Round(Middle(ratios), 2);
        }

        return new(StringComparer.Ordinal)
        {
            ["noopCommand"] = Wall("noop"),
            ["noopService"] = Of("noop", "noopService", row => row.WallSeconds),
            ["noopBytes"] = Of("noop", "noop", row => row.Octets),
            ["change"] = Wall("change"),
            ["first"] = Wall("first"),
            ["firstLatency"] = Wall("first", 1_000, 50),
            ["identical"] = Wall("identical"),
            ["peakMemory"] = Of("first", "first", row => row.PeakMiB),
            ["delete"] = Wall("delete"),
        };
    }

    /// <summary>The median; of an even number of values the mean of the two in the middle.</summary>
    private static double Middle(IEnumerable<double> values)
    {
        var ordered = values.Order().ToArray();
        return (ordered[(ordered.Length - 1) / 2] + ordered[ordered.Length / 2]) / 2;
    }

    private static SyncRow Median(
        IGrouping<(int Events, int DelayMs, string Scenario, string Tool), SyncFigure> runs)
    {
        double Of(Func<SyncFigure, double> figure) => Math.Round(Middle(runs.Select(figure)), 4);
        var last = runs.Last().Traffic;
        return new SyncRow(
            runs.Key.Tool, runs.Key.Events, runs.Key.DelayMs, runs.Key.Scenario, runs.Count(),
            Of(run => run.Cost.WallSeconds), Of(run => run.Cost.CpuSeconds), Of(run => run.Cost.PeakMiB),
            last?.Requests ?? 0, last?.In ?? 0, last?.Out ?? 0);
    }
}

/// <summary>The median of a tool's runs in one situation.</summary>
internal sealed record SyncRow(
    string Tool, int Events, int DelayMs, string Scenario, int Runs, double WallSeconds, double CpuSeconds,
    double PeakMiB, long Requests, long In, long Out)
{
    /// <summary>Both ways.</summary>
    internal double Octets => In + Out;

    /// <summary>The row as a line of text.</summary>
    internal string Words => string.Create(
        CultureInfo.InvariantCulture,
        $"{Events,6} {DelayMs,3} ms  {Scenario,-12} {Tool,-11} {WallSeconds,9:0.0000} s ")
        + string.Create(
            CultureInfo.InvariantCulture,
            $"{CpuSeconds,8:0.000} s cpu {PeakMiB,6:0} MiB {Requests,7} requests ")
        + string.Create(CultureInfo.InvariantCulture, $"{In,10} octets sent {Out,10} received");

    /// <summary>Whether it is about this.</summary>
    public bool Is(string tool, int events, int delayMs, string scenario) =>
        Tool == tool && Events == events && DelayMs == delayMs && Scenario == scenario;
}
