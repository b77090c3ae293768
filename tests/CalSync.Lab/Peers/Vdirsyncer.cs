namespace CalSync.Lab.Peers;

/// <summary>The sync tool vdirsyncer, to ask a second opinion on two collections.</summary>
public static class Vdirsyncer
{
    // Said of what is on both sides and equal.
    private static readonly string[] Quiet =
        ["Syncing ", "Doing conflict resolution", "...same content on both sides"];

    /// <summary>Lets it synchronise two CalDAV collections once, with an empty memory.</summary>
    /// <param name="left">A collection's address.</param>
    /// <param name="right">The other one's.</param>
    /// <param name="cancellation">Cancelling ends it.</param>
    /// <returns>
    /// What it said it did, one line a copy, deletion or conflict won; empty when it found both equal.
    /// </returns>
    /// <exception cref="InvalidOperationException">It is not installed, or failed.</exception>
    public static async Task<IReadOnlyList<string>> SyncAsync(
        Uri left, Uri right, CancellationToken cancellation)
    {
        var program = PeerProcess.Find("vdirsyncer", "/usr/bin/vdirsyncer");
        var directory = PeerProcess.NewDirectory();
        try
        {
            var configuration = Path.Combine(directory, "config");
            await File.WriteAllTextAsync(
                configuration,
                $"""
                [general]
                status_path = "{directory}/status/"

                [pair both]
                a = "left"
                b = "right"
                collections = null

                {Storage("left", left)}
                {Storage("right", right)}

                """,
                cancellation);
            await PeerProcess.RunAsync(
                ["sh", "-c", "yes | exec \"$0\" -c \"$1\" discover both >/dev/null", program, configuration],
                null, cancellation);
            var said = await PeerProcess.RunAsync(
                ["sh", "-c", "exec \"$0\" -c \"$1\" sync both 2>&1", program, configuration], null,
                cancellation);
            return
            [
                .. said.Split('\n').Select(line => line.Trim())
                    .Where(line => line.Length > 0 && !Quiet.Any(
                        words => line.StartsWith(words, StringComparison.Ordinal))),
            ];
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string Storage(string name, Uri address) =>
        $"""
        [storage {name}]
        type = "caldav"
        url = "{address}"
        username = "{CalDavPeer.UserName}"
        password = "{CalDavPeer.UserPassword}"

        """;
}
