using System.Reflection;
using CdnEdge.Configuration;
using CdnEdge.Control;
using CdnEdge.Delivery;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy;

namespace CdnEdge.Hosting;

/// <summary>This node as the operator's side sees it.</summary>
internal sealed class EdgeNode(
    IOptionsMonitor<CdnCacheOptions> options,
    IProxyStateLookup proxy,
    ValidatedConfiguration configuration,
    IHostApplicationLifetime lifetime,
    IServiceProvider provider) : IServedSites, IAdminNode
{
    private static readonly NamedPolicy Default = new("default", new Caching.CachePolicy());

    public string Name { get; } = options.CurrentValue.Name;

    public string Version { get; } =
        typeof(EdgeNode).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public bool IsStopping => lifetime.ApplicationStopping.IsCancellationRequested;

    public IEnumerable<KeyValuePair<string, string?>> Configuration => configuration.Root.AsEnumerable();

    public IEnumerable<NamedPolicy> Policies
    {
        get
        {
            var policies = options.CurrentValue.Policies;
            var named = policies.Select(static policy => new NamedPolicy(policy.Key, policy.Value));
            return (policies.ContainsKey(Default.Name) ? named : named.Append(Default)).Where(static named => named.Policy.Enabled);
        }
    }

    public bool Serves(HostString host) => proxy.GetRoutes().Any(route => UnknownSite.ServesHost(route.Config.Match.Hosts, host));

    public async Task<ReloadOutcome> ReloadAsync() => provider.GetService<ConfigurationFileWatch>() is { } watch
        ? await watch.ReloadAsync()
        : new ReloadOutcome(Applied: false, "", ["there is no file to read: the node was started without --config"], []);
}
