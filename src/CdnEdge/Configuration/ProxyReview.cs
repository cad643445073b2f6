using CdnEdge.Delivery;
using CdnEdge.Delivery.Admission;
using CdnEdge.Delivery.Configuration;
using CdnEdge.Upstream.Clusters;
using CdnEdge.Upstream.Health;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace CdnEdge.Configuration;

/// <summary>
/// Looks the section <c>ReverseProxy</c> through: its types, what YARP itself has against routes and clusters, and what
/// YARP lets pass but an edge shouldn't (a route to a cluster that isn't there, a cluster without destinations).
/// </summary>
/// <param name="Errors">Every mistake, with its path.</param>
/// <param name="Warnings">Keys that YARP doesn't read. No mistakes: a YARP user's file is taken as it is.</param>
/// <param name="Routes">The routes as they're read.</param>
/// <param name="Clusters">The clusters as they're read, by id.</param>
internal sealed record ProxyReview(
    IReadOnlyList<string> Errors, IReadOnlyList<string> Warnings, IReadOnlyList<RouteConfig> Routes, IReadOnlyDictionary<string, ClusterConfig> Clusters)
{
    internal static async Task<ProxyReview> OfAsync(IConfigurationSection section, ICollection<string> policies)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddRouting();
        services.AddReverseProxy().LoadFromConfig(section);
        services.AddSingleton<IActiveHealthCheckPolicy, NamedPolicy>();
        await using var yarp = services.BuildServiceProvider();
        var validator = yarp.GetRequiredService<IConfigValidator>();
        var errors = new List<string>();
        var mistakes = new List<ConfigurationMistake>();

        foreach (var other in section.GetChildren().Where(s => !IsOneOf(s.Key, "Routes", "Clusters")))
            mistakes.Add(new(other.Path, "unknown key" + NearestName.Hint(other.Key, ["Routes", "Clusters"]), IsUnknownKey: true));

        var clusters = new Dictionary<string, ClusterConfig>(StringComparer.OrdinalIgnoreCase);
        foreach (var cluster in section.GetSection("Clusters").GetChildren())
        {
            var read = ConfigurationReading.New<ClusterConfig>(cluster, mistakes) with { ClusterId = cluster.Key };
            clusters[cluster.Key] = read;
            errors.AddRange(Destinations(cluster, read));
            errors.AddRange((await validator.ValidateClusterAsync(read)).Where(e => !IsOwnFinding(e)).Select(e => $"{cluster.Path}: {e.Message}"));
        }

        var routes = new List<RouteConfig>();
        foreach (var route in section.GetSection("Routes").GetChildren())
        {
            var read = ConfigurationReading.New<RouteConfig>(route, mistakes) with { RouteId = route.Key };
            routes.Add(read);
            errors.AddRange(References(route, read, clusters.Keys, policies));
            errors.AddRange((await validator.ValidateRouteAsync(read with { Match = read.Match ?? new RouteMatch() })).Select(e => $"{route.Path}: {e.Message}"));
        }

        errors.InsertRange(0, mistakes.Where(m => !m.IsUnknownKey).Select(m => m.ToString()));
        if (errors.Count == 0 && MistakeInLoading(yarp) is { } unforeseen)
            errors.Add($"{section.Path}: {unforeseen}");
        return new ProxyReview(errors, [.. mistakes.Where(m => m.IsUnknownKey).Select(m => m.ToString())], routes, clusters);
    }

    /// <returns>What is wrong with the address of an origin; null if nothing is.</returns>
    internal static string? MistakeInUrl(string text)
    {
        const string form = "write http://HOST[:PORT][/PATH] or https://...";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || !IsOneOf(url.Scheme, "http", "https") || url.Host.Length == 0)
            return $"'{text}' is not an http:// or https:// URL; {form}";
        if (url.UserInfo.Length > 0)
            return "credentials in a URL are not sent; leave them out";
        return url.Query.Length > 0 || url.Fragment.Length > 0
            ? $"'{text}' has a query or a fragment, which the address of an origin can't have; {form}"
            : null;
    }

    private static IEnumerable<string> Destinations(IConfigurationSection section, ClusterConfig cluster)
    {
        if (cluster.Destinations is null or { Count: 0 })
            yield return $"{section.Path}:Destinations: no destination; add one: {{ \"NAME\": {{ \"Address\": \"http://HOST:PORT\" }} }}";
        foreach (var (name, destination) in cluster.Destinations ?? new Dictionary<string, DestinationConfig>())
        {
            var path = $"{section.Path}:Destinations:{name}";
            if (string.IsNullOrEmpty(destination.Address))
                yield return $"{path}:Address: no address; write http://HOST[:PORT][/PATH] or https://...";
            else if (MistakeInUrl(destination.Address) is { } mistake)
                yield return $"{path}:Address: {mistake}";
            if (destination.Metadata?.TryGetValue(EveryAddress.MetadataKey, out var period) == true
                && !(EveryAddress.PeriodOf(destination) is { } often && often >= TimeSpan.FromSeconds(1) && often <= TimeSpan.FromDays(1)))
            {
                yield return $"{path}:Metadata:{EveryAddress.MetadataKey}: '{period}' is not a time from 00:00:01 to 1.00:00:00; how often the name is looked up, such as 00:00:30";
            }

            if (!string.IsNullOrEmpty(destination.Health) && MistakeInUrl(destination.Health) is { } ofHealth)
                yield return $"{path}:Health: {ofHealth}";
        }
    }

    private static IEnumerable<string> References(IConfigurationSection section, RouteConfig route, ICollection<string> clusters, ICollection<string> policies)
    {
        if (string.IsNullOrEmpty(route.ClusterId))
            yield return $"{section.Path}:ClusterId: no cluster{NearestName.Hint("", clusters)}";
        else if (!clusters.Contains(route.ClusterId, StringComparer.OrdinalIgnoreCase))
            yield return $"{section.Path}:ClusterId: no cluster is named '{route.ClusterId}'{NearestName.Hint(route.ClusterId, clusters)}";

        if (route.Metadata?.TryGetValue(CdnCacheMetadata.Policy, out var policy) == true
            && !IsOneOf(policy, "default")
            && !policies.Contains(policy, StringComparer.OrdinalIgnoreCase))
        {
            yield return $"{section.Path}:Metadata:{CdnCacheMetadata.Policy}: no policy is named '{policy}'{NearestName.Hint(policy, [.. policies.Append("default").Distinct(StringComparer.OrdinalIgnoreCase)])}";
        }

        if (route.Metadata?.TryGetValue(CdnCacheMetadata.Priority, out var priority) == true && !IsOneOf(priority, Enum.GetNames<FetchPriority>()))
            yield return $"{section.Path}:Metadata:{CdnCacheMetadata.Priority}: '{priority}' is not one of {string.Join(", ", Enum.GetNames<FetchPriority>())}";
    }

    /// <summary>YARP's own word on a missing address, which is said with its path already.</summary>
    private static bool IsOwnFinding(Exception e) => e.Message.StartsWith("No address found for destination", StringComparison.Ordinal);

    /// <summary>The last safeguard: lets YARP itself read what would be put in force.</summary>
    private static string? MistakeInLoading(ServiceProvider yarp)
    {
        try
        {
            foreach (var provider in yarp.GetServices<IProxyConfigProvider>())
                provider.GetConfig();
            return null;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException or OverflowException)
        {
            return e.Message;
        }
    }

    private static bool IsOneOf(string text, params string[] names) => names.Contains(text, StringComparer.OrdinalIgnoreCase);

    /// <summary>Lets YARP's validation know the policy that the edge brings along. Nothing is probed in a review.</summary>
    private sealed class NamedPolicy : IActiveHealthCheckPolicy
    {
        public string Name => ThresholdsHealthPolicy.PolicyName;

        public void ProbingCompleted(ClusterState cluster, IReadOnlyList<DestinationProbingResult> probingResults) =>
            throw new NotSupportedException("A configuration that is only looked at probes nothing.");
    }
}
