using System.Collections.Concurrent;
using System.Net;
using CdnEdge.Upstream.Interim;
using CdnEdge.Upstream.Tests.Scene;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;

namespace CdnEdge.Upstream.Tests.Interim;

public class InterimTests
{
    private const string Hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_gets_the_interim_responses_and_then_the_final_one(bool tls)
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 102 Processing\r\n\r\n" + Hints + Ok);
        await using var edge = await Edge.StartAsync(origin, Passing());
        await using var client = await RawClient.ConnectAsync(tls ? edge.TlsPort : edge.Port, tls);

        for (var i = 0; i < 3; i++)
        {
            // The same connections serve the next request.
            await client.SendAsync(Get);
            Assert.Equal("HTTP/1.1 102 Processing\r\n\r\n", await client.ReadHeadAsync());
            Assert.Equal("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", await client.ReadHeadAsync());
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", await client.ReadHeadAsync());
            Assert.Equal("ok", await client.ReadAsync(2));
        }

        Assert.Equal(1, origin.Connections);
    }

    [Fact]
    public async Task An_interim_response_arrives_before_the_final_one_is_there()
    {
        var go = new TaskCompletionSource();
        await using var origin = RawOrigin.Serving(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync(Hints[..20]);
            await connection.SendAsync(Hints[20..]);
            await go.Task;
            await connection.SendAsync(Ok);
        });
        await using var edge = await Edge.StartAsync(origin, Passing());
        await using var client = await RawClient.ConnectAsync(edge.Port);

        await client.SendAsync(Get);
        Assert.StartsWith("HTTP/1.1 103 ", await client.ReadHeadAsync());
        go.SetResult();
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadHeadAsync());
    }

    [Fact]
    public async Task Pipelined_requests_get_their_own_in_order()
    {
        var count = 0;
        await using var origin = RawOrigin.Answering(_ => $"HTTP/1.1 103 Early Hints\r\nX-N: {++count}\r\n\r\n{Ok}");
        await using var edge = await Edge.StartAsync(origin, Passing());
        await using var client = await RawClient.ConnectAsync(edge.Port);

        await client.SendAsync(Get + Get + Get);
        for (var i = 1; i <= 3; i++)
        {
            Assert.Equal($"HTTP/1.1 103 Early Hints\r\nX-N: {i}\r\n\r\n", await client.ReadHeadAsync());
            Assert.StartsWith("HTTP/1.1 200 ", await client.ReadHeadAsync());
            Assert.Equal("ok", await client.ReadAsync(2));
        }
    }

    [Theory]
    [InlineData("HTTP/1.0", "")]
    [InlineData("HTTP/1.1", "Expect: 100-continue\r\nContent-Length: 2\r\n")]
    public async Task Clients_that_may_not_get_them_get_the_final_response(string protocol, string fields)
    {
        await using var origin = RawOrigin.Serving(async connection =>
        {
            var request = await connection.ReadRequestAsync();
            if (request!.Contains("Expect:"))
            {
                await connection.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
                await connection.ReadUntilAsync("hi");
            }

            await connection.SendAsync(Hints + Ok);
        });
        await using var edge = await Edge.StartAsync(origin, Passing());
        await using var client = await RawClient.ConnectAsync(edge.Port);

        await client.SendAsync($"POST / {protocol}\r\nHost: a\r\n{(fields.Length == 0 ? "Content-Length: 0\r\n" : fields)}\r\n");
        if (fields.Length > 0)
        {
            Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", await client.ReadHeadAsync());
            await client.SendAsync("hi");
        }

        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadHeadAsync());
    }

    [Fact]
    public async Task A_request_with_a_body_gets_them_too()
    {
        await using var origin = RawOrigin.Serving(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync(Hints);
            await connection.ReadUntilAsync("body");
            await connection.SendAsync(Hints + Ok);
        });
        await using var edge = await Edge.StartAsync(origin, Passing());
        await using var client = await RawClient.ConnectAsync(edge.Port);

        // SocketsHttpHandler sends the whole body before it looks for an answer, so the hints can't come any earlier.
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
        Assert.StartsWith("HTTP/1.1 103 ", await client.ReadHeadAsync());
        Assert.StartsWith("HTTP/1.1 103 ", await client.ReadHeadAsync());
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadHeadAsync());
    }

    [Fact]
    public async Task Fields_that_are_unsafe_or_for_one_hop_are_left_out()
    {
        await using var origin = RawOrigin.Answering(Ok);
        await using var edge = await Edge.StartAsync(origin, new EdgeSettings
        {
            Use = async (context, next) =>
            {
                await Http1InterimWriter.TryCreate(context)!.TryWriteAsync(103,
                [
                    new("Connection", "X-Hop"), new("X-Hop", "1"), new("Keep-Alive", "1"), new("Content-Length", "9"),
                    new("Transfer-Encoding", "chunked"), new("Bad Name", "1"), new("X:", "1"), new("", "1"), new("X-Cr", "a\rb"),
                    new("X-Lf", "a\nSet-Cookie: b"), new("X-Nul", "\0"), new("X-Wide", "\u0130"), new("X-Good", "a\tb\u00e9"),
                ]);
                await next(context);
            },
        });

        var answer = await edge.AskAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 103 Early Hints\r\nX-Good: a\tb\u00e9\r\n\r\nHTTP/1.1 200 OK\r\n", answer);
    }

    [Fact]
    public async Task Each_request_hears_of_its_own_though_connections_are_shared_and_waited_for()
    {
        // Two upstream connections for many requests at once: some find an idle one, some wait for one.
        await using var origin = RawOrigin.Answering(request =>
        {
            var id = request.Split(' ')[1];
            return $"HTTP/1.1 103 Early Hints\r\nX-Id: {id}\r\n\r\nHTTP/1.1 200 OK\r\nX-Id: {id}\r\nContent-Length: 0\r\n\r\n";
        });
        var heard = new ConcurrentDictionary<string, ConcurrentQueue<string>>();
        await using var edge = await Edge.StartAsync(origin, new EdgeSettings
        {
            Cluster = cluster => cluster with { HttpClient = new HttpClientConfig { MaxConnectionsPerServer = 2 } },
            Use = async (context, next) =>
            {
                var path = context.Request.Path.Value!;
                // Every third doesn't listen, and nobody hears its responses.
                if (path.EndsWith('0'))
                {
                    await next(context);
                    return;
                }

                using (InterimResponses.Begin(new Recording(heard.GetOrAdd(path, _ => new()))))
                    await next(context);
            },
        });

        using var handler = new SocketsHttpHandler();
        using var client = new HttpClient(handler);
        await Task.WhenAll(Enumerable.Range(0, 300).Select(async i =>
        {
            using var response = await client.GetAsync($"http://127.0.0.1:{edge.Port}/{i}-{i % 3}");
            Assert.Equal($"/{i}-{i % 3}", Assert.Single(response.Headers.GetValues("X-Id")));
        }));

        Assert.True(origin.Connections <= 2);
        Assert.Equal(200, heard.Count);
        Assert.All(heard, pair => Assert.Equal([$"103 X-Id: {pair.Key}"], pair.Value));
    }

    [Fact]
    public async Task A_sink_that_fails_breaks_nothing()
    {
        await using var origin = RawOrigin.Answering(Hints + Ok);
        await using var edge = await Edge.StartAsync(origin, new EdgeSettings
        {
            Use = async (context, next) =>
            {
                using (InterimResponses.Begin(new Failing())) await next(context);
            },
        });

        Assert.StartsWith("HTTP/1.1 200 ", await edge.AskAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    }

    [Fact]
    public async Task The_applications_own_client_settings_and_stream_filter_stay()
    {
        var configured = 0;
        var filtered = 0;
        await using var origin = RawOrigin.Answering(Hints + Ok);
        await using var edge = await Edge.StartAsync(origin, new EdgeSettings
        {
            Use = Passing().Use,
            BeforeUpstream = proxy => proxy.ConfigureHttpClient((_, handler) =>
            {
                configured++;
                handler.PlaintextStreamFilter = (connection, _) =>
                {
                    filtered++;
                    return new(connection.PlaintextStream);
                };
            }),
        });

        var answer = await edge.AskAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 103 ", answer);
        Assert.Equal((1, 1), (configured, filtered));
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    public async Task Client_settings_made_too_late_are_warned_of(bool before, int warnings)
    {
        static void Configure(IReverseProxyBuilder proxy) => proxy.ConfigureHttpClient((_, _) => { });
        await using var origin = RawOrigin.Answering(Hints + Ok);
        using var logs = new Warnings();
        await using var edge = await Edge.StartAsync(origin, new EdgeSettings
        {
            Logs = logs,
            BeforeUpstream = before ? Configure : null,
            AfterUpstream = before ? null : Configure,
        });

        Assert.Equal(warnings, logs.Lines.Count(line => line.Contains("Call ConfigureHttpClient before AddCdnCache")));
    }

    [Fact]
    public async Task Http2_clients_get_the_final_response()
    {
        await using var origin = RawOrigin.Answering(Hints + Ok);
        await using var edge = await Edge.StartAsync(origin, Passing());
        using var client = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };

        Assert.Equal("ok", await client.GetStringAsync($"http://127.0.0.1:{edge.Http2Port}/", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_closed_writer_writes_no_more()
    {
        var results = new ConcurrentQueue<bool>();
        await using var origin = RawOrigin.Answering(Ok);
        await using var edge = await Edge.StartAsync(origin, new EdgeSettings
        {
            Use = async (context, next) =>
            {
                var writer = Http1InterimWriter.TryCreate(context)!;
                results.Enqueue(await writer.TryWriteAsync(103, [new("X-A", "1")]));
                results.Enqueue(await writer.TryWriteAsync(100, []));
                results.Enqueue(await writer.TryWriteAsync(101, []));
                results.Enqueue(await writer.TryWriteAsync(200, []));
                await writer.CloseAsync();
                results.Enqueue(await writer.TryWriteAsync(103, []));
                await next(context);
            },
        });

        var answer = await edge.AskAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\nHTTP/1.1 200 OK\r\n", answer);
        Assert.Equal([true, false, false, false, false], results);
    }

    private static EdgeSettings Passing() => new()
    {
        Use = async (context, next) =>
        {
            if (Http1InterimWriter.TryCreate(context) is not { } writer)
            {
                await next(context);
                return;
            }

            using (InterimResponses.Begin(writer)) await next(context);
        },
    };

    private sealed class Recording(ConcurrentQueue<string> heard) : IInterimResponseSink
    {
        public async ValueTask OnInterimAsync(int status, IReadOnlyList<KeyValuePair<string, string>> fields)
        {
            await Task.Yield();
            heard.Enqueue($"{status} {string.Join(',', fields.Select(field => $"{field.Key}: {field.Value}"))}");
        }
    }

    private sealed class Failing : IInterimResponseSink
    {
        public ValueTask OnInterimAsync(int status, IReadOnlyList<KeyValuePair<string, string>> fields) =>
            throw new InvalidOperationException("no");
    }

    private sealed class Warnings : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) Lines.Enqueue(formatter(state, exception));
        }

        public void Dispose()
        {
        }
    }
}
