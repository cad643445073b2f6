using CdnEdge.Control;
using CdnEdge.Delivery;
using CdnEdge.Security;
using CdnEdge.Tls;

namespace CdnEdge.Configuration;

/// <summary>A configuration with all that was found wrong with it.</summary>
internal sealed class ReviewedConfiguration
{
    /// <summary>What messages call it: the file's path.</summary>
    internal required string Name { get; init; }

    /// <summary>All values by configuration path; an <see cref="ServeOptions.Origin"/> is spelt out as route and cluster.</summary>
    internal required IReadOnlyDictionary<string, string?> Values { get; init; }

    /// <summary>Every mistake, with its path. Such a configuration is never put in force.</summary>
    internal required IReadOnlyList<string> Errors { get; init; }

    /// <summary>What is likely a mistake, with its path, but does no harm.</summary>
    internal required IReadOnlyList<string> Warnings { get; init; }

    internal required IReadOnlyList<ListenAddress> Listen { get; init; }

    internal TlsOptions Tls { get; init; } = new();

    internal AcmeOptions Acme { get; init; } = new();

    /// <summary>The sites, compiled.</summary>
    internal SiteTable Sites { get; init; } = new([], new LimitOptions());

    internal LimitOptions Limits { get; init; } = new();

    /// <summary>HTTP/3 is spoken on some address.</summary>
    internal bool ServesHttp3 => Listen.Any(ServesHttp3On);

    /// <summary>Which it is and why, in the words after "HTTP/3"; null: there's no TLS, so that nobody asks.</summary>
    internal string? Http3Answer =>
        !Listen.Any(static address => address.IsTls) ? null
        : !Tls.Http3 ? "is off: CdnEdge:Tls:Http3 says so"
        : !Http3Support.IsAvailable ? $"is off: {Http3Support.Missing}"
        : !ServesHttp3 ? "is off: it takes a port that is said, not any free one (0)"
        : $"on: {string.Join(", ", Listen.Where(ServesHttp3On))} (UDP)";

    internal required string? Origin { get; init; }

    internal required AdminOptions Admin { get; init; }

    internal PurgeMethodOptions PurgeMethod { get; init; } = new();

    /// <summary>Null: the admin API is off.</summary>
    internal required ListenAddress? AdminListen { get; init; }

    internal required PurgeOptions Purge { get; init; }

    internal required CdnCacheOptions Cache { get; init; }

    internal required int Routes { get; init; }

    internal required int Clusters { get; init; }

    internal bool IsValid => Errors.Count == 0;

    internal string Contents => $"{Count(Routes, "route")}, {Count(Clusters, "cluster")}, {(Cache.Policies.Count == 1 ? "1 policy" : $"{Cache.Policies.Count} policies")}";

    /// <summary>On any free port TCP and UDP would each get another.</summary>
    internal bool ServesHttp3On(ListenAddress address) => address is { IsTls: true, Port: > 0 } && Tls.Http3 && Http3Support.IsAvailable;

    internal async Task WriteMistakesAsync(TextWriter writer)
    {
        foreach (var warning in Warnings)
            await writer.WriteLineAsync($"{Name}: warning: {warning}");
        foreach (var mistake in Errors)
            await writer.WriteLineAsync($"{Name}: {mistake}");
    }

    private static string Count(int n, string what) => n == 1 ? $"1 {what}" : $"{n} {what}s";
}
