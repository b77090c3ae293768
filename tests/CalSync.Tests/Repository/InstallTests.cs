using System.Text.Json.Nodes;
using CalSync.Tests.Commands;
using Xunit;

namespace CalSync.Tests.Repository;

/// <summary>What docs/operating.md says of installing.</summary>
[Trait("Category", "Slow")]
public sealed class InstallTests : IDisposable
{
    private const int LessonCount = 20;
    private const int NewCount = 3;
    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-install-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Install_GivesAProgramThatNeedsNoDotnet_AndReplacesAnOlderOne()
    {
        var place = Path.Combine(_directory, "calsync");
        Directory.CreateDirectory(place);
        await File.WriteAllTextAsync(Path.Combine(place, "calsync.dll"), "an older version");
        await SucceedAsync(OwnProcess.RunAsync(Path.Combine(SourceTree.Root, "deploy", "install"), place));
        Assert.Equal(["calsync"], Directory.GetFileSystemEntries(_directory).Select(Path.GetFileName));

        var program = Path.Combine(place, "calsync");
        var data = Path.Combine(_directory, "data");
        await SucceedAsync(OwnProcess.RunAloneAsync(program, "db", "upgrade", "--data", data));
        await SucceedAsync(OwnProcess.RunAloneAsync(program, "pairs", "list", "--data", data));

        // As it is linked where there is no C compiler.
        var linked = Path.Combine(place, "linked");
        File.CreateSymbolicLink(linked, Path.Combine("whole", "calsync"));
        await SucceedAsync(OwnProcess.RunAloneAsync(linked, "pairs", "list", "--data", data));
        await SyncAsync(program);
    }

    /// <summary>
    /// <c>sync</c> is compiled natively, where what is found by its name while it runs may be missing: each
    /// way it can end, on both kinds of calendars.
    /// </summary>
    private static async Task SyncAsync(string program)
    {
        await using var world = await PairShell.StartAsync(LessonCount - NewCount);
        world.Installed = program;
        for (var index = LessonCount - NewCount; index < LessonCount; index++)
            await world.PutAsync(index, PairShell.Event(index, $"Lesson {index}", "T09"));

        var (code, planned) = await world.JsonAsync("sync", "home", "--dry-run");
        Assert.Equal((1, NewCount), (code, planned[0]!["plan"]!["steps"]!.AsArray().Count));
        var (created, output, error) = await world.RunAsync("sync", "home");
        Assert.True(created == 0, output + error);
        Assert.Equal(LessonCount, (await world.GoogleAsync()).Count);

        await world.PatchAsync("Lesson 1", "location", "Hall");
        await world.PutAsync(1, PairShell.Event(1, "Lesson one", "T09"));
        await world.PatchAsync("Lesson 2", "summary", "Lesson II");
        await world.PutAsync(2, PairShell.Event(2, "Lesson two", "T10"));
        (code, var merged) = await world.JsonAsync("sync", "home");
        Assert.Equal((0, 1), (code, (int)merged[0]!["conflicts"]!));
        Assert.Contains("Lesson one", (await world.GoogleAsync()).Keys);
        Assert.Contains(
            "LOCATION:Hall", (await world.AppleAsync())["lesson-1@studio.test"], StringComparison.Ordinal);

        for (var index = 3; index < LessonCount; index++)
            await world.DeleteAsync(index);
        var (held, told, _) = await world.RunAsync("sync", "home");
        Assert.Equal(2, held);
        var approval = told.Split('\n')
            .Single(line => line.Contains("--apply-plan", StringComparison.Ordinal));
        var approved = await world.RunPrintedAsync(
            approval[approval.IndexOf("calsync", StringComparison.Ordinal)..]);
        Assert.True(approved.Code == 0, approved.Out + approved.Error);
        Assert.Equal(3, (await world.GoogleAsync()).Count);

        Assert.Equal(0, (await world.JsonAsync("sync", "home", "--force-full-sync")).Code);
        var (unknown, _, wrong) = await world.RunAsync("sync", "nowhere");
        Assert.Equal(4, unknown);
        Assert.Contains("There is no such pair", wrong, StringComparison.Ordinal);
        var (_, _, failure) = await world.RunAsync("sync", "nowhere", "--json");
        Assert.Equal("There is no such pair.", (string?)JsonNode.Parse(failure)!["what"]);
        var (_, _, setting) = await world.RunAsync("sync", "home", "--json", "--set", "pair.lease=soon");
        Assert.Equal("pair.lease", (string?)JsonNode.Parse(setting)!["errors"]![0]!["key"]);
        var (mistaken, _, mistake) = await world.RunAsync("sync", "home", "--max-delete", "some");
        Assert.Equal(64, mistaken);
        Assert.Contains("neither a number nor a share", mistake, StringComparison.Ordinal);
        Assert.True((await world.RunAsync("journal", "verify")).Code == 0);
        await world.AssertNoMailAsync();
    }

    [Fact]
    public async Task Install_IntoADirectoryOfSomethingElse_TouchesNothing()
    {
        var file = Path.Combine(_directory, "mine.txt");
        await File.WriteAllTextAsync(file, "mine");
        var (code, _, error) = await OwnProcess.RunAsync(
            Path.Combine(SourceTree.Root, "deploy", "install"), _directory);
        Assert.Equal(1, code);
        Assert.Contains("is no installation of calsync", error, StringComparison.Ordinal);
        Assert.Equal([file], Directory.GetFileSystemEntries(_directory));
    }

    private static async Task SucceedAsync(Task<(int Code, string Out, string Error)> running)
    {
        var (code, output, error) = await running;
        Assert.True(code == 0, error + output);
    }
}
