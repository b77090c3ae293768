using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace CalSync.Lab.Peers;

/// <summary>
/// A Xandikos of our own: keeps calendars in git, answers failed writes with 207, tokens that are no
/// addresses.
/// </summary>
public static class XandikosServer
{
    // Xandikos knows no passwords: its own web application runs behind a check of one.
    private const string Launcher =
        """
        import base64, os, sys
        from aiohttp import web
        from xandikos import web as xandikos

        wanted = "Basic " + base64.b64encode(os.environ["PEER_LOGIN"].encode()).decode()

        @web.middleware
        async def ask_password(request, handler):
            if request.headers.get("Authorization") == wanted:
                return await handler(request)
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="xandikos"'})

        class Application(web.Application):
            def __init__(self, **options):
                super().__init__(**{"middlewares": [ask_password], "client_max_size": 2**25, **options})

        web.Application = Application
        xandikos.main(["xandikos"] + sys.argv[1:])

        """;

    /// <summary>Starts one and waits until it answers.</summary>
    /// <exception cref="InvalidOperationException">It is not installed, or did not start.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The peer owns and disposes it.")]
    public static async Task<CalDavPeer> StartAsync(CancellationToken cancellation)
    {
        PeerProcess.Find("xandikos", "/usr/bin/xandikos");
        // Debian's packages are for Debian's interpreter, not for another one that is earlier on the path.
        var python = PeerProcess.Find("python3", "/usr/bin/python3");
        var directory = PeerProcess.NewDirectory();
        var launcher = Path.Combine(directory, "launch.py");
        await File.WriteAllTextAsync(launcher, Launcher, cancellation);
        var port = PeerProcess.FreePort();
        var entry = new Uri($"http://127.0.0.1:{port}/");
        string[] line =
        [
            python, launcher, "-d", Path.Combine(directory, "data"), "--defaults",
            "--current-user-principal", $"/{CalDavPeer.UserName}/", "-l", "127.0.0.1",
            "-p", port.ToString(CultureInfo.InvariantCulture),
        ];
        var environment = ImmutableDictionary<string, string>.Empty
            .Add("PEER_LOGIN", $"{CalDavPeer.UserName}:{CalDavPeer.UserPassword}").Add("HOME", directory);
        var process = await PeerProcess.StartAsync(
            directory, () => CalDavPeer.AnswersAsync(entry, cancellation), line, environment, cancellation);
        return new CalDavPeer(process, "xandikos", entry, $"/{CalDavPeer.UserName}/calendars/");
    }
}
