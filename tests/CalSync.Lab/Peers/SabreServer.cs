using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace CalSync.Lab.Peers;

/// <summary>
/// A SabreDAV 1.8 of our own: keeps every octet, has no sync-collection, lets concurrent writers all win.
/// </summary>
public static class SabreServer
{
    internal const string PhpPackages = "php-cli php-sqlite3 php-mbstring php-xml";

    private const string Tables =
        """
        CREATE TABLE calendars (id INTEGER PRIMARY KEY, principaluri TEXT, displayname TEXT, uri TEXT,
            ctag INTEGER, description TEXT, calendarorder INTEGER, calendarcolor TEXT, timezone TEXT,
            components TEXT, transparent INTEGER);
        CREATE TABLE calendarobjects (id INTEGER PRIMARY KEY, calendardata BLOB, uri TEXT,
            calendarid INTEGER, lastmodified INTEGER, etag TEXT, size INTEGER, componenttype TEXT,
            firstoccurence INTEGER, lastoccurence INTEGER);
        CREATE TABLE principals (id INTEGER PRIMARY KEY, uri TEXT UNIQUE, email TEXT, displayname TEXT,
            vcardurl TEXT);
        CREATE TABLE groupmembers (id INTEGER PRIMARY KEY, principal_id INTEGER, member_id INTEGER);
        INSERT INTO principals (uri, email, displayname)
            VALUES ('principals/alice', 'alice@example.test', 'Alice');
        """;

    // The library is a set of classes; this is the server made of them.
    private const string Router =
        """
        <?php
        error_reporting(E_ALL & ~E_DEPRECATED);
        date_default_timezone_set('UTC');
        if (preg_match('#^/\.well-known/caldav/?$#', $_SERVER['REQUEST_URI'])) {
            header('Location: /', true, 301);
            exit;
        }
        $_SERVER['SCRIPT_NAME'] = '/';
        require_once 'Sabre/autoload.php';
        class Passwords extends \Sabre\DAV\Auth\Backend\AbstractBasic {
            protected function validateUserPass($user, $password) {
                return "$user:$password" === getenv('PEER_LOGIN');
            }
        }
        $file = new \PDO('sqlite:' . __DIR__ . '/calendars.db');
        $file->setAttribute(\PDO::ATTR_ERRMODE, \PDO::ERRMODE_EXCEPTION);
        $file->exec('PRAGMA busy_timeout = 30000; PRAGMA synchronous = OFF');
        $principals = new \Sabre\DAVACL\PrincipalBackend\PDO($file);
        $server = new \Sabre\DAV\Server([
            new \Sabre\CalDAV\Principal\Collection($principals),
            new \Sabre\CalDAV\CalendarRootNode($principals, new \Sabre\CalDAV\Backend\PDO($file)),
        ]);
        $server->setBaseUri('/');
        $server->addPlugin(new \Sabre\DAV\Auth\Plugin(new Passwords(), 'SabreDAV'));
        $server->addPlugin(new \Sabre\DAVACL\Plugin());
        $server->addPlugin(new \Sabre\CalDAV\Plugin());
        $server->exec();

        """;

    private const string Prepare =
        "(new PDO('sqlite:' . $argv[1]))->exec(file_get_contents('php://stdin'));";

    /// <summary>Starts one and waits until it answers.</summary>
    /// <exception cref="InvalidOperationException">It is not installed, or did not start.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The peer owns and disposes it.")]
    public static async Task<CalDavPeer> StartAsync(CancellationToken cancellation)
    {
        PeerProcess.Find("php-sabre-dav", "/usr/share/php/Sabre/autoload.php");
        var directory = PeerProcess.NewDirectory();
        await PeerProcess.RunAsync(
            [Php(), "-r", Prepare, Path.Combine(directory, "calendars.db")], Tables, cancellation);
        var router = Path.Combine(directory, "router.php");
        await File.WriteAllTextAsync(router, Router, cancellation);
        var (process, entry) = await ServeAsync(
            directory, router, directory,
            ImmutableDictionary<string, string>.Empty
                .Add("PEER_LOGIN", $"{CalDavPeer.UserName}:{CalDavPeer.UserPassword}"),
            cancellation);
        return new CalDavPeer(process, "sabre", entry, $"/calendars/{CalDavPeer.UserName}/");
    }

    /// <summary>Where PHP is.</summary>
    internal static string Php() => PeerProcess.Find(PhpPackages, "/usr/bin/php");

    /// <summary>Serves a program written in PHP with PHP's own server, four requests at a time.</summary>
    internal static async Task<(PeerProcess Process, Uri Entry)> ServeAsync(
        string directory, string router, string root, ImmutableDictionary<string, string> environment,
        CancellationToken cancellation)
    {
        var port = PeerProcess.FreePort();
        var entry = new Uri($"http://127.0.0.1:{port}/");
        var process = await PeerProcess.StartAsync(
            directory, () => CalDavPeer.AnswersAsync(new(entry, ".well-known/caldav"), cancellation),
            [Php(), "-S", entry.Authority, "-t", root, router],
            environment.Add("PHP_CLI_SERVER_WORKERS", "4"), cancellation);
        return (process, entry);
    }
}
