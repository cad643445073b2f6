using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Control;

/// <summary>What this node serves, as far as purging and looking objects up need to know it. Implemented by the host.</summary>
internal interface IServedSites
{
    /// <summary>The policies under which anything may be stored, as they are now.</summary>
    IEnumerable<NamedPolicy> Policies { get; }

    /// <summary>Whether a route answers for this host.</summary>
    bool Serves(HostString host);
}

/// <summary>A cache policy and what the configuration calls it.</summary>
internal sealed record NamedPolicy(string Name, CachePolicy Policy);
