using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery;

/// <summary>
/// Changes what the cache key of a request is made of. Register as a singleton. It changes the key only, never what
/// the origin is asked for: requests that it maps to one key must be answered alike by the origin.
/// </summary>
public interface ICacheKeyContributor
{
    /// <summary>Changes <paramref name="parts"/> in place; called on each request, hits included.</summary>
    void Contribute(HttpContext context, ref CacheKeyParts parts);
}

/// <summary>What a cache key is made of, before the policy's rules are applied.</summary>
public struct CacheKeyParts : IEquatable<CacheKeyParts>
{
    /// <summary>The host, with its port.</summary>
    public HostString Host { get; set; }

    /// <summary>
    /// Path base and path, decoded as ASP.NET gives them; escaped where a percent sign is left in them, which may be part
    /// of a <c>%2F</c> or what a <c>%25</c> decoded to.
    /// </summary>
    public PathString Path { get; set; }

    /// <summary>The query, with its <c>?</c>.</summary>
    public QueryString Query { get; set; }

    /// <inheritdoc />
    public readonly bool Equals(CacheKeyParts other) => Host.Equals(other.Host) && Path.Equals(other.Path) && Query.Equals(other.Query);

    /// <inheritdoc />
    public override readonly bool Equals(object? obj) => obj is CacheKeyParts other && Equals(other);

    /// <inheritdoc />
    public override readonly int GetHashCode() => HashCode.Combine(Host, Path, Query);

    /// <summary>Equality of all parts.</summary>
    public static bool operator ==(CacheKeyParts left, CacheKeyParts right) => left.Equals(right);

    /// <summary>Inequality of any part.</summary>
    public static bool operator !=(CacheKeyParts left, CacheKeyParts right) => !left.Equals(right);
}
