using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CdnEdge.Control;

/// <summary>How the admin API of a node is called.</summary>
internal static class AdminHttp
{
    /// <summary>A handler without the environment's proxy, for tokens are for the node alone, and without redirects.</summary>
    /// <param name="options">Whom to believe, and with which certificate to call.</param>
    /// <exception cref="IOException">A file can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    /// <exception cref="CryptographicException">A file isn't what it should be.</exception>
    /// <exception cref="ArgumentException">As <see cref="CryptographicException"/>.</exception>
    internal static SocketsHttpHandler Handler(AdminClientOptions options)
    {
        var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(10) };
        var tls = handler.SslOptions;
        if (options.Ca is { } ca)
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(ca);
            tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        if (options.Certificate is { } file)
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(file);
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(file, options.Key), chain, offline: true);
        }

        return handler;
    }
}
