using CalSync.Lab;
using CalSync.Storage;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Storage;

/// <summary>R-DB-T: TLS against a real PostgreSQL and a real PgBouncer, with a CA of our own.</summary>
[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-T")]
public sealed class TlsConnectionTests(PostgresFixture postgres) : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("calsync-test-");

    public void Dispose() => _directory.Delete(recursive: true);

    /// <summary>verify-full stays verify-full, and what is reported was negotiated.</summary>
    [Theory]
    [InlineData("verify-full", TlsMode.VerifyFull)]
    [InlineData("verify-ca", TlsMode.VerifyCa)]
    [InlineData("require", TlsMode.VerifyCa)]
    [Trait("Requirement", "R-DB-1")]
    public async Task Inspect_Direct_SaysWhatIsInForce(string mode, TlsMode inForce)
    {
        var report = await InspectAsync(Direct($"sslmode={mode}&sslrootcert={postgres.Authority.RootFile}"));
        Assert.Equal(inForce, report.Tls!.Verified);
        Assert.Equal("Tls13", report.Tls.Version);
        Assert.StartsWith("TLS_", report.Tls.Cipher, StringComparison.Ordinal);
        Assert.Equal("CN=server by CN=Test authority", report.Tls.Certificate);
        Assert.Contains(postgres.Authority.RootFile, report.Tls.Trusts, StringComparison.Ordinal);
        Assert.Equal("none", report.Pooler!.ToString());
        Assert.Equal(256, report.Pools.Prepared);
        Assert.True(report.Writable);
    }

    [Fact]
    [Trait("Requirement", "R-DB-1")]
    public async Task Inspect_VersionOfTlsLimited_IsNegotiatedSo()
    {
        var root = postgres.Authority.RootFile;
        var report = await InspectAsync(Direct($"sslrootcert={root}&ssl_max_protocol_version=TLSv1.2"));
        Assert.Equal(("Tls12", TlsMode.VerifyFull), (report.Tls!.Version, report.Tls.Verified));
    }

    [Theory]
    [InlineData("disable", TlsMode.Disable, null)]
    [InlineData("prefer", TlsMode.Prefer, "Tls13")]
    public async Task Inspect_WithoutVerification_SaysSo(string mode, TlsMode inForce, string? version)
    {
        var report = await InspectAsync(Direct($"sslmode={mode}"));
        Assert.Equal((inForce, version), (report.Tls!.Verified, report.Tls.Version));
    }

    /// <summary>Connections that verify are not made with whom they must not trust, and say why.</summary>
    [Theory]
    [InlineData("another authority", CertificateProblem.UntrustedIssuer)]
    [InlineData("the system's", CertificateProblem.UntrustedIssuer)]
    [InlineData("another host", CertificateProblem.WrongHost)]
    [InlineData("expired", CertificateProblem.Expired)]
    [InlineData("self-signed", CertificateProblem.SelfSigned)]
    [Trait("Requirement", "R-DB-3")]
    public async Task Connect_ServerNotToBeTrusted_IsRefusedWithTheReason(
        string name, CertificateProblem problem)
    {
        using var other = new TestAuthority("Other authority");
        using var own = new TestAuthority("Lonely");
        (string Certificate, string Key)? shown = name switch
        {
            "another host" => postgres.Authority.Issue("elsewhere", ["db.example.test"]),
            "expired" => postgres.Authority.Issue(
                "late", ["127.0.0.1"], new DateTimeOffset(2021, 1, 1, 0, 0, 0, TimeSpan.Zero)),
            "self-signed" => own.IssueToItself("alone", ["127.0.0.1"]),
            _ => null,
        };
        await using var server = shown is { } files
            ? await PostgresServer.StartAsync(false, CancellationToken.None, files)
            : null;
        var root = name switch
        {
            "another authority" => other.RootFile,
            "the system's" => "system",
            _ => postgres.Authority.RootFile,
        };
        var url = (server ?? postgres.Server).TlsUrl("postgres", $"sslmode=verify-full&sslrootcert={root}");
        var fault = await Assert.ThrowsAsync<DatabaseUnavailableException>(() => InspectAsync(url));
        Assert.Equal(UnavailableReason.CertificateRefused, fault.Reason);
        var reason = Assert.IsType<DatabaseCertificateException>(fault.InnerException);
        Assert.Equal(problem, reason.Problem);
        Assert.NotEmpty(reason.Advice);
        if (problem == CertificateProblem.WrongHost)
        {
            Assert.Contains("db.example.test", reason.Message, StringComparison.Ordinal);
            // The name is all that verify-ca leaves unchecked.
            await InspectAsync(server!.TlsUrl("postgres", $"sslmode=verify-ca&sslrootcert={root}"));
        }
    }

    /// <summary>R-DB-2: a pooler is noticed, declared or not, and nothing is kept in a session.</summary>
    [Theory]
    [InlineData("", "two connections share a backend")]
    [InlineData("&pgbouncer=true", "declared in the address")]
    [Trait("Requirement", "R-DB-2")]
    public async Task Inspect_ThroughPgBouncer_SaysSoAndKeepsNothingInASession(string declared, string known)
    {
        var bouncer = await postgres.BouncerAsync();
        var report = await InspectAsync(bouncer.Url("postgres") + declared);
        Assert.Equal("pgbouncer(transaction)", report.Pooler!.ToString());
        Assert.Equal(known, report.Pooler.KnownBy);
        Assert.Equal(0, report.Pools.Prepared);
        Assert.Equal("off", report.SessionFeatures["prepared statements"]);
        Assert.Equal(TlsMode.VerifyFull, report.Tls!.Verified);
        Assert.StartsWith("CN=pooler-", report.Tls.Certificate, StringComparison.Ordinal);
        Assert.StartsWith("TLSv1.3 ", report.Tls.BehindPooler, StringComparison.Ordinal);
    }

    /// <summary>R-DB-6: what lasts for a session is refused where there is none.</summary>
    [Fact]
    [Trait("Requirement", "R-DB-6")]
    public async Task Connect_WithSessionOptionsThroughPgBouncer_IsRefused()
    {
        var bouncer = await postgres.BouncerAsync();
        await Assert.ThrowsAnyAsync<StorageException>(
            () => InspectAsync(bouncer.Url("postgres") + "&options=-c%20geqo%3Doff"));
    }

    private string Direct(string query) => postgres.Server.TlsUrl("postgres", query);

    private async Task<DatabaseReport> InspectAsync(string url)
    {
        await using var database = Database.Open(new() { DataDirectory = _directory.FullName, Url = url });
        return await database.InspectAsync(CancellationToken.None);
    }
}
