using System.Diagnostics;
using Xunit;

namespace CalSync.Tests.Repository;

/// <summary>What docs/operating.md says of installing.</summary>
[Trait("Category", "Slow")]
public sealed class InstallTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-install-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Install_GivesAProgramThatNeedsNoDotnet_AndReplacesAnOlderOne()
    {
        var place = Path.Combine(_directory, "calsync");
        Directory.CreateDirectory(place);
        await File.WriteAllTextAsync(Path.Combine(place, "calsync.dll"), "an older version");
        var (code, output) = await RunAsync(Path.Combine(SourceTree.Root, "deploy", "install"), place);
        Assert.True(code == 0, output);
        Assert.Equal(["calsync"], Directory.GetFileSystemEntries(_directory).Select(Path.GetFileName));

        // Not one variable of this process: neither PATH nor DOTNET_ROOT leads to a runtime.
        var program = Path.Combine(place, "calsync");
        (code, output) = await RunAsync(
            "/usr/bin/env", "-i", program, "db", "upgrade", "--data", Path.Combine(_directory, "data"));
        Assert.True(code == 0, output);
        (code, output) = await RunAsync(
            "/usr/bin/env", "-i", program, "pairs", "list", "--data", Path.Combine(_directory, "data"));
        Assert.True(code == 0, output);
    }

    [Fact]
    public async Task Install_IntoADirectoryOfSomethingElse_TouchesNothing()
    {
        var file = Path.Combine(_directory, "mine.txt");
        await File.WriteAllTextAsync(file, "mine");
        var (code, output) = await RunAsync(Path.Combine(SourceTree.Root, "deploy", "install"), _directory);
        Assert.Equal(1, code);
        Assert.Contains("is no installation of calsync", output, StringComparison.Ordinal);
        Assert.Equal([file], Directory.GetFileSystemEntries(_directory));
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, params string[] words)
    {
        var start = new ProcessStartInfo(program, words)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await error + await output);
    }
}
