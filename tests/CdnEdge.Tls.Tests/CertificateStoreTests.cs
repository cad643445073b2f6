using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace CdnEdge.Tls.Tests;

public sealed class CertificateStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cdnedge-tls-").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly Lines _log = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public void Dispose()
    {
        _services.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_host_gets_its_own_certificate_then_a_wildcards_then_none()
    {
        Pair("a", "www.example.org");
        Pair("b", "*.example.org", "example.org");
        using var store = Store();

        Assert.Equal("www.example.org", Find(store, "WWW.example.org."));
        Assert.Equal("*.example.org", Find(store, "img.example.org"));
        Assert.Equal("*.example.org", Find(store, "example.org"));
        Assert.Null(Find(store, "a.b.example.org"));
        Assert.Null(Find(store, "example.net"));
        Assert.Null(Find(store, "org"));
        Assert.Equal("www.example.org", Find(store, null));
    }

    [Fact]
    public void A_host_of_other_than_English_letters_is_found_as_dotnet_names_it_and_as_it_is_in_certificates()
    {
        Pair("a", "xn--bcher-kva.example", "*.xn--bcher-kva.example");
        using var store = Store();

        Assert.Equal("xn--bcher-kva.example", Find(store, "bücher.example"));
        Assert.Equal("xn--bcher-kva.example", Find(store, "xn--bcher-kva.example"));
        Assert.Equal("xn--bcher-kva.example", Find(store, "www.bücher.example"));
        Assert.Null(Find(store, "\ud800.example"));
    }

    [Fact]
    public void The_certificate_for_development_is_made_anew_before_it_ends()
    {
        using var store = Store(new TlsOptions());
        var before = store.Index.Find("localhost");

        _time.Advance(TimeSpan.FromDays(28));
        store.LookAgain();
        Assert.Same(before, store.Index.Find("localhost"));

        _time.Advance(TimeSpan.FromDays(1.5));
        store.LookAgain();
        Assert.True(store.Index.Find("localhost")!.NotAfter > before!.NotAfter.AddDays(28));
    }

    [Fact]
    public void Who_names_another_host_gets_the_default_hosts_where_there_is_one()
    {
        Pair("a", "www.example.org");
        Pair("b", "www.example.net");
        using var store = Store(new() { DefaultHost = "www.example.net" });

        Assert.Equal("www.example.net", Find(store, "elsewhere.example.com"));
        Assert.Equal("www.example.net", Find(store, ""));
    }

    [Fact]
    public void Of_two_for_a_name_the_one_that_lasts_longer_counts()
    {
        Pair("a", TimeSpan.FromDays(90), "www.example.org");
        Pair("b", TimeSpan.FromDays(10), "www.example.org");
        using var store = Store();

        Assert.EndsWith("a.pem", store.Index.Find("www.example.org")!.Files.Certificate, StringComparison.Ordinal);
    }

    [Fact]
    public void Folders_as_certbot_makes_them_are_read()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "www.example.org"));
        Pair("www.example.org/fullchain", TimeSpan.FromDays(90), "www.example.org");
        File.Move(Path.Combine(_folder, "www.example.org/fullchain.key"), Path.Combine(_folder, "www.example.org/privkey.pem"));
        using var store = Store();

        Assert.Equal("www.example.org", Find(store, "www.example.org"));
    }

    [Fact]
    public void A_secret_of_Kubernetes_is_renewed_where_its_link_is_turned()
    {
        var mount = Directory.CreateDirectory(Path.Combine(_folder, "mount")).FullName;
        Directory.CreateDirectory(Path.Combine(_folder, "mount/..one"));
        Directory.CreateDirectory(Path.Combine(_folder, "mount/..two"));
        Pair("mount/..one/tls", TimeSpan.FromDays(10), "www.example.org");
        Pair("mount/..two/tls", TimeSpan.FromDays(90), "www.example.org");
        File.SetLastWriteTimeUtc(Path.Combine(mount, "..two/tls.pem"), _time.GetUtcNow().UtcDateTime.AddSeconds(1));
        Directory.CreateSymbolicLink(Path.Combine(mount, "..data"), "..one");
        File.CreateSymbolicLink(Path.Combine(mount, "tls.pem"), "..data/tls.pem");
        File.CreateSymbolicLink(Path.Combine(mount, "tls.key"), "..data/tls.key");
        using var store = Store(new() { Folder = mount });
        var before = store.Index.Find("www.example.org");

        Directory.Delete(Path.Combine(mount, "..data"));
        Directory.CreateSymbolicLink(Path.Combine(mount, "..data"), "..two");
        LookAfter(store, TimeSpan.FromSeconds(10));

        Assert.NotNull(before);
        Assert.True(store.Index.Find("www.example.org")!.NotAfter > before.NotAfter);
    }

    [Fact]
    public void A_renewed_pair_is_put_in_force_and_a_half_written_one_is_not()
    {
        Pair("a", TimeSpan.FromDays(10), "www.example.org");
        using var store = Store();
        var before = store.Index.Find("www.example.org");

        var whole = File.ReadAllText(Path.Combine(_folder, "a.pem"));
        Write(Path.Combine(_folder, "a.pem"), whole[..(whole.Length / 2)]);
        LookAfter(store, TimeSpan.FromSeconds(5));
        Assert.Same(before, store.Index.Find("www.example.org"));
        Assert.Contains(_log.Written, static line => line.StartsWith("CertificateKept", StringComparison.Ordinal) && line.Contains("half written", StringComparison.Ordinal));

        Pair("a", TimeSpan.FromDays(90), "www.example.org");
        LookAfter(store, TimeSpan.FromSeconds(5));
        Assert.NotSame(before, store.Index.Find("www.example.org"));
        Assert.Contains(_log.Written, static line => line.StartsWith("CertificateRenewed", StringComparison.Ordinal));
    }

    [Fact]
    public void A_key_that_belongs_to_another_certificate_changes_nothing()
    {
        Pair("a", "www.example.org");
        Pair("b", "www.example.net");
        using var store = Store();
        var before = store.Index.Find("www.example.org");

        _time.Advance(TimeSpan.FromSeconds(1));
        Write(Path.Combine(_folder, "a.key"), File.ReadAllText(Path.Combine(_folder, "b.key")));
        LookAfter(store, TimeSpan.FromSeconds(5));

        Assert.Same(before, store.Index.Find("www.example.org"));
        Assert.Single(_log.Written, static line => line.StartsWith("CertificateKept", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_being_written_waits_until_it_has_settled()
    {
        Pair("a", "www.example.org");
        using var store = Store();
        Pair("b", "www.example.net");

        LookAfter(store, TimeSpan.FromMilliseconds(100));
        Assert.Null(Find(store, "www.example.net"));

        LookAfter(store, TimeSpan.FromSeconds(2));
        Assert.Equal("www.example.net", Find(store, "www.example.net"));
    }

    [Fact]
    public void A_pair_that_is_taken_away_stays_in_force_for_a_while()
    {
        Pair("a", "www.example.org");
        using var store = Store();
        File.Delete(Path.Combine(_folder, "a.pem"));
        File.Delete(Path.Combine(_folder, "a.key"));

        LookAfter(store, TimeSpan.FromSeconds(20));
        Assert.Equal("www.example.org", Find(store, "www.example.org"));

        LookAfter(store, CertificateStore.Farewell);
        Assert.NotEqual("www.example.org", Find(store, "www.example.org"));
        Assert.Contains(_log.Written, static line => line.StartsWith("CertificateGone", StringComparison.Ordinal));
    }

    [Fact]
    public void A_link_that_leads_nowhere_is_told_once_and_breaks_nothing()
    {
        Pair("a", "www.example.org");
        File.CreateSymbolicLink(Path.Combine(_folder, "loop.pem"), "loop.pem");
        using var store = Store();

        LookAfter(store, TimeSpan.FromSeconds(5));
        LookAfter(store, TimeSpan.FromSeconds(5));

        Assert.Equal("www.example.org", Find(store, "www.example.org"));
        Assert.Single(_log.Written, static line => line.StartsWith("CertificateUnusable", StringComparison.Ordinal));
    }

    [Fact]
    public void The_folder_itself_may_go_and_what_was_read_stays()
    {
        Pair("a", "www.example.org");
        using var store = Store();
        Directory.Move(_folder, _folder + "-away");

        LookAfter(store, TimeSpan.FromHours(1));
        LookAfter(store, TimeSpan.FromHours(1));
        Directory.Move(_folder + "-away", _folder);

        Assert.Equal("www.example.org", Find(store, "www.example.org"));
        Assert.Single(_log.Written, static line => line.StartsWith("CertificateFolderKept", StringComparison.Ordinal));
    }

    [Fact]
    public void The_end_of_a_certificate_is_told_once_a_day()
    {
        Pair("a", TimeSpan.FromDays(20.5), "www.example.org");
        using var store = Store();
        int Told() => _log.Written.Count(static line => line.StartsWith("CertificateExpires", StringComparison.Ordinal));

        Assert.Equal(1, Told());
        LookAfter(store, TimeSpan.FromHours(23));
        Assert.Equal(1, Told());
        LookAfter(store, TimeSpan.FromHours(2));
        Assert.Equal(2, Told());
        LookAfter(store, TimeSpan.FromDays(30));
        Assert.Contains(_log.Written, static line => line.StartsWith("CertificateExpired", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_left_of_each_certificate_is_metered()
    {
        Pair("a", TimeSpan.FromDays(2), "www.example.org", "example.org");
        var seen = new List<(double Left, object? Names)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == _services.GetRequiredService<IMeterFactory>() && instrument.Name == "cdnedge.tls.certificate.time_left")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, left, tags, _) => seen.Add((left, tags[0].Value)));
        listener.Start();
        using var store = Store();
        _time.Advance(TimeSpan.FromDays(1));

        listener.RecordObservableInstruments();

        var (left, names) = Assert.Single(seen);
        Assert.Equal("www.example.org,example.org", names);
        Assert.InRange(left, 86_398, 86_400);
    }

    [Fact]
    public void A_certificate_that_names_no_host_is_told_as_a_mistake()
    {
        Pair("a");
        using var store = Store();

        Assert.Null(store.Index.Find("www.example.org")!.Files.Certificate); // the one for development
        Assert.Contains(_log.Written, static line => line.StartsWith("CertificateUnusable", StringComparison.Ordinal) && line.Contains("names no host", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_any_certificate_there_is_one_for_development_until_there_is_another()
    {
        using var store = Store();
        Assert.Contains("localhost", store.Index.Find("www.example.org")!.Names);
        Assert.Contains(_log.Written, static line => line.StartsWith("CertificateForDevelopment", StringComparison.Ordinal));

        Pair("a", "www.example.org");
        LookAfter(store, TimeSpan.FromSeconds(5));

        Assert.Equal("www.example.org", Find(store, "www.example.org"));
        Assert.Null(Find(store, "localhost"));
    }

    private CertificateStore Store(TlsOptions? options = null)
    {
        options ??= new TlsOptions();
        options.Folder ??= _folder;
        return new CertificateStore(options, _time, _services.GetRequiredService<IMeterFactory>(), _log);
    }

    private static string? Find(CertificateStore store, string? host) => store.Index.Find(host)?.Names[0];

    private void LookAfter(CertificateStore store, TimeSpan elapsed)
    {
        _time.Advance(elapsed);
        store.LookAgain();
    }

    private void Pair(string name, params string[] hosts) => Pair(name, TimeSpan.FromDays(90), hosts);

    private void Pair(string name, TimeSpan valid, params string[] hosts)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=CdnEdge test", key, HashAlgorithmName.SHA256);
        if (hosts.Length > 0)
        {
            var names = new SubjectAlternativeNameBuilder();
            foreach (var host in hosts)
                names.AddDnsName(host);
            request.CertificateExtensions.Add(names.Build());
        }

        using var certificate = request.CreateSelfSigned(_time.GetUtcNow().AddDays(-1), _time.GetUtcNow() + valid);
        var (file, keyFile) = (Path.Combine(_folder, $"{name}.pem"), Path.Combine(_folder, $"{name}.key"));
        Write(file, certificate.ExportCertificatePem());
        Write(keyFile, key.ExportPkcs8PrivateKeyPem());
    }

    private void Write(string file, string text)
    {
        File.WriteAllText(file, text);
        File.SetLastWriteTimeUtc(file, _time.GetUtcNow().UtcDateTime);
    }

    private sealed class Lines : ILogger
    {
        internal List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Add($"{eventId.Name}: {formatter(state, exception)}");
    }
}
