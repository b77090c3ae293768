using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace CalSync.App;

/// <summary>
/// What <c>deploy/install</c> compiles natively: it starts in a tenth of the time, which counts for commands
/// that are started every few minutes.
/// </summary>
/// <remarks>
/// It runs <c>sync</c>, which is tested so, and becomes the whole program beside it for every other command:
/// much of what those use, the web server first of all, makes code while it runs.
/// </remarks>
internal static class NativeProgram
{
    /// <summary>The verb it runs.</summary>
    private const string OwnVerb = "sync";

    /// <summary>Hands over a command line that is not for the native program; returns when this is not it, or
    /// the command is its own.</summary>
    /// <returns>False when there is no whole program to hand over to.</returns>
    public static bool HandOver(string[] arguments, TextWriter error)
    {
        if (RuntimeFeature.IsDynamicCodeSupported || arguments is [OwnVerb, ..])
            return true;

        var whole = Path.Combine(AppContext.BaseDirectory, "whole", "calsync");
        nint[] texts = [.. new[] { whole }.Concat(arguments).Select(Marshal.StringToCoTaskMemUTF8), 0];
        if (Execute(Encoding.UTF8.GetBytes(whole + '\0'), texts) != 0)
        {
            error.WriteLine($"calsync: {whole} cannot be run: {Marshal.GetLastPInvokeErrorMessage()}.");
            error.WriteLine("  do:    deploy/install, again");
        }

        return false;
    }

    // The process becomes the other program: it comes back only when that fails.
    [DllImport("libc", EntryPoint = "execv", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Execute(byte[] path, nint[] arguments);
}
