using CdnEdge.Caching;
using Microsoft.Extensions.Options;

namespace CdnEdge.Delivery.Routing;

/// <summary>The cache policies by name, as the options have them now.</summary>
internal sealed class PolicyRegistry : IDisposable
{
    /// <summary>The policy of routes that choose none.</summary>
    internal const string DefaultName = "default";

    private static readonly CachePolicy Default = new();

    private readonly IDisposable? _subscription;
    private CdnCacheOptions _options;
    private int _generation;

    public PolicyRegistry(IOptionsMonitor<CdnCacheOptions> options)
    {
        _options = options.CurrentValue;
        _subscription = options.OnChange(changed =>
        {
            Volatile.Write(ref _options, changed);
            Interlocked.Increment(ref _generation);
        });
    }

    /// <summary>Grows with every change of the options.</summary>
    internal int Generation => Volatile.Read(ref _generation);

    /// <summary>Those that store anything, the one of routes that choose none included.</summary>
    internal IEnumerable<CachePolicy> All =>
        Volatile.Read(ref _options).Policies.Values.Append(Find(null)).Where(static policy => policy.Enabled).Distinct();

    /// <summary>
    /// The policy of that name. A name that isn't there is a mistake in the configuration that validation reports;
    /// its routes aren't cached rather than cached under rules nobody chose.
    /// </summary>
    internal CachePolicy Find(string? name)
    {
        var policies = Volatile.Read(ref _options).Policies;
        return policies.TryGetValue(name ?? DefaultName, out var policy) ? policy
            : name is null || string.Equals(name, DefaultName, StringComparison.OrdinalIgnoreCase) ? Default
            : Disabled;
    }

    private static CachePolicy Disabled { get; } = new() { Enabled = false };

    public void Dispose() => _subscription?.Dispose();
}
