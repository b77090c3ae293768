using System.Text.Json.Nodes;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary><c>calsync db check</c> says what is really used: on a real PostgreSQL with TLS, directly and
/// through the shipped example of PgBouncer.</summary>
[Collection(PostgresFixture.Collection)]
public sealed class DatabaseVerbTests(PostgresFixture postgres) : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("calsync-test-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    [Trait("Requirement", "R-DB-1")]
    public async Task Check_Direct_PrintsWhatIsInForce()
    {
        var name = new Uri(await postgres.NewMigratedAsync()).AbsolutePath.TrimStart('/');
        var root = postgres.Authority.RootFile;
        var url = postgres.Server.TlsUrl(name, $"sslmode=verify-full&sslrootcert={root}")
            .Replace("calsync@", "calsync:hunter2@", StringComparison.Ordinal);
        var (code, output, _) = await RunAsync("--url", url);
        Assert.Equal(0, code);
        Assert.Contains("TLS: Tls13 TLS_", output, StringComparison.Ordinal);
        Assert.Contains("verified: verify_full (asked for: verify_full)", output, StringComparison.Ordinal);
        Assert.Contains($"trusted: {root}, by sslrootcert", output, StringComparison.Ordinal);
        Assert.Contains("pooler: none (the backend answers itself)", output, StringComparison.Ordinal);
        Assert.Contains("prepared statements: 256 a connection", output, StringComparison.Ordinal);
        Assert.Contains("The schema is up to date", output, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", output, StringComparison.Ordinal);
    }

    /// <summary>R-DB-2: the words of the requirement, in text and as JSON.</summary>
    [Fact]
    [Trait("Requirement", "R-DB-2")]
    [Trait("Requirement", "R-DB-6")]
    public async Task Check_ThroughPgBouncer_PrintsThePoolerAndWhatIsOff()
    {
        var url = await postgres.ThroughBouncerAsync(await postgres.NewMigratedAsync());
        var (code, output, _) = await RunAsync("--database", url);
        Assert.Equal(0, code);
        Assert.Contains("pooler: pgbouncer(transaction) (", output, StringComparison.Ordinal);
        Assert.Contains("from the pooler on: TLSv1.3 ", output, StringComparison.Ordinal);
        Assert.Contains("prepared statements: off", output, StringComparison.Ordinal);
        Assert.Contains("advisory locks: within a transaction only", output, StringComparison.Ordinal);

        (_, output, _) = await RunAsync("--database", url, "--json");
        var json = JsonNode.Parse(output)!;
        Assert.Equal("pgbouncer(transaction)", (string?)json["pooler"]);
        Assert.Equal("verify_full", (string?)json["tls"]!["verified"]);
        Assert.Equal(0, (int?)json["pools"]!["prepared"]);
        Assert.Equal("off", (string?)json["sessionFeatures"]!["DISCARD ALL"]);
        Assert.True((bool?)json["writable"]);
    }

    [Fact]
    [Trait("Requirement", "R-DB-3")]
    public async Task Check_FileOfTheAuthorityMissing_SaysWhichAndEndsWithAnError()
    {
        var (code, _, error) = await RunAsync(
            "--url", postgres.Server.TlsUrl("postgres", "sslmode=verify-full&sslrootcert=/nowhere/ca.pem"));
        Assert.Equal(1, code);
        Assert.Contains("The file does not exist. (/nowhere/ca.pem)", error, StringComparison.Ordinal);
        Assert.Contains("correct the name", error, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Requirement", "R-DB-1")]
    public async Task Check_ParameterThatWouldBeLost_IsAnInvalidConfiguration()
    {
        var (code, _, error) = await RunAsync("--url", "postgres://u:hunter2@h/d?sslcrl=/crl.pem");
        Assert.Equal(78, code);
        Assert.Contains("sslcrl is understood and cannot be done here", error, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error, StringComparison.Ordinal);
    }

    private Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments) =>
        new Shell().RunAsync(["db", "check", "--data", _directory.FullName, .. arguments]);
}
