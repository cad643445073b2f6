using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Upstream.HopByHop;

/// <summary>What still stands in the outgoing request as the client sent it, and what a route's own transforms wrote.</summary>
internal static class ClientFields
{
    /// <summary>
    /// Removes a field that the client sent; true if it is gone. One to which the route's transforms gave another value
    /// is the operator's: it stays, and the answer is false.
    /// </summary>
    public static bool TryRemove(RequestTransformContext context, string name)
    {
        var current = RequestTransform.TakeHeader(context, name);
        if (current.Count == 0 || SameValues(current, context.HttpContext.Request.Headers[name])) return true;

        RequestTransform.AddHeader(context, name, current);
        return false;
    }

    /// <summary>Whether two fields have the same lines.</summary>
    public static bool SameValues(StringValues a, StringValues b) =>
        a.Count == b.Count && (StringValues.Equals(a, b) || a.SequenceEqual(b, StringComparer.Ordinal));
}
