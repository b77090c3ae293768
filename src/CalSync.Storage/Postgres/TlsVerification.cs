using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Npgsql;

namespace CalSync.Storage.Postgres;

/// <summary>What a TLS connection turned out to be.</summary>
/// <param name="Version">Such as <c>Tls13</c>.</param>
/// <param name="Cipher">Its cipher suite.</param>
/// <param name="Subject">Whom the server's certificate names.</param>
/// <param name="Issuer">Who gave it out.</param>
/// <param name="EndsAt">When it expires, UTC.</param>
internal sealed record TlsFacts(
    string Version, string Cipher, string Subject, string Issuer, DateTimeOffset EndsAt);

/// <summary>
/// Verifies the server's certificate as <c>sslmode</c> says, and explains a refusal.
/// </summary>
/// <remarks>
/// The checks themselves are the platform's: chain against the given authorities, and name. What is done here
/// is to decide which of its complaints count, as libpq does: <c>verify-ca</c> ignores the name alone, and
/// <c>require</c> verifies the authority where one is given.
/// </remarks>
/// <param name="mode">What was asked for.</param>
/// <param name="files">Authorities to trust.</param>
/// <param name="versions">Oldest and newest version of TLS.</param>
internal sealed class TlsVerification(
    TlsMode mode, TlsFiles files, (string? Oldest, string? Newest) versions)
{
    private volatile SslStream? _last;
    private volatile Shown? _shown;

    /// <summary>What is verified, in the words of libpq.</summary>
    public TlsMode InForce { get; } =
        mode == TlsMode.Require && files.HasRoots ? TlsMode.VerifyCa : mode;

    /// <summary>Of the newest connection; null before the first, and when it is plaintext.</summary>
    public DateTimeOffset? CertificateEndsAt => _shown?.EndsAt;

    /// <summary>Of the newest connection; null before the first, and when it is plaintext.</summary>
    public TlsFacts? Facts
    {
        get
        {
            try
            {
                return _last is { IsAuthenticated: true } stream && _shown is { } shown
                    ? new TlsFacts(
                        stream.SslProtocol.ToString(), stream.NegotiatedCipherSuite.ToString(),
                        shown.Subject, shown.Issuer, shown.EndsAt)
                    : null;
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
        }
    }

    /// <summary>Has the driver leave verification to this.</summary>
    public void Apply(NpgsqlConnectionStringBuilder settings, NpgsqlDataSourceBuilder builder)
    {
        if (settings.SslMode == SslMode.Disable)
            return;
        builder.UseSslClientAuthenticationOptionsCallback(options =>
        {
            var host = options.TargetHost;
            options.EnabledSslProtocols = Protocols(versions);
            options.CertificateRevocationCheckMode = X509RevocationMode.NoCheck;
            if (files.HasRoots)
            {
                var policy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    RevocationMode = X509RevocationMode.NoCheck,
                };
                policy.CustomTrustStore.AddRange(files.Roots.ToArray());
                options.CertificateChainPolicy = policy;
            }

            options.RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
                Verify(sender, certificate, chain, errors, host);
        });
    }

    private bool Verify(
        object sender, X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors, string? host)
    {
        var certificate = shown as X509Certificate2;
        _last = sender as SslStream;
        _shown = certificate is null
            ? null
            : new Shown(
                certificate.Subject, certificate.Issuer,
                new DateTimeOffset(certificate.NotAfter.ToUniversalTime()));
        if (InForce < TlsMode.VerifyCa)
            return true;
        if (InForce == TlsMode.VerifyCa)
            errors &= ~SslPolicyErrors.RemoteCertificateNameMismatch;
        if (errors == SslPolicyErrors.None && certificate is not null)
            return true;
        throw Explain(certificate, chain, errors, host ?? "the server");
    }

    private DatabaseCertificateException Explain(
        X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, string host)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
        {
            return new DatabaseCertificateException(
                CertificateProblem.UntrustedIssuer, host, "The server showed no certificate.",
                "Have whoever runs the database set one up.");
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
            return ExplainChain(certificate, chain, host);
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(names => names.EnumerateDnsNames()
                .Concat(names.EnumerateIPAddresses().Select(address => address.ToString())))
            .DefaultIfEmpty(certificate.GetNameInfo(X509NameType.DnsName, false));
        return new DatabaseCertificateException(
            CertificateProblem.WrongHost, host,
            $"The server's certificate is for {string.Join(", ", names)} and not for {host}.",
            "Write a name of the certificate in the address, or have one made for this name.");
    }

    private DatabaseCertificateException ExplainChain(
        X509Certificate2 certificate, X509Chain? chain, string host)
    {
        var expired = (chain?.ChainElements ?? Enumerable.Empty<X509ChainElement>()).FirstOrDefault(element =>
            element.ChainElementStatus.Any(status => status.Status == X509ChainStatusFlags.NotTimeValid));
        if (expired is { Certificate: var late })
        {
            var isEarly = chain!.ChainPolicy.VerificationTime < late.NotBefore;
            return new DatabaseCertificateException(
                isEarly ? CertificateProblem.NotYetValid : CertificateProblem.Expired, host,
                isEarly
                    ? $"The server's certificate {late.Subject} is not valid before {Day(late.NotBefore)}."
                    : $"The server's certificate {late.Subject} expired on {Day(late.NotAfter)}.",
                isEarly
                    ? "Look at the clocks of both machines."
                    : "Have whoever runs the database renew it; until then nothing connects.");
        }

        return certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData)
            ? new DatabaseCertificateException(
                CertificateProblem.SelfSigned, host,
                $"The server's certificate {certificate.Subject} is signed by itself, and {files.RootsFrom} "
                + "do not hold it.",
                "Put this certificate in a file and name it in sslrootcert.")
            : new DatabaseCertificateException(
                CertificateProblem.UntrustedIssuer, host,
                $"The server's certificate comes from {certificate.Issuer}, whom {files.RootsFrom} do not "
                + "hold.",
                "Get the authority's certificate from whoever runs the database and name it in sslrootcert.");
    }

    private static SslProtocols Protocols((string? Oldest, string? Newest) versions) => versions switch
    {
        ("TLSv1.3", _) => SslProtocols.Tls13,
        (_, "TLSv1.2") => SslProtocols.Tls12,
        (null, null) => SslProtocols.None,
        _ => SslProtocols.Tls12 | SslProtocols.Tls13,
    };

    private static string Day(DateTime at) =>
        at.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private sealed record Shown(string Subject, string Issuer, DateTimeOffset EndsAt);
}
