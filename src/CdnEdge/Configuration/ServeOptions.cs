using CdnEdge.Control;
using CdnEdge.Security;
using CdnEdge.Tls;

namespace CdnEdge.Configuration;

/// <summary>The host's own part of the section <c>CdnEdge</c>; the cache's is <see cref="Delivery.CdnCacheOptions"/>.</summary>
internal sealed class ServeOptions
{
    /// <summary>Addresses to listen on (<see cref="ListenAddress"/>). Read at start only.</summary>
    public IList<string> Listen { get; set; } = [ListenAddress.Default];

    /// <summary>Certificates for the addresses that are <c>https://</c>. Read at start only; their files whenever they change.</summary>
    public TlsOptions Tls { get; set; } = new();

    /// <summary>What is particular to a site, by its host.</summary>
    public IDictionary<string, SiteOptions> Sites { get; set; } = new Dictionary<string, SiteOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>What the node as a whole bears. Read at start only.</summary>
    public LimitOptions Limits { get; set; } = new();

    /// <summary>Where an ACME client answers for the sites. Read at start only.</summary>
    public AcmeOptions Acme { get; set; } = new();

    /// <summary>The URL that everything is forwarded to, in place of routes and clusters.</summary>
    public string? Origin { get; set; }

    /// <summary>The admin API.</summary>
    public AdminOptions Admin { get; set; } = new();

    /// <summary>Who this node is to others that purge, and where its log of purges is. Read at start only.</summary>
    public PurgeOptions Purge { get; set; } = new();

    /// <summary>The method PURGE.</summary>
    public PurgeMethodOptions PurgeMethod { get; set; } = new();
}
