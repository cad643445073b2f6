using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Upstream.Targets;

/// <summary>
/// Asks for <c>/a%2Fb</c> where the client did: YARP encodes the decoded path anew and would make it <c>/a%252Fb</c>.
/// What the route's own transforms put before the client's path, or took away from its beginning, is respected.
/// </summary>
internal sealed class EscapedPathTransform : RequestTransform
{
    public override ValueTask ApplyAsync(RequestTransformContext context)
    {
        var request = context.HttpContext.Request;
        if (context.ProxyRequest.RequestUri is null
            && context.Path.Value is { } path && path.Contains('%', StringComparison.Ordinal)
            && EscapedPath.Of(request) is { } escaped
            && Escape(path, request.PathBase.Add(request.Path), escaped) is { } target)
        {
            var prefix = context.DestinationPrefix;
            if (prefix.EndsWith('/')) prefix = prefix[..^1];
            context.ProxyRequest.RequestUri = new Uri(prefix + target + context.Query.QueryString.ToUriComponent(), UriKind.Absolute);
        }

        return default;
    }

    /// <summary>
    /// <paramref name="path"/> with the segments that it still has of <paramref name="original"/>, counted from the end,
    /// as <paramref name="escaped"/> spells them. Null: it has none.
    /// </summary>
    internal static string? Escape(string path, PathString original, string escaped)
    {
        var wanted = path.Split('/');
        var from = original.Value!.Split('/');
        var spelt = escaped.Split('/');
        if (from.Length != spelt.Length) return null;

        var kept = 0;
        while (kept < Math.Min(wanted.Length, from.Length) - 1
            && string.Equals(wanted[^(kept + 1)], from[^(kept + 1)], StringComparison.Ordinal))
        {
            kept++;
        }

        if (kept == 0) return null;

        var before = string.Join('/', wanted[..^kept]);
        return $"{new PathString(before.Length == 0 ? null : before).ToUriComponent()}/{string.Join('/', spelt[^kept..])}";
    }
}
