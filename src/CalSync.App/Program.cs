namespace CalSync.App;

/// <summary>The executable's entry point.</summary>
public static class Program
{
    /// <summary>Runs one verb.</summary>
    public static int Main(string[] args) => args.Length == 0 ? 2 : 0;
}
