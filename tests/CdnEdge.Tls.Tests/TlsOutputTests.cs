using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CdnEdge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace CdnEdge.Tls.Tests;

/// <summary>How bytes leave over TLS: a real Kestrel, whose clients count the records, or are slow.</summary>
public sealed class TlsOutputTests : IDisposable
{
    /// <summary>A record's most of plain text, and at most what encryption adds to it in TLS 1.3: the inner type and a tag.</summary>
    private const int WholeRecord = (16 * 1024) + 17;

    /// <summary>More than lies between two sockets when nobody reads.</summary>
    private const int MoreThanSocketsHold = 32 * 1024 * 1024;

    private readonly FakeTimeProvider _time = new();
    private readonly X509Certificate2 _certificate = SelfSigned();

    public void Dispose() => _certificate.Dispose();

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_large_body_goes_in_whole_records(string version)
    {
        var body = RandomNumberGenerator.GetBytes(1024 * 1024);
        await using var server = await Http(async context =>
        {
            context.Response.ContentLength = body.Length;
            await context.Response.StartAsync();
            for (var at = 0; at < body.Length; at += 64 * 1024)
                await context.Response.Body.WriteAsync(body.AsMemory(at, 64 * 1024));
        });
        using var client = new Client(server, Version.Parse(version), IsServers);

        Assert.Equal(body, await Deadline.Within(client.Get(), "the body"));

        var whole = client.Records.Count(static length => length == WholeRecord);
        Assert.True(whole >= 0.7 * body.Length / WholeRecord, $"{whole} of {client.Records.Length} records are whole: {string.Join(' ', client.Records)}");
    }

    [Fact]
    public async Task Answers_on_streams_of_HTTP2_that_are_ready_together_leave_together()
    {
        const int Requests = 90; // Kestrel lets a connection have 100 at a time
        var waiting = 0;
        var ready = new TaskCompletionSource();
        await using var server = await Http(async context =>
        {
            var go = ready.Task;
            Interlocked.Increment(ref waiting);
            await go;
            await context.Response.WriteAsync("small");
        });
        using var client = new Client(server, HttpVersion.Version20, IsServers);
        var records = new List<int>();

        // How many meet depends on the threads; where nothing collects them, each has its own record every time.
        do
        {
            (waiting, ready) = (0, new TaskCompletionSource());
            var answers = Enumerable.Range(0, Requests).Select(_ => client.Get()).ToArray();
            await Deadline.Until(() => Volatile.Read(ref waiting) == Requests);
            var before = client.Records.Length;
            ready.SetResult();
            await Deadline.Within(Task.WhenAll(answers), "the answers");
            records.Add(client.Records.Length - before);
        }
        while (records[^1] >= Requests && records.Count < 20);

        Assert.True(records[^1] < Requests, $"{string.Join(", ", records)} records for {Requests} answers each");
    }

    [Fact]
    public async Task What_HTTP2_wrote_before_it_ended_still_arrives()
    {
        var body = RandomNumberGenerator.GetBytes(MoreThanSocketsHold);
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await Connections(connection =>
        {
            _ = connection.Transport.Output.WriteAsync(body).AsTask();
            written.SetResult();
            return Task.CompletedTask;
        });
        await using var client = await ConnectHttp2(server);
        await Deadline.Within(written.Task, "the server to write");

        Assert.Equal(body, await Deadline.Within(ToEnd(client), "the bytes"));
    }

    [Fact]
    public async Task A_client_that_does_not_take_the_last_of_its_answers_is_given_up()
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await Connections(
            connection =>
            {
                connection.ConnectionClosed.Register(closed.SetResult);
                _ = connection.Transport.Output.WriteAsync(new byte[MoreThanSocketsHold]).AsTask();
                return Task.CompletedTask;
            },
            next => async connection =>
            {
                await next(connection);
                ended.SetResult();
            });
        await using var client = await ConnectHttp2(server);

        // The clock that is waited for starts some time after the client's last byte has been sent.
        await Deadline.Until(() =>
        {
            _time.Advance(TlsOutput.Patience / 10);
            return closed.Task.IsCompleted;
        });
        await Deadline.Within(ended.Task, "the connection to end");
        Assert.True(await Deadline.Within(BytesUntilReset(client), "the client to hear of it") < MoreThanSocketsHold);
    }

    private Task<WebApplication> Http(RequestDelegate answer) => Start(
        kestrel => { },
        app => app.Run(answer));

    /// <summary>A server whose connections speak what the delegate does, not HTTP.</summary>
    private Task<WebApplication> Connections(ConnectionDelegate serve, Func<ConnectionDelegate, ConnectionDelegate>? around = null) => Start(
        endpoint => endpoint.Use(_ => serve),
        app => { },
        around);

    private async Task<WebApplication> Start(
        Action<ListenOptions> behind, Action<WebApplication> configure, Func<ConnectionDelegate, ConnectionDelegate>? around = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
        {
            if (around is not null)
                endpoint.Use(around);
            endpoint.UseHttps(_certificate);
            TlsOutput.Use(endpoint, _time);
            behind(endpoint);
        }));
        var app = builder.Build();
        configure(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    private bool IsServers(object sender, X509Certificate? presented, X509Chain? chain, SslPolicyErrors errors) =>
        _certificate.Equals(presented);

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static Uri AddressOf(WebApplication server) =>
        new(server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    private async Task<SslStream> ConnectHttp2(WebApplication server)
    {
        var address = AddressOf(server);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                ApplicationProtocols = [SslApplicationProtocol.Http2],
                RemoteCertificateValidationCallback = IsServers,
            },
            TestContext.Current.CancellationToken);
        return tls;
    }

    private static async Task<byte[]> ToEnd(SslStream client)
    {
        using var all = new MemoryStream();
        await client.CopyToAsync(all, TestContext.Current.CancellationToken);
        return all.ToArray();
    }

    private static async Task<long> BytesUntilReset(SslStream client)
    {
        var buffer = new byte[64 * 1024];
        var bytes = 0L;
        try
        {
            while (await client.ReadAsync(buffer, TestContext.Current.CancellationToken) is > 0 and var read)
                bytes += read;
        }
        catch (IOException)
        {
            // The reset.
        }

        return bytes;
    }

    /// <summary>One connection, whose records are counted.</summary>
    private sealed class Client : IDisposable
    {
        private readonly HttpClient _http;
        private RecordCounter? _connection;

        internal Client(WebApplication server, Version version, RemoteCertificateValidationCallback isServers)
        {
            var handler = new SocketsHttpHandler
            {
                MaxConnectionsPerServer = 1,
                ConnectCallback = async (context, cancellation) =>
                {
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await socket.ConnectAsync(context.DnsEndPoint, cancellation);
                    return _connection = new RecordCounter(new NetworkStream(socket, ownsSocket: true));
                },
                SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = isServers },
            };
            _http = new HttpClient(handler)
            {
                BaseAddress = AddressOf(server),
                DefaultRequestVersion = version,
                DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
        }

        internal int[] Records => _connection?.Lengths ?? [];

        internal Task<byte[]> Get() => _http.GetByteArrayAsync("/", TestContext.Current.CancellationToken);

        public void Dispose() => _http.Dispose();
    }
}
