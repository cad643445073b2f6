using System.Net;
using CdnEdge.Delivery.Guard;
using CdnEdge.Upstream.Tests.Scene;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;

namespace CdnEdge.Delivery.Tests.Guard;

/// <summary>Bytes that two parties could read differently, against a real Kestrel and YARP: refused, and nothing is forwarded.</summary>
public class FramingTests
{
    private const string Smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

    [Theory]
    [InlineData("CL and TE", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + Smuggled, 400)]
    [InlineData("TE and CL", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n" + Smuggled, 400)]
    [InlineData("a coding before chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + Smuggled, 501)]
    [InlineData("chunked twice", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + Smuggled, 400)]
    [InlineData("chunked in two lines", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + Smuggled, 400)]
    [InlineData("identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n" + Smuggled, 400)]
    [InlineData("chunked not last", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + Smuggled, 400)]
    [InlineData("xchunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + Smuggled, 400)]
    [InlineData("control before chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u000bchunked\r\n\r\n0\r\n\r\n" + Smuggled, 400)]
    [InlineData("quoted chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" + Smuggled, 400)]
    [InlineData("space before the colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + Smuggled, 400)]
    [InlineData("TE in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n" + Smuggled, 400)]
    [InlineData("two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 6\r\n\r\nabcdef" + Smuggled, 400)]
    [InlineData("one length twice", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nContent-Length: 6\r\n\r\nabcdef", 400)]
    [InlineData("a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6, 6\r\n\r\nabcdef", 400)]
    [InlineData("a negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -6\r\n\r\nabcdef", 400)]
    [InlineData("a signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +6\r\n\r\nabcdef", 400)]
    [InlineData("a hexadecimal length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x6\r\n\r\nabcdef", 400)]
    [InlineData("an empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n" + Smuggled, 400)]
    [InlineData("a length too long", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nabcdef", 400)]
    [InlineData("LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400)]
    [InlineData("LF after a field", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400)]
    [InlineData("LF at the head's end", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400)]
    [InlineData("CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: y\rz\r\n\r\n", 400)]
    [InlineData("CR for a line's end", "GET / HTTP/1.1\rHost: a\r\r\n\r\n", 400)]
    [InlineData("a folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", 400)]
    [InlineData("a folded first line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400)]
    [InlineData("a NUL", "GET / HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n", 400)]
    [InlineData("a line without colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400)]
    [InlineData("absolute-form with another host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("absolute-form with another port", "GET http://a:81/ HTTP/1.1\r\nHost: a:82\r\n\r\n", 400)]
    [InlineData("no Host", "GET / HTTP/1.1\r\n\r\n", 400)]
    [InlineData("an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400)]
    [InlineData("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400)]
    [InlineData("a list of Hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400)]
    [InlineData("a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400)]
    [InlineData("a Host with userinfo", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400)]
    [InlineData("a Host with a bad port", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400)]
    [InlineData("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("a relative target", "GET x HTTP/1.1\r\nHost: a\r\n\r\n", 405)]
    [InlineData("an unknown version", "GET / HTTP/1.7\r\nHost: a\r\n\r\n", 505)]
    [InlineData("no version", "GET /\r\nHost: a\r\n\r\n", 400)]
    [InlineData("bare LF in a chunk extension", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x\nxx\r\n0\r\n\r\n" + Smuggled, 400)]
    [InlineData("bare CR in a chunk extension", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x\rxx\r\n0\r\n\r\n" + Smuggled, 400)]
    [InlineData("LF after a chunk size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\nxx\r\n0\r\n\r\n" + Smuggled, 400)]
    [InlineData("a bad chunk size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n" + Smuggled, 400)]
    [InlineData("a huge chunk size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n" + Smuggled, 400)]
    [InlineData("a length with an upgrade", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 6\r\n\r\nabcdef" + Smuggled, 400)]
    public async Task Ambiguous_bytes_are_refused_and_nothing_is_forwarded(string what, string bytes, int status)
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using var app = await StartAsync(origin);
        await using var client = await RawClient.ConnectAsync(new Uri(app.Urls.First()).Port);

        await client.SendAsync(bytes);
        var answer = await client.ReadToEndAsync();

        Assert.True(answer.StartsWith($"HTTP/1.1 {status} ", StringComparison.Ordinal), $"{what}: {answer}");
        Assert.Equal(1, answer.Split("HTTP/1.1 ").Length - 1);
        Assert.Empty(origin.Requests);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n2;ext=\"a;b\"\r\nhi\r\n0\r\nX-T: 1\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nX-Content-Length: 5\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nContent-Length: 2\r\n\r\nhi")]
    public async Task Clear_ones_pass_and_the_connection_goes_on(string bytes)
    {
        await using var origin = RawOrigin.Serving(async connection =>
        {
            while (await connection.ReadRequestAsync() is { } request)
            {
                if (request.Contains("\r\nContent-Length: 2")) await connection.ReadUntilAsync("hi");
                if (request.Contains("chunked")) await connection.ReadUntilAsync("0\r\n\r\n");
                await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        });
        await using var app = await StartAsync(origin);
        await using var client = await RawClient.ConnectAsync(new Uri(app.Urls.First()).Port);

        for (var i = 0; i < 2; i++)
        {
            await client.SendAsync(bytes);
            Assert.StartsWith("HTTP/1.1 200 ", await client.ReadUntilAsync("\r\n\r\nok"));
        }

        Assert.Equal(2, origin.Requests.Count);
    }

    [Fact]
    public async Task A_chunk_that_turns_bad_later_breaks_the_forwarded_request()
    {
        var begun = new TaskCompletionSource();
        var whole = new TaskCompletionSource<bool>();
        await using var origin = RawOrigin.Serving(async connection =>
        {
            await connection.ReadRequestAsync();
            begun.SetResult();
            try
            {
                await connection.ReadUntilAsync("0\r\n\r\n");
                whole.SetResult(true);
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
            {
                whole.SetResult(false);
            }
        });
        await using var app = await StartAsync(origin);
        await using var client = await RawClient.ConnectAsync(new Uri(app.Urls.First()).Port);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n");
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        await client.SendAsync("zz\r\n" + Smuggled);
        var answer = await client.ReadToEndAsync();

        Assert.StartsWith("HTTP/1.1 400 ", answer);
        Assert.False(await whole.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
        Assert.Single(origin.Requests);
    }

    private static async Task<WebApplication> StartAsync(RawOrigin origin)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            KestrelHardening.Apply(kestrel);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "r", ClusterId = "c", Match = new RouteMatch { Path = "/{**rest}" } }],
            [new ClusterConfig { ClusterId = "c", Destinations = new Dictionary<string, DestinationConfig> { ["d"] = new() { Address = origin.Url } } }]);

        var app = builder.Build();
        app.Use(async (context, next) =>
        {
            if ((FramingGuard.Inspect(context) ?? await FramingGuard.InspectBodyAsync(context)) is not { } refusal)
            {
                await next(context);
                return;
            }

            context.Response.StatusCode = refusal.StatusCode;
            if (refusal.CloseConnection) context.Response.Headers.Connection = "close";
            await context.Response.WriteAsync(refusal.Reason);
        });
        app.MapReverseProxy();
        await app.StartAsync();
        return app;
    }
}
