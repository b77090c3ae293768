using System.Globalization;
using CalSync.Lab.Peers;

namespace CalSync.Lab.Bench.Sync;

/// <summary>What lies beside the repository for comparison; without it ours is used.</summary>
internal static class SyncPeers
{
    private static readonly string Folder = Path.Combine(Path.GetTempPath(), "calsync-bench-sync");

    /// <summary>Realistic resources: those of the shared generator, or the like.</summary>
    public static IReadOnlyList<byte[]> Corpus(int count)
    {
        if (Find("gencorpus.py") is not { } generator)
            return CalendarCorpus.Generate(count).Resources;
        Directory.CreateDirectory(Folder);
        var files = Path.Combine(Folder, $"corpus{count}");
        if (!File.Exists(files + ".manifest"))
            Run("python3", generator, count.ToString(CultureInfo.InvariantCulture), files);
        return CalendarCorpus.Unpack(files + ".pack");
    }

    /// <summary>The null server that reference figures were measured on, built; null when it is not
    /// here.</summary>
    public static string? Server()
    {
        if (Find(Path.Combine("sync", "nulldav", "Program.cs")) is not { } program)
            return null;
        var source = Directory.CreateDirectory(Path.Combine(Folder, "nulldav-source")).FullName;
        var library = Path.Combine(Folder, "nulldav", "nulldav.dll");
        if (File.Exists(library))
            return library;
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(program)!))
            File.Copy(file, Path.Combine(source, Path.GetFileName(file)), overwrite: true);
        Run(
            "dotnet", "publish", source, "-c", "Release", "-o", Path.GetDirectoryName(library)!, "--nologo",
            "-v", "quiet");
        return library;
    }

    private static string? Find(string file)
    {
        for (var at = new DirectoryInfo(Environment.CurrentDirectory); at is not null; at = at.Parent)
        {
            var found = Path.Combine(at.FullName, "shared", "perf", file);
            if (File.Exists(found))
                return found;
        }

        return null;
    }

    private static void Run(params string[] line) =>
        PeerProcess.RunAsync(line, null, CancellationToken.None).GetAwaiter().GetResult();
}
