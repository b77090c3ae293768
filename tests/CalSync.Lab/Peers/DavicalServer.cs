using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace CalSync.Lab.Peers;

/// <summary>
/// A DAViCal of our own: keeps every octet, takes any token for a good one, fails where its root is asked for
/// a token.
/// </summary>
public static class DavicalServer
{
    private const string Database = "davical";
    private const string Programs = "/usr/share/davical";

    private const string People =
        """
        INSERT INTO usr (user_no, active, email_ok, updated, username, password, fullname, email) VALUES
            (1001, TRUE, current_date, current_date, 'alice', '**secret-alice', 'Alice',
            'alice@example.test');
        INSERT INTO principal (type_id, user_no, displayname, default_privileges) VALUES
            (1, 1001, 'Alice',
            privilege_to_bits(ARRAY['read-free-busy', 'schedule-send', 'schedule-deliver']));
        """;

    private const string Router =
        """
        <?php
        error_reporting(0);
        if (preg_match('#^/\.well-known/caldav/?$#', $_SERVER['REQUEST_URI'])) {
            header('Location: /caldav.php/', true, 301);
            exit;
        }
        // It includes /etc/davical/NAME-conf.php, NAME being the server's: that name leads to our own.
        $_SERVER['SERVER_NAME'] = '../..' . __DIR__ . '/our';
        $path = preg_replace('#^/(index|caldav)\.php#', '', strtok($_SERVER['REQUEST_URI'], '?'));
        $_SERVER['SCRIPT_NAME'] = '/caldav.php';
        $_SERVER['PHP_SELF'] = '/caldav.php' . $path;
        $_SERVER['PATH_INFO'] = $path === '' ? '/' : rawurldecode($path);
        chdir('/usr/share/davical/htdocs');
        set_include_path('/usr/share/davical/inc:/usr/share/awl/inc');
        require '/usr/share/davical/htdocs/caldav.php';

        """;

    /// <summary>Starts one with a PostgreSQL of its own and waits until it answers.</summary>
    /// <exception cref="InvalidOperationException">It is not installed, or did not start.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The peer owns and disposes them.")]
    public static async Task<CalDavPeer> StartAsync(CancellationToken cancellation)
    {
        var create = PeerProcess.Find("davical", Programs + "/dba/create-database.sh");
        var postgres = await PostgresServer.StartAsync(durable: false, cancellation);
        try
        {
            var port = postgres.Port.ToString(CultureInfo.InvariantCulture);
            await PeerProcess.RunAsync(
                [
                    "env", "PGHOST=127.0.0.1", $"PGPORT={port}", $"PGUSER={PostgresServer.User}",
                    "sh", create, Database, "unused", PostgresServer.User, PostgresServer.User,
                ],
                null, cancellation);
            await postgres.RunAsync(Database, People, cancellation);
            var directory = PeerProcess.NewDirectory();
            var router = Path.Combine(directory, "router.php");
            await File.WriteAllTextAsync(router, Router, cancellation);
            await File.WriteAllTextAsync(
                Path.Combine(directory, "our-conf.php"),
                $"""
                <?php
                $c->pg_connect[] = 'dbname={Database} user={PostgresServer.User} host=127.0.0.1 port={port}';
                $c->admin_email = 'admin@example.test';
                $_SERVER['SERVER_NAME'] = $c->domain_name = '127.0.0.1';

                """,
                cancellation);
            var (process, entry) = await SabreServer.ServeAsync(
                directory, router, Programs + "/htdocs", ImmutableDictionary<string, string>.Empty,
                cancellation);
            return new CalDavPeer(
                process, "davical", entry, $"/caldav.php/{CalDavPeer.UserName}/", postgres);
        }
        catch
        {
            await postgres.DisposeAsync();
            throw;
        }
    }
}
