using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;

namespace CdnEdge.Delivery.Tests.Library;

/// <summary>A real Kestrel on a free port of 127.0.0.1, as an origin or as the application under test, with a client.</summary>
internal sealed class Server : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Server(WebApplication app)
    {
        _app = app;
        Url = app.Urls.First() + "/";
        Client = new HttpClient(new SocketsHttpHandler { UseCookies = false, ResponseHeaderEncodingSelector = (_, _) => System.Text.Encoding.Latin1 })
        {
            BaseAddress = new Uri(Url),
        };
    }

    public string Url { get; }

    public HttpClient Client { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>An application as a reader of the README would begin it.</summary>
    public static WebApplicationBuilder Builder()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        return builder;
    }

    public static async Task<Server> StartAsync(WebApplication app)
    {
        await app.StartAsync();
        return new Server(app);
    }

    /// <summary>An origin that answers every request, for a minute's storage unless <paramref name="answer"/> says otherwise.</summary>
    public static Task<Server> OriginAsync(Func<HttpContext, Task> answer)
    {
        var app = Builder().Build();
        app.Run(context =>
        {
            context.Response.Headers.CacheControl = "max-age=60";
            return answer(context);
        });
        return StartAsync(app);
    }

    /// <summary>An origin that counts: the body of its nth answer is <c>n</c>.</summary>
    public static Task<Server> CountingOriginAsync()
    {
        var answers = 0;
        return OriginAsync(context => context.Response.WriteAsync($"{Interlocked.Increment(ref answers)}"));
    }

    /// <summary>One cluster <c>web</c> with one destination.</summary>
    public static ClusterConfig Cluster(Server origin) => new()
    {
        ClusterId = "web",
        Destinations = new Dictionary<string, DestinationConfig> { ["only"] = new() { Address = origin.Url } },
    };

    /// <summary>One route to the cluster <c>web</c>.</summary>
    public static RouteConfig Route(string path = "/{**path}", string? policy = null) => new()
    {
        RouteId = path,
        ClusterId = "web",
        Match = new RouteMatch { Path = path },
        Metadata = policy is null ? null : new Dictionary<string, string> { [CdnCacheMetadata.Policy] = policy },
    };

    /// <summary>Body and what Cache-Status says of it: <c>1 MISS</c>, <c>1 HIT</c>.</summary>
    public async Task<string> GetAsync(string target, params (string Name, string Value)[] fields)
    {
        using var answer = await SendAsync(target, fields);
        return $"{await answer.Content.ReadAsStringAsync()} {Word(answer)}";
    }

    public async Task<HttpResponseMessage> SendAsync(string target, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, target);
        foreach (var (name, value) in fields)
            request.Headers.TryAddWithoutValidation(name, value);
        return await Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public static string Word(HttpResponseMessage answer)
    {
        var status = answer.Headers.TryGetValues("Cache-Status", out var values) ? string.Join(", ", values) : "";
        return status.Contains("; hit", StringComparison.Ordinal) ? "HIT"
            : status.Contains("fwd=bypass", StringComparison.Ordinal) ? "BYPASS"
            : status.Contains("fwd=", StringComparison.Ordinal) ? "MISS"
            : status.Length == 0 ? "NONE" : status;
    }

    public static IConfiguration Configuration(string json) =>
        new ConfigurationBuilder().AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json))).Build();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
