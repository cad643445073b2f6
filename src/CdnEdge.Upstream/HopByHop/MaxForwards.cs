using System.Globalization;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Upstream.HopByHop;

/// <summary>How many servers more an OPTIONS or TRACE may pass (RFC 9110 §7.6.2).</summary>
internal static class MaxForwards
{
    internal const string Field = "Max-Forwards";

    /// <summary>Null: not said, or not as a number.</summary>
    internal static long? Of(IHeaderDictionary headers) =>
        headers.TryGetValue(Field, out var value) && value.Count == 1
        && long.TryParse(value[0], NumberStyles.None, CultureInfo.InvariantCulture, out var forwards)
            ? forwards
            : null;
}

/// <summary>Counts this node. Of other methods the field says nothing that a server must heed.</summary>
internal sealed class MaxForwardsTransform : RequestTransform
{
    public override ValueTask ApplyAsync(RequestTransformContext context)
    {
        var request = context.HttpContext.Request;
        if ((HttpMethods.IsOptions(request.Method) || HttpMethods.IsTrace(request.Method))
            && MaxForwards.Of(request.Headers) is > 0 and var forwards)
        {
            context.ProxyRequest.Headers.Remove(MaxForwards.Field);
            context.ProxyRequest.Headers.TryAddWithoutValidation(MaxForwards.Field, (forwards - 1).ToString(CultureInfo.InvariantCulture));
        }

        return default;
    }
}
