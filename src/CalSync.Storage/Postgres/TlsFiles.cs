using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CalSync.Storage.Postgres;

/// <summary>The files TLS needs, found, read and looked at before anything connects.</summary>
/// <param name="Roots">The authorities to trust; empty: the system's.</param>
/// <param name="RootsFrom">Where they come from, for people.</param>
/// <param name="ClientCertificate">The file of our certificate; null: none is shown.</param>
/// <param name="ClientKey">The file of its key; null: in the same file, or there is none.</param>
internal sealed record TlsFiles(
    ImmutableArray<X509Certificate2> Roots, string RootsFrom, string? ClientCertificate, string? ClientKey)
{
    /// <summary>Names providers give the file of their authority, in the order they are looked for.</summary>
    public static readonly ImmutableArray<string> RootNames =
        ["root.crt", "ca.pem", "server-ca.pem", "ca-certificate.crt"];

    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>True when an authority was named or found, and not only the system's are there.</summary>
    public bool HasRoots => Roots.Length > 0;

    /// <summary>Finds and reads what an address needs.</summary>
    /// <param name="address">Names files, or leaves them to be found.</param>
    /// <param name="places">The environment and the home directory.</param>
    /// <param name="now">Against which certificates are held.</param>
    /// <exception cref="DatabaseCertificateException">A file cannot be used; says which, why and what to
    /// do.</exception>
    public static TlsFiles Find(DatabaseAddress address, TlsPlaces places, DateTimeOffset now)
    {
        var (roots, from) = address.Tls < TlsMode.Require || address.Hosts.All(host => host.IsSocket)
            ? ([], "nothing: not verified")
            : FindRoots(address.RootCertificate, places, now);
        var (certificate, key) = address.ClientCertificate is { } named
            ? (named, address.ClientKey)
            : FindClient(address, places);
        if (certificate is not null)
            CheckClient(certificate, key, address.ClientKeyPassword, now);
        return new TlsFiles(roots, from, certificate, key);
    }

    private static (ImmutableArray<X509Certificate2> Roots, string From) FindRoots(
        string? named, TlsPlaces places, DateTimeOffset now)
    {
        var (path, why) = named is not null ? (named, "sslrootcert")
            : places.Variable("PGSSLROOTCERT") is { Length: > 0 } variable ? (variable, "PGSSLROOTCERT")
            : ((string?)null, "");
        if (path == "system")
            return ([], $"the system's authorities, by {why}");
        if (path is null)
        {
            return InFolder(places.Folder) is { } found
                ? (ReadRoots(found, now), $"{found}, found there")
                : ([], "the system's authorities");
        }

        if (Directory.Exists(path))
        {
            path = InFolder(path) ?? throw new DatabaseCertificateException(
                CertificateProblem.FileMissing, path,
                $"The folder has none of {string.Join(", ", RootNames)}.",
                $"Put the authority's certificate there under such a name, or name the file in {why}.");
        }

        return (ReadRoots(path, now), $"{path}, by {why}");
    }

    private static string? InFolder(string? folder) => folder is null
        ? null
        : RootNames.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private static ImmutableArray<X509Certificate2> ReadRoots(string path, DateTimeOffset now)
    {
        var read = new X509Certificate2Collection();
        try
        {
            read.ImportFromPem(ReadText(path));
        }
        catch (CryptographicException)
        {
            throw NotPem(path);
        }

        if (read.Count == 0)
            throw NotPem(path);
        // A bundle may keep an old authority beside its successor.
        if (read.All(one => now.UtcDateTime > one.NotAfter.ToUniversalTime()))
        {
            throw new DatabaseCertificateException(
                CertificateProblem.Expired, path,
                $"The authority's certificate {read[0].Subject} expired on {Day(read[0].NotAfter)}.",
                "Get the authority's new certificate from whoever runs the database.");
        }

        return [.. read];
    }

    private static (string? Certificate, string? Key) FindClient(DatabaseAddress address, TlsPlaces places)
    {
        if (address.Tls == TlsMode.Disable)
            return (null, null);
        var certificate = places.Variable("PGSSLCERT") is { Length: > 0 } variable ? variable
            : Existing(places.Folder, "postgresql.crt");
        var key = places.Variable("PGSSLKEY") is { Length: > 0 } other ? other
            : Existing(places.Folder, "postgresql.key");
        return certificate is null ? (null, null) : (certificate, key);
    }

    private static string? Existing(string? folder, string name) =>
        folder is not null && File.Exists(Path.Combine(folder, name)) ? Path.Combine(folder, name) : null;

    private static void CheckClient(string path, string? keyPath, string? password, DateTimeOffset now)
    {
        var text = ReadText(path);
        var key = keyPath is null ? text : ReadText(keyPath);
        X509Certificate2 certificate;
        try
        {
            certificate = X509Certificate2.CreateFromPem(text);
        }
        catch (CryptographicException)
        {
            throw NotPem(path);
        }

        using (certificate)
        {
            if (now.UtcDateTime > certificate.NotAfter.ToUniversalTime())
            {
                throw new DatabaseCertificateException(
                    CertificateProblem.Expired, path,
                    $"Our certificate {certificate.Subject} expired on {Day(certificate.NotAfter)}.",
                    "Have it renewed by whoever runs the database, and replace certificate and key.");
            }

            CheckKey(certificate, keyPath ?? path, key, password);
        }
    }

    private static void CheckKey(X509Certificate2 certificate, string path, string key, string? password)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0)
        {
            throw new DatabaseCertificateException(
                CertificateProblem.KeyUnprotected, path, "Others than its owner may read or write this key.",
                $"chmod 600 {path}");
        }

        var isSealed = key.Contains("ENCRYPTED", StringComparison.Ordinal);
        if (isSealed && password is null)
        {
            throw new DatabaseCertificateException(
                CertificateProblem.KeyPassword, path, "The key has a password and none was given.",
                "Add sslpassword=... to the address.");
        }

        try
        {
            var pem = certificate.ExportCertificatePem();
            using var both = isSealed
                ? X509Certificate2.CreateFromEncryptedPem(pem, key, password)
                : X509Certificate2.CreateFromPem(pem, key);
        }
        catch (CryptographicException) when (isSealed)
        {
            throw new DatabaseCertificateException(
                CertificateProblem.KeyPassword, path, "The key cannot be opened with this sslpassword.",
                "Give the password the key was sealed with.");
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            throw new DatabaseCertificateException(
                CertificateProblem.KeyMismatch, path,
                $"There is no key of the certificate {certificate.Subject} in this file.",
                "Name in sslkey the key the certificate was made for, as PEM.");
        }
    }

    private static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DatabaseCertificateException(
                CertificateProblem.FileMissing, path, "The file does not exist.",
                "Put it there, or correct the name in the address.");
        }
        catch (Exception fault) when (fault is UnauthorizedAccessException or IOException)
        {
            throw new DatabaseCertificateException(
                CertificateProblem.FileUnreadable, path,
                $"The user {Environment.UserName} may not read the file.",
                $"Give it to this user: chown {Environment.UserName} {path}");
        }
    }

    private static DatabaseCertificateException NotPem(string path) => new(
        CertificateProblem.NotPem, path, "The file holds no certificate in PEM.",
        "It has to begin with -----BEGIN CERTIFICATE-----; openssl x509 -inform der -in FILE converts one.");

    private static string Day(DateTime at) =>
        at.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}

/// <summary>Where files are looked for that nobody named.</summary>
/// <param name="Variable">Gives a variable of the environment.</param>
/// <param name="Folder">The folder <c>.postgresql</c> of the user; null when there is no home.</param>
internal sealed record TlsPlaces(Func<string, string?> Variable, string? Folder)
{
    /// <summary>This process' own.</summary>
    public static TlsPlaces OfProcess()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return new TlsPlaces(
            Environment.GetEnvironmentVariable, home.Length == 0 ? null : Path.Combine(home, ".postgresql"));
    }
}
