using CalSync.Storage;
using Npgsql;
using Xunit;

namespace CalSync.Tests.Storage;

/// <summary>R-DB-1: every parameter of an address is kept or refused, never dropped.</summary>
/// <remarks>Method: a table of addresses as libpq, SQLAlchemy and Prisma write them.</remarks>
public sealed class DatabaseAddressTests
{
    private static readonly DatabaseOptions Options = new() { DataDirectory = "unused" };

    [Fact]
    [Trait("Requirement", "R-DB-1")]
    public void Read_WithTlsParameters_KeepsEachOfThem()
    {
        var address = Understand(
            "postgres://us%40er:p%3Aw%2F@db.example.test:6000/cal?sslmode=verify-full&sslrootcert=%2Fca.pem"
            + "&sslcert=c.pem&sslkey=k.pem&sslpassword=s%26p&channel_binding=require"
            + "&application_name=two%20words&sslnegotiation=direct&ssl_min_protocol_version=TLSv1.3"
            + "&require_auth=scram-sha-256&gssencmode=prefer&krbsrvname=pg");
        var settings = address.ToSettings(Options);
        Assert.Equal(
            ("us@er", "p:w/", "db.example.test", 6000, "cal"),
            (settings.Username, settings.Password, settings.Host, settings.Port, settings.Database));
        Assert.Equal(SslMode.VerifyFull, settings.SslMode);
        Assert.Equal(ChannelBinding.Require, settings.ChannelBinding);
        Assert.Equal(SslNegotiation.Direct, settings.SslNegotiation);
        Assert.Equal(
            ("/ca.pem", "c.pem", "k.pem", "s&p"),
            (settings.RootCertificate, settings.SslCertificate, settings.SslKey, settings.SslPassword));
        Assert.Equal(("TLSv1.3", null), address.TlsVersions);
        Assert.Equal(
            ("two words", "ScramSHA256", GssEncryptionMode.Prefer, "pg"),
            (settings.ApplicationName, settings.RequireAuth, settings.GssEncryptionMode,
                settings.KerberosServiceName));
    }

    [Theory]
    [InlineData("postgres://h/d")]
    [InlineData("postgresql://h/d")]
    [InlineData("postgresql+asyncpg://h/d")]
    [InlineData("postgresql+psycopg2://h/d")]
    [InlineData("postgresql+psycopg://h/d")]
    [InlineData("postgres+pg8000://h/d")]
    [InlineData("postgresql://?host=h&dbname=d")]
    [InlineData("postgresql:///d?host=h&port=5432")]
    [InlineData("postgresql://h/d?dbname=d")]
    [Trait("Requirement", "R-DB-1")]
    public void Read_EveryDialectOfOneAddress_MeansTheSame(string url)
    {
        var settings = Understand(url).ToSettings(Options);
        Assert.Equal(("h", 5432, "d"), (settings.Host, settings.Port, settings.Database));
    }

    /// <summary>What each word about TLS becomes; the strictest where drivers differ.</summary>
    [Theory]
    [InlineData("", TlsMode.Prefer)]
    [InlineData("sslmode=disable", TlsMode.Disable)]
    [InlineData("sslmode=allow", TlsMode.Allow)]
    [InlineData("sslmode=prefer", TlsMode.Prefer)]
    [InlineData("sslmode=require", TlsMode.Require)]
    [InlineData("sslmode=verify-ca", TlsMode.VerifyCa)]
    [InlineData("sslmode=verify-full", TlsMode.VerifyFull)]
    [InlineData("ssl=disable", TlsMode.Disable)]
    [InlineData("ssl=require", TlsMode.Require)]
    [InlineData("ssl=verify-full", TlsMode.VerifyFull)]
    [InlineData("ssl=true", TlsMode.VerifyFull)]
    [InlineData("ssl=True", TlsMode.VerifyFull)]
    [InlineData("ssl=false", TlsMode.Disable)]
    [InlineData("ssl=true&sslmode=require", TlsMode.Require)]
    [InlineData("sslmode=verify-ca&ssl=true", TlsMode.VerifyCa)]
    [InlineData("requiressl=1", TlsMode.Require)]
    [InlineData("requiressl=0", TlsMode.Prefer)]
    [InlineData("requiressl=1&sslmode=verify-full", TlsMode.VerifyFull)]
    [InlineData("sslrootcert=/ca.pem", TlsMode.VerifyFull)]
    [InlineData("requiressl=1&sslrootcert=/ca.pem", TlsMode.VerifyFull)]
    [InlineData("sslrootcert=system", TlsMode.VerifyFull)]
    [InlineData("sslmode=require&sslrootcert=/ca.pem", TlsMode.Require)]
    [Trait("Requirement", "R-DB-1")]
    public void Read_WordsAboutTls_AreNeverWeakened(string query, TlsMode mode) =>
        Assert.Equal(mode, Understand($"postgres://db.example.test/d?{query}").Tls);

    [Theory]
    [InlineData("postgres://[::1]/d", "[::1]:5432")]
    [InlineData("postgres://[2001:db8::7]:6000/d", "[2001:db8::7]:6000")]
    [InlineData("postgres://a,b:6000,[::1]:7000/d", "a:5432,b:6000,[::1]:7000")]
    [InlineData("postgres:///d?host=a,b&port=1,2", "a:1,b:2")]
    [InlineData("postgres:///d?host=a,b&port=7", "a:7,b:7")]
    [InlineData("postgres://%2Fvar%2Frun%2Fpostgresql/d", "/var/run/postgresql:5432")]
    [InlineData("postgres:///d?host=/var/run/postgresql&port=6000", "/var/run/postgresql:6000")]
    [InlineData("postgres://h?port=6000&dbname=d", "h:6000")]
    [Trait("Requirement", "R-DB-1")]
    public void Read_Hosts_OfEveryKind(string url, string hosts)
    {
        var address = Understand(url);
        Assert.Equal(hosts, string.Join(',', address.Hosts));
        var settings = address.ToSettings(Options);
        Assert.Equal(
            hosts,
            address.Hosts.Length > 1
                ? settings.Host
                : new PostgresHost(settings.Host!, settings.Port).ToString());
    }

    [Fact]
    [Trait("Requirement", "R-DB-1")]
    public void Read_NumbersAndWords_ReachTheDriver()
    {
        var settings = Understand(
            "postgres://h/d?connect_timeout=7&command_timeout=8&statement_cache_size=0&connection_limit=9"
            + "&keepalives_idle=30&keepalives_interval=5&options=-c%20geqo%3Doff&passfile=/pw"
            + "&client_encoding=utf8&fallback_application_name=f&load_balance_hosts=random&sslsni=1"
            + "&sslcompression=0").ToSettings(Options);
        Assert.Equal(
            (7, 8, 0, 9),
            (settings.Timeout, settings.CommandTimeout, settings.MaxAutoPrepare, settings.MaxPoolSize));
        Assert.Equal(
            (true, 30, 5), (settings.TcpKeepAlive, settings.TcpKeepAliveTime, settings.TcpKeepAliveInterval));
        Assert.Equal(
            ("-c geqo=off", "/pw", "f", true),
            (settings.Options, settings.Passfile, settings.ApplicationName, settings.LoadBalanceHosts));
        var other = Understand("postgres://h/d?prepared_statement_cache_size=33").ToSettings(Options);
        Assert.Equal(33, other.MaxAutoPrepare);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("pgbouncer=true", PoolerMode.Transaction)]
    [InlineData("pgbouncer=transaction", PoolerMode.Transaction)]
    [InlineData("pool_mode=session", PoolerMode.Session)]
    [InlineData("pgbouncer=true&pool_mode=session", PoolerMode.Session)]
    [InlineData("pgbouncer=false", PoolerMode.None)]
    [Trait("Requirement", "R-DB-2")]
    public void Read_WordsAboutAPooler_AreADeclaration(string query, PoolerMode? mode) =>
        Assert.Equal(mode, Understand($"postgres://h/d?{query}").Pooler);

    [Theory]
    [InlineData("postgres://h:6432/d", true)]
    [InlineData("postgres://pgbouncer.internal/d", true)]
    [InlineData("postgres://aws-0-eu.pooler.example.test/d", true)]
    [InlineData("postgres://db.example.test/d", false)]
    [Trait("Requirement", "R-DB-2")]
    public void Read_PortOrName_HintsAtAPooler(string url, bool looks) =>
        Assert.Equal(looks, Understand(url).LooksPooled);

    [Theory]
    [InlineData("postgres://h/d", "any")]
    [InlineData("postgres://a,b/d", "read-write")]
    [InlineData("postgres://a,b/d?target_session_attrs=primary", "primary")]
    [InlineData("postgres://a,b/d?target_session_attrs=any", "any")]
    public void Read_OfSeveralHosts_WantsOneThatWrites(string url, string target) =>
        Assert.Equal(target, Understand(url).TargetSession);

    [Theory]
    [InlineData("postgres://h/d?sslmode=verify_full", AddressProblem.InvalidValue, "sslmode")]
    [InlineData("postgres://h/d?ssl_mode=require", AddressProblem.UnknownParameter, "ssl_mode")]
    [InlineData("postgres://h/d?channel_binding=yes", AddressProblem.InvalidValue, "channel_binding")]
    [InlineData("postgres://h/d?connect_timeout=soon", AddressProblem.InvalidValue, "connect_timeout")]
    [InlineData("postgres://h/d?connect_timeout=0", AddressProblem.InvalidValue, "connect_timeout")]
    [InlineData(
        "postgres://h/d?target_session_attrs=standby", AddressProblem.InvalidValue, "target_session_attrs")]
    [InlineData(
        "postgres://h/d?ssl_max_protocol_version=TLSv1", AddressProblem.InvalidValue,
        "ssl_max_protocol_version")]
    [InlineData("postgres://h/d?sslsni=0", AddressProblem.InvalidValue, "sslsni")]
    [InlineData("postgres://h/d?client_encoding=latin1", AddressProblem.InvalidValue, "client_encoding")]
    [InlineData("postgres://h/d?pool_mode=statement", AddressProblem.InvalidValue, "pool_mode")]
    [InlineData("postgres://h/d?sslcert=", AddressProblem.InvalidValue, "sslcert")]
    [InlineData("postgres://h/d?hostaddr=10.0.0.1", AddressProblem.CannotBeKept, "hostaddr")]
    [InlineData("postgres://h/d?sslcrl=/crl", AddressProblem.CannotBeKept, "sslcrl")]
    [InlineData("postgres://h/d?schema=calsync", AddressProblem.CannotBeKept, "schema")]
    [InlineData("postgres://h/d?sslmode=require&sslmode=disable", AddressProblem.Contradiction, "sslmode")]
    [InlineData("postgres://h/d?sslmode=disable&ssl=true", AddressProblem.Contradiction, "ssl")]
    [InlineData("postgres://h/d?sslmode=require&ssl=false", AddressProblem.Contradiction, "ssl")]
    [InlineData("postgres://h/d?sslmode=require&ssl=verify-full", AddressProblem.Contradiction, "ssl")]
    [InlineData("postgres://h/d?requiressl=1&sslmode=prefer", AddressProblem.Contradiction, "requiressl")]
    [InlineData("postgres://h/d?sslmode=prefer&sslrootcert=/ca", AddressProblem.Contradiction, "sslrootcert")]
    [InlineData("postgres://h/d?sslmode=disable&sslcert=/c", AddressProblem.Contradiction, "sslmode")]
    [InlineData("postgres://h/d?sslmode=require&sslkey=/k", AddressProblem.Contradiction, "sslkey")]
    [InlineData("postgres://h/d?sslnegotiation=direct", AddressProblem.Contradiction, "sslnegotiation")]
    [InlineData("postgres:///d?host=/run&sslmode=verify-full", AddressProblem.Contradiction, "sslmode")]
    [InlineData(
        "postgres://h/d?pgbouncer=false&pool_mode=session", AddressProblem.Contradiction, "pgbouncer")]
    [InlineData("postgres://h/d?pgbouncer=true&options=-c%20a%3Db", AddressProblem.Contradiction, "options")]
    [InlineData("postgres://a/d?host=b", AddressProblem.Contradiction, "host")]
    [InlineData("postgres:///d?host=a,b,c&port=1,2", AddressProblem.Contradiction, "port")]
    [InlineData("postgres://u@h/d?user=v", AddressProblem.Contradiction, "user")]
    [InlineData("postgres://h:99999/d", AddressProblem.InvalidValue, "port")]
    [InlineData("postgres://h/d?sslmode", AddressProblem.NotAnAddress, null)]
    [InlineData("postgres://::1/d", AddressProblem.NotAnAddress, null)]
    [InlineData("postgres:///d", AddressProblem.NoHost, null)]
    [InlineData("postgres://a,,b/d", AddressProblem.NoHost, null)]
    [InlineData("mysql://h/d", AddressProblem.NotAnAddress, null)]
    [InlineData("jdbc:postgresql://h/d", AddressProblem.NotAnAddress, null)]
    [InlineData("Host=h;Database=d", AddressProblem.NotAnAddress, null)]
    [InlineData("postgresql+odbc://h/d", AddressProblem.UnknownDialect, null)]
    [InlineData("postgres://u:p%zz@h/d", AddressProblem.BadEncoding, null)]
    [InlineData("postgres://u:p%ff@h/d", AddressProblem.BadEncoding, null)]
    [InlineData("postgres://u:p%00@h/d", AddressProblem.BadEncoding, null)]
    [InlineData("postgres://u:p@w@h/d", AddressProblem.BadEncoding, null)]
    [InlineData("postgres://u:p/w@h/d", AddressProblem.BadEncoding, null)]
    [InlineData("postgres://u:p?w@h/d", AddressProblem.BadEncoding, null)]
    [InlineData("postgres://u:p#w@h/d", AddressProblem.BadEncoding, null)]
    [InlineData("postgres://u:p w@h/d", AddressProblem.BadEncoding, null)]
    [InlineData("", AddressProblem.NotAnAddress, null)]
    [Trait("Requirement", "R-DB-1")]
    public void Read_WhatWouldBeLost_IsRefusedByName(string url, AddressProblem problem, string? parameter)
    {
        var refused = Assert.IsType<DatabaseAddressReading.Refused>(DatabaseAddress.Read(url));
        Assert.Equal((problem, parameter), (refused.Problem, refused.Parameter));
        Assert.NotEmpty(refused.Advice);
        var fault = Assert.Throws<DatabaseAddressException>(() => Database.Open(Options with { Url = url }));
        Assert.Contains(refused.What, fault.Message, StringComparison.Ordinal);
    }

    /// <summary>Wherever the password stands and however it is misspelt, no message and no shown address has
    /// it.</summary>
    [Theory]
    [InlineData("postgres://u:hunter2@h/d?sslmode=hunter")]
    [InlineData("postgres://u:hunter2@h/d")]
    [InlineData("postgres://u:hun@ter2hunter2@h/d")]
    [InlineData("postgres://u:x/hunter2@h/d")]
    [InlineData("postgres://u:x?hunter2@h/d")]
    [InlineData("postgres://u:%hunter2@h/d")]
    [InlineData("postgres://u:hunter2@h:port/d")]
    [InlineData("postgres://h/d?user=u&password=hunter2")]
    [InlineData("postgres://h/d?sslmode=require&sslcert=c&sslpassword=hunter2")]
    [InlineData("postgres://h/d?sslcert=c&sslpassword=hunter2&sslmode=disable")]
    [InlineData("postgres://h/d?sslpassword=a&hunter2=b")]
    [InlineData("postgres://h/d?password=a&password=hunter2")]
    [InlineData("mysql://u:hunter2@h/d")]
    [InlineData("postgresql+odbc://u:hunter2@h/d?password=hunter2")]
    [Trait("Requirement", "R-DB-1")]
    public void Read_WithSecrets_NeverRepeatsThem(string url)
    {
        var reading = DatabaseAddress.Read(url);
        Assert.DoesNotContain("hunter2", reading.ToString(), StringComparison.Ordinal);
        if (!url.Contains("hunter2=", StringComparison.Ordinal))
            Assert.DoesNotContain("hunter2", DatabaseAddress.Redact(url), StringComparison.Ordinal);
        if (reading is DatabaseAddressReading.Understood { Address: var address })
        {
            Assert.DoesNotContain("hunter2", address.ToString(), StringComparison.Ordinal);
            Assert.Contains("hunter2", address.ToSettings(Options).ToString(), StringComparison.Ordinal);
        }
    }

    /// <summary>R-DB-7: what counts as possibly plaintext to another machine.</summary>
    [Theory]
    [InlineData("postgres://db.example.test/d", true)]
    [InlineData("postgres://db.example.test/d?sslmode=prefer", true)]
    [InlineData("postgres://localhost,db.example.test/d?sslmode=allow", true)]
    [InlineData("postgresql+asyncpg://db.example.test/d?ssl=false", true)]
    [InlineData("postgres://db.example.test/d?sslmode=require", false)]
    [InlineData("postgresql+asyncpg://db.example.test/d?ssl=true", false)]
    [InlineData("postgres://localhost/d", false)]
    [InlineData("postgres://[::1]/d", false)]
    [InlineData("postgres:///d?host=/run/postgresql", false)]
    [Trait("Requirement", "R-DB-7")]
    public void MayBePlaintext_OnlyToOtherMachinesWithoutRequiredTls(string url, bool may) =>
        Assert.Equal(may, Understand(url).MayBePlaintext);

    private static DatabaseAddress Understand(string url) => DatabaseAddress.Read(url) switch
    {
        DatabaseAddressReading.Understood understood => understood.Address,
        var refused => throw new Xunit.Sdk.XunitException(refused.ToString()),
    };
}
