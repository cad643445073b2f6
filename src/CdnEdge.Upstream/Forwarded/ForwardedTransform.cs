using System.Net;
using CdnEdge.Upstream.Calls;
using CdnEdge.Upstream.HopByHop;
using CdnEdge.Upstream.Loops;
using CdnEdge.Upstream.Peers;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Upstream.Forwarded;

/// <summary>
/// Tells the upstream who asked: X-Forwarded-* and Forwarded. What an untrusted peer says about others is replaced by
/// what this node knows; the chain of a trusted proxy, or of another node, is extended by that proxy, and its X-Forwarded-Proto and -Host (the
/// first client's, one value each for most applications) stand as they came.
/// </summary>
internal sealed class ForwardedTransform(ForwardingOptions options, AddressList trustedProxies) : RequestTransform
{
    private const string XForwardedPrefix = "X-Forwarded-";
    private const string XForwardedFor = "X-Forwarded-For";
    private const string ForwardedField = "Forwarded";

    public override ValueTask ApplyAsync(RequestTransformContext context)
    {
        var peer = context.HttpContext.Connection.RemoteIpAddress;
        var trusted = trustedProxies.Contains(peer) || context.HttpContext.Features.Get<PeerRequest>() is not null;

        if (!trusted) RemoveClaims(context);
        if (options.Forwarded) AddForwarded(context, peer, trusted);
        if (options.XForwarded) AddXForwarded(context, peer, trusted);
        return default;
    }

    /// <summary>Whether a field says who asked, and for what.</summary>
    internal static bool IsClaim(ReadOnlySpan<char> name) =>
        name.StartsWith(XForwardedPrefix, StringComparison.OrdinalIgnoreCase) || name.Equals(ForwardedField, StringComparison.OrdinalIgnoreCase);

    private static void RemoveClaims(RequestTransformContext context)
    {
        var policy = context.HttpContext.Features.Get<UpstreamCall>()?.Policy;
        foreach (var (name, _) in context.HttpContext.Request.Headers)
        {
            if (IsClaim(name) && policy?.Passes(name) != true)
            {
                ClientFields.TryRemove(context, name);
            }
        }
    }

    private static void AddForwarded(RequestTransformContext context, IPAddress? peer, bool trusted)
    {
        var request = context.HttpContext.Request;
        var current = TakeHeader(context, ForwardedField);
        if (current.Count > 0 && (!trusted || !Unchanged(context, ForwardedField, current)))
        {
            // The route's own transforms wrote it.
            AddHeader(context, ForwardedField, current);
            return;
        }

        var element = ForwardedElement.Create(peer, request.Host.Value, request.Scheme);
        if (current.Count == 0 && trusted && ForwardedElement.FromXForwardedFor(request.Headers[XForwardedFor]) is { } chain)
            current = chain;
        AddHeader(context, ForwardedField, FieldList.Append(current, element));
    }

    private static void AddXForwarded(RequestTransformContext context, IPAddress? peer, bool trusted)
    {
        var request = context.HttpContext.Request;

        var chain = TakeHeader(context, XForwardedFor);
        if (chain.Count > 0 && (!trusted || !Unchanged(context, XForwardedFor, chain)))
            AddHeader(context, XForwardedFor, chain);
        else if (peer is not null)
            AddHeader(context, XForwardedFor, FieldList.Append(chain, AddressList.Unmapped(peer).ToString()));
        else if (chain.Count > 0)
            AddHeader(context, XForwardedFor, chain);

        SetIfAbsent(context, "X-Forwarded-Proto", request.Scheme);
        SetIfAbsent(context, "X-Forwarded-Host", request.Host.Value);
        SetIfAbsent(context, "X-Forwarded-Prefix", request.PathBase.Value);
    }

    private static void SetIfAbsent(RequestTransformContext context, string name, string? value)
    {
        var current = TakeHeader(context, name);
        if (current.Count > 0) AddHeader(context, name, current);
        else if (!string.IsNullOrEmpty(value)) AddHeader(context, name, value);
    }

    private static bool Unchanged(RequestTransformContext context, string name, StringValues current) =>
        ClientFields.SameValues(current, context.HttpContext.Request.Headers[name]);
}
