using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace CalSync.Lab.Peers;

/// <summary>
/// A SOGo of our own: rewrites everything, heeds no condition but If-Match, gives a resource that is made
/// again its old tag.
/// </summary>
public static class SogoServer
{
    private const string Database = "sogo";

    private const string People =
        """
        CREATE TABLE sogo_users (c_uid varchar(128) PRIMARY KEY, c_name varchar(128),
            c_password varchar(128), c_cn varchar(128), mail varchar(128));
        INSERT INTO sogo_users VALUES ('alice', 'alice', 'secret-alice', 'Alice', 'alice@example.test');
        """;

    /// <summary>Starts one with a PostgreSQL of its own and waits until it answers.</summary>
    /// <exception cref="InvalidOperationException">
    /// It is not installed, did not start, or nobody lets us become its user, who alone may read what it asks
    /// for.
    /// </exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The peer owns and disposes them.")]
    public static async Task<CalDavPeer> StartAsync(CancellationToken cancellation)
    {
        var program = PeerProcess.Find("sogo", "/usr/sbin/sogod");
        var postgres = await PostgresServer.StartAsync(durable: false, cancellation);
        try
        {
            await postgres.CreateDatabaseAsync(Database, null, cancellation);
            await postgres.RunAsync(Database, People, cancellation);
            var directory = PeerProcess.NewDirectory();
            await PeerProcess.RunAsync(["chmod", "777", directory], null, cancellation);
            var port = PeerProcess.FreePort();
            var host = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
            var entry = new Uri($"http://{host}/SOGo/dav/");
            var process = await PeerProcess.StartAsync(
                directory, () => CalDavPeer.AnswersAsync(entry, cancellation),
                PeerProcess.AsRoot(
                [
                    "setpriv", "--reuid=sogo", "--regid=sogo", "--init-groups", "env", $"HOME={directory}",
                    program, .. Options(directory, host, postgres.Port),
                ]),
                ImmutableDictionary<string, string>.Empty, cancellation);
            return new CalDavPeer(
                process, "sogo", entry, $"/SOGo/dav/{CalDavPeer.UserName}/Calendar/", postgres);
        }
        catch
        {
            await postgres.DisposeAsync();
            throw;
        }
    }

    // What stands on the command line wins over /etc/sogo/sogo.conf.
    private static IEnumerable<string> Options(string directory, string host, int port)
    {
        var url = string.Create(
            CultureInfo.InvariantCulture,
            $"postgresql://{PostgresServer.User}:unused@127.0.0.1:{port}/{Database}/");
        (string Name, string Value)[] options =
        [
            ("WONoDetach", "YES"), ("WOPort", host), ("WOLogFile", "-"), ("WOPidFile", directory + "/pid"),
            ("WOWorkersCount", "3"), ("SOGoProfileURL", url + "sogo_user_profile"),
            ("OCSFolderInfoURL", url + "sogo_folder_info"),
            ("OCSSessionsFolderURL", url + "sogo_sessions_folder"),
            ("OCSEMailAlarmsFolderURL", url + "sogo_alarms_folder"), ("OCSStoreURL", url + "sogo_store"),
            ("OCSAclURL", url + "sogo_acl"), ("OCSCacheFolderURL", url + "sogo_cache_folder"),
            ("SOGoUserSources",
                $"({{type=sql;id=directory;viewURL=\"{url}sogo_users\";canAuthenticate=YES;"
                    + "isAddressBook=NO;userPasswordAlgorithm=plain;})"),
            ("SOGoMemcachedHost", "127.0.0.1:1"), ("SOGoTimeZone", "UTC"),
            ("SOGoAppointmentSendEMailNotifications", "NO"),
        ];
        return options.SelectMany(option => new[] { "-" + option.Name, option.Value });
    }
}
