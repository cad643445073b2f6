using System.Net;
using System.Net.Http.Headers;
using System.Net.Quic;
using System.Net.Sockets;
using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>What the node does over HTTP/1.1 and HTTP/2 it does over HTTP/3. Where there is no libmsquic these are skipped.</summary>
public sealed class Http3Scenarios : IAsyncLifetime
{
    private readonly ScriptedOrigin _origin = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("cdnedge-h3-").FullName;
    private EdgeProcess _edge = null!;
    private HttpClient _client = null!;
    private int _port;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(QuicListener.IsSupported, "QuicListener.IsSupported is false: this machine has no libmsquic.");
        CertificateAuthority.WriteSelfSigned(_folder, "localhost");
        _port = FreePort();
        _edge = await EdgeProcess.Serve(
            ["--origin", _origin.Url], new Dictionary<string, string> { ["CdnEdge__Tls__Folder"] = _folder }, withAdmin: true, listen: $"https://127.0.0.1:{_port}");
        _client = Client(HttpVersion.Version30);
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_edge is not null)
            await _edge.DisposeAsync();
        await _origin.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task It_is_told_of_over_HTTP2_and_answers_with_hits()
    {
        var page = _origin.Serves(origin => origin.Fresh("hello", "Alt-Svc: h3=\":9\""));
        using var before = Client(HttpVersion.Version20);
        using var told = await before.GetAsync(page.Path, Stop);
        Assert.Equal($"h3=\":{_port}\"; ma=86400", Assert.Single(told.Headers.GetValues("Alt-Svc")));

        using var response = await _client.GetAsync(page.Path, Stop);

        Assert.Equal(HttpVersion.Version30, response.Version);
        Assert.Equal("hello", await response.Content.ReadAsStringAsync(Stop));
        Assert.Contains("hit", Assert.Single(response.Headers.GetValues("Cache-Status")), StringComparison.Ordinal);
        Assert.Contains("HTTP/3 on: ", _edge.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ranges_and_conditions_are_answered()
    {
        var page = _origin.Serves(origin => origin.Fresh("0123456789", "ETag: \"v1\""));
        Assert.Equal("0123456789", await _client.GetStringAsync(page.Path, Stop));

        using var range = new HttpRequestMessage(HttpMethod.Get, page.Path) { Version = HttpVersion.Version30, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        range.Headers.Range = new RangeHeaderValue(2, 4);
        using var part = await _client.SendAsync(range, Stop);
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal("234", await part.Content.ReadAsStringAsync(Stop));

        using var condition = new HttpRequestMessage(HttpMethod.Get, page.Path) { Version = HttpVersion.Version30, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        condition.Headers.IfNoneMatch.Add(new EntityTagHeaderValue("\"v1\""));
        using var unchanged = await _client.SendAsync(condition, Stop);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task A_large_body_arrives_whole_and_a_fill_while_it_comes()
    {
        var goOn = new Signal("the rest to be asked for");
        var large = new string('x', 5_000_000);
        var body = _origin.Serves(origin => origin.Fresh(large));
        var streamed = _origin.Serves(async origin =>
        {
            await origin.Begin(200, "Cache-Control: max-age=600");
            await origin.Chunk("first");
            await goOn.Opened();
            await origin.Chunk("second");
            await origin.End();
        });

        Assert.Equal(large, await _client.GetStringAsync(body.Path, Stop));
        Assert.Equal(large, await _client.GetStringAsync(body.Path, Stop));

        using var response = await _client.GetAsync(streamed.Path, HttpCompletionOption.ResponseHeadersRead, Stop);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Stop));
        var first = new char[5];
        Assert.Equal(5, await Deadline.Within(reader.ReadBlockAsync(first, Stop).AsTask(), "the first chunk"));
        Assert.Equal("first", new string(first));
        goOn.Open();
        Assert.Equal("second", await Deadline.Within(reader.ReadToEndAsync(Stop), "the rest"));
    }

    [Fact]
    public async Task While_draining_it_is_no_longer_told_of_and_nothing_breaks()
    {
        var goOn = new Signal("the rest to be asked for");
        var page = _origin.Serves(origin => origin.Fresh("hello"));
        var slow = _origin.Serves(async origin =>
        {
            await origin.Begin(200, "Cache-Control: no-store");
            await origin.Chunk("first");
            await goOn.Opened();
            await origin.Chunk(new string('x', 100_000));
            await origin.End();
        });
        using var underWay = await _client.GetAsync(slow.Path, HttpCompletionOption.ResponseHeadersRead, Stop);

        Assert.Equal(0, (await EdgeProcess.Run("drain", "--admin", _edge.AdminAddress.ToString())).ExitCode);
        using var told = await _client.GetAsync(page.Path, Stop);
        Assert.Equal("clear", Assert.Single(told.Headers.GetValues("Alt-Svc")));
        Assert.Equal("hello", await told.Content.ReadAsStringAsync(Stop));

        // SIGTERM with a response half sent: GOAWAY, and the rest of it.
        var stopped = _edge.StopAsync();
        await Deadline.Until(async () =>
        {
            using var other = Client(HttpVersion.Version20);
            try
            {
                using var refused = await other.GetAsync(page.Path, Stop);
                return false;
            }
            catch (HttpRequestException)
            {
                return true;
            }
        }, "the node to take no more connections");
        goOn.Open();

        Assert.Equal(100_005, (await underWay.Content.ReadAsStringAsync(Stop)).Length);
        Assert.Equal(0, await stopped);
    }

    private HttpClient Client(Version version) => new(new SocketsHttpHandler
    {
        SslOptions = { RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=localhost" },
    })
    {
        BaseAddress = new Uri($"https://localhost:{_port}"),
        DefaultRequestVersion = version,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    private static int FreePort()
    {
        using var udp = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)udp.Client.LocalEndPoint!).Port;
    }
}
