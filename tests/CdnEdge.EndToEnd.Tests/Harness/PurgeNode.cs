using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>What came of a purge that was asked for.</summary>
internal enum PurgeOutcome
{
    Accepted,

    /// <summary>A 503 with problem details: not accepted.</summary>
    Refused,

    /// <summary>The connection broke: nobody knows.</summary>
    Unknown,
}

/// <summary>A real node that purges, and its clients: of the site, and of the admin API.</summary>
internal sealed class PurgeNode : IAsyncDisposable
{
    /// <summary>Requests that are under way at once.</summary>
    internal const int Concurrency = 24;

    private readonly HttpClient _traffic;
    private readonly HttpClient _admin;

    private PurgeNode(EdgeProcess process)
    {
        Process = process;
        _traffic = Client(process.Address);
        _admin = Client(process.AdminAddress);
    }

    internal EdgeProcess Process { get; }

    internal int AdminPort => Process.AdminAddress.Port;

    /// <summary>Starts it and waits until it's ready.</summary>
    internal static async Task<PurgeNode> StartAsync(IEnumerable<string> arguments, Dictionary<string, string> settings)
    {
        var node = new PurgeNode(await EdgeProcess.Serve(arguments, settings, withAdmin: true));
        await Deadline.Until(async () => await node.StatusAsync("/health/ready") == HttpStatusCode.OK, "the node to be ready");
        return node;
    }

    /// <summary>The body that the site has for a page, and whether it came from memory.</summary>
    internal async Task<(string Body, string CacheStatus)> GetAsync(int page)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/{page}") { Headers = { Host = PurgeScene.Site } };
        using var response = await _traffic.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), string.Join(", ", response.Headers.GetValues("Cache-Status")));
    }

    /// <summary>Gets all of them until each is answered from memory.</summary>
    internal Task WarmAsync(IEnumerable<int> pages) => EachAsync(pages, async page =>
    {
        await GetAsync(page);
        await Deadline.Until(async () => (await GetAsync(page)).CacheStatus.StartsWith("cdnedge; hit", StringComparison.Ordinal), $"page {page} to be stored");
    });

    /// <summary>Which of them are served as something else.</summary>
    internal async Task<int[]> OthersThanAsync(string body, IEnumerable<int> pages)
    {
        var others = new ConcurrentBag<int>();
        await EachAsync(pages, async page =>
        {
            if ((await GetAsync(page)).Body != body)
                others.Add(page);
        });
        return [.. others.Order()];
    }

    internal async Task<PurgeOutcome> PurgeAsync(int page)
    {
        try
        {
            using var content = new StringContent($$"""{ "urls": [ "http://{{PurgeScene.Site}}/{{page}}" ] }""", Encoding.UTF8, "application/json");
            using var response = await _admin.PostAsync("/purge", content, TestContext.Current.CancellationToken);
            if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Accepted)
                return PurgeOutcome.Accepted;
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "application/problem+json"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
            Assert.NotNull(response.Headers.RetryAfter);
            return PurgeOutcome.Refused;
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            return PurgeOutcome.Unknown;
        }
    }

    /// <summary>A purge that has to be accepted; the answer.</summary>
    internal async Task<JsonNode> PurgeAsync(object body, string query = "")
    {
        using var response = await _admin.PostAsJsonAsync("/purge" + query, body, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    internal async Task<JsonNode> AdminAsync(string path)
    {
        using var response = await _admin.GetAsync(path, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    /// <summary>Does it for each, several at a time.</summary>
    internal static Task EachAsync(IEnumerable<int> pages, Func<int, Task> act) => Parallel.ForEachAsync(
        pages,
        new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = TestContext.Current.CancellationToken },
        async (page, _) => await act(page));

    /// <summary>Ends it at once (SIGKILL).</summary>
    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        _traffic.Dispose();
        _admin.Dispose();
    }

    private static HttpClient Client(Uri address) => new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { BaseAddress = address };

    private async Task<HttpStatusCode> StatusAsync(string path)
    {
        using var response = await _admin.GetAsync(path, TestContext.Current.CancellationToken);
        return response.StatusCode;
    }
}
