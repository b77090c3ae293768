using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace CalSync.Tests.Repository;

/// <summary>The files of the repository as git knows them, so that build output is never looked at.</summary>
internal static class SourceTree
{
    /// <summary>The folder of the repository.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Paths relative to <see cref="Root"/>, tracked or new, that end in one of the
    /// extensions.</summary>
    public static IReadOnlyList<string> Files(params string[] extensions) =>
        [.. All.Value.Where(path => extensions.Length == 0 || extensions.Any(path.EndsWith))];

    /// <summary>The text of one file.</summary>
    public static string Text(string path) => File.ReadAllText(Path.Combine(Root, path));

    private static readonly Lazy<string[]> All = new(() =>
    {
        var start = new ProcessStartInfo("git", "ls-files --cached --others --exclude-standard")
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
        };
        using var git = Process.Start(start)!;
        var paths = git.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        git.WaitForExit();
        return [.. paths.Where(path => File.Exists(Path.Combine(Root, path)))];
    });

    private static string FindRoot([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../.."));
}
