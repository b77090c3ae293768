using System.Diagnostics;

namespace CalSync.Tests.Commands;

/// <summary>Runs programs as processes of their own.</summary>
internal static class OwnProcess
{
    /// <summary>Runs one to its end, with the variables of this process.</summary>
    public static async Task<(int Code, string Out, string Error)> RunAsync(
        string program, params string[] words)
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
        return (process.ExitCode, await output, await error);
    }

    /// <summary>Runs one without any variable: neither PATH nor DOTNET_ROOT leads to a runtime.</summary>
    public static Task<(int Code, string Out, string Error)> RunAloneAsync(
        string program, params string[] words) => RunAsync("/usr/bin/env", ["-i", program, .. words]);
}
