using CdnEdge.Caching;
using CdnEdge.Upstream.Failures;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace CdnEdge.Upstream.Calls;

/// <summary>
/// One forward through YARP's pipeline, as seen from both ends: what those who start it tell (<see cref="UpstreamHandler"/> walks
/// the way by that), and what they learn. A feature of the request's context; whoever sets it calls <see cref="Finish"/>.
/// </summary>
internal sealed class UpstreamCall
{
    internal static readonly HttpRequestOptionsKey<UpstreamCall> OptionsKey = new("CdnEdge.UpstreamCall");

    private UpstreamAttempt? _answered;

    /// <summary>Set when the request is made for upstream.</summary>
    internal HttpContext? Context { get; set; }

    /// <summary>What is asked for may be stored: siblings and shields are asked before origins.</summary>
    internal bool UsesPeers { get; init; }

    /// <summary>The policy that governs; null: none.</summary>
    internal CachePolicy? Policy { get; init; }

    /// <summary>The same for every request for the same content: which of several shields it belongs to.</summary>
    internal ulong Affinity { get; init; }

    /// <summary>Not to be asked while there's another: it has just failed at this.</summary>
    internal DestinationState? Avoid { get; init; }

    /// <summary>
    /// Whether what a peer answers, fetched so long ago (the second argument), is newer than what was purged here; null: nothing was.
    /// </summary>
    internal Func<HttpResponseMessage, DateTimeOffset, bool>? IsNewEnough { get; init; }

    /// <summary>When the fetch of what a peer answered began, by this node's clock, at the latest; null: no peer answered.</summary>
    internal DateTimeOffset? FetchedAt { get; set; }

    /// <summary>
    /// How long before <paramref name="time"/> the fetch began of what a peer answered in this context; zero: no peer did, or it
    /// fetched it later.
    /// </summary>
    internal static TimeSpan FetchedBefore(HttpContext context, DateTimeOffset time) =>
        context.Features.Get<UpstreamCall>()?.FetchedAt is { } fetchedAt && fetchedAt < time ? time - fetchedAt : TimeSpan.Zero;

    /// <summary>Who gave the response; null: nobody.</summary>
    internal UpstreamAttempt? Answered => _answered;

    internal void Answer(UpstreamAttempt attempt) => _answered = attempt;

    /// <summary>After YARP's pipeline: gives the place at the destination back, and tells it how the response ended.</summary>
    internal void Finish(HttpContext context)
    {
        if (Interlocked.Exchange(ref _answered, null) is not { } attempt)
            return;

        // What broke off within the body is the upstream's fault only as YARP tells; a client that left is nobody's.
        var error = context.Features.Get<IForwarderErrorFeature>();
        attempt.End(error is { Error: ForwarderError.ResponseBodyDestination } ? ProxyStatus.From(error.Error, error.Exception)?.Error : null);
    }
}
