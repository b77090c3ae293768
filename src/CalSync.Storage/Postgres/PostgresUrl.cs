using System.Collections.Frozen;
using System.Globalization;
using Npgsql;

namespace CalSync.Storage.Postgres;

/// <summary>
/// Reads a libpq address, <c>postgres://user:password@host:port/database?name=value</c>, into settings.
/// </summary>
/// <remarks>
/// Every parameter is understood or refused: dropping one that protects the connection, such as
/// <c>sslmode=verify-full</c>, would be silent and unsafe.
/// </remarks>
internal static class PostgresUrl
{
    private static readonly FrozenDictionary<string, Action<NpgsqlConnectionStringBuilder, string>>
        Parameters = new Dictionary<string, Action<NpgsqlConnectionStringBuilder, string>>
        {
            ["sslmode"] = (settings, value) => settings.SslMode = ReadSslMode(value),
            ["sslrootcert"] = (settings, value) => settings.RootCertificate = value,
            ["sslcert"] = (settings, value) => settings.SslCertificate = value,
            ["sslkey"] = (settings, value) => settings.SslKey = value,
            ["sslpassword"] = (settings, value) => settings.SslPassword = value,
            ["sslnegotiation"] = (settings, value) => settings.SslNegotiation = value switch
            {
                "postgres" => SslNegotiation.Postgres,
                "direct" => SslNegotiation.Direct,
                _ => throw new DatabaseAddressException(
                    $"sslnegotiation={value} is neither postgres nor direct."),
            },
            ["channel_binding"] = (settings, value) => settings.ChannelBinding = value switch
            {
                "disable" => ChannelBinding.Disable,
                "prefer" => ChannelBinding.Prefer,
                "require" => ChannelBinding.Require,
                _ => throw new DatabaseAddressException(
                    $"channel_binding={value} is none of disable, prefer, require."),
            },
            ["application_name"] = (settings, value) => settings.ApplicationName = value,
            ["options"] = (settings, value) => settings.Options = value,
            ["connect_timeout"] = (settings, value) =>
                settings.Timeout = ReadNumber("connect_timeout", value),
            ["pool_max"] = (settings, value) => settings.MaxPoolSize = ReadNumber("pool_max", value),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Reads an address over the defaults of the options.</summary>
    /// <exception cref="DatabaseAddressException">
    /// Not such an address, or a parameter nobody knows.
    /// </exception>
    public static NpgsqlConnectionStringBuilder Read(string url, DatabaseOptions options)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri)
            || uri.Scheme is not ("postgres" or "postgresql") || uri.Host.Length == 0)
        {
            throw new DatabaseAddressException(
                "A database address looks like postgres://user:password@host:5432/name?sslmode=verify-full.");
        }

        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = Uri.UnescapeDataString(uri.IdnHost),
            Port = uri.Port > 0 ? uri.Port : 5432,
            Database = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/')),
            ApplicationName = "calsync",
            CommandTimeout = Math.Max(1, (int)options.CommandTimeout.TotalSeconds),
            Timeout = Math.Max(1, (int)options.ConnectTimeout.TotalSeconds),
            MaxPoolSize = options.ConnectionCountMax,
            MaxAutoPrepare = options.PreparedCountMax,
            AutoPrepareMinUsages = 2,
            // Nothing is ever set for longer than a transaction, so there is nothing to reset.
            NoResetOnClose = true,
            PersistSecurityInfo = false,
        };
        var user = uri.UserInfo.Split(':', 2);
        if (user[0].Length > 0)
            settings.Username = Uri.UnescapeDataString(user[0]);
        if (user.Length == 2)
            settings.Password = Uri.UnescapeDataString(user[1]);
        if (settings.Database.Length == 0)
            settings.Database = settings.Username;
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
            Apply(settings, pair);
        return settings;
    }

    private static void Apply(NpgsqlConnectionStringBuilder settings, string pair)
    {
        var parts = pair.Split('=', 2);
        var name = Uri.UnescapeDataString(parts[0]);
        if (!Parameters.TryGetValue(name, out var apply))
        {
            throw new DatabaseAddressException(
                $"The parameter {name} of the database address is not known; known are "
                + $"{string.Join(", ", Parameters.Keys.Order(StringComparer.Ordinal))}.");
        }

        apply(settings, parts.Length == 2 ? Uri.UnescapeDataString(parts[1]) : "");
    }

    private static SslMode ReadSslMode(string value) => value switch
    {
        "disable" => SslMode.Disable,
        "allow" => SslMode.Allow,
        "prefer" => SslMode.Prefer,
        "require" => SslMode.Require,
        "verify-ca" => SslMode.VerifyCA,
        "verify-full" => SslMode.VerifyFull,
        _ => throw new DatabaseAddressException(
            $"sslmode={value} is none of disable, allow, prefer, require, verify-ca, verify-full."),
    };

    private static int ReadNumber(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number is > 0 and <= 1000
            ? number
            : throw new DatabaseAddressException($"{name}={value} is not a whole number from 1 to 1000.");
}
