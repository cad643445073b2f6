using System.Diagnostics.Metrics;
using CdnEdge.Configuration;
using CdnEdge.Control;
using CdnEdge.Storage;

namespace CdnEdge.Hosting;

/// <summary>The operator's side beside the edge: what it shares with it, and what draining does to the traffic.</summary>
internal static class EdgeAdmin
{
    internal static void AddTo(IServiceCollection services, ReviewedConfiguration reviewed)
    {
        services.AddSingleton<DrainState>();
        services.AddSingleton<EdgeNode>();
        services.AddSingleton<IServedSites>(static provider => provider.GetRequiredService<EdgeNode>());
        services.AddSingleton<IAdminNode>(static provider => provider.GetRequiredService<EdgeNode>());
        EdgePurging.AddTo(services, reviewed.Purge, reviewed.Cache.Redis);
        if (reviewed.AdminListen is not { } listen)
            return;

        services.AddSingleton(static provider => new CacheTally(provider.GetRequiredService<IMeterFactory>()));
        services.AddSingleton(provider => new AdminServer(
            new AdminParts(
                provider.GetRequiredService<ILoggerFactory>(),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<MemoryTier>(),
                provider.GetRequiredService<IPurgeBus>(),
                provider.GetRequiredService<IServedSites>(),
                provider.GetRequiredService<IAdminNode>(),
                provider.GetRequiredService<CacheTally>(),
                provider.GetRequiredService<DrainState>(),
                provider.GetRequiredService<ValidatedConfiguration>().Admin,
                provider.GetService<PurgePropagation>()),
            reviewed.Admin.AuditFile,
            listen.AddTo));
        services.AddHostedService(static provider => provider.GetRequiredService<AdminServer>());
    }

    /// <summary>Asks the clients of HTTP/1.1 for new connections, which a load balancer that was told of the draining makes elsewhere.</summary>
    internal static void CloseWhileDraining(IApplicationBuilder app)
    {
        var drain = app.ApplicationServices.GetRequiredService<DrainState>();
        app.Use(next => context =>
        {
            if (drain.IsDraining && HttpProtocol.IsHttp11(context.Request.Protocol))
            {
                // At the last moment: whatever answers writes a head of its own.
                context.Response.OnStarting(
                    static response =>
                    {
                        ((HttpResponse)response).Headers.Connection = "close";
                        return Task.CompletedTask;
                    },
                    context.Response);
            }

            return next(context);
        });
    }
}
