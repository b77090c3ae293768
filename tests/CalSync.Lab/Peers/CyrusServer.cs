using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Text;

namespace CalSync.Lab.Peers;

/// <summary>
/// A Cyrus of our own: strict about what it stores, honours limits, schedules, refuses events without length.
/// </summary>
public static class CyrusServer
{
    private const string Packages =
        "cyrus-caldav cyrus-imapd sasl2-bin libsasl2-modules libsasl2-modules-db";

    private const string Realm = "example.test";

    /// <summary>Starts one and waits until the user's calendar home is there.</summary>
    /// <exception cref="InvalidOperationException">
    /// It is not installed, did not start, or nobody lets us be root: the server changes its user itself.
    /// </exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The peer owns and disposes it.")]
    public static async Task<CalDavPeer> StartAsync(CancellationToken cancellation)
    {
        var program = PeerProcess.Find(Packages, "/usr/sbin/cyrmaster");
        var passwords = PeerProcess.Find(Packages, "/usr/sbin/saslpasswd2");
        var directory = PeerProcess.NewDirectory();
        var port = PeerProcess.FreePort();
        await ConfigureAsync(directory, port, cancellation);
        await PeerProcess.RunAsync(
            [passwords, "-p", "-c", "-f", directory + "/sasldb2", "-u", Realm, CalDavPeer.UserName],
            CalDavPeer.UserPassword, cancellation);
        await PeerProcess.RunAsync(["chmod", "755", directory], null, cancellation);
        await PeerProcess.RunAsync(
            PeerProcess.AsRoot("chown", "-R", "cyrus:mail", directory), null, cancellation);
        var entry = new Uri($"http://127.0.0.1:{port}/");
        var socket = directory + "/run/imap";
        var process = await PeerProcess.StartAsync(
            directory,
            async () => File.Exists(socket) && await CalDavPeer.AnswersAsync(entry, cancellation),
            PeerProcess.AsRoot(
                program, "-C", directory + "/imapd.conf", "-M", directory + "/cyrus.conf",
                "-p", directory + "/master.pid", "-D"),
            ImmutableDictionary<string, string>.Empty, cancellation);
        var peer = new CalDavPeer(process, "cyrus", entry, $"/dav/calendars/user/{CalDavPeer.UserName}/");
        try
        {
            await ProvisionAsync(peer, socket, cancellation);
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    private static async Task ConfigureAsync(string directory, int port, CancellationToken cancellation)
    {
        foreach (var folder in new[] { "conf/db", "conf/socket", "conf/log", "spool", "sieve", "run/proc",
            "run/lock" })
        {
            Directory.CreateDirectory(Path.Combine(directory, folder));
        }

        await File.WriteAllTextAsync(
            directory + "/imapd.conf",
            $"""
            configdirectory: {directory}/conf
            defaultpartition: default
            partition-default: {directory}/spool
            sievedir: {directory}/sieve
            proc_path: {directory}/run/proc
            mboxname_lockpath: {directory}/run/lock
            lmtpsocket: {directory}/run/lmtp
            idlesocket: {directory}/run/idle
            notifysocket: {directory}/run/notify
            admins: cyrus
            servername: {Realm}
            defaultdomain: {Realm}
            virtdomains: off
            unixhierarchysep: yes
            altnamespace: yes
            allowplaintext: yes
            sasl_pwcheck_method: auxprop
            sasl_auxprop_plugin: sasldb
            sasl_sasldb_path: {directory}/sasldb2
            sasl_mech_list: PLAIN
            autocreate_quota: 0
            httpmodules: caldav
            caldav_realm: cyrus
            calendar_user_address_set: {Realm}
            caldav_allowscheduling: on
            caldav_create_default: yes
            caldav_create_sched: yes
            caldav_create_attach: no
            httptimeout: 5

            """,
            cancellation);
        const string Programs = "/usr/lib/cyrus/bin";
        var httpd = $"{Programs}/httpd -C {directory}/imapd.conf -U 30";
        var imapd = $"{Programs}/imapd -C {directory}/imapd.conf -U 30";
        await File.WriteAllTextAsync(
            directory + "/cyrus.conf",
            $$"""
            START {
              recover cmd="{{Programs}}/ctl_cyrusdb -C {{directory}}/imapd.conf -r"
            }
            SERVICES {
              http cmd="{{httpd}}" listen="127.0.0.1:{{port}}" prefork=1 maxchild=20
              imap cmd="{{imapd}}" listen="{{directory}}/run/imap" prefork=0 maxchild=5
            }
            EVENTS {
              checkpoint cmd="{{Programs}}/ctl_cyrusdb -C {{directory}}/imapd.conf -c" period=30
            }

            """,
            cancellation);
    }

    // The first sign-in by IMAP makes the INBOX; without one no calendars are made.
    private static async Task ProvisionAsync(CalDavPeer peer, string socket, CancellationToken cancellation)
    {
        using var imap = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await imap.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
        await using var stream = new NetworkStream(imap);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        await reader.ReadLineAsync(cancellation);
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"a LOGIN {CalDavPeer.UserName} {CalDavPeer.UserPassword}\r\nb LOGOUT\r\n"),
            cancellation);
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            if (line.StartsWith("a NO", StringComparison.Ordinal))
                throw new InvalidOperationException("Cyrus refused the sign-in: " + line);
        }

        using var request = new HttpRequestMessage(new HttpMethod("PROPFIND"), peer.Home);
        request.Headers.Add("Depth", "0");
        using var response = await peer.Http.SendAsync(request, cancellation);
        response.EnsureSuccessStatusCode();
    }
}
