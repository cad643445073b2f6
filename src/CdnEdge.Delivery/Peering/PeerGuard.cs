using CdnEdge.Delivery.Guard;
using CdnEdge.Upstream.Peers;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Peering;

/// <summary>
/// Tells other nodes of this CDN from visitors. A visitor costs one look for a field; who claims to be a node and isn't is
/// refused, for a node's requests are trusted with more than a visitor's.
/// </summary>
internal sealed class PeerGuard(PeerAuthentication peers, PeerMetrics metrics, TimeProvider time)
{
    /// <summary>Without a key there are no peers to look for.</summary>
    internal bool IsEnabled { get; } = peers.IsEnabled;

    /// <summary>
    /// Null: a visitor, or a node, and then <paramref name="answer"/> is what it's to be answered with: it signs whatever the
    /// response will be. Then the context has the features <see cref="PeerRequest"/> and <see cref="PeerAnswer"/>, and the field is
    /// gone from the request.
    /// </summary>
    internal GuardRefusal? Refuse(HttpContext context, out PeerAnswer? answer)
    {
        // Who stands before the cache may have asked already.
        answer = PeerAnswer.Of(context);
        if (answer is not null)
        {
            return null;
        }

        var verdict = peers.Verify(context.Request, out var peer);
        if (verdict == PeerVerdict.NotAPeer)
        {
            return null;
        }

        if (peer is null)
        {
            metrics.RequestRefused(verdict);
            return Refusal(context.Request, verdict);
        }

        context.Request.Headers.Remove(PeerField.Name);
        answer = new PeerAnswer(context.Response, peer, peers, time);
        context.Features.Set(peer);
        context.Features.Set(answer);

        // Registered first, so called last: when the head is as it will be sent.
        context.Response.OnStarting(static state => ((PeerAnswer)state).OnStartingAsync(), answer);
        return null;
    }

    private static GuardRefusal Refusal(HttpRequest request, PeerVerdict verdict)
    {
        var (status, reason) = verdict switch
        {
            PeerVerdict.Malformed => (StatusCodes.Status403Forbidden, "The request's CdnEdge-Peer is malformed."),
            PeerVerdict.BadSignature => (StatusCodes.Status403Forbidden, "The request's CdnEdge-Peer isn't signed with this CDN's key, or not for this request."),
            PeerVerdict.ClockOff => (StatusCodes.Status403Forbidden, "The request's CdnEdge-Peer is of another time: the clocks of the two nodes are too far apart."),
            PeerVerdict.LoopsBack => (StatusCodes.Status508LoopDetected, "The request has passed this node before (CdnEdge-Peer)."),
            PeerVerdict.TooManyHops => (StatusCodes.Status508LoopDetected, "The request has passed as many nodes as may ask each other (CdnEdge-Peer)."),
            _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, "Not a refusal."),
        };

        return GuardRefusal.Of(request, status, reason);
    }
}
