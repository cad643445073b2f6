using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace CdnEdge.Tls;

/// <summary>
/// How Kestrel does a handshake: TLS 1.2 and 1.3, resumption of sessions, the certificate by SNI, and one of the client's where its site asks for that.
/// Over QUIC too.
/// </summary>
/// <remarks>
/// Sessions are resumed only where .NET keeps OpenSSL's context from one handshake to the next, which it does as long as it's given no
/// <see cref="CipherSuitesPolicy"/>. Without one it offers the suites of RFC 9325 §4.2, and behind them some of CBC for TLS 1.2: those few
/// clients that have nothing better are turned away after their handshake.
/// </remarks>
internal sealed class TlsHandshake(CertificateStore store, Func<string, ClientCertificateRule?> clientCertificates)
{
    /// <summary>Makes an endpoint speak TLS.</summary>
    internal void AddTo(ListenOptions endpoint)
    {
        endpoint.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = TimeSpan.FromSeconds(10),
            OnConnection = context => ValueTask.FromResult(Options(context.ClientHelloInfo.ServerName, context.Connection)),
        });
        endpoint.Use(static next => connection => IsModern(connection) ? next(connection) : Refuse(connection));
    }

    /// <summary>Suites that are authenticated and forward secret (RFC 9325 §4.2): all of TLS 1.3, and those of TLS 1.2 with an ephemeral key.</summary>
    internal static bool IsModern(TlsCipherSuite suite) => suite is
        TlsCipherSuite.TLS_AES_128_GCM_SHA256
        or TlsCipherSuite.TLS_AES_256_GCM_SHA384
        or TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256
        or TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        or TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        or TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
        or TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
        or TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        or TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256;

    private static bool IsModern(ConnectionContext connection) =>
        connection.Features.Get<ITlsHandshakeFeature>()?.NegotiatedCipherSuite is { } suite && IsModern(suite);

    private static Task Refuse(ConnectionContext connection)
    {
        connection.Abort(new ConnectionAbortedException("The client has no cipher suite that RFC 9325 recommends."));
        return Task.CompletedTask;
    }

    private SslServerAuthenticationOptions Options(string host, ConnectionContext connection)
    {
        var certificate = store.Index.Find(host) ?? throw new AuthenticationException($"There is no certificate for '{host}'.");
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate.Context,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowRenegotiation = false,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        if (clientCertificates(host) is { } rule)
        {
            rule.Govern(connection);

            // To .NET "required" means that it's asked for; what comes of it the callback says.
            options.ClientCertificateRequired = true;
            options.RemoteCertificateValidationCallback = (_, sent, chain, _) =>
                sent is X509Certificate2 client ? rule.Authorities.Vouch(client, chain) : !rule.IsRequired;
        }

        return options;
    }
}
