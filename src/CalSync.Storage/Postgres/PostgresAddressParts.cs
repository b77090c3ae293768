using System.Collections.Immutable;
using Npgsql;

namespace CalSync.Storage.Postgres;

/// <summary>What has been read of an address so far.</summary>
internal sealed class PostgresAddressParts
{
    /// <summary>Parameters by name, to notice the second of two.</summary>
    public Dictionary<string, string> Seen { get; } = [];

    /// <summary>What goes to the driver as it is.</summary>
    public List<Action<NpgsqlConnectionStringBuilder>> Settings { get; } = [];

    internal string? User;
    internal string? Password;
    internal string? Database;
    internal string? Hosts;
    internal string? Ports;
    internal TlsMode? Mode;
    internal bool? Ssl;
    internal string? RootCertificate;
    internal string? ClientCertificate;
    internal string? ClientKey;
    internal string? ClientKeyPassword;
    internal string? VersionOldest;
    internal string? VersionNewest;
    internal bool? HasPooler;
    internal string? PoolMode;
    internal string? TargetSession;
    internal bool SetsSession;
    internal bool IsDirect;
    internal bool RequiresTls;

    private ImmutableArray<PostgresHost> _hosts = [];

    /// <summary>Takes the hosts before the path.</summary>
    public void TakeHosts(string text)
    {
        if (text.Length > 0)
            _hosts = [.. text.Split(',').Select(PostgresAddressReader.Host)];
    }

    /// <summary>Sets what may come from two places, if they agree.</summary>
    public static bool Once(ref string? field, string name, string value)
    {
        if (field is not null && field != value)
        {
            throw PostgresAddressReader.Refuse(
                AddressProblem.Contradiction, name, $"{name} is given twice with different values.",
                "say it once");
        }

        field = value;
        return value.Length > 0;
    }

    /// <summary>The meaning of all of it together.</summary>
    public DatabaseAddress Build()
    {
        var hosts = AllHosts();
        var mode = Tls();
        CheckTls(mode, hosts);
        var pooler = Pooler();
        if (SetsSession && pooler == PoolerMode.Transaction)
        {
            throw Contradiction(
                "options", "options last for a session, and a pooler of transactions keeps none.",
                "ALTER ROLE or ALTER DATABASE ... SET in place of options");
        }

        if (Password is { } password)
            Settings.Add(settings => settings.Password = password);
        return new DatabaseAddress
        {
            Hosts = hosts,
            User = User,
            Database = Database,
            Tls = mode,
            RootCertificate = RootCertificate,
            ClientCertificate = ClientCertificate,
            ClientKey = ClientKey,
            ClientKeyPassword = ClientKeyPassword,
            TlsVersions = (VersionOldest, VersionNewest),
            Pooler = pooler,
            // One that only reads is of no use to a program that writes.
            TargetSession = TargetSession ?? (hosts.Length > 1 ? "read-write" : "any"),
            SetsSession = SetsSession,
            Settings = [.. Settings],
        };
    }

    private ImmutableArray<PostgresHost> AllHosts()
    {
        if (Hosts is null)
        {
            if (Ports is not null && _hosts.Any(host => host.Port != 5432))
                throw Contradiction("port", "A port stands at the host and as a parameter.", "say it once");
            return Ports is null && _hosts.Length > 0
                ? _hosts
                : PostgresAddressReader.Hosts(
                    _hosts.Length == 0 ? [""] : [.. _hosts.Select(host => host.Name)],
                    Ports?.Split(',') ?? []);
        }

        return _hosts.Length == 0
            ? PostgresAddressReader.Hosts(Hosts.Split(','), Ports?.Split(',') ?? [])
            : throw Contradiction("host", "A host stands before the path and as a parameter.", "say it once");
    }

    private PoolerMode? Pooler() => (HasPooler, PoolMode) switch
    {
        (false, not null) => throw Contradiction(
            "pgbouncer", "pgbouncer says that there is no pooler and pool_mode that there is one.",
            "pgbouncer=transaction or pgbouncer=session"),
        (_, "session") => PoolerMode.Session,
        (true, _) or (_, "transaction") => PoolerMode.Transaction,
        (false, _) => PoolerMode.None,
        _ => null,
    };

    // ssl=true is said beside sslmode as often as alone; alone, drivers differ, and the strictest is right.
    private TlsMode Tls() => (Mode, Ssl) switch
    {
        ( < TlsMode.Require, true) => throw Contradiction(
            "ssl", "ssl wants TLS and sslmode does without.", "sslmode alone"),
        ( > TlsMode.Disable, false) => throw Contradiction(
            "ssl", "ssl wants no TLS and sslmode does.", "sslmode alone"),
        ( < TlsMode.Require, _) when RequiresTls => throw Contradiction(
            "requiressl", "requiressl wants TLS and sslmode does without.", "sslmode alone"),
        ({ } mode, _) => mode,
        (null, true) => TlsMode.VerifyFull,
        (null, false) => TlsMode.Disable,
        // Somebody who names an authority wants it looked at.
        (null, null) when RequiresTls && RootCertificate is null => TlsMode.Require,
        (null, null) => RootCertificate is null ? TlsMode.Prefer : TlsMode.VerifyFull,
    };

    private void CheckTls(TlsMode mode, ImmutableArray<PostgresHost> hosts)
    {
        if (mode < TlsMode.Require && RootCertificate is not null)
        {
            throw Contradiction(
                "sslrootcert", "Nothing is verified with this sslmode, so sslrootcert would be lost.",
                "sslmode=verify-full");
        }

        if (mode == TlsMode.Disable
            && (ClientCertificate ?? ClientKey ?? VersionOldest ?? VersionNewest) is not null)
        {
            throw Contradiction("sslmode", "It has parameters of TLS and no TLS.", "sslmode=verify-full");
        }

        if (mode < TlsMode.Require && IsDirect)
            throw Contradiction("sslnegotiation", "direct needs TLS in any case.", "sslmode=verify-full");
        if (ClientKey is not null && ClientCertificate is null)
            throw Contradiction("sslkey", "There is a key without a certificate.", "sslcert=FILE as well");
        if (string.CompareOrdinal(VersionOldest, VersionNewest) > 0 && VersionNewest is not null)
        {
            throw Contradiction(
                "ssl_min_protocol_version", "The oldest version of TLS is newer than the newest.",
                "TLSv1.2 to TLSv1.3");
        }

        if (mode >= TlsMode.Require && hosts.Any(host => host.IsSocket))
        {
            throw Contradiction(
                "sslmode", "A Unix socket has no TLS, so sslmode would be lost.", "leave sslmode out");
        }
    }

    private static RefusedAddressException Contradiction(string parameter, string what, string advice) =>
        PostgresAddressReader.Refuse(AddressProblem.Contradiction, parameter, what, advice);
}
