using System.Diagnostics.Metrics;
using CdnEdge.Configuration;
using CdnEdge.Control;
using CdnEdge.Delivery;
using CdnEdge.Delivery.Admission;
using CdnEdge.Delivery.Guard;
using CdnEdge.Delivery.Peering;
using CdnEdge.Security;
using CdnEdge.Upstream.Forwarded;

namespace CdnEdge.Hosting;

/// <summary>What visitors pass before the routes, by site.</summary>
internal static class EdgeSites
{
    internal static void AddTo(IServiceCollection services, ReviewedConfiguration reviewed)
    {
        var trustedProxies = new AddressList(reviewed.Cache.Forwarding.TrustedProxies);
        services.AddSingleton(_ => new Visitors(trustedProxies));
        services.AddSingleton(provider => new AnswerFields(
            provider.GetRequiredService<Visitors>(), reviewed.ServesHttp3, () => provider.GetRequiredService<DrainState>().IsDraining));
        services.AddSingleton(provider => new HttpsRedirect(
            provider.GetRequiredService<RequestGuard>(), provider.GetRequiredService<CacheName>(), reviewed.Listen.FirstOrDefault(static address => address is { IsTls: true, Port: > 0 })?.Port));
        services.AddSingleton(provider => new SiteDoor(
            provider.GetRequiredService<ValidatedConfiguration>().Sites,
            provider.GetRequiredService<Visitors>(),
            provider.GetRequiredService<PeerGuard>(),
            provider.GetRequiredService<RequestGuard>(),
            provider.GetRequiredService<AnswerFields>(),
            provider.GetRequiredService<HttpsRedirect>(),
            provider.GetRequiredService<CacheName>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new NodeLoad(reviewed.Limits, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IFetchGate>(provider => new FetchGate(
            reviewed.Limits, provider.GetRequiredService<NodeLoad>(), provider.GetRequiredService<Visitors>(), provider.GetRequiredService<IMeterFactory>()));
        services.AddSingleton(provider => new ConnectionLimits(
            reviewed.Limits, trustedProxies, provider.GetRequiredService<ILogger<ConnectionLimits>>()));
        if (reviewed.Acme is { Folder: not null } or { Forward: not null })
            services.AddSingleton(provider => new AcmeChallenges(reviewed.Acme, provider.GetRequiredService<ILogger<AcmeChallenges>>()));
    }

    internal static void Use(WebApplication app)
    {
        // Before the door: an authority comes without TLS, and without a client certificate.
        if (app.Services.GetService<AcmeChallenges>() is { } challenges)
            app.Use(next => context => AcmeChallenges.TokenOf(context.Request) is { } token ? challenges.AnswerAsync(context, token, next) : next(context));
        var door = app.Services.GetRequiredService<SiteDoor>();
        app.Use(next => context => door.InvokeAsync(context, next));
    }
}
