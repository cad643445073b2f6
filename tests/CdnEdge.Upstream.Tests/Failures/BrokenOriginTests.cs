using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using CdnEdge.Upstream.Failures;
using CdnEdge.Upstream.Tests.Scene;
using Yarp.ReverseProxy.Forwarder;

namespace CdnEdge.Upstream.Tests.Failures;

/// <summary>What YARP and SocketsHttpHandler really report when an origin does its worst.</summary>
public class BrokenOriginTests
{
    [Theory]
    [InlineData("close", "connection_terminated", 502)]
    [InlineData("reset", "connection_terminated", 502)]
    [InlineData("garbage", "http_protocol_error", 502)]
    [InlineData("half a head", "connection_terminated", 502)]
    [InlineData("oversized head", "http_response_header_section_size", 502)]
    [InlineData("bad Content-Length", "http_protocol_error", 502)]
    [InlineData("hang", "http_response_timeout", 504)]
    [InlineData("bad chunk", "http_response_transfer_coding", 502)]
    [InlineData("short body", "http_response_incomplete", 502)]
    [InlineData("reset in body", "http_response_incomplete", 502)]
    [InlineData("unfinished chunks", "http_response_incomplete", 502)]
    [InlineData("hang in body", "connection_read_timeout", 504)]
    public async Task A_broken_origin_is_called_by_its_fault(string fault, string expected, int status)
    {
        await using var origin = RawOrigin.Serving(connection => BreakAsync(connection, fault));
        var verdict = await VerdictAsync(origin.Url);

        Assert.Equal(expected, verdict?.Error);
        Assert.Equal(status, verdict?.StatusCode);
    }

    [Fact]
    public async Task Nobody_listening_is_a_refused_connection()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        var verdict = await VerdictAsync($"http://127.0.0.1:{((IPEndPoint)socket.LocalEndPoint!).Port}/");

        Assert.Equal("connection_refused", verdict?.Error);
    }

    [Fact]
    public async Task A_name_without_address_is_a_dns_error() =>
        Assert.StartsWith("dns_", (await VerdictAsync("http://no-such-host.invalid/"))?.Error);

    [Fact]
    public async Task Plain_text_where_TLS_was_expected_is_a_TLS_error()
    {
        await using var origin = RawOrigin.Serving(async connection =>
        {
            await connection.SendAsync("HTTP/1.1 400 Bad Request\r\n\r\n");
            await connection.ReadRequestAsync();
        });

        Assert.Equal("tls_protocol_error", (await VerdictAsync(origin.Url.Replace("http:", "https:")))?.Error);
    }

    [Fact]
    public async Task An_unknown_authority_is_a_certificate_error()
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await using var secure = await Edge.StartAsync(origin);

        Assert.Equal("tls_certificate_error", (await VerdictAsync($"https://127.0.0.1:{secure.TlsPort}/"))?.Error);
    }

    private static async Task BreakAsync(OriginConnection connection, string fault)
    {
        if (fault == "close") return;

        await connection.ReadRequestAsync();
        const string Ok = "HTTP/1.1 200 OK\r\n";
        switch (fault)
        {
            case "reset":
                connection.Reset();
                return;
            case "garbage":
                await connection.SendAsync("this is no HTTP at all\r\n\r\n");
                break;
            case "half a head":
                await connection.SendAsync(Ok + "Content-Le");
                return;
            case "oversized head":
                await connection.SendAsync($"{Ok}X-Big: {new string('x', 70_000)}\r\n\r\n");
                break;
            case "bad Content-Length":
                await connection.SendAsync(Ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc");
                break;
            case "bad chunk":
                await connection.SendAsync(Ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n");
                break;
            case "short body":
                await connection.SendAsync(Ok + "Content-Length: 10\r\n\r\nok");
                return;
            case "reset in body":
                await connection.SendAsync(Ok + "Content-Length: 10\r\n\r\nok");
                connection.Reset();
                return;
            case "unfinished chunks":
                await connection.SendAsync(Ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n");
                return;
            case "hang in body":
                await connection.SendAsync(Ok + "Content-Length: 10\r\n\r\nok");
                break;
        }

        // Until the proxy gives up.
        await connection.ReadRequestAsync();
    }

    private static async Task<ProxyStatus?> VerdictAsync(string origin)
    {
        var verdicts = new ConcurrentQueue<ProxyStatus?>();
        await using var edge = await Edge.StartAsync(origin, new EdgeSettings
        {
            ActivityTimeout = TimeSpan.FromMilliseconds(700),
            Use = async (context, next) =>
            {
                await next(context);
                var error = context.Features.Get<IForwarderErrorFeature>();
                verdicts.Enqueue(ProxyStatus.From(error?.Error ?? ForwarderError.None, error?.Exception));
            },
        });
        await using var client = await RawClient.ConnectAsync(edge.Port);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        await client.ReadToEndAsync();

        var deadline = DateTime.UtcNow.AddSeconds(10);
        while (verdicts.IsEmpty && DateTime.UtcNow < deadline) await Task.Yield();
        return Assert.Single(verdicts);
    }
}
