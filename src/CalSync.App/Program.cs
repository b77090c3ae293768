using CalSync.App.Commands;

namespace CalSync.App;

/// <summary>The executable's entry point.</summary>
public static class Program
{
    /// <summary>Runs one verb.</summary>
    /// <returns>The exit code; docs/cli.md lists them.</returns>
    public static Task<int> Main(string[] args)
    {
        if (!NativeProgram.HandOver(args, Console.Error))
            return Task.FromResult((int)ExitCode.Failed);
        MemoryDumps.Forbid(Console.Error);
        // The only place that names the system's clock and chance; everything else is given them.
#pragma warning disable RS0030
        var clock = TimeProvider.System;
#pragma warning restore RS0030
        var random = new UnguessableRandom();
        return CommandLine.RunAsync(args, Surroundings.OfProcess(clock, random), CancellationToken.None);
    }
}
