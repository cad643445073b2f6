using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>What a successful unsafe request invalidates (RFC 9111 §4.4).</summary>
internal static class Invalidation
{
    /// <summary>True for 2xx and 3xx answers to methods not known to be safe.</summary>
    internal static bool IsDue(string method, int status) => throw new NotImplementedException();

    /// <summary>The target, and Location and Content-Location where they have the same origin (scheme, host, port).</summary>
    internal static IReadOnlyList<Uri> Targets(Uri target, IHeaderDictionary responseHeaders) => throw new NotImplementedException();
}
