using System.Net;
using System.Net.Security;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>As <see cref="Edge"/>, with TLS, and a well-behaved visitor who comes by HTTP/2.</summary>
public class TlsEdge : Edge
{
    private HttpClient? _visitor;

    internal HttpClient Visitor => _visitor ??= new HttpClient(new SocketsHttpHandler { SslOptions = Trusting })
    {
        BaseAddress = Address,
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = TimeSpan.FromSeconds(10),
    };

    private protected override string Listen => "https://127.0.0.1:0";

    private static SslClientAuthenticationOptions Trusting => new()
    {
#pragma warning disable CA5359 // The edge's certificate is the one for development.
        RemoteCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
    };
}
