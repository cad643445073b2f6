using CdnEdge.Storage;
using CdnEdge.Upstream.Ways;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Control;

/// <summary>
/// The admin API: an application of its own beside the edge's in the same process, with its own Kestrel. Neither has the other's
/// endpoints, so that no request to a traffic port can reach it, whatever its path or Host.
/// </summary>
/// <remarks>It starts before the edge listens and stops after it: health can be asked all the while.</remarks>
internal sealed class AdminServer : IHostedService, IAsyncDisposable
{
    /// <summary>Largest body of a call, in bytes: a thousand items of a kilobyte each.</summary>
    internal const int MaxBodyBytes = 1024 * 1024;

    private readonly WebApplication _app;
    private bool _disposed;

    /// <exception cref="IOException">The audit file can't be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    internal AdminServer(AdminParts parts, string? auditFile, Action<KestrelServerOptions> listen)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            kestrel.ConfigureEndpointDefaults(static endpoint => endpoint.Protocols = HttpProtocols.Http1);
            listen(kestrel);
        });
        AddServices(builder.Services, parts, auditFile);
        _app = builder.Build();
        Configure(_app, parts.Time.GetUtcNow());

        // Now, not with the first call: so that a file that can't be opened keeps the node from starting.
        _ = _app.Services.GetRequiredService<AuditLog>();
    }

    /// <summary>Where it listens, once it has started.</summary>
    internal IEnumerable<string> Addresses => _app.Urls;

    public Task StartAsync(CancellationToken cancellationToken) => _app.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => _app.StopAsync(cancellationToken);

    // The edge's host knows it twice, as itself and as a hosted service.
    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _disposed, true) ? ValueTask.CompletedTask : _app.DisposeAsync();

    private static void AddServices(IServiceCollection services, AdminParts parts, string? auditFile)
    {
        // The edge's own, handed over one by one; instances, so that this application doesn't dispose of them.
        services.AddSingleton(parts.Loggers);
        services.AddSingleton(parts.Time);
        services.AddSingleton(parts.Memory);
        services.AddSingleton(new SharedTier(parts.Tier));
        services.AddSingleton(_ => new Warmer(parts.Traffic, parts.Sites, parts.Time));
        services.AddSingleton(parts.Bus);
        services.AddSingleton(parts.Sites);
        services.AddSingleton(parts.Node);
        services.AddSingleton(parts.Tally);
        services.AddSingleton(parts.Drain);
        services.AddSingleton(new UpstreamView(parts.Upstreams));
        services.AddSingleton(parts.Admin);
        if (parts.Propagation is { } propagation)
            services.AddSingleton(propagation);
        services.AddSingleton(provider => new AuditLog(auditFile, parts.Time, provider.GetRequiredService<ILogger<AuditLog>>()));

        // The edge's host handles signals and says when this one stops.
        services.Replace(ServiceDescriptor.Singleton<IHostLifetime, NoLifetime>());
        services.AddRouting();
        services.AddRateLimiter(limiter => AdminRateLimit.Configure(limiter, parts.Admin));
        services.Configure<RouteHandlerOptions>(static handlers => handlers.ThrowOnBadRequest = true);
        services.ConfigureHttpJsonOptions(static json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, AdminJson.Default);
            json.SerializerOptions.UnmappedMemberHandling = AdminJson.Default.Options.UnmappedMemberHandling;
            json.SerializerOptions.AllowDuplicateProperties = false;
            json.SerializerOptions.DefaultIgnoreCondition = AdminJson.Default.Options.DefaultIgnoreCondition;
        });
        services.AddOpenApi(static document => AdminDocument.Configure(document));
    }

    private static void Configure(WebApplication app, DateTimeOffset since)
    {
        app.UseMiddleware<AdminErrors>();
        app.UseRouting();
        app.UseMiddleware<AdminAuthentication>();
        app.UseRateLimiter();
        app.UseMiddleware<AdminAuthorization>();
#pragma warning disable ASP0014 // spelt out rather than left to WebApplication: what stands before what matters here
        app.UseEndpoints(endpoints =>
        {
            PurgeEndpoints.Map(endpoints);
            ObjectEndpoints.Map(endpoints);
            WarmEndpoints.Map(endpoints);
            NodeEndpoints.Map(endpoints, since);
            endpoints.MapOpenApi("/openapi/{documentName}.json");
            AdminDocument.MapPage(endpoints);
        });
#pragma warning restore ASP0014
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

/// <summary>What the API shares with the edge.</summary>
internal sealed record AdminParts(
    ILoggerFactory Loggers,
    TimeProvider Time,
    MemoryTier Memory,
    IPurgeBus Bus,
    IServedSites Sites,
    IAdminNode Node,
    CacheTally Tally,
    DrainState Drain,
    AdminInForce Admin,
    PurgePropagation? Propagation = null,
    ISecondTier? Tier = null,
    Upstreams? Upstreams = null)
{
    /// <summary>The addresses that serve traffic, once they do.</summary>
    internal Func<IEnumerable<string>> Traffic { get; init; } = static () => [];
}

/// <summary>The tier that the node shares with others; null: there is none.</summary>
internal sealed record SharedTier(ISecondTier? Tier);
