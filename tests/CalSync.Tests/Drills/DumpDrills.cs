using System.Diagnostics;
using CalSync.App;
using CalSync.App.Configuration;
using Xunit;

namespace CalSync.Tests.Drills;

/// <summary>
/// Goal: no file with the memory of the product, which holds secrets in the open, is left when it crashes.
/// Method: a real process is crashed where the system would write one.
/// </summary>
[Collection(DrillSuites.Name)]
public sealed class DumpDrills : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("calsync-dump-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("SEGV", 139)]
    [InlineData("ABRT", 134)]
    [Trait("Category", "Slow")]
    [Trait("Requirement", "R-OAUTH-14")]
    public async Task Serve_ThatCrashes_LeavesNoDump(string signal, int code)
    {
        const string Script =
            """
            ulimit -c unlimited
            dotnet "$0" serve --data data --urls http://127.0.0.1:0 --no-worker >out &
            for i in $(seq 600); do grep -q 'CalSync serves' out && break; sleep 0.1; done
            # The runtime survives the first of a signal that comes from outside.
            while kill -$1 $! 2>/dev/null; do sleep 0.2; done
            wait $!
            echo "ended with $?"
            """;
        var start = new ProcessStartInfo(
            "bash", ["-c", Script, typeof(MemoryDumps).Assembly.Location, signal])
        {
            WorkingDirectory = _directory.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var bash = Process.Start(start)!;
        var error = bash.StandardError.ReadToEndAsync();
        var output = await bash.StandardOutput.ReadToEndAsync();
        await bash.WaitForExitAsync();
        Assert.Contains($"ended with {code}", output, StringComparison.Ordinal);
        // The shell says so whatever becomes of the file.
        Assert.DoesNotContain("core dumped", await error, StringComparison.Ordinal);
        Assert.Equal(
            ["data", "out"], _directory.GetFileSystemInfos().Select(entry => entry.Name).Order());
    }

    /// <summary>The runtime writes its own when told so, past what the system forbids; so it may not be
    /// told.</summary>
    [Theory]
    [InlineData("DOTNET_DbgEnableMiniDump", "1", false)]
    [InlineData("COMPlus_DbgEnableMiniDump", "1", false)]
    [InlineData("DOTNET_DbgEnableMiniDump", "0", true)]
    [Trait("Requirement", "R-OAUTH-14")]
    public void Configuration_WithDumpsOn_IsRefused(string variable, string value, bool isTaken)
    {
        var outcome = ConfigurationReader.Read(new ConfigurationInput(
            null, System.Collections.Immutable.ImmutableDictionary<string, string>.Empty,
            System.Collections.Immutable.ImmutableDictionary<string, string>.Empty
                .Add("HOME", _directory.FullName).Add(variable, value)));
        if (isTaken)
        {
            Assert.IsType<ConfigurationOutcome.Valid>(outcome);
            return;
        }

        var refused = Assert.IsType<ConfigurationOutcome.Invalid>(outcome);
        Assert.Equal(variable, Assert.Single(refused.Errors).Key);
    }
}
