using CdnEdge.Caching;
using CdnEdge.Delivery.Serving;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery;

/// <summary>Which of a URL's stored responses is for a request.</summary>
internal static class StoredSelection
{
    /// <summary>The newest variant that matches and that no purge took; null if there is none.</summary>
    internal static StoredResponse? Select(MemoryTier memory, Resource resource, CachePolicy policy, IHeaderDictionary headers, DateTimeOffset now)
    {
        foreach (var variant in resource.Variants)
        {
            if (variant.Head.Variance.Matches(policy, headers) && memory.Survives(variant, now))
            {
                return variant;
            }
        }

        return null;
    }

    /// <summary>Of parts, only a GET has a use: a range means nothing to other methods (RFC 9110 §14.2).</summary>
    internal static bool HasWhatIsAskedFor(StoredResponse stored, StoredHead head, HttpRequest request, DateTimeOffset now) =>
        stored.Body is not PartialBody { IsComplete: false } parts
        || (HttpMethods.IsGet(request.Method) && RangeResponder.CanServe(parts, request.Headers, head, now));
}
