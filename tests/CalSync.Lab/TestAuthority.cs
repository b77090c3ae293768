using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CalSync.Lab;

/// <summary>A certificate authority of our own, and what it gives out; its files go away with it.</summary>
public sealed class TestAuthority : IDisposable
{
    private static readonly DateTimeOffset Start = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset End = new(2090, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("calsync-ca-");
    private readonly X509Certificate2 _root;
    private int _serial;

    /// <summary>Makes an authority.</summary>
    /// <param name="name">How it is called.</param>
    public TestAuthority(string name = "Test authority")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        _root = request.CreateSelfSigned(Start, End);
        RootFile = Write($"{name.Replace(' ', '-')}.pem", _root.ExportCertificatePem());
    }

    /// <summary>The authority's certificate, PEM.</summary>
    public string RootFile { get; }

    /// <summary>Where the files are.</summary>
    public string Folder => _folder.FullName;

    /// <summary>Gives out a certificate and its key.</summary>
    /// <param name="name">How it is called; also the beginning of the files' names.</param>
    /// <param name="hosts">Names and addresses it is for.</param>
    /// <param name="end">When it ends; 2090 unless said otherwise.</param>
    /// <param name="password">Seals the key; null leaves it open.</param>
    public (string Certificate, string Key) Issue(
        string name, string[] hosts, DateTimeOffset? end = null, string? password = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        if (hosts.Length > 0)
            request.CertificateExtensions.Add(Names(hosts));
        using var certificate = request.Create(_root, Start, end ?? End, [1, (byte)++_serial]);
        var pem = password is null
            ? key.ExportPkcs8PrivateKeyPem()
            : key.ExportEncryptedPkcs8PrivateKeyPem(
                password,
                new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1_000));
        return (Write($"{name}.crt", certificate.ExportCertificatePem()), Write($"{name}.key", pem));
    }

    /// <summary>Makes a certificate that nobody but itself gave out, and its key.</summary>
    public (string Certificate, string Key) IssueToItself(string name, string[] hosts)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(Names(hosts));
        using var certificate = request.CreateSelfSigned(Start, End);
        return (
            Write($"{name}.crt", certificate.ExportCertificatePem()),
            Write($"{name}.key", key.ExportPkcs8PrivateKeyPem()));
    }

    /// <summary>Writes a file only its owner may read.</summary>
    public string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _root.Dispose();
        _folder.Delete(recursive: true);
    }

    private static X509Extension Names(string[] hosts)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address))
                names.AddIpAddress(address);
            else
                names.AddDnsName(host);
        }

        return names.Build();
    }
}
