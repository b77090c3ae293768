using System.Collections.Frozen;
using System.Globalization;
using Npgsql;
using static CalSync.Storage.Postgres.PostgresAddressParts;

namespace CalSync.Storage.Postgres;

/// <summary>A parameter of an address.</summary>
/// <param name="Allowed">Its values, in words.</param>
/// <param name="Take">Takes a value; false when it is none of them.</param>
internal sealed record PostgresParameter(string Allowed, Func<PostgresAddressParts, string, bool> Take);

/// <summary>The parameters of libpq, SQLAlchemy's drivers and Prisma: what each becomes here.</summary>
internal static class PostgresParameters
{
    private const string Seconds = "a whole number of seconds from 1 to 1000";

    /// <summary>Those that are kept.</summary>
    public static FrozenDictionary<string, PostgresParameter> Known { get; } =
        new Dictionary<string, PostgresParameter>
        {
            ["host"] = new("a list of hosts", (parts, value) => Once(ref parts.Hosts, "host", value)),
            ["port"] = new("a list of ports", (parts, value) => Once(ref parts.Ports, "port", value)),
            ["user"] = new("a name", (parts, value) => Once(ref parts.User, "user", value)),
            ["password"] = new("one", (parts, value) => Once(ref parts.Password, "password", value)),
            ["dbname"] = new("a name", (parts, value) => Once(ref parts.Database, "dbname", value)),
            ["passfile"] = Text((settings, value) => settings.Passfile = value),
            ["sslmode"] = new(
                "one of disable, allow, prefer, require, verify-ca, verify-full",
                (parts, value) => (parts.Mode = Mode(value)) is not null),
            ["ssl"] = new("true, false or a value of sslmode", TakeSsl),
            ["requiressl"] = new("0 or 1", (parts, value) =>
                (parts.RequiresTls = value == "1") || value == "0"),
            ["sslrootcert"] = new("a file, a folder or system", (parts, value) =>
                (parts.RootCertificate = value).Length > 0),
            ["sslcert"] = new("a file", (parts, value) => (parts.ClientCertificate = value).Length > 0),
            ["sslkey"] = new("a file", (parts, value) => (parts.ClientKey = value).Length > 0),
            ["sslpassword"] = new("a password", (parts, value) =>
                (parts.ClientKeyPassword = value).Length > 0),
            ["sslnegotiation"] = new("one of postgres, direct", TakeNegotiation),
            ["ssl_min_protocol_version"] = new(
                "TLSv1.2 or TLSv1.3", (parts, value) => IsVersion(parts.VersionOldest = value)),
            ["ssl_max_protocol_version"] = new(
                "TLSv1.2 or TLSv1.3", (parts, value) => IsVersion(parts.VersionNewest = value)),
            ["sslsni"] = Only("1"),
            ["sslcompression"] = Only("0"),
            ["channel_binding"] = Choice((settings, value) => settings.ChannelBinding = value,
                ("disable", ChannelBinding.Disable), ("prefer", ChannelBinding.Prefer),
                ("require", ChannelBinding.Require)),
            ["require_auth"] = new(
                "a list of password, md5, gss, sspi, scram-sha-256, none", TakeAuthentication),
            ["gssencmode"] = Choice((settings, value) => settings.GssEncryptionMode = value,
                ("disable", GssEncryptionMode.Disable), ("prefer", GssEncryptionMode.Prefer),
                ("require", GssEncryptionMode.Require)),
            ["krbsrvname"] = Text((settings, value) => settings.KerberosServiceName = value),
            ["application_name"] = Text((settings, value) => settings.ApplicationName = value),
            ["fallback_application_name"] = new("a name", (parts, value) =>
                parts.Seen.ContainsKey("application_name") || Add(parts, value,
                    (settings, name) => settings.ApplicationName = name)),
            ["options"] = new("options of a session", (parts, value) => (parts.SetsSession = true)
                && Add(parts, value, (settings, text) => settings.Options = text)),
            ["client_encoding"] = Only("utf8", "UTF8", "utf-8", "UTF-8", "auto"),
            ["connect_timeout"] = Number(Seconds, 1, 1000, (settings, number) => settings.Timeout = number),
            ["timeout"] = Number(Seconds, 1, 1000, (settings, number) => settings.Timeout = number),
            ["command_timeout"] =
                Number(Seconds, 1, 1000, (settings, number) => settings.CommandTimeout = number),
            ["keepalives"] = new("0 or 1", (parts, value) => value is "0" or "1"
                && Add(parts, value, (settings, text) => settings.TcpKeepAlive = text == "1")),
            ["keepalives_idle"] = Number(Seconds, 1, 1000, (settings, number) =>
                (settings.TcpKeepAlive, settings.TcpKeepAliveTime) = (true, number)),
            ["keepalives_interval"] = Number(Seconds, 1, 1000, (settings, number) =>
                settings.TcpKeepAliveInterval = number),
            ["target_session_attrs"] = new("any, read-write or primary: this program writes",
                (parts, value) => value is "any" or "read-write" or "primary"
                    && Once(ref parts.TargetSession, "target_session_attrs", value)),
            ["load_balance_hosts"] = Choice((settings, value) => settings.LoadBalanceHosts = value,
                ("disable", false), ("random", true)),
            ["pool_max"] = Pool(),
            ["connection_limit"] = Pool(),
            ["prepared_statement_cache_size"] = Prepared(),
            ["statement_cache_size"] = Prepared(),
            ["pgbouncer"] = new("true, false, transaction or session", TakePooler),
            ["pool_mode"] = new(
                "transaction or session", (parts, value) =>
                    value is "transaction" or "session"
                    && Once(ref parts.PoolMode, "pool_mode", value)),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Those that are understood and would be lost, with what to do in their place.</summary>
    public static FrozenDictionary<string, string> CannotBeKept { get; } = new Dictionary<string, string>
    {
        ["hostaddr"] = "the name in the certificate as host, and its address in the resolver or /etc/hosts",
        ["service"] = "host, port, dbname and the rest, each by itself",
        ["servicefile"] = "host, port, dbname and the rest, each by itself",
        ["sslcrl"] = "leave it out; withdraw a certificate by a new authority in sslrootcert",
        ["sslcrldir"] = "leave it out; withdraw a certificate by a new authority in sslrootcert",
        ["sslcertmode"] = "leave it out; sslcert says whether a certificate is shown",
        ["sslkeylogfile"] = "leave it out",
        ["sslaccept"] = "sslmode=verify-full for strict, sslmode=require for accept_invalid_certs",
        ["requirepeer"] = "leave it out; protect the folder of the socket",
        ["tcp_user_timeout"] = "command_timeout",
        ["keepalives_count"] = "keepalives_idle and keepalives_interval",
        ["replication"] = "leave it out",
        ["search_path"] = "ALTER ROLE ... SET search_path",
        ["schema"] = "ALTER ROLE ... SET search_path",
        ["currentSchema"] = "ALTER ROLE ... SET search_path",
        ["server_settings"] = "ALTER ROLE ... SET",
        ["pool_timeout"] = "connect_timeout, which also limits the wait for a free connection",
        ["socket_timeout"] = "command_timeout",
        ["async_fallback"] = "leave it out",
        ["prepared_statement_name_func"] = "prepared_statement_cache_size=0",
        ["prepare_threshold"] = "prepared_statement_cache_size",
        ["scram_client_key"] = "a password",
        ["scram_server_key"] = "a password",
        ["gssdelegation"] = "leave it out",
        ["gsslib"] = "leave it out",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static TlsMode? Mode(string value) => value switch
    {
        "disable" => TlsMode.Disable,
        "allow" => TlsMode.Allow,
        "prefer" => TlsMode.Prefer,
        "require" => TlsMode.Require,
        "verify-ca" => TlsMode.VerifyCa,
        "verify-full" => TlsMode.VerifyFull,
        _ => null,
    };

    private static bool TakeSsl(PostgresAddressParts parts, string value)
    {
        if (Flag(value) is { } flag)
        {
            parts.Ssl = flag;
            return true;
        }

        if (Mode(value) is not { } mode)
            return false;
        if (parts.Mode is { } other && other != mode)
        {
            throw PostgresAddressReader.Refuse(
                AddressProblem.Contradiction, "ssl", "ssl and sslmode differ.", "sslmode alone");
        }

        parts.Mode = mode;
        return true;
    }

    private static bool TakeNegotiation(PostgresAddressParts parts, string value)
    {
        parts.IsDirect = value == "direct";
        return value is "postgres" or "direct" && Add(parts, value, (settings, word) =>
            settings.SslNegotiation =
                word == "direct" ? SslNegotiation.Direct : SslNegotiation.Postgres);
    }

    private static bool TakeAuthentication(PostgresAddressParts parts, string value)
    {
        // The driver has names of its own.
        var methods = value.Split(',').Select(word => word.TrimStart('!') switch
        {
            "password" => "Password",
            "md5" => "MD5",
            "gss" => "GSS",
            "sspi" => "SSPI",
            "scram-sha-256" => "ScramSHA256",
            "none" => "None",
            _ => null,
        } is { } name ? (word[0] == '!' ? "!" : "") + name : null).ToList();
        return !methods.Contains(null) && Add(parts, string.Join(',', methods), (settings, names) =>
            settings.RequireAuth = names);
    }

    private static bool TakePooler(PostgresAddressParts parts, string value)
    {
        if (Flag(value) is not { } flag)
            return value is "transaction" or "session" && Once(ref parts.PoolMode, "pool_mode", value);
        parts.HasPooler = flag;
        return true;
    }

    private static bool? Flag(string value) => value switch
    {
        "true" or "True" or "1" or "on" or "yes" => true,
        "false" or "False" or "0" or "off" or "no" => false,
        _ => null,
    };

    private static bool IsVersion(string value) => value is "TLSv1.2" or "TLSv1.3";

    private static PostgresParameter Pool() => Number(
        "a whole number from 1 to 1000", 1, 1000, (settings, number) => settings.MaxPoolSize = number);

    private static PostgresParameter Prepared() => Number(
        "a whole number from 0 to 10000", 0, 10_000, (settings, number) => settings.MaxAutoPrepare = number);

    private static PostgresParameter Only(params string[] values) =>
        new(
            $"{string.Join(" or ", values)}: nothing else is done here",
            (_, value) => values.Contains(value));

    private static PostgresParameter Text(Action<NpgsqlConnectionStringBuilder, string> set) =>
        new("a text", (parts, value) => Add(parts, value, set));

    private static PostgresParameter Number(
        string allowed, int min, int max, Action<NpgsqlConnectionStringBuilder, int> set) =>
        new(allowed, (parts, value) =>
        {
            if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || number < min || number > max)
            {
                return false;
            }

            parts.Settings.Add(settings => set(settings, number));
            return true;
        });

    private static PostgresParameter Choice<T>(
        Action<NpgsqlConnectionStringBuilder, T> set, params (string Word, T Value)[] choices) =>
        new($"one of {string.Join(", ", choices.Select(choice => choice.Word))}", (parts, value) =>
        {
            var chosen = Array.FindIndex(choices, choice => choice.Word == value);
            if (chosen >= 0)
                parts.Settings.Add(settings => set(settings, choices[chosen].Value));
            return chosen >= 0;
        });

    private static bool Add(
        PostgresAddressParts parts, string value, Action<NpgsqlConnectionStringBuilder, string> set)
    {
        parts.Settings.Add(settings => set(settings, value));
        return value.Length > 0;
    }
}
