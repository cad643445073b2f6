namespace CdnEdge.Caching;

/// <summary>Finds every mistake in a policy, each named by its configuration path.</summary>
internal static class CachePolicyValidation
{
    /// <param name="path">Configuration path of the policy, e.g. <c>CdnEdge:Policies:static</c>.</param>
    internal static IEnumerable<string> Errors(string path, CachePolicy policy) => throw new NotImplementedException();
}
