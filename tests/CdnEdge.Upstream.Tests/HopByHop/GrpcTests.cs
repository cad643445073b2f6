using System.Net;
using System.Net.Http.Headers;
using CdnEdge.Upstream.Tests.Scene;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Upstream.Tests.HopByHop;

public class GrpcTests
{
    [Fact]
    public async Task A_grpc_like_call_keeps_TE_trailers_and_gets_its_trailers()
    {
        var seenTe = "";
        var seenVia = "";
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        await using var origin = builder.Build();
        origin.Run(async context =>
        {
            seenTe = context.Request.Headers.TE.ToString();
            seenVia = context.Request.Headers.Via.ToString();
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.WriteAsync(new byte[] { 0, 0, 0, 0, 0 });
            context.Response.AppendTrailer("grpc-status", "0");
        });
        await origin.StartAsync(TestContext.Current.CancellationToken);
        await using var edge = await Edge.StartAsync(origin.Urls.First(), new EdgeSettings { UpstreamVersion = HttpVersion.Version20 });

        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{edge.Http2Port}/svc/Call")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, 0]) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        var body = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);

        Assert.Equal("trailers", seenTe);
        Assert.Equal("2 edge", seenVia);
        Assert.Equal(5, body.Length);
        Assert.Equal("0", Assert.Single(response.TrailingHeaders.GetValues("grpc-status")));
        Assert.Equal("2 edge", response.Headers.Via.ToString());
    }
}
