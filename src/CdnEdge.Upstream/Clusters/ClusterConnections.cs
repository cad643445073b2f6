using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CdnEdge.Upstream.Clusters;

/// <summary>Sets a cluster's connections up: how long they are waited for and used, whom they trust, what they show.</summary>
internal static class ClusterConnections
{
    internal static void Configure(SocketsHttpHandler handler, ClusterOptions options)
    {
        handler.ConnectTimeout = options.Timeouts.Connect;
        handler.PooledConnectionLifetime = options.Connections.Lifetime;
        if (options.Connections.Ca is { } ca)
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(ca);
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        if (options.Connections.Certificate is { } certificate)
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(certificate);
            handler.SslOptions.ClientCertificateContext = SslStreamCertificateContext.Create(
                X509Certificate2.CreateFromPemFile(certificate, options.Connections.Key), chain);
        }
    }

    /// <summary>What is wrong with the files; null: nothing.</summary>
    internal static string? MistakeIn(ClusterConnectionOptions options)
    {
        if (options.Certificate is not null && options.Key is null)
            return "Key: missing; the certificate's key, a PEM file";
        if (options.Certificate is null && options.Key is not null)
            return "Certificate: missing; a key alone shows nothing";
        try
        {
            using var handler = new SocketsHttpHandler();
            Configure(handler, new ClusterOptions { Connections = options });
            return options.Ca is not null && handler.SslOptions.CertificateChainPolicy!.CustomTrustStore.Count == 0 ? $"Ca: '{options.Ca}' holds no certificate" : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            return $"{(options.Certificate is null ? "Ca" : "Certificate")}: {exception.Message}";
        }
    }

    /// <summary>What of the options is in a client once it's made: another text, another client.</summary>
    internal static string SignatureOf(ClusterOptions options)
    {
        var connections = options.Connections;
        return string.Join('\n', options.Timeouts.Connect, connections.Lifetime, connections.Ca, connections.Certificate, connections.Key);
    }
}
