using System.Security.Cryptography.X509Certificates;
using CdnEdge.Delivery.Fills;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Delivery.Tests.Fills;

public sealed class CapturedRequestTests
{
    /// <summary>As of a client that asks and resets in the same breath. Others may wait for the fill that he has begun.</summary>
    [Fact]
    public void A_connection_that_has_just_ended_spoils_no_fill()
    {
        var context = new DefaultHttpContext();
        context.Request.Scheme = "https";
        context.Request.Headers["X-One"] = "1";
        context.Features.Set<ITlsConnectionFeature>(new EndedConnection());

        var captured = new CapturedRequest(context);

        Assert.Equal("1", captured.Headers["X-One"]);
    }

    // Kestrel asks the connection's SslStream, which is disposed with it.
    private sealed class EndedConnection : ITlsConnectionFeature
    {
        public X509Certificate2? ClientCertificate
        {
            get => throw new ObjectDisposedException("System.Net.Security.SslStream");
            set => throw new NotSupportedException();
        }

        public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);
    }
}
