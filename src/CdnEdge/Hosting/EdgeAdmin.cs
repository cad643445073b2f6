using System.Diagnostics.Metrics;
using CdnEdge.Configuration;
using CdnEdge.Control;
using CdnEdge.Storage;

namespace CdnEdge.Hosting;

/// <summary>The admin API beside the edge: what it shares with it, and what draining does to the traffic.</summary>
internal static class EdgeAdmin
{
    internal static void AddTo(IServiceCollection services, ReviewedConfiguration reviewed)
    {
        services.AddSingleton<DrainState>();
        if (reviewed.AdminListen is not { } listen)
            return;

        services.AddSingleton<EdgeNode>();
        services.AddSingleton<IServedSites>(static provider => provider.GetRequiredService<EdgeNode>());
        services.AddSingleton<IAdminNode>(static provider => provider.GetRequiredService<EdgeNode>());
        services.AddSingleton<IPurgeBus>(static provider => new LocalPurgeBus(
            provider.GetRequiredService<MemoryTier>(), provider.GetRequiredService<IServedSites>(), provider.GetRequiredService<TimeProvider>()));
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
                provider.GetService<ISecondTier>()),
            reviewed.Admin.AuditFile,
            kestrel => listen.AddTo(kestrel, listen.IsTls ? new AdminTls(reviewed.Admin.Tls, provider.GetRequiredService<ILogger<AdminTls>>()).ForKestrel() : null)));
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
