using System.Reflection;
using System.Runtime.InteropServices;

namespace CalSync.Storage.Sqlite;

/// <summary>
/// Chooses the SQLite library: the system's when it is recent enough, else the one shipped.
/// </summary>
/// <remarks>
/// The system's library gets security fixes without a new release of ours; the shipped one is 3.35.5.
/// </remarks>
internal static class SqliteLibrary
{
    private const int SystemVersionMin = 3_037_000;
    private static readonly string[] SystemNames = ["libsqlite3.so.0", "libsqlite3.dylib", "libsqlite3.so"];
    private static readonly Lazy<string> Chosen = new(Choose);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int Number();

    /// <summary>Loads the library once; the answer tells which: <c>SQLite 3.40.1 (system)</c>.</summary>
    public static string Load() => Chosen.Value;

    private static string Choose()
    {
        var system = FindSystem();
        if (system != 0)
        {
            NativeLibrary.SetDllImportResolver(
                typeof(SQLitePCL.SQLite3Provider_e_sqlite3).Assembly,
                (name, _, _) => name == "e_sqlite3" ? system : 0);
        }

        // Before the library is first used. A connection is never used by two threads at once, and nobody
        // asks how much memory it uses: so it need not lock for either.
        SQLitePCL.raw.SetProvider(new SQLitePCL.SQLite3Provider_e_sqlite3());
        _ = SQLitePCL.raw.sqlite3_config(SQLitePCL.raw.SQLITE_CONFIG_MULTITHREAD);
        _ = SQLitePCL.raw.sqlite3_config(SQLitePCL.raw.SQLITE_CONFIG_MEMSTATUS, 0);
        SQLitePCL.Batteries_V2.Init();
        var version = SQLitePCL.raw.sqlite3_libversion().utf8_to_string();
        return $"SQLite {version} ({(system != 0 ? "system" : "shipped")})";
    }

    private static nint FindSystem()
    {
        var own = Assembly.GetExecutingAssembly();
        foreach (var name in SystemNames)
        {
            if (!NativeLibrary.TryLoad(name, own, DllImportSearchPath.SafeDirectories, out var library))
                continue;
            var version = Call(library, "sqlite3_libversion_number");
            if (version >= SystemVersionMin && Call(library, "sqlite3_threadsafe") > 0)
                return library;
            NativeLibrary.Free(library);
        }

        return 0;
    }

    private static int Call(nint library, string export) =>
        NativeLibrary.TryGetExport(library, export, out var address)
            ? Marshal.GetDelegateForFunctionPointer<Number>(address)()
            : 0;
}
