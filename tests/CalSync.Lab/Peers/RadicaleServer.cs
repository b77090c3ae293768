using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace CalSync.Lab.Peers;

/// <summary>A Radicale of our own: rewrites what is PUT, ignores limits, cuts values at commas.</summary>
public static class RadicaleServer
{
    /// <summary>Starts one and waits until it answers.</summary>
    /// <exception cref="InvalidOperationException">It is not installed, or did not start.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The peer owns and disposes it.")]
    public static async Task<CalDavPeer> StartAsync(CancellationToken cancellation)
    {
        var program = PeerProcess.Find("radicale", "/usr/bin/radicale");
        var directory = PeerProcess.NewDirectory();
        var port = PeerProcess.FreePort();
        await File.WriteAllTextAsync(
            Path.Combine(directory, "users"), $"{CalDavPeer.UserName}:{CalDavPeer.UserPassword}\n",
            cancellation);
        var configuration = Path.Combine(directory, "config");
        await File.WriteAllTextAsync(
            configuration,
            $"""
            [server]
            hosts = 127.0.0.1:{port}
            [auth]
            type = htpasswd
            htpasswd_filename = {directory}/users
            htpasswd_encryption = plain
            delay = 0
            [rights]
            type = owner_only
            [storage]
            filesystem_folder = {directory}/collections
            [logging]
            level = warning

            """,
            cancellation);
        var entry = new Uri($"http://127.0.0.1:{port}/");
        var process = await PeerProcess.StartAsync(
            directory, () => CalDavPeer.AnswersAsync(entry, cancellation),
            [program, "--config", configuration], ImmutableDictionary<string, string>.Empty, cancellation);
        return new CalDavPeer(process, "radicale", entry, $"/{CalDavPeer.UserName}/");
    }
}
