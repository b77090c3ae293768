using CalSync.Lab;
using CalSync.Storage;
using CalSync.Storage.Postgres;
using Xunit;

namespace CalSync.Tests.Storage;

/// <summary>R-DB-3: certificates are found where they usually are, and one that cannot be used is named with
/// the reason before anything connects.</summary>
public sealed class TlsFilesTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly TestAuthority _authority = new();
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("calsync-home-");

    public void Dispose()
    {
        _authority.Dispose();
        _home.Delete(recursive: true);
    }

    [Theory]
    [InlineData("root.crt")]
    [InlineData("ca.pem")]
    [InlineData("server-ca.pem")]
    [InlineData("ca-certificate.crt")]
    [Trait("Requirement", "R-DB-3")]
    public void Find_AuthorityUnderAUsualName_IsFoundInHomeAndInANamedFolder(string name)
    {
        var path = Path.Combine(_home.FullName, name);
        File.Copy(_authority.RootFile, path);
        var found = Find("sslmode=verify-full");
        Assert.Contains(path, found.RootsFrom, StringComparison.Ordinal);
        Assert.Single(found.Roots);
        var named = Find($"sslmode=verify-full&sslrootcert={_home.FullName}", home: "/nowhere");
        Assert.Contains(path, named.RootsFrom, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Requirement", "R-DB-3")]
    public void Find_SeveralPlaces_TakesParameterThenVariableThenHomeThenSystem()
    {
        var variable = new Dictionary<string, string> { ["PGSSLROOTCERT"] = _authority.RootFile };
        var (other, _) = _authority.Issue("other", []);
        File.Copy(other, Path.Combine(_home.FullName, "root.crt"));
        Assert.Contains(other, Find($"sslrootcert={other}", variable).RootsFrom, StringComparison.Ordinal);
        Assert.Contains(
            $"{_authority.RootFile}, by PGSSLROOTCERT", Find("sslmode=verify-full", variable).RootsFrom,
            StringComparison.Ordinal);
        Assert.Contains(_home.FullName, Find("sslmode=verify-full").RootsFrom, StringComparison.Ordinal);
        Assert.False(Find("sslmode=verify-full", home: "/nowhere").HasRoots);
        Assert.False(Find("sslrootcert=system", variable).HasRoots);
        Assert.False(Find("sslmode=prefer", variable).HasRoots);
    }

    [Theory]
    [InlineData("missing", CertificateProblem.FileMissing)]
    [InlineData("empty-folder", CertificateProblem.FileMissing)]
    [InlineData("words", CertificateProblem.NotPem)]
    [InlineData("damaged", CertificateProblem.NotPem)]
    [InlineData("old", CertificateProblem.Expired)]
    [Trait("Requirement", "R-DB-3")]
    public void Find_AuthorityThatCannotBeUsed_IsNamedWithTheReason(string name, CertificateProblem problem)
    {
        var path = name switch
        {
            "missing" => Path.Combine(_home.FullName, "none.pem"),
            "empty-folder" => _home.CreateSubdirectory("empty").FullName,
            "words" => _authority.Write("words.pem", "no certificate"),
            "damaged" => _authority.Write(
                "damaged.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
            _ => _authority.Issue("old", [], Now.AddDays(-1)).Certificate,
        };
        AssertRefused($"sslrootcert={path}", problem, path);
    }

    /// <summary>A bundle in which one authority has ended and its successor has not is good.</summary>
    [Fact]
    [Trait("Requirement", "R-DB-3")]
    public void Find_BundleWithAnEndedAuthority_IsUsed()
    {
        var old = File.ReadAllText(_authority.Issue("old", [], Now.AddDays(-1)).Certificate);
        var bundle = _authority.Write("bundle.pem", old + "\n" + File.ReadAllText(_authority.RootFile));
        Assert.Equal(2, Find($"sslrootcert={bundle}").Roots.Length);
    }

    [Theory]
    [InlineData("missing certificate", CertificateProblem.FileMissing)]
    [InlineData("missing key", CertificateProblem.FileMissing)]
    [InlineData("expired", CertificateProblem.Expired)]
    [InlineData("another's key", CertificateProblem.KeyMismatch)]
    [InlineData("no key", CertificateProblem.KeyMismatch)]
    [InlineData("open to others", CertificateProblem.KeyUnprotected)]
    [InlineData("sealed", CertificateProblem.KeyPassword)]
    [InlineData("wrong password", CertificateProblem.KeyPassword)]
    [Trait("Requirement", "R-DB-3")]
    public void Find_OurCertificateThatCannotBeUsed_IsNamedWithTheReason(
        string name, CertificateProblem problem)
    {
        var (certificate, key) = _authority.Issue(
            "client", [], name == "expired" ? Now.AddDays(-1) : null,
            name is "sealed" or "wrong password" ? "secret" : null);
        var (_, other) = _authority.Issue("other", []);
        var where = name is "missing certificate" or "expired" or "no key" ? certificate : key;
        (certificate, key, var password) = name switch
        {
            "missing certificate" => (where = "/nowhere/c", key, ""),
            "missing key" => (certificate, where = "/nowhere/k", ""),
            "another's key" => (certificate, where = other, ""),
            "no key" => (certificate, (string?)null, ""),
            "wrong password" => (certificate, key, "&sslpassword=hunter2"),
            _ => (certificate, key, ""),
        };
        if (name == "open to others" && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(key!, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        var message = AssertRefused(
            $"sslmode=require&sslcert={certificate}{(key is null ? "" : $"&sslkey={key}")}{password}",
            problem, where);
        Assert.DoesNotContain("hunter2", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("secret")]
    [Trait("Requirement", "R-DB-3")]
    public void Find_OurCertificateWithItsKey_IsUsed(string? password)
    {
        var (certificate, key) = _authority.Issue("client", [], null, password);
        var found = Find($"sslmode=require&sslcert={certificate}&sslkey={key}"
            + (password is null ? "" : $"&sslpassword={password}"));
        Assert.Equal((certificate, key), (found.ClientCertificate, found.ClientKey));
    }

    private TlsFiles Find(
        string query, Dictionary<string, string>? environment = null, string? home = null) =>
        TlsFiles.Find(
            ((DatabaseAddressReading.Understood)DatabaseAddress.Read($"postgres://h/d?{query}")).Address,
            new TlsPlaces(name => environment?.GetValueOrDefault(name), home ?? _home.FullName), Now);

    private string AssertRefused(string query, CertificateProblem problem, string where)
    {
        var fault = Assert.Throws<DatabaseCertificateException>(() => Find(query));
        Assert.Equal((problem, where), (fault.Problem, fault.Where));
        Assert.Contains(where, fault.Message, StringComparison.Ordinal);
        Assert.NotEmpty(fault.Advice);
        return fault.Message + fault.Advice;
    }
}
