using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery;

/// <summary>
/// Is told what the cache does. Register as a singleton. Called on the request's own path: be quick, don't throw.
/// </summary>
public interface ICacheObserver
{
    /// <summary>A request is about to be answered.</summary>
    void OnServing(HttpContext context, CacheOutcome outcome)
    {
    }

    /// <summary>A response was stored.</summary>
    /// <param name="url">Host, path and query of the key.</param>
    /// <param name="bytes">Length of the body in bytes.</param>
    /// <param name="lifetime">Its freshness lifetime.</param>
    void OnStored(string url, long bytes, TimeSpan lifetime)
    {
    }

    /// <summary>A response wasn't stored.</summary>
    void OnNotStored(string url, NoStoreReason reason)
    {
    }

    /// <summary>An unsafe request invalidated what was stored of a URL.</summary>
    void OnInvalidated(string url)
    {
    }
}
