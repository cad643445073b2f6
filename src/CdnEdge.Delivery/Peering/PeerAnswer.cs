using CdnEdge.Caching;
using CdnEdge.Upstream.Peers;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Peering;

/// <summary>
/// The answer to another node: as the origin gave it, with the fields that end at this CDN, and with a word on how long before the
/// request came the origin had been asked, signed.
/// </summary>
/// <remarks>
/// The other node compares that time with its own purges, so it may come out too long (then it asks past this node, once), never
/// too short (then it would keep what was purged). It's counted back from when the peer's request came, which the peer knows it sent
/// before that: how long an origin takes to answer doesn't make the answer older. Of what is stored it's the time since the request
/// went out that the origin answered (<see cref="Freshness.FetchedAgo"/>), none where that was after the peer's came. Of anything else
/// it's none: what isn't stored is nobody else's. Where a third node answered, what that one says comes on top.
/// </remarks>
internal sealed class PeerAnswer(HttpResponse response, PeerRequest request, PeerAuthentication peers, TimeProvider time)
{
    private StoredHead? _head;
    private TimeSpan _fetchedBefore;

    /// <summary>What the peer asked.</summary>
    internal PeerRequest Request => request;

    /// <summary>The one of this context; null for a visitor's.</summary>
    internal static PeerAnswer? Of(HttpContext context) => context.Features.Get<PeerAnswer>();

    /// <summary>The answer is made of what is stored, or about to be, with this head.</summary>
    internal void IsFrom(StoredHead head) => _head = head;

    /// <summary>The answer comes from upstream.</summary>
    /// <param name="head">What it's stored with; null: it passes unstored.</param>
    /// <param name="fetchedBefore">Where it comes from another node in turn: how long before this one asked that one had asked the origin.</param>
    internal void IsFrom(StoredHead? head, TimeSpan fetchedBefore) => (_head, _fetchedBefore) = (head, fetchedBefore);

    internal Task OnStartingAsync()
    {
        var headers = response.Headers;
        if (_head is not null && response.StatusCode is not (StatusCodes.Status412PreconditionFailed or StatusCodes.Status416RangeNotSatisfiable))
        {
            foreach (var field in _head.Withheld)
            {
                headers[field.Name] = field.Value;
            }
        }

        var sinceArrival = time.GetElapsedTime(request.Arrival);
        var fetchedBefore = _head is not null ? _head.Freshness.FetchedAgo(time.GetUtcNow()) - sinceArrival : _fetchedBefore;
        headers[PeerField.Name] = peers.SignResponse(request, response.StatusCode, fetchedBefore);
        return Task.CompletedTask;
    }
}
