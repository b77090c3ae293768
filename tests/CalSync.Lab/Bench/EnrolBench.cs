using CalSync.App.Demo;

namespace CalSync.Lab.Bench;

/// <summary>Enrolment, from the request to the verified guest, and the accept path beside the plain competing
/// stack.</summary>
internal static class EnrolBench
{
    private const int EnrolmentCount = 1_000;
    private const int SlotCount = 20;
    private const int ClientCount = 32;
    private static readonly TimeSpan ProviderLatency = TimeSpan.FromMilliseconds(50);

    /// <summary>Runs and prints the figures.</summary>
    /// <param name="withMirror">Both parts; false for the accept path alone.</param>
    /// <param name="json">Whether the last line is JSON.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>1 when a figure misses what the product promises.</returns>
    public static async Task<int> RunAsync(bool withMirror, bool json, CancellationToken cancellation)
    {
        var figures = new Dictionary<string, object?>(StringComparer.Ordinal);
        await using var postgres = await PostgresServer.StartAsync(durable: true, cancellation);
        var met = true;
        if (withMirror)
        {
            await postgres.CreateDatabaseAsync("mirror", null, cancellation);
            Figures.Tell(
                $"{EnrolmentCount} enrolments into {SlotCount} slots, {ClientCount} clients, 50 ms provider "
                + "latency");
            met &= await MirrorAsync("sqlite", null, figures, cancellation);
            met &= await MirrorAsync("postgres", postgres.Url("mirror"), figures, cancellation);
        }

        met &= await AcceptBench.RunAsync(postgres, figures, Figures.Tell, cancellation);
        Figures.Print(figures, json);
        return met ? 0 : 1;
    }

    private static async Task<bool> MirrorAsync(
        string engine, string? url, Dictionary<string, object?> figures, CancellationToken cancellation)
    {
        await using var studio = await Studio.StartAsync(url, withWorker: true, cancellation);
        var classes = await studio.CreateClassesAsync(SlotCount, EnrolmentCount / SlotCount, cancellation);
        var students = await studio.CreateStudentsAsync(EnrolmentCount, cancellation);
        await studio.QuietAsync(cancellation);
        await studio.Control.SetLatencyAsync(ProviderLatency, cancellation);
        await studio.Control.ClearCallsAsync(cancellation);

        var load = await LoadClient.RunAsync(studio.Address, ClientCount, TimeSpan.FromMinutes(1), number =>
            number < EnrolmentCount
                ? studio.Enrol(classes[number % SlotCount], students[number], number)
                : null);
        await studio.QuietAsync(cancellation);
        var calls = (await studio.Control.GetCallsAsync(cancellation))
            .Count(call => call.Operation.StartsWith("events.", StringComparison.Ordinal));
        var verified = await studio.VerifiedAfterAsync("enrolment.create", cancellation);
        var report = await TruthCheck.CompareAsync(
            studio.Database, await studio.Control.GetTruthAsync(null, cancellation), cancellation);

        var perEnrolment = (double)calls / EnrolmentCount;
        figures[$"{engine}.acceptedPerSecond"] = Math.Round(load.PerSecond);
        figures[$"{engine}.acceptP99Ms"] = Math.Round(load.Percentile(0.99), 1);
        figures[$"{engine}.verifiedP50Ms"] = Percentile(verified, 0.5);
        figures[$"{engine}.verifiedP99Ms"] = Percentile(verified, 0.99);
        figures[$"{engine}.providerCallsPerEnrolment"] = Math.Round(perEnrolment, 3);
        figures[$"{engine}.verified"] = verified.Count;
        figures[$"{engine}.differencesFromTruth"] = report.Differences.Length;
        return load.Other(202) == 0 && verified.Count == EnrolmentCount && report.Agrees
            && perEnrolment < 0.5;
    }

    private static double Percentile(IReadOnlyList<double> ascending, double share) =>
        ascending.Count == 0
            ? 0
            : Math.Round(ascending[Math.Min(ascending.Count - 1, (int)(ascending.Count * share))]);
}
