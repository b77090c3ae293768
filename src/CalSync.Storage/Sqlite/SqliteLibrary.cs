using System.Reflection;
using System.Runtime.InteropServices;

namespace CalSync.Storage.Sqlite;

/// <summary>
/// Chooses the SQLite library: the system's when it is recent enough, else the one shipped.
/// </summary>
/// <remarks>
/// The system's library gets security fixes without a new release of ours; the shipped one is 3.35.5.
/// </remarks>
internal static unsafe class SqliteLibrary
{
    private const int SystemVersionMin = 3_037_000;

    // SQLITE_STATIC.
    private const nint Lent = 0;

    private static readonly string[] SystemNames = ["libsqlite3.so.0", "libsqlite3.dylib", "libsqlite3.so"];
    private static readonly Lazy<string> Chosen = new(Choose);
    private static delegate* unmanaged[Cdecl]<nint, int, byte*, int, nint, int> _bindText;
    private static delegate* unmanaged[Cdecl]<nint, int, byte*, int, nint, int> _bindBlob;
    private static delegate* unmanaged[Cdecl]<nint, int, long, int> _bindInteger;
    private static delegate* unmanaged[Cdecl]<nint, int, double, int> _bindReal;

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int Number();

    /// <summary>Loads the library once; the answer tells which: <c>SQLite 3.40.1 (system)</c>.</summary>
    public static string Load() => Chosen.Value;

    /// <summary>Lends a text to a statement, in UTF-8: it must neither change nor move until the statement is
    /// reset and its bindings cleared. What <c>raw</c> binds is copied each time.</summary>
    public static int BindText(nint statement, int index, byte* octets, int length) =>
        _bindText(statement, index, octets, length, Lent);

    /// <summary>Lends octets to a statement, as <see cref="BindText"/> does.</summary>
    public static int BindBlob(nint statement, int index, byte* octets, int length) =>
        _bindBlob(statement, index, octets, length, Lent);

    /// <summary>Gives a statement a whole number.</summary>
    public static int BindInteger(nint statement, int index, long number) =>
        _bindInteger(statement, index, number);

    /// <summary>Gives a statement a real number.</summary>
    public static int BindReal(nint statement, int index, double number) =>
        _bindReal(statement, index, number);

    private static string Choose()
    {
        var provider = typeof(SQLitePCL.SQLite3Provider_e_sqlite3).Assembly;
        var system = FindSystem();
        var library = system != 0 ? system : NativeLibrary.Load("e_sqlite3", provider, null);
        NativeLibrary.SetDllImportResolver(provider, (name, _, _) => name == "e_sqlite3" ? library : 0);
        _bindText = (delegate* unmanaged[Cdecl]<nint, int, byte*, int, nint, int>)
            NativeLibrary.GetExport(library, "sqlite3_bind_text");
        _bindBlob = (delegate* unmanaged[Cdecl]<nint, int, byte*, int, nint, int>)
            NativeLibrary.GetExport(library, "sqlite3_bind_blob");
        _bindInteger = (delegate* unmanaged[Cdecl]<nint, int, long, int>)
            NativeLibrary.GetExport(library, "sqlite3_bind_int64");
        _bindReal = (delegate* unmanaged[Cdecl]<nint, int, double, int>)
            NativeLibrary.GetExport(library, "sqlite3_bind_double");

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
