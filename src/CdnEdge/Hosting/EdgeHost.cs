using System.Diagnostics.Metrics;
using CdnEdge.Configuration;
using CdnEdge.Control;
using CdnEdge.Delivery.Guard;
using CdnEdge.Tls;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Hosting;

/// <summary>The composition root: everything that <c>cdnedge serve</c> runs, put together.</summary>
internal static partial class EdgeHost
{
    internal static WebApplication Build(ConfigurationSource source, ConfigurationSource.FileContent file, ReviewedConfiguration reviewed)
    {
        // The empty builder: no appsettings.json of the working directory, no ASPNETCORE_URLS. What counts is said in one place.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        var configuration = new ValidatedConfiguration(reviewed);
        var services = builder.Services;

        builder.WebHost.UseKestrelCore().UseSockets(SocketScheduling.Configure).ConfigureKestrel(kestrel => KestrelSetup.Configure(kestrel, reviewed));
        if (reviewed.ServesHttp3)
            builder.WebHost.UseKestrelHttpsConfiguration().UseQuic();
        EdgeLogging.AddTo(builder.Logging, configuration.Root);

        services.AddSingleton(_ => configuration); // by a factory, so that it's disposed with the host
        services.AddSingleton(TimeProvider.System);
        if (reviewed.Listen.Any(static address => address.IsTls))
        {
            services.AddSingleton(provider =>
            {
                var store = new CertificateStore(reviewed.Tls, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<IMeterFactory>(), provider.GetRequiredService<ILogger<CertificateStore>>());
                store.Watch();
                return store;
            });
            services.AddSingleton(provider => new TlsHandshake(
                provider.GetRequiredService<CertificateStore>(), host => configuration.Sites.Table.Find(host).ClientCertificate));
        }

        services.AddRouting();
        services.AddReverseProxy()
            .LoadFromConfig(configuration.Root.GetSection("ReverseProxy"))
            .AddCdnCache(configuration.Root.GetSection("CdnEdge"));
        services.Configure<HostOptions>(static host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
        EdgeAdmin.AddTo(services, reviewed);
        EdgeSites.AddTo(services, reviewed);
        if (source.File is not null)
        {
            services.AddSingleton(provider => new ConfigurationFileWatch(
                source,
                file,
                provider.GetRequiredService<ValidatedConfiguration>(),
                reviewed,
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<ConfigurationFileWatch>>()));
            services.AddHostedService(static provider => provider.GetRequiredService<ConfigurationFileWatch>());
        }

        var app = builder.Build();
        // Spelt out rather than left to WebApplication, whose terminal middleware would stand before the endpoints.
        Http2FloodGuard.Use(app);
        EdgeAdmin.CloseWhileDraining(app);
        EdgeSites.Use(app);
        PeerReadiness.Use(app, reviewed.Cache.Name);
        EdgeAdmin.UsePurgeMethod(app, reviewed);
        app.UseRouting();
        // Every endpoint here is a route of YARP's, with metadata; routing's own refusals (405) have none.
        app.Use(next => context => context.GetEndpoint() is { Metadata.Count: 0, RequestDelegate: { } refusal }
            ? UnknownSite.RefuseMethodAsync(context, refusal, reviewed.Cache.Name)
            : next(context));
#pragma warning disable ASP0014
        app.UseEndpoints(static endpoints => endpoints.MapReverseProxy());
#pragma warning restore ASP0014
        app.Run(context => UnknownSite.RefuseAsync(context, reviewed.Cache.Name));
        return app;
    }

    internal static void LogStart(WebApplication edge, ReviewedConfiguration reviewed)
    {
        var logger = edge.Services.GetRequiredService<ILoggerFactory>().CreateLogger("CdnEdge");
        var addresses = edge.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses;
        foreach (var address in addresses)
            Log.Listening(logger, address);
        if (reviewed.Http3Answer is { } answer)
            Log.Http3(logger, reviewed.ServesHttp3 ? LogLevel.Information : LogLevel.Warning, answer);
        foreach (var address in edge.Services.GetService<AdminServer>()?.Addresses ?? [])
            Log.Admin(logger, address);
        if (reviewed.Origin is { } origin)
            Log.Origin(logger, origin);
        else
            Log.Configuration(logger, reviewed.Name, reviewed.Contents);
        if (edge.Services.GetService<PurgePropagation>() is not null)
            Log.Purges(logger, reviewed.Purge.Node, reviewed.Purge.Pop, reviewed.Cache.Redis.Connection is null ? reviewed.Purge.LogFile! : "Redis", Peers(reviewed.Purge));
        Log.Memory(logger, Delivery.Configuration.MemoryBound.Of(reviewed.Cache.Memory) / (1024 * 1024));
    }

    private static string Peers(PurgeOptions purge) => purge.Peers.Count == 0 ? "no other PoP" : string.Join(", ", purge.Peers.Select(static peer => peer.Name));

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Now listening on: {Address}")]
        internal static partial void Listening(ILogger logger, string address);

        [LoggerMessage(EventId = 7, Message = "HTTP/3 {Answer}")]
        internal static partial void Http3(ILogger logger, LogLevel level, string answer);

        [LoggerMessage(5, LogLevel.Information, "Admin API on: {Address}")]
        internal static partial void Admin(ILogger logger, string address);

        [LoggerMessage(2, LogLevel.Information, "origin {Origin}")]
        internal static partial void Origin(ILogger logger, string origin);

        [LoggerMessage(3, LogLevel.Information, "configuration {File}: {Contents}")]
        internal static partial void Configuration(ILogger logger, string file, string contents);

        [LoggerMessage(6, LogLevel.Information, "node {Node} of PoP {Pop}: purges are logged in {Log} and carried to {Peers}")]
        internal static partial void Purges(ILogger logger, string node, string pop, string log, string peers);

        [LoggerMessage(4, LogLevel.Information, "memory tier of at most {MebiBytes} MiB")]
        internal static partial void Memory(ILogger logger, long mebiBytes);
    }
}
