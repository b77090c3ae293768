using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using CalSync.Storage.Postgres;
using Npgsql;

namespace CalSync.Storage;

/// <summary>How much of TLS a connection asks for, in libpq's words; a later one asks for more.</summary>
public enum TlsMode
{
    /// <summary>Plaintext.</summary>
    Disable = 1,

    /// <summary>Plaintext, TLS where the server insists.</summary>
    Allow = 2,

    /// <summary>TLS where the server has it, else plaintext. What an address without a word gets.</summary>
    Prefer = 3,

    /// <summary>TLS with whoever answers.</summary>
    Require = 4,

    /// <summary>TLS with a server whose certificate comes from a trusted authority.</summary>
    VerifyCa = 5,

    /// <summary>And whose certificate is for the host that was asked for.</summary>
    VerifyFull = 6,
}

/// <summary>What stands between the product and PostgreSQL.</summary>
public enum PoolerMode
{
    /// <summary>Nothing: a connection is a session.</summary>
    None = 1,

    /// <summary>A pooler that gives each connection a session of its own.</summary>
    Session = 2,

    /// <summary>A pooler that gives each transaction any session.</summary>
    Transaction = 3,
}

/// <summary>Why an address of a database was not taken.</summary>
public enum AddressProblem
{
    /// <summary>It does not begin like one, or its parts cannot be told apart.</summary>
    NotAnAddress = 1,

    /// <summary>It is written for a driver that is not known here.</summary>
    UnknownDialect = 2,

    /// <summary>It names no host.</summary>
    NoHost = 3,

    /// <summary>An octet is not percent-encoded as it has to be.</summary>
    BadEncoding = 4,

    /// <summary>It has a parameter nobody knows.</summary>
    UnknownParameter = 5,

    /// <summary>A parameter has a value that it cannot have.</summary>
    InvalidValue = 6,

    /// <summary>Two of its parts exclude each other.</summary>
    Contradiction = 7,

    /// <summary>It asks for something that is understood and that this program cannot do.</summary>
    CannotBeKept = 8,
}

/// <summary>What became of the text of an address.</summary>
public abstract record DatabaseAddressReading
{
    private DatabaseAddressReading()
    {
    }

    /// <summary>Everything it says is kept.</summary>
    /// <param name="Address">Its meaning.</param>
    public sealed record Understood(DatabaseAddress Address) : DatabaseAddressReading;

    /// <summary>Something in it would be lost.</summary>
    /// <param name="Problem">What kind of thing.</param>
    /// <param name="Parameter">The parameter it is about; null when it is about none.</param>
    /// <param name="What">One sentence, without a secret.</param>
    /// <param name="Advice">What to write instead.</param>
    public sealed record Refused(AddressProblem Problem, string? Parameter, string What, string Advice)
        : DatabaseAddressReading;
}

/// <summary>One server of an address.</summary>
/// <param name="Name">A name, an address without brackets, or the directory of a Unix socket.</param>
/// <param name="Port">1 to 65535; part of the file's name for a socket.</param>
public sealed record PostgresHost(string Name, int Port)
{
    /// <summary>True for a Unix socket.</summary>
    public bool IsSocket => Name.StartsWith('/');

    /// <summary>True when nothing leaves this machine.</summary>
    public bool IsLocal =>
        IsSocket
        || (IPAddress.TryParse(Name, out var address)
            ? IPAddress.IsLoopback(address)
            : Name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
                || Name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase));

    /// <summary>As it is written in an address, with its port.</summary>
    public override string ToString() => Name.Contains(':', StringComparison.Ordinal)
        ? string.Create(CultureInfo.InvariantCulture, $"[{Name}]:{Port}")
        : string.Create(CultureInfo.InvariantCulture, $"{Name}:{Port}");
}

/// <summary>
/// The meaning of an address of PostgreSQL as libpq and SQLAlchemy write it,
/// <c>postgresql+asyncpg://user:password@host:port/database?name=value</c>.
/// </summary>
/// <remarks>
/// Every parameter is kept or the address is refused: losing one that protects the connection, such as
/// <c>sslmode=verify-full</c>, would be silent and unsafe. Passwords are in no property and no text.
/// </remarks>
public sealed record DatabaseAddress
{
    internal DatabaseAddress()
    {
    }

    /// <summary>The servers, in the order they are tried; one at least.</summary>
    public required ImmutableArray<PostgresHost> Hosts { get; init; }

    /// <summary>Who signs in; null: whoever PGUSER or the system names.</summary>
    public string? User { get; init; }

    /// <summary>Which database; null: the one with the user's name.</summary>
    public string? Database { get; init; }

    /// <summary>How much of TLS.</summary>
    public TlsMode Tls { get; init; } = TlsMode.Prefer;

    /// <summary>
    /// File or folder with the authorities the server's certificate may come from, or <c>system</c>; null:
    /// looked for at the usual places.
    /// </summary>
    public string? RootCertificate { get; init; }

    /// <summary>File of the certificate this program shows; null: looked for at the usual place.</summary>
    public string? ClientCertificate { get; init; }

    /// <summary>File of its key; null: in the file of the certificate, or at the usual place.</summary>
    public string? ClientKey { get; init; }

    /// <summary>Oldest and newest TLS, <c>TLSv1.2</c> or <c>TLSv1.3</c>; null: as negotiated.</summary>
    public (string? Oldest, string? Newest) TlsVersions { get; init; }

    /// <summary>What the address says about a pooler; null: nothing, so it is looked at.</summary>
    public PoolerMode? Pooler { get; init; }

    /// <summary>Which of several servers will do: <c>any</c>, <c>read-write</c> or <c>primary</c>.</summary>
    public string TargetSession { get; init; } = "any";

    /// <summary>
    /// True when it sets something for the length of a session, which a pooler of transactions cannot keep.
    /// </summary>
    public bool SetsSession { get; init; }

    /// <summary>True when what is said to a server elsewhere may be plaintext.</summary>
    public bool MayBePlaintext => Tls < TlsMode.Require && Hosts.Any(host => !host.IsLocal);

    /// <summary>True when port or name say that a pooler answers.</summary>
    public bool LooksPooled => Hosts.Any(host =>
        host.Port == 6432
        || host.Name.Contains("pgbouncer", StringComparison.OrdinalIgnoreCase)
        || host.Name.Contains("pooler", StringComparison.OrdinalIgnoreCase));

    internal string? ClientKeyPassword { get; init; }

    internal ImmutableArray<Action<NpgsqlConnectionStringBuilder>> Settings { get; init; } = [];

    /// <summary>Reads an address; never throws.</summary>
    /// <param name="text">As it was typed.</param>
    public static DatabaseAddressReading Read(string text) => PostgresAddressReader.Read(text);

    /// <summary>The text of an address with its secrets starred out, whether it can be read or not.</summary>
    /// <param name="text">As it was typed.</param>
    public static string Redact(string text) => PostgresAddressReader.Redact(text);

    /// <summary>Servers and database, for people.</summary>
    public override string ToString() => $"{string.Join(',', Hosts)}/{Database ?? User}";

    /// <summary>The driver's settings: the options', and over them the address'.</summary>
    internal NpgsqlConnectionStringBuilder ToSettings(DatabaseOptions options)
    {
        var settings = new NpgsqlConnectionStringBuilder
        {
            ApplicationName = "calsync",
            CommandTimeout = Math.Max(1, (int)options.CommandTimeout.TotalSeconds),
            Timeout = Math.Max(1, (int)options.ConnectTimeout.TotalSeconds),
            MaxPoolSize = options.ConnectionCountMax,
            MaxAutoPrepare = options.PreparedCountMax,
            AutoPrepareMinUsages = 2,
            // Nothing is ever set for longer than a transaction, so there is nothing to reset.
            NoResetOnClose = true,
            PersistSecurityInfo = false,
            // Where a ticket is found it would be tried before TLS, and verify nothing.
            GssEncryptionMode = GssEncryptionMode.Disable,
            SslMode = Mode(Tls),
        };
        foreach (var set in Settings)
            set(settings);
        if (Hosts is [var only])
            (settings.Host, settings.Port) = (only.Name, only.Port);
        else
            settings.Host = string.Join(',', Hosts);
        if (User is not null)
            settings.Username = User;
        if ((Database ?? User) is { } database)
            settings.Database = database;
        settings.RootCertificate = RootCertificate;
        settings.SslCertificate = ClientCertificate;
        settings.SslKey = ClientKey;
        settings.SslPassword = ClientKeyPassword;
        return settings;
    }

    private static SslMode Mode(TlsMode mode) => mode switch
    {
        TlsMode.Disable => SslMode.Disable,
        TlsMode.Allow => SslMode.Allow,
        TlsMode.Prefer => SslMode.Prefer,
        TlsMode.Require => SslMode.Require,
        TlsMode.VerifyCa => SslMode.VerifyCA,
        TlsMode.VerifyFull => SslMode.VerifyFull,
    };
}
