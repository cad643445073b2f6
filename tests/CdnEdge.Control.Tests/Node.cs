using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using CdnEdge.Caching;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CdnEdge.Control.Tests;

/// <summary>A node with a memory tier and the real admin API on a free port, without traffic of its own.</summary>
internal sealed class Node : IServedSites, IAdminNode, IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly SegmentArena _arena = new();
    private readonly CacheTally _tally;
    private AdminServer? _server;

    internal Node()
    {
        Memory = new MemoryTier(64 << 20, _arena);
        Bus = new LocalPurgeBus(Memory, this, Time);
        _tally = new CacheTally(Meters);
    }

    internal static CancellationToken Stop => TestContext.Current.CancellationToken;

    internal FakeTimeProvider Time { get; } = new(DateTimeOffset.UnixEpoch.AddDays(20_000));

    internal MemoryTier Memory { get; }

    internal DrainState Drain { get; } = new();

    internal IPurgeBus Bus { get; set; }

    /// <summary>Null: no log of purges.</summary>
    internal PurgePropagation? Propagation { get; private set; }

    internal AdminInForce Admin { get; private set; } = null!;

    internal IMeterFactory Meters => _services.GetRequiredService<IMeterFactory>();

    internal List<NamedPolicy> PolicyList { get; } = [new("default", new CachePolicy())];

    internal Dictionary<string, string?> Values { get; } = [];

    internal ReloadOutcome Reload { get; set; } = new(true, "1 route", [], []);

    internal Uri Address => new(_server!.Addresses.Single());

    public string Name => "cdnedge";

    public string Version => "1.2.3";

    public bool IsStopping { get; set; }

    public IEnumerable<KeyValuePair<string, string?>> Configuration => Values;

    public IEnumerable<NamedPolicy> Policies => PolicyList;

    public bool Serves(HostString host) => host.Host is "example.org" or "www.example.org" or "xn--bcher-kva.example";

    public Task<ReloadOutcome> ReloadAsync() => Task.FromResult(Reload);

    internal async Task<Node> Start(AdminOptions? options = null)
    {
        options ??= new AdminOptions();
        Admin = new AdminInForce(options);
        _server = new AdminServer(
            new AdminParts(NullLoggerFactory.Instance, Time, Memory, Bus, this, this, _tally, Drain, Admin, Propagation),
            options.AuditFile,
            static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await _server.StartAsync(Stop);
        return this;
    }

    /// <summary>With a log of purges, which is to be started by the test.</summary>
    internal Node WithLog(IPurgeLog log, IPurgeLedger ledger, PurgeOptions options)
    {
        Propagation = new PurgePropagation(
            options, log, ledger, Memory, () => PolicyList.Select(static named => named.Policy), new PurgeMetrics(Meters), static _ => Task.CompletedTask, Time, NullLoggerFactory.Instance);
        Bus = Propagation.Bus;
        return this;
    }

    /// <summary>A stored response of a minute's freshness.</summary>
    internal StoredResponse Store(string url, string? tags = null, CachePolicy? policy = null, params (string Name, string Value)[] fields)
    {
        policy ??= PolicyList[0].Policy;
        var response = new HeaderDictionary { ["Cache-Control"] = "max-age=60", ["Content-Type"] = "text/html" };
        if (tags is not null)
            response["Surrogate-Key"] = tags;
        foreach (var (name, value) in fields)
            response[name] = value;
        var directives = ResponseDirectives.Parse(response, policy);
        var freshness = Freshness.Of(200, response, directives, policy, Time.GetUtcNow(), Time.GetUtcNow());
        var stored = new StoredResponse(StoredHead.Create(200, response, new HeaderDictionary(), directives, freshness, policy), null, Memory.Epochs.Now);
        Assert.True(Memory.Put(CacheKey.Of(policy, new Uri(url)), stored, policy.MaxVariants));
        return stored;
    }

    internal bool Has(StoredResponse stored) => Memory.Survives(stored, Time.GetUtcNow());

    internal async Task<Answer> Send(HttpMethod method, string path, string? json = null, Action<HttpRequestMessage>? change = null)
    {
        using var client = new HttpClient { BaseAddress = Address };
        using var request = new HttpRequestMessage(method, path);
        if (json is not null)
            request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        change?.Invoke(request);
        using var response = await client.SendAsync(request, Stop);
        return new Answer(
            response.StatusCode,
            response.Content.Headers.ContentType?.MediaType,
            await response.Content.ReadAsStringAsync(Stop),
            response.Headers.Location?.OriginalString,
            response.Headers.ToDictionary(static field => field.Key, static field => string.Join(", ", field.Value), StringComparer.OrdinalIgnoreCase));
    }

    internal Task<Answer> Get(string path, Action<HttpRequestMessage>? change = null) => Send(HttpMethod.Get, path, null, change);

    internal Task<Answer> Purge(string json, string query = "", Action<HttpRequestMessage>? change = null) => Send(HttpMethod.Post, "/purge" + query, json, change);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.StopAsync(CancellationToken.None);
            await _server.DisposeAsync();
        }

        if (Propagation is not null)
            await Propagation.DisposeAsync();
        _tally.Dispose();
        Memory.Dispose();
        _arena.Dispose();
        await _services.DisposeAsync();
    }
}

/// <summary>What the API answered.</summary>
internal sealed record Answer(HttpStatusCode Status, string? Type, string Text, string? Location, Dictionary<string, string> Fields)
{
    internal JsonNode Json => JsonNode.Parse(Text)!;

    /// <summary>Problem details of this status; each wrong item as "pointer: detail".</summary>
    internal string[] Problem(HttpStatusCode status)
    {
        Assert.Equal(status, Status);
        Assert.Equal("application/problem+json", Type);
        Assert.Equal((int)status, (int)Json["status"]!);
        Assert.NotEmpty((string)Json["title"]!);
        Assert.NotEmpty((string)Json["detail"]!);
        return [.. (Json["errors"] as JsonArray ?? []).Select(static item => $"{item!["pointer"]}: {item["detail"]}")];
    }
}
