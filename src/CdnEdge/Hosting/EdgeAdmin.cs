using System.Diagnostics.Metrics;
using CdnEdge.Configuration;
using CdnEdge.Control;
using CdnEdge.Storage;
using CdnEdge.Upstream.Ways;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace CdnEdge.Hosting;

/// <summary>The operator's side beside the edge: what it shares with it, and what draining does to the traffic.</summary>
internal static class EdgeAdmin
{
    internal static void AddTo(IServiceCollection services, ReviewedConfiguration reviewed)
    {
        services.AddSingleton<DrainState>();

        // One of its own: the admin API may be off. Lines are appended whole, so both may write to one file.
        services.AddSingleton(provider => new AuditLog(
            reviewed.Admin.AuditFile, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<AuditLog>>()));
        services.AddSingleton(provider => new PurgeMethod(
            reviewed.PurgeMethod,
            provider.GetRequiredService<ValidatedConfiguration>().Admin,
            provider.GetRequiredService<IPurgeBus>(),
            provider.GetRequiredService<IServedSites>(),
            provider.GetRequiredService<AuditLog>(),
            provider.GetRequiredService<ILogger<AdminErrors>>()));
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
                provider.GetService<PurgePropagation>(),
                provider.GetService<ISecondTier>(),
                provider.GetRequiredService<Upstreams>())
            {
                Traffic = () => provider.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? [],
            },
            reviewed.Admin.AuditFile,
            kestrel => listen.AddTo(kestrel, endpoint =>
            {
                if (listen.IsTls)
                    endpoint.UseHttps(new AdminTls(reviewed.Admin.Tls, provider.GetRequiredService<ILogger<AdminTls>>()).ForKestrel());
            })));
        services.AddHostedService(static provider => provider.GetRequiredService<AdminServer>());
    }

    /// <summary>The method PURGE, where it's wanted.</summary>
    internal static void UsePurgeMethod(WebApplication app, ReviewedConfiguration reviewed)
    {
        if (!reviewed.PurgeMethod.Enabled)
            return;
        var services = app.Services;
        var method = services.GetRequiredService<PurgeMethod>();
        app.Use(next => context => context.Request.Method == PurgeMethod.Name ? method.InvokeAsync(context) : next(context));
    }

    /// <summary>
    /// Asks clients for new connections, which a load balancer that was told of the draining makes elsewhere. Those of HTTP/1.1 by Connection, those of
    /// HTTP/2 by GOAWAY, which lets what is under way end. Those of HTTP/3 by their Alt-Svc only: to ask for the end of a connection of QUIC has been
    /// seen to break off its responses.
    /// </summary>
    internal static void CloseWhileDraining(IApplicationBuilder app)
    {
        var drain = app.ApplicationServices.GetRequiredService<DrainState>();
        app.Use(next => context =>
        {
            if (!drain.IsDraining)
                return next(context);
            if (HttpProtocol.IsHttp2(context.Request.Protocol))
            {
                context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
            }
            else if (HttpProtocol.IsHttp11(context.Request.Protocol))
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
