using System.Net;
using System.Net.Sockets;
using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>The node proves itself to curl, as several sites.</summary>
public sealed class TlsScenarios : IAsyncLifetime
{
    private const string Anywhere = "https://127.0.0.1:0";

    private readonly ScriptedOrigin _origin = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("cdnedge-tls-").FullName;
    private EdgeProcess? _edge;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_edge is not null)
            await _edge.DisposeAsync();
        await _origin.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Each_site_has_its_certificate_and_a_renewed_one_counts_without_a_restart()
    {
        var page = _origin.Serves(origin => origin.Fresh("hello"));
        var first = Write("www.example.org");
        Write("www.example.net");
        await Start();

        Assert.Contains("hello", await Visit("www.example.org", first, page.Path), StringComparison.Ordinal);
        Assert.Contains("HTTP/2 200", await Visit("www.example.org", first, page.Path), StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 200", await Visit("www.example.org", first, page.Path, "--http1.1"), StringComparison.Ordinal);
        Assert.DoesNotContain("hello", await Visit("www.example.com", first, page.Path, "-k"), StringComparison.Ordinal); // even to who would take any

        var second = Write("www.example.org");
        await Deadline.Until(async () => (await Visit("www.example.org", second, page.Path)).Contains("hello", StringComparison.Ordinal), "the renewed certificate");

        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task Without_a_certificate_there_is_one_for_development_and_the_log_says_so()
    {
        var page = _origin.Serves(origin => origin.Fresh("hello"));
        _edge = await EdgeProcess.Serve(["--origin", _origin.Url], listen: Anywhere);

        Assert.Contains("hello", await Curl.Run("-sik", new Uri(_edge.Address, page.Path).ToString()), StringComparison.Ordinal);
        Assert.Contains("self-signed", _edge.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-tls1_3", "TLSv1.3")]
    [InlineData("-tls1_2", "TLSv1.2")]
    public async Task A_session_is_resumed(string version, string expected)
    {
        Write("www.example.org");
        await Start();
        var session = Path.Combine(_folder, "session");

        Assert.Contains($"New, {expected}", await OpenSsl.Get(_edge!.Address.Port, "www.example.org", version, "-sess_out", session), StringComparison.Ordinal);
        Assert.Contains($"Reused, {expected}", await OpenSsl.Get(_edge.Address.Port, "www.example.org", version, "-sess_in", session), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-tls1_1 -cipher DEFAULT@SECLEVEL=0")]
    [InlineData("-tls1_2 -cipher AES128-GCM-SHA256")] // no ephemeral key
    [InlineData("-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256")] // CBC
    public async Task What_RFC_9325_does_not_recommend_gets_no_answer(string offer)
    {
        Write("www.example.org");
        await Start();

        Assert.DoesNotContain("HTTP/1.1 ", await OpenSsl.Get(_edge!.Address.Port, "www.example.org", offer.Split(' ')), StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 ", await OpenSsl.Get(_edge.Address.Port, "www.example.org", "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_site_that_asks_for_client_certificates_lets_nobody_in_without_one_of_its_authority()
    {
        var page = _origin.Serves(origin => origin.Fresh("hello"));
        using var ours = new CertificateAuthority();
        using var others = new CertificateAuthority();
        var server = Write("www.example.org", "inner.example.org");
        await Start(new()
        {
            ["CdnEdge__Sites__inner.example.org__ClientCertificate__Ca"] = ours.WriteCertificate(_folder, "ours"),
        });
        var (certificate, key) = ours.Issue(_folder, "visitor");
        var (forged, forgedKey) = others.Issue(_folder, "forged");

        Assert.Contains("hello", await Visit("inner.example.org", server, page.Path, "--cert", certificate, "--key", key), StringComparison.Ordinal);
        Assert.DoesNotContain("hello", await Visit("inner.example.org", server, page.Path), StringComparison.Ordinal);
        Assert.DoesNotContain("hello", await Visit("inner.example.org", server, page.Path, "--cert", forged, "--key", forgedKey), StringComparison.Ordinal);
        Assert.Contains("hello", await Visit("www.example.org", server, page.Path), StringComparison.Ordinal);

        // On a connection made for another site (RFC 9113 §9.1.1), and without TLS's name.
        var coalesced = await Visit("www.example.org", server, page.Path, "-H", "Host: inner.example.org");
        Assert.StartsWith("HTTP/2 421", coalesced, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_a_site_requires_none_a_client_may_have_none_but_not_somebody_elses()
    {
        var page = _origin.Serves(origin => origin.Fresh("hello"));
        using var ours = new CertificateAuthority();
        using var others = new CertificateAuthority();
        var server = Write("www.example.org");
        await Start(new()
        {
            ["CdnEdge__Sites__www.example.org__ClientCertificate__Ca"] = ours.WriteCertificate(_folder, "ours"),
            ["CdnEdge__Sites__www.example.org__ClientCertificate__Required"] = "false",
        });
        var (certificate, key) = ours.Issue(_folder, "visitor");
        var (forged, forgedKey) = others.Issue(_folder, "forged");

        Assert.Contains("hello", await Visit("www.example.org", server, page.Path), StringComparison.Ordinal);
        Assert.Contains("hello", await Visit("www.example.org", server, page.Path, "--cert", certificate, "--key", key), StringComparison.Ordinal);
        Assert.DoesNotContain("hello", await Visit("www.example.org", server, page.Path, "--cert", forged, "--key", forgedKey), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_site_with_a_name_of_other_letters_has_its_certificate()
    {
        var page = _origin.Serves(origin => origin.Fresh("hello"));
        var server = Write("xn--bcher-kva.example");
        await Start();

        Assert.Contains("hello", await Visit("xn--bcher-kva.example", server, page.Path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_authority_says_of_its_certificate_is_sent_along()
    {
        using var authority = new CertificateAuthority();
        await using var responder = new OcspResponder();
        authority.Issue(_folder, "www", ["www.example.org"], responder);
        await responder.StartAsync(authority, _folder);
        await Start();

        await Deadline.Until(
            async () => (await OpenSsl.Get(_edge!.Address.Port, "www.example.org", "-status")).Contains("OCSP Response Status: successful", StringComparison.Ordinal),
            "a stapled answer of the authority");
    }

    [Fact]
    public async Task Without_libmsquic_check_and_log_say_that_HTTP3_is_off_and_where_it_comes_from()
    {
        Assert.SkipWhen(QuicIsSupported, "This machine has libmsquic.");
        Write("www.example.org");
        await Start();
        await Deadline.Until(() => _edge!.Output.Contains("HTTP/3 is off: this machine has no libmsquic", StringComparison.Ordinal), "the log's line on HTTP/3");

        var (code, output) = await EdgeProcess.Run("check", "--origin", _origin.Url, "--listen", "https://127.0.0.1:8443");
        Assert.Equal(0, code);
        Assert.Contains("HTTP/3 is off: this machine has no libmsquic", output, StringComparison.Ordinal);
        Assert.Contains("packages.microsoft.com", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Alt-Svc", await Visit("www.example.org", "/dev/null", "/", "-k"), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task While_draining_connections_of_HTTP2_are_given_up_after_their_requests()
    {
        var page = _origin.Serves(origin => origin.Fresh("hello"));
        _edge = await EdgeProcess.Serve(["--origin", _origin.Url], withAdmin: true, listen: Anywhere);
        using var connections = new ConnectionCount(new Uri(_edge.Address, page.Path));
        await connections.Get();
        await connections.Get();
        Assert.Equal(1, connections.Made);

        Assert.Equal(0, (await EdgeProcess.Run("drain", "--admin", _edge.AdminAddress.ToString())).ExitCode);

        await connections.Get(); // on the old connection, which is told
        await Deadline.Until(async () =>
        {
            await connections.Get();
            return connections.Made > 1;
        }, "a new connection");
    }

    private static bool QuicIsSupported => System.Net.Quic.QuicListener.IsSupported;

    private async Task Start(Dictionary<string, string>? settings = null)
    {
        settings ??= [];
        settings["CdnEdge__Tls__Folder"] = _folder;
        _edge = await EdgeProcess.Serve(["--origin", _origin.Url], settings, listen: Anywhere);
    }

    private Task<string> Visit(string host, string ca, string path, params string[] more) =>
        Curl.Run(["-si", "--cacert", ca, "--resolve", $"{host}:{_edge!.Address.Port}:127.0.0.1", .. more, $"https://{host}:{_edge.Address.Port}{path}"]);

    /// <summary>Puts a self-signed pair into the folder; the file that curl trusts it by.</summary>
    private string Write(params string[] hosts) => CertificateAuthority.WriteSelfSigned(_folder, hosts);

    /// <summary>A client of HTTP/2 that counts its connections, and whose every answer has to be right.</summary>
    private sealed class ConnectionCount : IDisposable
    {
        private readonly HttpClient _client;
        private readonly Uri _url;
        private int _made;

        internal ConnectionCount(Uri url)
        {
            _url = url;
            _client = new HttpClient(new SocketsHttpHandler
            {
                SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=CdnEdge development" },
                ConnectCallback = async (context, stop) =>
                {
                    Interlocked.Increment(ref _made);
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await socket.ConnectAsync(context.DnsEndPoint, stop);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            })
            { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        }

        internal int Made => Volatile.Read(ref _made);

        internal async Task Get() => Assert.Equal("hello", await _client.GetStringAsync(_url, TestContext.Current.CancellationToken));

        public void Dispose() => _client.Dispose();
    }
}
