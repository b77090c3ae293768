using System.Runtime.InteropServices;

namespace CalSync.App;

/// <summary>
/// Keeps what is in the memory of the process, and with it tokens, passwords and keys in the open, out of
/// files that are written when the process ends badly.
/// </summary>
internal static class MemoryDumps
{
    /// <summary>Variables of the runtime that make it write such a file itself.</summary>
    public static IReadOnlyList<string> Variables { get; } =
        ["DOTNET_DbgEnableMiniDump", "COMPlus_DbgEnableMiniDump"];

    private const int SetDumpable = 4;

    /// <summary>From here on the system writes none, and only root may read the memory.</summary>
    /// <remarks>On other systems than Linux this does nothing.</remarks>
    /// <param name="error">Told when the system refuses.</param>
    public static void Forbid(TextWriter error)
    {
        if (OperatingSystem.IsLinux() && Control(SetDumpable, 0, 0, 0, 0) != 0)
            error.WriteLine("calsync: this system insists on memory dumps; keep them from others.");
    }

    [DllImport("libc", EntryPoint = "prctl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Control(int option, nuint first, nuint second, nuint third, nuint fourth);
}
