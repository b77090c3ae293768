namespace CalSync.Storage;

/// <summary>Files and directories only their owner may read, where the platform has modes.</summary>
internal static class PrivateFiles
{
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes the directory with mode 0700; one that is there keeps its mode.</summary>
    public static void CreateDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, OwnerFile | UnixFileMode.UserExecute);
    }

    /// <summary>Makes an empty file with mode 0600; one that is there stays.</summary>
    public static void CreateEmpty(string path) => Open(path, FileMode.OpenOrCreate).Dispose();

    /// <summary>Writes a new file with mode 0600 through to the disk.</summary>
    /// <returns>False when it is there already; then nothing was changed.</returns>
    public static bool TryCreate(string path, ReadOnlySpan<byte> content)
    {
        // Complete under another name first: a crash in between must not leave half a key.
        var draft = $"{path}.{Environment.ProcessId}.new";
        using (var file = Open(draft, FileMode.Create))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        try
        {
            File.Move(draft, path, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(draft);
            return false;
        }
    }

    /// <summary>Writes a file anew, through to the disk; whoever reads it sees the old or the new
    /// whole.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        var draft = $"{path}.{Environment.ProcessId}.new";
        using (var file = Open(draft, FileMode.Create))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, path, overwrite: true);
    }

    /// <summary>Holds a file until it is disposed.</summary>
    /// <exception cref="IOException">Another process holds it.</exception>
    public static IDisposable Lock(string path) => new FileStream(
        path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);

    private static FileStream Open(string path, FileMode mode)
    {
        var options = new FileStreamOptions
        {
            Mode = mode,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerFile;
        return new FileStream(path, options);
    }
}
