using System.Diagnostics;
using System.Text.Json;
using CalSync.Lab.Peers;

namespace CalSync.Lab.Bench.Sync;

/// <summary>What one run of a program cost.</summary>
/// <param name="WallSeconds">From fork to end.</param>
/// <param name="CpuSeconds">User and system time of the program and its children.</param>
/// <param name="PeakMiB">The most memory it had resident.</param>
internal sealed record ProcessCost(double WallSeconds, double CpuSeconds, double PeakMiB)
{
    // The kernel's own account of a child that ended: nothing is sampled, nothing is missed.
    private const string Account =
        """
        import json, os, sys, time
        begun = time.monotonic()
        child = os.fork()
        if child == 0:
            try: os.execvp(sys.argv[2], sys.argv[2:])
            finally: os._exit(127)
        _, status, use = os.wait4(child, 0)
        cost = {"WallSeconds": time.monotonic() - begun, "CpuSeconds": use.ru_utime + use.ru_stime,
                "PeakMiB": use.ru_maxrss / 1024}
        with open(sys.argv[1], "w") as out: json.dump(cost, out)
        sys.exit(os.waitstatus_to_exitcode(status) & 255)
        """;

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="InvalidOperationException">It failed, or python3, which keeps the account, is not
    /// there.</exception>
    public static async Task<ProcessCost> OfAsync(
        IReadOnlyList<string> line, IReadOnlyCollection<int> expectedCodes, CancellationToken cancellation)
    {
        var account = Path.GetTempFileName();
        var python = PeerProcess.Find("python3", "/usr/bin/python3");
        var start = new ProcessStartInfo(python, ["-S", "-E", "-c", Account, account, .. line])
        {
            WorkingDirectory = "/",
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var error = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            if (!expectedCodes.Contains(process.ExitCode))
            {
                throw new InvalidOperationException(
                    $"{string.Join(' ', line)} ended with {process.ExitCode}: {await error} {await output}");
            }

            return JsonSerializer.Deserialize<ProcessCost>(
                await File.ReadAllTextAsync(account, cancellation))!;
        }
        finally
        {
            File.Delete(account);
        }
    }
}
