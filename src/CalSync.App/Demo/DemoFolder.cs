namespace CalSync.App.Demo;

/// <summary>Where a demo keeps its data: a new folder that goes away with it, or one that was named and
/// stays.</summary>
internal sealed class DemoFolder : IDisposable
{
    private readonly bool _keep;

    private DemoFolder(string path, bool keep) => (Path, _keep) = (path, keep);

    /// <summary>The folder; it exists.</summary>
    public string Path { get; }

    /// <summary>The named folder, or a new one when none is.</summary>
    /// <param name="named">Null for a new one.</param>
    /// <exception cref="Commands.CommandException">The named folder is not empty: a demo never touches real
    /// data.</exception>
    public static DemoFolder Of(string? named)
    {
        if (named is null)
            return new DemoFolder(Directory.CreateTempSubdirectory("calsync-demo-").FullName, keep: false);
        var folder = Directory.CreateDirectory(named);
        return folder.EnumerateFileSystemInfos().Any()
            ? throw Commands.CommandException.Usage(
                $"{named} is not empty.", "calsync demo, or --data with a new folder")
            : new DemoFolder(folder.FullName, keep: true);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_keep && Directory.Exists(Path))
            Directory.Delete(Path, recursive: true);
    }
}
