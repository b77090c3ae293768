using System.Diagnostics;
using System.Text.Json.Nodes;
using CalSync.App.Demo;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Drills;

/// <summary>The guided tour as a program sees it: a child process, its exit code and one JSON line a
/// step.</summary>
[Collection(DrillSuites.Name)]
[Trait("Category", "Slow")]
public sealed class DemoDrill(PostgresFixture postgres)
{
    private static readonly string[] Steps =
    [
        "history", "create", "enrol", "reschedule", "double-click", "stale-edit", "revoke", "lost-answer",
        "kill-worker", "calendar-deleted", "mail", "truth", "summary",
    ];

    private static readonly string[] SyncSteps =
    [
        "connect", "dry-run", "sync", "again", "merge", "held", "undone", "restored", "mail", "truth",
        "summary",
    ];

    /// <summary>R-CAL-08-C: every step shows what it should, on both engines.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-08-C")]
    public async Task Demo_OnceAsJson_ShowsEveryStepOnBothEngines() => await Task.WhenAll(
        TourAsync(null, Steps), TourAsync(await postgres.NewEmptyAsync(), Steps));

    /// <summary>Two calendars kept equal: every step shows what it should, on both engines.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-2-D")]
    public async Task DemoSync_OnceAsJson_ShowsEveryStepOnBothEngines() => await Task.WhenAll(
        TourAsync(null, SyncSteps, "sync"), TourAsync(await postgres.NewEmptyAsync(), SyncSteps, "sync"));

    private static async Task TourAsync(string? url, string[] steps, params string[] tour)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(typeof(ProductProcess).Assembly.Location);
        foreach (var word in (string[])["demo", .. tour, "--once", "--json",
            .. url is null ? Array.Empty<string>() : ["--database", url]])
        {
            start.ArgumentList.Add(word);
        }

        using var child = Process.Start(start)!;
        var error = child.StandardError.ReadToEndAsync();
        var output = await child.StandardOutput.ReadToEndAsync();
        await child.WaitForExitAsync();

        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.True(child.ExitCode == 0, $"Exit code {child.ExitCode}\n{output}\n{await error}");
        Assert.Equal(steps, lines.Select(line => (string?)line["step"]));
        Assert.All(lines, line => Assert.True((bool)line["ok"]!, line.ToJsonString()));
        Assert.All(
            lines.SkipLast(1), line => Assert.Equal((string?)line["expected"], (string?)line["observed"]));
    }
}
