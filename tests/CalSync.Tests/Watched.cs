using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using CalSync.Lab.Secrecy;

namespace CalSync.Tests;

internal static class Watched
{
    /// <summary>Before the first test: from here on what the product puts out is seen.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "A test assembly is nobody's library.")]
    internal static void Begin() => HostWatch.Begin(withChildren: true);
}
