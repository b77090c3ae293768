using System.Reflection;
using CalSync.Lab.Secrecy;

/// <summary>What the runtime calls first in a process that a watched test starts.</summary>
internal static class StartupHook
{
    /// <summary>Watches the process when it is the product; other programs are left alone.</summary>
    public static void Initialize()
    {
        if (Assembly.GetEntryAssembly()?.GetName().Name == "calsync")
            ProcessWatch.Begin();
    }
}
